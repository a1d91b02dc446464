import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { CONNECTION_LIMITS } from '../connection/limits.ts';
import { type RequestHeadFault, refusalStatus } from '../connection/request-refusal.ts';
import { findHeadEnd, findHopeless, HEAD_INCOMPLETE } from './head-end.ts';
import { BODY_CHUNKED, RequestFieldsReader } from './request-fields.ts';
import { type ParsedRequest, parseRequestHead } from './request-head.ts';

const READER = new RequestFieldsReader(CONNECTION_LIMITS);

function parse(text: string, scheme: 'http' | 'https' = 'http'): ParsedRequest | RequestHeadFault {
  return parseRequestHead(text, 0, text.length, scheme, READER);
}

function parsed(lines: string): ParsedRequest {
  const result = parse(lines);
  if (typeof result === 'string') throw new Error(result);
  return result;
}

describe('heads that are accepted', () => {
  test('all parts of a head', () => {
    const { head, ...rest } = parsed(
      'PUT /a?b HTTP/1.1\r\nHost: Example.COM:81\r\nContent-Length: 7\r\nX: y\r\n\r\n',
    );
    expect([head.method, head.target, head.authority, head.httpVersion]).toEqual([
      'PUT',
      '/a?b',
      'example.com:81',
      '1.1',
    ]);
    expect([...head.fields]).toEqual([
      ['Host', 'Example.COM:81'],
      ['Content-Length', '7'],
      ['X', 'y'],
    ]);
    expect(rest).toEqual({ bodyLength: 7, expectsContinue: false, isPersistent: true });
  });

  test('a head behind others in the same text', () => {
    const first = 'GET /1 HTTP/1.1\r\nHost: a.example\r\n\r\n';
    const text = `${first}GET /2 HTTP/1.1\r\nHost: b.example\r\n\r\nrest`;
    const result = parseRequestHead(text, first.length, text.length - 4, 'http', READER);
    expect(result).toMatchObject({ head: { target: '/2', authority: 'b.example' } });
  });

  test('absolute-form goes by the scheme of the connection', () => {
    const text = 'GET https://a.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n';
    expect(parse(text, 'https')).toMatchObject({
      head: { target: 'https://a.example/', authority: 'a.example' },
    });
    expect(parse(text, 'http')).toBe('target-scheme-mismatch');
  });

  const persistence: [string, string, boolean][] = [
    ['1.1', '', true],
    ['1.1', 'Connection: close\r\n', false],
    ['1.1', 'Connection: foo, CLOSE\r\n', false],
    ['1.1', 'Connection: foo\r\nConnection: close\r\n', false],
    ['1.1', 'Connection: closed\r\n', true],
    ['1.0', '', false],
    ['1.0', 'Connection: keep-alive\r\n', true],
    ['1.0', 'Connection: Keep-Alive, foo\r\n', true],
    ['1.0', 'Connection: keep-alive, close\r\n', false],
  ];
  for (const [version, lines, isPersistent] of persistence) {
    test(`HTTP/${version} ${JSON.stringify(lines)} persists: ${isPersistent}`, () => {
      expect(parsed(`GET / HTTP/${version}\r\nHost: a\r\n${lines}\r\n`).isPersistent).toBe(isPersistent);
    });
  }

  test('the expectation counts only with a body and on HTTP/1.1', () => {
    const lines = 'Host: a\r\nExpect: 100-Continue\r\n';
    expect(parsed(`POST / HTTP/1.1\r\n${lines}Content-Length: 1\r\n\r\n`).expectsContinue).toBe(true);
    expect(parsed(`POST / HTTP/1.1\r\n${lines}Transfer-Encoding: chunked\r\n\r\n`)).toMatchObject({
      bodyLength: BODY_CHUNKED,
      expectsContinue: true,
    });
    expect(parsed(`POST / HTTP/1.1\r\n${lines}\r\n`).expectsContinue).toBe(false);
    expect(parsed(`POST / HTTP/1.0\r\n${lines}Content-Length: 1\r\n\r\n`).expectsContinue).toBe(false);
  });
});

test('faults by name, the worse first', () => {
  const cases: [string, RequestHeadFault, number][] = [
    [
      'Host: a\r\nHost: b\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n',
      'content-length-with-transfer-encoding',
      400,
    ],
    ['Content-Length: x\r\n', 'content-length-invalid', 400],
    ['Host: a\r\nContent-Length: 99999999999999\r\n', 'content-length-too-large', 413],
    ['X: y\r\n', 'host-missing', 400],
    ['Host: a\r\nhost: a\r\n', 'host-repeated', 400],
    ['Host: a@b\r\n', 'host-invalid', 400],
    ['Host: a\r\nExpect: x\r\n', 'expectation-unknown', 417],
    ['Host: a\r\nTransfer-Encoding: a, b, chunked\r\n', 'transfer-encoding-unsupported', 501],
    ['Host: a\r\nTransfer-Encoding: a,, chunked\r\n', 'transfer-encoding-invalid', 400],
    ['Host : a\r\n', 'field-space-before-colon', 400],
  ];
  for (const [lines, fault, status] of cases) {
    expect(parse(`GET / HTTP/1.1\r\n${lines}\r\n`)).toBe(fault);
    expect(`${fault} ${refusalStatus(fault)}`).toBe(`${fault} ${status}`);
  }
});

test('any text gives a head or a fault, and an accepted target is the bytes between the spaces', () => {
  const unit = fc.constantFrom(
    'G',
    'E',
    'T',
    ' ',
    '/',
    'HTTP/1.1',
    '\r\n',
    '\n',
    '\r',
    ':',
    'Host: a',
    '\0',
    '\xff',
    '#',
  );
  fc.assert(
    fc.property(fc.string({ unit }), (text) => {
      const result = parse(`${text}\r\n\r\n`);
      if (typeof result === 'string') return;
      expect(text.startsWith(`${result.head.method} ${result.head.target} HTTP/1.`)).toBe(true);
    }),
    { numRuns: 3000 },
  );
});

describe('where a head ends', () => {
  test('is found wherever the text was cut before', () => {
    const text = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    for (let scanned = 0; scanned < text.length; scanned += 1) {
      expect(findHeadEnd(text.slice(0, scanned), 0)).toBe(HEAD_INCOMPLETE);
      expect(findHeadEnd(text, scanned)).toBe(text.length);
    }
  });

  test('is given up as soon as it cannot come any more', () => {
    expect(findHopeless('', 0)).toBe(-1);
    expect(findHopeless('GET / HT', 0)).toBe(-1);
    expect(findHopeless('GET / HTTP/1.1\r\nA: b\r\n', 0)).toBe(-1);
    expect(findHopeless('\x16\x03', 0)).toBe(0);
    expect(findHopeless('\r', 0)).toBe(0);
    expect(findHopeless('GET /\n', 0)).toBe(5);
    expect(findHopeless('GET /\r\nA\n', 6)).toBe(8);
    expect(findHopeless('GET /\r\n', 6)).toBe(-1);
  });
});
