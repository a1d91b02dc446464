/**
 * Processes as one word each, for locks in memory that several share: the number of the process, and of its start as
 * much as fits, because numbers are given again. Linux; elsewhere the number alone.
 *
 *   pid (22 bits) │ start, clock ticks since boot (10 bits)
 */
import { readFileSync } from 'node:fs';

const START_BITS = 10;

/** This process; never 0. */
export const OWN_MARK = markOf(process.pid, startOf('self') ?? 0);

/** Whether the process of a mark has ended. */
export function hasEnded(mark: number): boolean {
  const pid = mark >>> START_BITS;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Not ours to signal is alive, too.
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
  const start = startOf(pid);
  return start !== null && markOf(pid, start) !== mark;
}

function markOf(pid: number, start: number): number {
  return ((pid << START_BITS) | (start % 2 ** START_BITS)) >>> 0;
}

/** Clock ticks; null where this cannot be told; -1: it has ended, and only its parent does not know yet. */
function startOf(pid: number | 'self'): number | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null;
  }
  // The name, in brackets, may have anything in it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return -1;
  return Number(fields[19]);
}
