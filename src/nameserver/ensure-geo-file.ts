/** Sees to it that the compiled geography database is there. */
import { fileURLToPath } from 'node:url';
import { AppError } from '#core/base/app-error.ts';
import { openGeoFile } from '#platform/geo-file.ts';
import { NAMESERVER_LIMITS } from './limits.ts';

function isUsable(path: string): boolean {
  try {
    openGeoFile(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * Compiles the file at `path` from the installed package unless a good one is there (about 4 s of one core
 * in a process of its own). Throws AppError `unavailable` when that fails.
 */
export async function ensureGeoFile(path: string): Promise<void> {
  if (isUsable(path)) return;
  const compiler = Bun.spawn({
    cmd: [process.execPath, fileURLToPath(new URL('./compile-geo.ts', import.meta.url)), path],
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
    timeout: NAMESERVER_LIMITS.geoCompileMs,
  });
  const complaint = await new Response(compiler.stderr).text();
  if ((await compiler.exited) !== 0) {
    throw new AppError(
      'unavailable',
      `The geography database could not be compiled to ${path}: ${complaint.trim().slice(-500) || 'it took too long'}.`,
    );
  }
}
