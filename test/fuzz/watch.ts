/** Runs in a thread of its own beside `fuzz.ts`: when the same input is tried for too long, it ends the process. */
import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

interface Watched {
  readonly name: string;
  readonly seed: number;
  readonly current: Int32Array;
  readonly inputMsMax: number;
}

const { name, seed, current, inputMsMax } = workerData as Watched;
const STDERR = 2;

let seen = -1;
setInterval(() => {
  const number = Atomics.load(current, 0);
  if (number !== seen) {
    seen = number;
    return;
  }
  const again = `npm run fuzz -- --target ${name} --seed ${seed} --from ${number} --runs 1`;
  writeSync(STDERR, `${name}: an input keeps the thread to itself\nagain: ${again}\n`);
  process.kill(process.pid, 'SIGKILL');
}, inputMsMax);
