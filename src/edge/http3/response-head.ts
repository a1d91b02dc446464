/**
 * The fields of a response as Bun takes them. What may not be written is left out, as in the other versions
 * (`http1/response-head.ts`); framing, and a Date where there is none, are Bun's.
 */
import { type Fields, lowerCaseName } from '#core/http/fields.ts';
import { isFieldValue, isToken } from '../connection/characters.ts';
import { isLeftOut } from '../connection/message-form.ts';
import type { PreparedHead } from '../exchange.ts';

export function headersOf(fields: Fields): Headers {
  const headers = new Headers();
  for (let i = 0, count = fields.size; i < count; i += 1) {
    const name = fields.nameAt(i);
    const value = fields.valueAt(i);
    if (isLeftOut(lowerCaseName(name)) || !isToken(name) || !isFieldValue(value)) continue;
    headers.append(name, value);
  }
  return headers;
}

/** The headers of prepared heads used before, so that a hit parses no line. */
const PREPARED = new WeakMap<PreparedHead, Headers>();

/** The headers of a prepared head with the lines that this use of it adds. */
export function preparedHeaders(head: PreparedHead, dynamicLines: string): Headers {
  let known = PREPARED.get(head);
  if (known === undefined) {
    known = new Headers();
    appendLines(known, head.lines);
    PREPARED.set(head, known);
  }
  const headers = new Headers(known);
  appendLines(headers, dynamicLines);
  return headers;
}

/** Appends "Name: value" CRLF lines of our own making. */
function appendLines(headers: Headers, lines: string): void {
  let from = 0;
  while (from < lines.length) {
    const end = lines.indexOf('\r\n', from);
    const colon = lines.indexOf(': ', from);
    headers.append(lines.slice(from, colon), lines.slice(colon + 2, end));
    from = end + 2;
  }
}
