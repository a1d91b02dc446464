import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { ORIGIN_LIMITS } from './limits.ts';
import { ResponseReader } from './response-reader.ts';

/** All that a reader tells of the pieces, joined so that it does not depend on how they were cut. */
function read(method: string, ...pieces: Uint8Array[]): string[] {
  const events: string[] = [];
  let content = '';
  const reader = new ResponseReader(method, ORIGIN_LIMITS, {
    onInform: (status, fields) => events.push(`inform ${status} ${JSON.stringify([...fields])}`),
    onHead: (line, framing) =>
      events.push(
        `head ${JSON.stringify(line)} ${framing.kind} ${framing.length} ${framing.isReusable} ${JSON.stringify([...framing.fields])}`,
      ),
    onPart: (part) => {
      expect(part.length).toBeGreaterThan(0);
      content += Buffer.from(part).toString('latin1');
    },
    onResponseEnd: (trailers) =>
      events.push(`end ${JSON.stringify(trailers === null ? null : [...trailers])}`),
    onFault: (type, detail) => events.push(`fault ${type} ${detail}`),
  });
  for (const piece of pieces) reader.push(Buffer.from(piece));
  reader.end();
  return [...events, content];
}

const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1');

const wires = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nA: b\r\n\r\n',
  'HTTP/1.1 200 OK\r\n\r\nuntil the end',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno',
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX',
  'HTTP/1.1 200 OK\r\nContent-Le',
  'HTTP/1.1 20',
  'HTTP/1.1 103 Early Hints\r\n\r\n',
];

describe('ResponseReader', () => {
  test.each(wires)('reads the same however the bytes are cut: %j', (wire) => {
    const bytes = latin1(wire);
    for (const method of ['GET', 'HEAD']) {
      const whole = read(method, bytes);
      for (let cut = 0; cut <= bytes.length; cut += 1) {
        expect(read(method, bytes.slice(0, cut), bytes.slice(cut))).toEqual(whole);
      }
      expect(read(method, ...[...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(whole);
    }
  });

  test('ends with exactly one end or fault, whatever comes', () => {
    const token = fc.oneof(
      fc.constantFrom(
        'HTTP/1.1 200 OK\r\n',
        'HTTP/1.0 304 X\r\n',
        'HTTP/1.1 103 E\r\n\r\n',
        'Content-Length: 3\r\n',
        'Transfer-Encoding: chunked\r\n',
        'Connection: close\r\n',
        '\r\n',
        '3\r\nabc\r\n',
        '0\r\n\r\n',
        '\n',
        '\r',
        ': ',
      ),
      fc.string({ maxLength: 6 }),
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 12 }), fc.nat(100), (tokens, cut) => {
        const bytes = latin1(tokens.join(''));
        const events = read('GET', bytes.slice(0, cut), bytes.slice(cut)).slice(0, -1);
        expect(events.filter((event) => event.startsWith('end') || event.startsWith('fault')).length).toBe(1);
        expect(events.filter((event) => event.startsWith('head')).length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 500 },
    );
  });

  test('says nothing more once stopped', () => {
    const events: string[] = [];
    const reader: ResponseReader = new ResponseReader('GET', ORIGIN_LIMITS, {
      onInform: () => events.push('inform'),
      onHead: () => {
        events.push('head');
        reader.stop();
      },
      onPart: () => events.push('part'),
      onResponseEnd: () => events.push('end'),
      onFault: () => events.push('fault'),
    });
    reader.push(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'));
    reader.end();
    expect(events).toEqual(['head']);
  });
});
