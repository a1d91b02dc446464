/** How the console reaches the control plane that served it: `fetch` on the page's own address, with a deadline. */
import type { Send } from '#core/contract/client.ts';

/** A purge waits for every edge, which is the slowest thing the API does. */
const ANSWER_TIMEOUT_MS = 15_000;

export const sendFromBrowser: Send = async (request) => {
  const response = await fetch(request.url, {
    method: request.method,
    headers: request.headers,
    body: request.body,
    cache: 'no-store',
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
  });
  return { status: response.status, body: await response.text() };
};
