/**
 * Where the API is and who we are there: from options, else the environment, else the defaults of a
 * `perigee up` in the current directory, whose data directory holds the first administrator's token.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '#core/base/app-error.ts';
import { errorMessage } from '#core/base/error-message.ts';
import { type ApiClient, createApiClient } from '#core/contract/client.ts';
import type { CliIo } from './io.ts';
import { TOKEN_FILE_BYTES_MAX } from './limits.ts';
import { sendOverNetwork } from './send.ts';

export const DEFAULT_API_URL = 'http://127.0.0.1:8000';
export const DEFAULT_DATA_DIRECTORY = './.perigee';

/** What the user gave on the command line; what is left out is looked up. */
export interface ConnectionOptions {
  readonly api?: string | undefined;
  readonly token?: string | undefined;
  readonly data?: string | undefined;
}

/** A client for the API. Throws AppError `invalid` or `unauthenticated` when it cannot be known. */
export function connect(given: ConnectionOptions, io: Pick<CliIo, 'environment' | 'send'>): ApiClient {
  return createApiClient({
    baseUrl: readApiUrl(given.api ?? io.environment.PERIGEE_API ?? DEFAULT_API_URL),
    token: readToken(given, io.environment),
    send: io.send ?? sendOverNetwork,
  });
}

function readApiUrl(text: string): string {
  const url = URL.parse(/^https?:\/\//i.test(text) ? text : `http://${text}`);
  if (url === null || url.search !== '' || url.hash !== '' || url.username !== '') {
    throw new AppError('invalid', `--api ${text}: must be an address such as ${DEFAULT_API_URL}`);
  }
  return url.href.replace(/\/+$/, '');
}

function readToken(given: ConnectionOptions, environment: CliIo['environment']): string {
  const named = given.token ?? (given.data === undefined ? environment.PERIGEE_TOKEN : undefined);
  if (named !== undefined) return checkToken(named, '--token or PERIGEE_TOKEN');
  const file = join(given.data ?? environment.PERIGEE_DATA ?? DEFAULT_DATA_DIRECTORY, 'admin-token');
  let text: string;
  try {
    if (statSync(file).size > TOKEN_FILE_BYTES_MAX) throw new Error('is too large for a token');
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const reason = code === 'ENOENT' ? 'is not there' : errorMessage(cause);
    throw new AppError(
      'unauthenticated',
      `no token: ${file} ${reason}; run this where "perigee up" runs, or give --data DIR, --token TOKEN or PERIGEE_TOKEN`,
      { cause },
    );
  }
  return checkToken(text, file);
}

/** A token travels in a header field: visible characters only. */
function checkToken(text: string, source: string): string {
  const token = text.trim();
  if (!/^[\x21-\x7e]+$/.test(token)) throw new AppError('invalid', `${source}: does not hold a token`);
  return token;
}
