import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { CONNECTION_LIMITS } from '../connection/limits.ts';
import { RequestFieldsReader } from './request-fields.ts';

/** What a reader says, in a form that can be compared. */
function said(reader: RequestFieldsReader, lines: string, isHttp11: boolean, around = ''): unknown {
  const read = reader.read(
    `${around}${lines}${around}`,
    around.length,
    around.length + lines.length,
    isHttp11,
  );
  return typeof read === 'string' ? read : { ...read, fields: [...read.fields] };
}

const line = fc.constantFrom(
  'Host: a.example\r\n',
  'Host: b.example\r\n',
  'host:\r\n',
  'Content-Length: 3\r\n',
  'Content-Length: 4\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Connection: close\r\n',
  'Connection: keep-alive\r\n',
  'Connection: upgrade\r\n',
  'Upgrade: websocket\r\n',
  'Expect: 100-continue\r\n',
  'Expect: 200-ok\r\n',
  'Cookie: a=1\r\n',
  'Cookie: a=2\r\n',
  'X : y\r\n',
  'X: \x01\r\n',
  'X: y\n',
);
const block = fc.array(line, { maxLength: 4 }).map((lines) => lines.join(''));

describe('what is remembered', () => {
  test('a reader that has read before says what a new one says', () => {
    const reader = new RequestFieldsReader(CONNECTION_LIMITS);
    const around = fc.constantFrom('', 'GET / HTTP/1.1\r\n', '\r\n');
    fc.assert(
      fc.property(block, fc.boolean(), around, (lines, isHttp11, text) => {
        const fresh = said(new RequestFieldsReader(CONNECTION_LIMITS), lines, isHttp11);
        expect(said(reader, lines, isHttp11, text)).toEqual(fresh);
      }),
      { numRuns: 3000 },
    );
  });

  test('lines that come again are not read again', () => {
    const reader = new RequestFieldsReader(CONNECTION_LIMITS);
    const lines = 'Host: a.example\r\nCookie: session=1\r\n';
    const first = reader.read(lines, 0, lines.length, true);
    expect(reader.read(`GET /other HTTP/1.1\r\n${lines}`, 21, 21 + lines.length, true)).toBe(first);
  });

  test('lines that differ in one character anywhere are another block', () => {
    const reader = new RequestFieldsReader(CONNECTION_LIMITS);
    const lines = `Host: a.example\r\nCookie: session=${'a'.repeat(200)}; theme=dark\r\nAccept: */*\r\n`;
    reader.read(lines, 0, lines.length, true);
    for (let i = 0; i < lines.length; i += 1) {
      if (lines.charCodeAt(i) < 0x20) continue;
      const other = `${lines.slice(0, i)}z${lines.slice(i + 1)}`;
      const fresh = said(new RequestFieldsReader(CONNECTION_LIMITS), other, true);
      expect(said(reader, other, true)).toEqual(fresh);
      expect(said(reader, lines, true)).toMatchObject({ authority: 'a.example', fault: null });
    }
  });

  test('faults are found each time, and by the reader’s own limits', () => {
    const lines = 'Host: a.example\r\nX: 1\r\nX: 2\r\n';
    const strict = new RequestFieldsReader({ ...CONNECTION_LIMITS, fieldLinesMax: 2 });
    const lenient = new RequestFieldsReader(CONNECTION_LIMITS);
    for (let again = 0; again < 2; again += 1) {
      expect(said(lenient, lines, true)).toMatchObject({ fault: null });
      expect(said(strict, lines, true)).toBe('fields-too-many');
      expect(said(lenient, 'Host: a\r\nHost: b\r\n', true)).toMatchObject({ fault: 'host-repeated' });
    }
  });

  test('what an older version makes of the same lines is judged apart', () => {
    const reader = new RequestFieldsReader(CONNECTION_LIMITS);
    const lines = 'Host: a.example\r\nUpgrade: websocket\r\nConnection: upgrade\r\n';
    expect(said(reader, lines, true)).toMatchObject({ isPersistent: true, upgrade: 'websocket' });
    expect(said(reader, lines, false)).toMatchObject({ isPersistent: false, upgrade: null });
  });
});
