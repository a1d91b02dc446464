/**
 * Responses of every shape, and every way in which one response could be taken for another: each case is
 * played by a real socket, then a second request must get its own answer and nothing of the first.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createTestClient, failureOf, readText, requestTo } from '../../../test/support/origin-requests.ts';
import {
  type ScriptedConnection,
  type ScriptedOrigin,
  startScriptedOrigin,
} from '../../../test/support/scripted-origin.ts';
import { ORIGIN_LIMITS } from './limits.ts';
import type { OriginFailureType } from './origin-client.ts';

type After = 'keep' | 'end' | 'reset';

interface Case {
  readonly name: string;
  readonly method?: string;
  /** What the origin writes, in pieces that arrive one after another. */
  readonly wire: readonly string[];
  /** What it does then. */
  readonly after?: After;
  /** Outcome: a response with this body … */
  readonly status?: number;
  readonly body?: string;
  /** … or a body that fails, after the bytes of `body` … */
  readonly bodyFailure?: OriginFailureType;
  /** … or no response. */
  readonly failure?: OriginFailureType;
  /** Whether the next request goes over the same connection. */
  readonly reuses?: boolean;
  readonly fields?: readonly (readonly [string, string])[];
}

const ok = 'HTTP/1.1 200 OK\r\n';
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`;
const protocolError = { failure: 'http_protocol_error' } as const;

const wellFormed: Case[] = [
  { name: 'Content-Length', wire: [`${ok}Content-Length: 5\r\n\r\nhello`], body: 'hello', reuses: true },
  { name: 'Content-Length: 0', wire: [`${ok}Content-Length: 0\r\n\r\n`], body: '', reuses: true },
  { name: 'chunked', wire: [`${chunked}5\r\nhello\r\n0\r\n\r\n`], body: 'hello', reuses: true },
  { name: 'chunked, empty', wire: [`${chunked}0\r\n\r\n`], body: '', reuses: true },
  { name: 'CHUNKED', wire: [`${ok}Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n`], body: '', reuses: true },
  { name: 'until close', wire: [`${ok}\r\nhello`], after: 'end', body: 'hello' },
  { name: 'until close, empty', wire: [`${ok}\r\n`], after: 'end', body: '' },
  {
    name: 'HEAD with Content-Length',
    method: 'HEAD',
    wire: [`${ok}Content-Length: 5\r\n\r\n`],
    body: '',
    reuses: true,
  },
  { name: 'HEAD with chunked', method: 'HEAD', wire: [chunked], body: '', reuses: true },
  { name: 'HEAD without either', method: 'HEAD', wire: [`${ok}\r\n`], body: '', reuses: true },
  { name: '204', wire: ['HTTP/1.1 204 No Content\r\n\r\n'], status: 204, body: '', reuses: true },
  {
    name: '304 with Content-Length',
    wire: ['HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n'],
    status: 304,
    body: '',
    reuses: true,
  },
  { name: 'in single bytes', wire: [...`${chunked}2\r\nhi\r\n0\r\n\r\n`], body: 'hi', reuses: true },
  {
    name: 'head and body apart',
    wire: [`${ok}Content-Length: 5\r\n\r\n`, 'he', 'llo'],
    body: 'hello',
    reuses: true,
  },
  { name: 'no reason phrase', wire: ['HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n'], body: '', reuses: true },
  {
    name: 'an unknown status',
    wire: ['HTTP/1.1 999 304 Not Generated\r\nContent-Length: 1\r\n\r\nx'],
    status: 999,
    body: 'x',
    reuses: true,
  },
  {
    name: 'HTTP/1.0 with Content-Length',
    wire: ['HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi'],
    body: 'hi',
  },
  { name: 'HTTP/1.0 until close', wire: ['HTTP/1.0 200 OK\r\n\r\nhi'], after: 'end', body: 'hi' },
  { name: 'HTTP/1.7', wire: ['HTTP/1.7 200 OK\r\nContent-Length: 2\r\n\r\nhi'], body: 'hi', reuses: true },
  { name: 'Connection: close', wire: [`${ok}Connection: close\r\nContent-Length: 2\r\n\r\nhi`], body: 'hi' },
  {
    name: 'Connection: foo, Close',
    wire: [`${ok}Connection: foo, Close\r\nContent-Length: 2\r\n\r\nhi`],
    body: 'hi',
  },
  {
    name: 'Keep-Alive: timeout=0',
    wire: [`${ok}Keep-Alive: timeout=0\r\nContent-Length: 2\r\n\r\nhi`],
    body: 'hi',
  },
  {
    name: 'an unknown transfer coding',
    wire: [`${ok}Transfer-Encoding: 1a2b\r\n\r\nhello`],
    after: 'end',
    body: 'hello',
  },
  { name: 'a chunk extension', wire: [`${chunked}2;a="b"\r\nhi\r\n0\r\n\r\n`], body: 'hi', reuses: true },
  {
    name: 'interim responses first',
    wire: [
      'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n',
      `${ok}Content-Length: 2\r\n\r\nhi`,
    ],
    body: 'hi',
    reuses: true,
  },
  {
    name: 'space before a colon',
    wire: [`${ok}X-A : b\r\nContent-Length: 2\r\n\r\nhi`],
    body: 'hi',
    reuses: true,
    fields: [
      ['X-A', 'b'],
      ['Content-Length', '2'],
    ],
  },
  {
    name: 'a folded line',
    wire: [`${ok}X-A: b\r\n  c\r\nContent-Length: 2\r\n\r\nhi`],
    body: 'hi',
    reuses: true,
    fields: [
      ['X-A', 'b c'],
      ['Content-Length', '2'],
    ],
  },
];

/** Ambiguous, but answerable without danger at the price of the connection. */
const contained: Case[] = [
  {
    name: 'chunked and Content-Length',
    wire: [`${ok}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`],
    body: 'hello',
    fields: [],
  },
  {
    name: 'unknown coding and Content-Length',
    wire: [`${ok}Transfer-Encoding: foo\r\nContent-Length: 3\r\n\r\nhello`],
    after: 'end',
    body: 'hello',
    fields: [],
  },
  {
    name: 'the same Content-Length twice',
    wire: [`${ok}Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi`],
    body: 'hi',
    fields: [['Content-Length', '2']],
  },
  {
    name: 'the same Content-Length in one line',
    wire: [`${ok}Content-Length: 2, 2\r\n\r\nhi`],
    body: 'hi',
    fields: [['Content-Length', '2']],
  },
  {
    name: 'bytes after Content-Length',
    wire: [`${ok}Content-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`],
    body: 'hi',
  },
  {
    name: 'bytes after the last chunk',
    wire: [`${chunked}2\r\nhi\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`],
    body: 'hi',
  },
  { name: 'a body after HEAD', method: 'HEAD', wire: [`${ok}Content-Length: 4\r\n\r\nevil`], body: '' },
  {
    name: 'a body after 204',
    wire: ['HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil'],
    status: 204,
    body: '',
    fields: [],
  },
  {
    name: 'a body after 304',
    wire: ['HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil'],
    status: 304,
    body: '',
  },
  {
    name: 'a chunked body after 204',
    wire: ['HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    status: 204,
    body: '',
    fields: [],
  },
  {
    name: 'chunked in HTTP/1.0',
    wire: ['HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n'],
    body: 'hi',
  },
  {
    name: 'close announced, then more',
    wire: [`${ok}Connection: close\r\nContent-Length: 2\r\n\r\nhi`, 'HTTP/1.1 200 OK\r\n\r\nevil'],
    body: 'hi',
  },
];

const incomplete = { bodyFailure: 'http_response_incomplete' } as const;
const truncated: Case[] = [
  {
    name: 'Content-Length cut short',
    wire: [`${ok}Content-Length: 5\r\n\r\nhel`],
    after: 'end',
    body: 'hel',
    ...incomplete,
  },
  {
    name: 'Content-Length, no byte of it',
    wire: [`${ok}Content-Length: 5\r\n\r\n`],
    after: 'end',
    body: '',
    ...incomplete,
  },
  {
    name: 'Content-Length cut by a reset',
    wire: [`${ok}Content-Length: 5\r\n\r\n`],
    after: 'reset',
    body: '',
    ...incomplete,
  },
  { name: 'until close, but reset', wire: [`${ok}\r\n`], after: 'reset', body: '', ...incomplete },
  { name: 'cut within a chunk size', wire: [`${chunked}5`], after: 'end', body: '', ...incomplete },
  { name: 'cut within a chunk', wire: [`${chunked}5\r\nhel`], after: 'end', body: 'hel', ...incomplete },
  {
    name: 'cut between chunks',
    wire: [`${chunked}5\r\nhello\r\n`],
    after: 'end',
    body: 'hello',
    ...incomplete,
  },
  {
    name: 'cut before the last CRLF',
    wire: [`${chunked}5\r\nhello\r\n0\r\n`],
    after: 'end',
    body: 'hello',
    ...incomplete,
  },
  { name: 'cut within the trailer', wire: [`${chunked}0\r\nA: b`], after: 'end', body: '', ...incomplete },
  {
    name: 'cut within the head',
    wire: [`${ok}Content-Le`],
    after: 'end',
    failure: 'http_response_incomplete',
  },
  { name: 'cut within the status line', wire: ['HTTP/1'], after: 'end', failure: 'http_response_incomplete' },
  {
    name: 'cut after an interim response',
    wire: ['HTTP/1.1 103 Early Hints\r\n\r\n'],
    after: 'end',
    failure: 'http_response_incomplete',
  },
  { name: 'closed without a byte', wire: [], after: 'end', failure: 'connection_terminated' },
  { name: 'reset without a byte', wire: [], after: 'reset', failure: 'connection_terminated' },
];

const badBody = { bodyFailure: 'http_protocol_error' } as const;
const length = (value: string): readonly string[] => [`${ok}Content-Length: ${value}\r\n\r\nhello`];
const coding = (value: string): readonly string[] => [
  `${ok}Transfer-Encoding: ${value}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
];
const malformed: Case[] = [
  {
    name: 'two Content-Lengths',
    wire: [`${ok}Content-Length: 5\r\nContent-Length: 2\r\n\r\nhello`],
    ...protocolError,
  },
  { name: 'two Content-Lengths in one line', wire: length('5, 2'), ...protocolError },
  { name: 'two Content-Lengths to HEAD', method: 'HEAD', wire: length('5, 2'), ...protocolError },
  { name: 'Content-Length: -1', wire: length('-1'), ...protocolError },
  { name: 'Content-Length: +5', wire: length('+5'), ...protocolError },
  { name: 'Content-Length: 0x5', wire: length('0x5'), ...protocolError },
  { name: 'Content-Length: 5.0', wire: length('5.0'), ...protocolError },
  { name: 'Content-Length: 5 5', wire: length('5 5'), ...protocolError },
  { name: 'Content-Length: empty', wire: length(''), ...protocolError },
  { name: 'Content-Length: 5,', wire: length('5,'), ...protocolError },
  { name: 'Content-Length: five', wire: length('five'), ...protocolError },
  { name: 'Content-Length: 2^64', wire: length('18446744073709551616'), ...protocolError },
  { name: 'gzip, chunked', wire: coding('gzip, chunked'), ...protocolError },
  { name: 'chunked, gzip', wire: coding('chunked, gzip'), ...protocolError },
  { name: 'gzip', wire: coding('gzip'), ...protocolError },
  { name: 'chunked twice', wire: coding('chunked, chunked'), ...protocolError },
  {
    name: 'chunked in two lines',
    wire: [`${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ...protocolError,
  },
  { name: 'a chunk size that is none', wire: [`${chunked}xyz\r\n`], body: '', ...badBody },
  { name: 'a negative chunk size', wire: [`${chunked}-5\r\nhello\r\n0\r\n\r\n`], body: '', ...badBody },
  { name: 'a huge chunk size', wire: [`${chunked}fffffffffffffffff\r\nhello`], body: '', ...badBody },
  {
    name: 'a chunk longer than it says',
    wire: [`${chunked}2\r\nhello\r\n0\r\n\r\n`],
    body: 'he',
    ...badBody,
  },
  { name: 'bare LF in chunks', wire: [`${chunked}2\nhi\n0\n\n`], body: '', ...badBody },
  {
    name: 'a malformed trailer',
    wire: [`${chunked}2\r\nhi\r\n0\r\nno colon\r\n\r\n`],
    body: 'hi',
    ...badBody,
  },
  { name: 'HTTP/0.9', wire: ['<html>hello</html>'], ...protocolError },
  { name: 'HTTP/0.9, then closed', wire: ['hi'], after: 'end', ...protocolError },
  { name: 'HTTP/2.0', wire: ['HTTP/2.0 200 OK\r\n\r\n'], ...protocolError },
  { name: 'HTTP/1.1 in lower case', wire: ['http/1.1 200 OK\r\n\r\n'], ...protocolError },
  { name: 'HTTP/11', wire: ['HTTP/11 200 OK\r\n\r\n'], ...protocolError },
  { name: 'an empty line first', wire: ['\r\nHTTP/1.1 200 OK\r\n\r\n'], ...protocolError },
  { name: 'a greeting of another protocol', wire: ['220 mail.example.com ESMTP\r\n'], ...protocolError },
  { name: 'two digits of status', wire: ['HTTP/1.1 20 OK\r\n\r\n'], ...protocolError },
  { name: 'four digits of status', wire: ['HTTP/1.1 2000 OK\r\n\r\n'], ...protocolError },
  { name: 'status 099', wire: ['HTTP/1.1 099 OK\r\n\r\n'], ...protocolError },
  { name: 'no status', wire: ['HTTP/1.1 OK\r\n\r\n'], ...protocolError },
  { name: 'a tab after the version', wire: ['HTTP/1.1\t200 OK\r\n\r\n'], ...protocolError },
  { name: 'two spaces after the version', wire: ['HTTP/1.1  200 OK\r\n\r\n'], ...protocolError },
  { name: 'NUL in the reason', wire: ['HTTP/1.1 200 O\0K\r\n\r\n'], ...protocolError },
  { name: 'bare CR in the reason', wire: ['HTTP/1.1 200 O\rK\r\n\r\n'], ...protocolError },
  {
    name: 'bare LF after the status line',
    wire: ['HTTP/1.1 200 OK\nContent-Length: 2\n\nhi'],
    ...protocolError,
  },
  { name: 'bare LF among the fields', wire: [`${ok}A: b\nContent-Length: 2\r\n\r\nhi`], ...protocolError },
  { name: 'bare CR in a value', wire: [`${ok}A: b\rc\r\nContent-Length: 2\r\n\r\nhi`], ...protocolError },
  { name: 'NUL in a value', wire: [`${ok}A: \0\r\n\r\n`], ...protocolError },
  { name: 'a line without colon', wire: [`${ok}no colon\r\n\r\n`], ...protocolError },
  { name: 'an empty field name', wire: [`${ok}: a\r\n\r\n`], ...protocolError },
  { name: 'a fold before any field', wire: [`${ok} a: b\r\n\r\n`], ...protocolError },
  {
    name: '101 unasked for',
    wire: ['HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
    ...protocolError,
  },
  {
    name: 'endless interim responses',
    wire: ['HTTP/1.1 102 Processing\r\n\r\n'.repeat(ORIGIN_LIMITS.informsMax + 1)],
    ...protocolError,
  },
  {
    name: 'too many field lines',
    wire: [`${ok}${'A: b\r\n'.repeat(ORIGIN_LIMITS.fieldLinesMax + 1)}\r\n`],
    failure: 'http_response_header_section_size',
  },
  {
    name: 'one endless field',
    wire: [`${ok}A: ${'b'.repeat(ORIGIN_LIMITS.headBytesMax)}`],
    failure: 'http_response_header_section_size',
  },
  {
    name: 'endless fields',
    wire: Array.from({ length: 12 }, () => `${ok}A: b\r\n`.padEnd(8_192, 'A: b\r\n')),
    failure: 'http_response_header_section_size',
  },
  {
    name: 'a head just too large',
    wire: [`${ok}A: ${'b'.repeat(ORIGIN_LIMITS.headBytesMax)}\r\n\r\n`],
    failure: 'http_response_header_section_size',
  },
];

/** Plays the case of the request's target on whatever connection it comes; other targets get a plain answer. */
async function play(connection: ScriptedConnection): Promise<void> {
  for (;;) {
    const request = await connection.readRequest();
    const { target } = request;
    if (!target.startsWith('/case/')) {
      connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n\r\n${target}`);
      continue;
    }
    const played = all[Number(target.slice('/case/'.length))];
    if (played === undefined) throw new Error(`no case ${target}`);
    for (const piece of played.wire) await connection.writeThrough(piece);
    if (played.after === 'end') connection.end();
    if (played.after === 'reset') connection.reset();
  }
}

