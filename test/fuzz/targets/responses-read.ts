/** A strict reader of the responses that an HTTP/1.1 server sends on one connection. */
import { mustBe } from '../target.ts';

const STATUS_LINE = /^HTTP\/1\.1 ([1-5]\d\d) [\t -~]*\r\n/;
const FIELD_LINE = /^([!#$%&'*+.^_`|~\w-]+): ([\t -~\x80-\xff]*)\r\n/;

/**
 * The final responses as they stand, in order; whether an interim one was sent may depend on what had come by
 * then. `methods`: those of the requests that were answered; refusals may follow.
 */
export function readResponses(bytes: Buffer, methods: readonly string[]): string[] {
  const responses: string[] = [];
  let text = bytes.toString('latin1');
  while (text !== '') {
    const status = STATUS_LINE.exec(text);
    mustBe(`a status line: ${JSON.stringify(text.slice(0, 100))}`, status !== null);
    let at = status?.[0].length ?? 0;
    let length = 0;
    for (let line = FIELD_LINE.exec(text.slice(at)); line !== null; line = FIELD_LINE.exec(text.slice(at))) {
      at += line[0].length;
      if (line[1]?.toLowerCase() === 'content-length') length = Number(line[2]);
      mustBe('no other framing here', line[1]?.toLowerCase() !== 'transfer-encoding');
    }
    mustBe(`the end of a head: ${JSON.stringify(text.slice(at, at + 100))}`, text.startsWith('\r\n', at));
    const isInterim = status?.[1]?.startsWith('1') === true;
    const hasBody = !isInterim && methods[responses.length] !== 'HEAD';
    const end = at + 2 + (hasBody ? length : 0);
    mustBe('a whole body', end <= text.length);
    if (!isInterim) responses.push(text.slice(0, end));
    text = text.slice(end);
  }
  return responses;
}
