/**
 * Who may speak to the API at all, before anything is parsed.
 *
 * - Host must be an IP address, `localhost` or a name the operator allowed: a foreign name that was pointed
 *   at this address (DNS rebinding) is refused.
 * - A browser's request from another origin is refused; there are no cookies, so no other site could speak
 *   for a user anyway, and it shall not probe either.
 * - Operations need `Authorization: Bearer <token>`; nothing else carries a token.
 */
import { isIP } from 'node:net';
import type { FailureLimit } from '../auth/failure-limit.ts';
import type { Tokens } from '../auth/tokens.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import { type Refusal, refusal } from './refusals.ts';

/** Null when the request may go on. `allowedHosts`: names beside addresses and localhost, lower case. */
export function checkHostAndOrigin(request: Request, allowedHosts: ReadonlySet<string>): Refusal | null {
  const host = request.headers.get('host') ?? '';
  const name = hostNameOf(host);
  const isKnown =
    isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost') || allowedHosts.has(name);
  if (!isKnown) {
    const message = `this control plane does not answer to the name "${name}"; use its IP address or localhost`;
    return refusal('forbidden', message, [], 421);
  }
  const origin = request.headers.get('origin');
  if (origin !== null && !isSameOrigin(origin, host)) {
    return refusal(
      'forbidden',
      `requests from the web page ${origin} are not accepted; use the API from a program`,
    );
  }
  const fetchSite = request.headers.get('sec-fetch-site');
  // Links to the console from elsewhere are navigations, and fine.
  if (fetchSite === 'cross-site' && request.headers.get('sec-fetch-mode') !== 'navigate') {
    return refusal(
      'forbidden',
      'requests from another web page are not accepted; use the API from a program',
    );
  }
  return null;
}

export interface Authenticator {
  readonly tokens: Tokens;
  readonly failures: FailureLimit;
}

/** Null when the request bears a valid token. */
export async function checkToken(
  request: Request,
  clientAddress: string,
  { tokens, failures }: Authenticator,
): Promise<(Refusal & { readonly headers: Record<string, string> }) | null> {
  const field = request.headers.get('authorization') ?? '';
  const isBounded = field.length <= CONTROL_LIMITS.authorizationCharactersMax;
  const secret = isBounded ? /^bearer +([^ ]+)$/i.exec(field)?.[1] : undefined;
  if (secret !== undefined && (await tokens.verify(secret)) !== null) return null;
  const waitSeconds = failures.countFailure(clientAddress);
  if (waitSeconds > 0) {
    const message = `too many requests without a valid token from ${clientAddress}; wait ${waitSeconds} s, and check the token`;
    return { ...refusal('limit-exceeded', message), headers: { 'retry-after': String(waitSeconds) } };
  }
  const message =
    field === ''
      ? 'a token is needed: send "Authorization: Bearer <token>"; the first one is in the file admin-token of the data directory'
      : 'this token is not valid; it may have been revoked, or belong to another data directory';
  return {
    ...refusal('unauthenticated', message),
    headers: { 'www-authenticate': 'Bearer realm="perigee"' },
  };
}

/** The host without port and brackets, lower case. */
function hostNameOf(host: string): string {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*))(?::\d{1,5})?$/.exec(host);
  return (match?.[1] ?? match?.[2] ?? '').toLowerCase();
}

function isSameOrigin(origin: string, host: string): boolean {
  const match = /^https?:\/\/([^/]+)$/.exec(origin);
  return match?.[1]?.toLowerCase() === host.toLowerCase();
}
