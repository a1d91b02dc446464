/**
 * One Perigee per data directory: a lock file names the process that holds it. A lock whose process is
 * gone (or whose number now belongs to another process) is taken over.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '#core/base/app-error.ts';

/** When a process started, in the kernel's ticks; null when there is none or the system does not say. */
function processStart(pid: number): string | null {
  try {
    // Field 22 of /proc/PID/stat; the name before it may hold spaces and parentheses.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

function isAlive(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const now = processStart(pid);
  return now === null || now === start;
}

/** Takes the lock, or throws AppError `conflict` naming the holder. Returns the function that gives it back. */
export function lockDataDirectory(directory: string): () => void {
  const path = join(directory, 'perigee.lock');
  const own = `${process.pid} ${processStart(process.pid) ?? ''}`;
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      writeFileSync(path, own, { flag: 'wx', mode: 0o600 });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const [pid = '', start = ''] = readFileSync(path, 'utf8').split(' ');
    if (Number(pid) > 0 && isAlive(Number(pid), start)) {
      throw new AppError(
        'conflict',
        `--data ${directory}: another Perigee (process ${pid}) uses this directory`,
      );
    }
    rmSync(path, { force: true });
  }
  throw new AppError('conflict', `--data ${directory}: another Perigee is starting there`);
}
