/**
 * The fields of a request by which a stored response is validated (RFC 9111 §4.3.1). The user's own
 * conditions and ranges are left out: the question to the origin is whether *our* copy is current, the
 * answer must be whole, and the user's conditions are evaluated against the result.
 */

import { formatHttpDate } from '#core/http/dates.ts';
import type { FieldReader, Fields } from '#core/http/fields.ts';
import type { StoredHead } from './stored-head.ts';

const CLIENT_CONDITIONS = [
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
  'range',
] as const;

/** Whether asking conditionally can save the body. */
export function hasValidator(head: Pick<StoredHead, 'etag' | 'lastModifiedAt'>): boolean {
  return head.etag !== null || head.lastModifiedAt !== null;
}

/** Changes `fields` (the forwarded request's) into a validation of `head`. */
export function makeConditional(fields: Fields, head: StoredHead): void {
  removeConditions(fields);
  if (head.etag !== null) fields.append('If-None-Match', head.etag);
  // Exactly as received where it can be, since some origins compare the text.
  if (head.lastModifiedAt !== null) {
    fields.append(
      'If-Modified-Since',
      head.fields.get('last-modified') ?? formatHttpDate(head.lastModifiedAt),
    );
  }
}

/** Removes the user's conditions and ranges, so that the origin sends the whole response. */
export function removeConditions(fields: Fields): void {
  for (const name of CLIENT_CONDITIONS) fields.delete(name);
}

/** Whether the request asks for less than a whole answer. */
export function hasConditions(fields: FieldReader): boolean {
  for (const name of CLIENT_CONDITIONS) if (fields.get(name) !== null) return true;
  return false;
}
