/** The cookies of a request (RFC 6265 §4.2.1, §5.4), read without judging: what an origin might see counts. */
import type { Fields } from './fields.ts';
import { trimWhitespace } from './syntax.ts';

export interface Cookie {
  readonly name: string;
  /** As it stands there, quotes and all; '' also where there is no "=". */
  readonly value: string;
}

/** In order of arrival; of several lines of Cookie each is read. */
export function cookiesOf(fields: Fields): Cookie[] {
  const cookies: Cookie[] = [];
  for (const line of fields.getAll('cookie')) {
    for (const pair of line.split(';')) {
      const equals = pair.indexOf('=');
      const name = trimWhitespace(equals === -1 ? pair : pair.slice(0, equals));
      if (name === '') continue;
      cookies.push({ name, value: equals === -1 ? '' : trimWhitespace(pair.slice(equals + 1)) });
    }
  }
  return cookies;
}