const all = [...wellFormed, ...contained, ...truncated, ...malformed];
let origin: ScriptedOrigin;

beforeAll(async () => {
  origin = await startScriptedOrigin(play);
});
afterAll(() => origin.close());

async function runCase(played: Case): Promise<void> {
  const client = createTestClient();
  try {
    const request = requestTo(origin.url, {
      method: played.method ?? 'GET',
      target: `/case/${all.indexOf(played)}`,
    });
    if (played.failure !== undefined) {
      const failure = await failureOf(client.fetch(request));
      expect(failure.type).toBe(played.failure);
      expect(failure.mayHaveBeenProcessed).toBe(true);
    } else {
      await expectResponse(client.fetch(request), played);
    }
    const connectionsBefore = origin.connections;
    const second = await client.fetch(requestTo(origin.url, { target: '/second' }));
    expect(second.status).toBe(200);
    expect(await readText(second.body)).toBe('/second');
    expect(origin.connections === connectionsBefore).toBe(played.reuses === true);
  } finally {
    await client.close();
  }
}

async function expectResponse(
  fetched: ReturnType<ReturnType<typeof createTestClient>['fetch']>,
  played: Case,
) {
  const response = await fetched;
  expect(response.status).toBe(played.status ?? 200);
  if (played.fields !== undefined)
    expect([...response.fields]).toEqual([...played.fields].map(([a, b]) => [a, b]));
  let body = '';
  const reading = (async () => {
    for (;;) {
      const part = await response.body.read();
      if (part === null) return;
      body += Buffer.from(part).toString('latin1');
    }
  })();
  if (played.bodyFailure === undefined) await reading;
  else expect((await failureOf(reading)).type).toBe(played.bodyFailure);
  expect(body).toBe(played.body ?? '');
}

describe('a response of the origin', () => {
  test.each(wellFormed.map((played): [string, Case] => [played.name, played]))('%s', (_, played) =>
    runCase(played),
  );
});

describe('an ambiguous response costs its connection', () => {
  test.each(contained.map((played): [string, Case] => [played.name, played]))('%s', (_, played) =>
    runCase(played),
  );
});

describe('a response cut short is never taken for whole', () => {
  test.each(truncated.map((played): [string, Case] => [played.name, played]))('%s', (_, played) =>
    runCase(played),
  );
});

describe('a malformed response', () => {
  test.each(malformed.map((played): [string, Case] => [played.name, played]))('%s', (_, played) =>
    runCase(played),
  );
});

test('the origin played its scripts without mistakes', () => {
  expect(origin.scriptErrors).toEqual([]);
});
