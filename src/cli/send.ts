/** Sends the CLI's requests over the network, with a deadline, and says plainly when nobody is there. */

import { AppError } from '#core/base/app-error.ts';
import type { Send } from '#core/contract/client.ts';
import { ANSWER_BYTES_MAX, REQUEST_TIMEOUT_MS } from './limits.ts';

/** Throws AppError `unavailable` when no complete answer came. */
export const sendOverNetwork: Send = async ({ method, url, headers, body }) => {
  try {
    const response = await fetch(url, {
      method,
      headers,
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    return { status: response.status, body: await readBounded(response) };
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('unavailable', describeFailure(url, cause), { cause });
  }
};

function describeFailure(url: string, cause: unknown): string {
  const address = new URL(url).origin;
  if (cause instanceof Error && cause.name === 'TimeoutError') {
    return `the API at ${address} did not answer within ${REQUEST_TIMEOUT_MS / 1000} s`;
  }
  return `cannot reach the API at ${address}: is "perigee up" running? (--api URL or PERIGEE_API names another address)`;
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) {
      throw new AppError(
        'limit-exceeded',
        `${response.url} answered with more than ${ANSWER_BYTES_MAX} bytes`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
