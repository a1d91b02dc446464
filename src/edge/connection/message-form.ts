/** What every version says alike of a message's form: which responses have no content, which fields are a connection's. */
import type { Fields } from '#core/http/fields.ts';
import { NameSet } from '#core/http/name-set.ts';

/** Statuses whose responses have no content (RFC 9110 §6.4.1, §15.3.6). */
export function isBodiless(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

/** Content-Length as an origin announced it for GET, for the answer to HEAD; null when it did not, or not as a number. */
export function announcedLength(fields: Fields): number | null {
  const value = fields.get('content-length');
  return value !== null && /^\d{1,15}$/.test(value) ? Number(value) : null;
}

/** Fields of one HTTP/1.1 connection; in later versions they are malformed (RFC 9113 §8.2.2, RFC 9114 §4.2). */
export const CONNECTION_FIELDS: readonly string[] = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
];

const CONNECTION = new NameSet(CONNECTION_FIELDS);
const LEFT_OUT = new NameSet(['content-length', 'te', ...CONNECTION_FIELDS]);

export function isConnectionField(name: string): boolean {
  return CONNECTION.has(name);
}

/** Fields of a response that a listener of HTTP/2 or 3 leaves out or writes itself. */
export function isLeftOut(name: string): boolean {
  return LEFT_OUT.has(name);
}
