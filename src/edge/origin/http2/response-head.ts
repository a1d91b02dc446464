/**
 * The field section of an origin's response over HTTP/2, judged as strictly as in HTTP/1.1 (RFC 9113 §8.1–§8.3):
 * one :status, first; fields in lower case, none of a connection.
 */
import { Fields } from '#core/http/fields.ts';
import { isFieldValue } from '../../connection/characters.ts';
import { isConnectionField } from '../../connection/message-form.ts';
import { isFieldName } from '../../http2/field-name.ts';

export interface ResponseFields {
  readonly status: number;
  readonly fields: Fields;
  /** Bytes announced, null when not. */
  readonly contentLength: number | null;
}

const COLON = 58;

/** The response, or what is wrong with it. */
export function parseResponse(lines: readonly string[]): ResponseFields | string {
  if (lines[0] !== ':status' || !/^[1-9][0-9]{2}$/.test(lines[1] ?? '')) return 'no valid :status';
  const fields = readFields(lines, 2);
  if (typeof fields === 'string') return fields;
  const status = Number(lines[1]);
  const lengths = fields.getAll('content-length');
  const length = lengths[0] ?? null;
  if (lengths.some((other) => other !== length || !/^[0-9]{1,15}$/.test(other))) {
    return 'content-length-invalid';
  }
  // One line as it was understood; with 204 it is meaningless (RFC 9110 §8.6).
  if (length !== null) fields.delete('content-length');
  if (length !== null && status !== 204) fields.append('content-length', String(Number(length)));
  return { status, fields, contentLength: length === null ? null : Number(length) };
}

/** The trailer fields, or what is wrong with them. */
export function parseResponseTrailers(lines: readonly string[]): Fields | string {
  return readFields(lines, 0);
}

function readFields(lines: readonly string[], from: number): Fields | string {
  const flat: string[] = [];
  for (let i = from; i < lines.length; i += 2) {
    const name = lines[i] as string;
    const value = lines[i + 1] as string;
    if (name.charCodeAt(0) === COLON) return 'a pseudo-field where none may be';
    if (!isFieldName(name)) return 'a field name is malformed';
    if (!isFieldValue(value)) return `the value of ${name} is malformed`;
    if (isConnectionField(name)) return `${name} has no place in HTTP/2`;
    flat.push(name, value.trim());
  }
  return new Fields(flat);
}
