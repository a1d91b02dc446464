/**
 * Runs a target on inputs made by chance from a seed, and reports what does not hold with the smallest input
 * found that shows it, and the command that plays it again.
 */
import { Worker } from 'node:worker_threads';
import { mutate, someCuts } from './mutate.ts';
import { Random } from './random.ts';
import type { FuzzTarget } from './target.ts';

export interface FuzzRun {
  readonly seed: number;
  /** The first input, and how many. */
  readonly from: number;
  readonly runs: number;
  /** Ends the run before; ms since the epoch. */
  readonly until?: number;
}

/** No input may take longer, ms, however busy the machine is. */
const INPUT_MS_MAX = 30_000;
/** Attempts at a smaller input, and how long they may take, ms. */
const SHRINKS_MAX = 2_000;
const SHRINK_MS_MAX = 20_000;
/** What a run may leave in memory once it is over; parsers remember some names and values. */
const LEFT_BYTES_MAX = 16 * 1024 * 1024;
/** Looks at what is left; what is about to be let go may take a turn or two. */
const LOOKS_MAX = 10;

interface Trial {
  readonly input: Buffer;
  readonly cuts: readonly number[];
}

/** The inputs of the corpus come first as they are, then mutated ones. */
function trialOf(target: FuzzTarget, seed: number, number: number): Trial {
  const random = new Random(seed, number);
  const given = target.corpus[number];
  const input = given ?? mutate(target.corpus, target.tokens, random);
  return { input, cuts: someCuts(input, random) };
}

/** Throws the first finding. Returns how many inputs were tried. */
export async function fuzz(target: FuzzTarget, run: FuzzRun): Promise<number> {
  const watch = new Watch(target.name, run.seed);
  const before = await heapBytes();
  let number = run.from;
  try {
    for (; number < run.from + run.runs; number += 1) {
      if (run.until !== undefined && Date.now() > run.until) break;
      watch.begin(number);
      const trial = trialOf(target, run.seed, number);
      const fault = await faultOf(target, trial);
      if (fault === null) continue;
      watch.stop();
      throw await report(target, run.seed, number, trial, fault);
    }
  } finally {
    watch.stop();
  }
  let left = (await heapBytes()) - before;
  for (let look = 1; look < LOOKS_MAX && left > LEFT_BYTES_MAX; look += 1)
    left = (await heapBytes()) - before;
  if (left > LEFT_BYTES_MAX) throw new Error(`${target.name}: ${left} bytes are left of seed ${run.seed}`);
  return number - run.from;
}

async function faultOf(target: FuzzTarget, { input, cuts }: Trial): Promise<Error | null> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('it does not end')), INPUT_MS_MAX);
  try {
    const checking = target.check(input, cuts);
    if (checking !== undefined) await Promise.race([checking, late]);
    return null;
  } catch (error) {
    return error as Error;
  } finally {
    clearTimeout(timer);
  }
}

async function report(
  target: FuzzTarget,
  seed: number,
  number: number,
  trial: Trial,
  fault: Error,
): Promise<Error> {
  const least = await shrink(target, trial);
  const command = `npm run fuzz -- --target ${target.name} --seed ${seed} --from ${number} --runs 1`;
  const message = [
    `${target.name}: ${(await faultOf(target, least))?.message ?? fault.message}`,
    `input (latin1, ${least.input.length} bytes): ${JSON.stringify(least.input.toString('latin1').slice(0, 4_000))}`,
    `cut at: ${JSON.stringify(least.cuts)}`,
    `again: ${command}`,
  ].join('\n');
  return new Error(message, { cause: fault });
}

/** Leaves out parts and cuts for as long as something still does not hold. */
async function shrink(target: FuzzTarget, trial: Trial): Promise<Trial> {
  let least = trial;
  let left = SHRINKS_MAX;
  const end = Date.now() + SHRINK_MS_MAX;
  const attempt = async (candidate: Trial): Promise<boolean> => {
    left -= 1;
    if (left < 0 || Date.now() > end || (await faultOf(target, candidate)) === null) return false;
    least = candidate;
    return true;
  };
  for (let size = Math.ceil(trial.input.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < least.input.length && left > 0; ) {
      if (!(await attempt(without(least, at, size)))) at += size;
    }
  }
  for (const cut of least.cuts) {
    await attempt({ input: least.input, cuts: least.cuts.filter((each) => each !== cut) });
  }
  return least;
}

function without({ input, cuts }: Trial, at: number, size: number): Trial {
  const shorter = Buffer.concat([input.subarray(0, at), input.subarray(at + size)]);
  const moved = cuts.map((cut) => (cut <= at ? cut : Math.max(at, cut - size)));
  return { input: shorter, cuts: [...new Set(moved)].filter((cut) => cut > 0 && cut < shorter.length) };
}

async function heapBytes(): Promise<number> {
  await new Promise((resolve) => setImmediate(resolve));
  Bun.gc(true);
  return process.memoryUsage().heapUsed;
}

/** Ends the process, saying which input it was, when one keeps the thread for itself. */
class Watch {
  readonly #current = new Int32Array(new SharedArrayBuffer(4));
  readonly #worker: Worker;

  constructor(name: string, seed: number) {
    this.#worker = new Worker(new URL('./watch.ts', import.meta.url), {
      workerData: { name, seed, current: this.#current, inputMsMax: 2 * INPUT_MS_MAX },
    });
    this.#worker.unref();
  }

  begin(number: number): void {
    Atomics.store(this.#current, 0, number);
  }

  stop(): void {
    void this.#worker.terminate();
  }
}
