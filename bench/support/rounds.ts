/**
 * Measures subjects in turns, so that whatever else the machine does in the meantime meets each of them; the
 * order rotates from round to round. A figure is the median of its rounds; ratios are made round by round.
 */
import type { BenchOptions, BenchRow, Figures } from '../bench-result.ts';

/** Whole seconds are what the load generators take. Enough for compilers to have seen the hot paths. */
const WARM_UP_SECONDS = 2;

/** Why a subject cannot play a scenario at all: it is left out of it, and the reason noted. */
export class TakesNoPart extends Error {}

export interface Scenario<Subject> {
  /** Such as "1 KiB, http/1.1, wrk". */
  readonly name: string;
  /** One measurement; null when the subject has no such thing. Rejects when it was not what it should be. */
  play(subject: Subject, seconds: number, isWarmUp: boolean): Promise<Figures | null>;
}

interface Measured {
  readonly rows: readonly BenchRow[];
  /** Who was left out of which scenario, and why. */
  readonly leftOut: readonly string[];
}

export async function measureInTurns<Subject extends { readonly name: string }>(
  subjects: readonly Subject[],
  scenarios: readonly Scenario<Subject>[],
  options: BenchOptions,
): Promise<Measured> {
  const { seconds, rounds, only } = options;
  const chosen = scenarios.filter(({ name }) => only === null || name.includes(only));
  if (chosen.length === 0) {
    throw new Error(
      `no scenario has "${only}" in its name: ${scenarios.map(({ name }) => `"${name}"`).join(', ')}`,
    );
  }
  const rows: BenchRow[] = [];
  const leftOut: string[] = [];
  for (const scenario of chosen) {
    process.stderr.write(`${scenario.name}\n`);
    const taking = new Map<Subject, Figures[]>();
    for (const subject of subjects) {
      const reason = await warmUp(scenario, subject);
      if (reason === null) taking.set(subject, []);
      else if (reason !== '') leftOut.push(`${subject.name} takes no part in "${scenario.name}": ${reason}`);
    }
    const players = [...taking.keys()];
    for (let round = 0; round < rounds; round += 1) {
      for (let turn = 0; turn < players.length; turn += 1) {
        const player = players[(round + turn) % players.length] as Subject;
        const figures = await play(scenario, player, seconds, false);
        if (figures !== null) taking.get(player)?.push(figures);
      }
    }
    for (const [{ name }, figures] of taking) {
      rows.push({ subject: name, scenario: scenario.name, figures: mediansOf(figures), rounds: figures });
    }
  }
  return { rows, leftOut };
}

/** Null when the subject plays, else why not; '' where there is nothing to say. */
async function warmUp<Subject extends { readonly name: string }>(
  scenario: Scenario<Subject>,
  subject: Subject,
): Promise<string | null> {
  try {
    return (await play(scenario, subject, WARM_UP_SECONDS, true)) === null ? '' : null;
  } catch (error) {
    const { cause } = error as Error;
    if (cause instanceof TakesNoPart) return cause.message;
    throw error;
  }
}

async function play<Subject extends { readonly name: string }>(
  scenario: Scenario<Subject>,
  subject: Subject,
  seconds: number,
  isWarmUp: boolean,
): Promise<Figures | null> {
  try {
    return await scenario.play(subject, seconds, isWarmUp);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${subject.name}, ${scenario.name}: ${reason}`, { cause: error });
  }
}

/** Figure by figure. */
function mediansOf(rounds: readonly Figures[]): Figures {
  const names = Object.keys(rounds[0] ?? {});
  return Object.fromEntries(
    names.map((name) => [name, median(rounds.map((figures) => figures[name] ?? Number.NaN))]),
  );
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((first, second) => first - second);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
