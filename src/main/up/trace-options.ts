/** The options of `perigee up` about the trace, and its beginning: a line in the file, and the secret of its keys. */
import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { AppError } from '#core/base/app-error.ts';
import { errorMessage } from '#core/base/error-message.ts';
import { formatTraceStart } from '#core/simulation/trace-line.ts';
import { TRACE_SECRET_VARIABLE } from '../trace-secret.ts';
import { readShare } from './share.ts';

export interface TraceOption {
  readonly path: string;
  /** Of all keys, those that are traced. */
  readonly share: number;
}

/** Null: nothing is traced. Throws AppError `invalid`. */
export function readTraceOptions(path: string | undefined, share: string | undefined): TraceOption | null {
  if (path === undefined) {
    if (share === undefined) return null;
    throw new AppError('invalid', '--trace-share: needs --trace FILE');
  }
  if (path.trim() === '')
    throw new AppError('invalid', '--trace: must be a file, such as /var/tmp/perigee.trace');
  return { path: resolve(path), share: share === undefined ? 1 : readShare(share, '--trace-share') };
}

/**
 * Before the edges start. The secret is in the environment, which only processes of the same user can read; options on the
 * command line everybody can. Throws AppError `invalid` where the file cannot be written.
 */
export function beginTrace({ path, share }: TraceOption): void {
  try {
    appendFileSync(path, formatTraceStart(share, new Date().toISOString()), { mode: 0o600 });
  } catch (error) {
    throw new AppError('invalid', `--trace ${path}: cannot be written: ${errorMessage(error)}`);
  }
  process.env[TRACE_SECRET_VARIABLE] = randomBytes(32).toString('hex');
}
