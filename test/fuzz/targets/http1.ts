/** The HTTP/1.1 server: whole connections, and the parsers they are made of. */
import { once } from 'node:events';
import { Fields } from '#core/http/fields.ts';
import { CONNECTION_LIMITS } from '#edge/connection/limits.ts';
import { RequestBodyFault } from '#edge/connection/request-refusal.ts';
import type { Exchange } from '#edge/exchange.ts';
import { ChunkedDecoder } from '#edge/http1/chunked-decoder.ts';
import { parseFieldLines } from '#edge/http1/field-lines.ts';
import { findHeadEnd, HEAD_INCOMPLETE } from '#edge/http1/head-end.ts';
import { RequestFieldsReader } from '#edge/http1/request-fields.ts';
import { type ParsedRequest, parseRequestHead } from '#edge/http1/request-head.ts';
import { REFUSED_CASES } from '../../e2e/http1/hostile-requests.cases.ts';
import { ACCEPTED_CASES } from '../../e2e/http1/unusual-requests.cases.ts';
import { openHttp1Wire, type Wire } from '../../support/wire.ts';
import { type FuzzTarget, latin1, mustBe, mustEqual, piecesOf } from '../target.ts';
import { readResponses } from './responses-read.ts';

const CASES = [...REFUSED_CASES, ...ACCEPTED_CASES]
  .map(({ bytes }) => bytes)
  .filter(({ length }) => length < 3_000);
const REQUESTS = latin1(...CASES);

const TOKENS = latin1(
  ...[
    '\r\n',
    '\r\n\r\n',
    '\n',
    '\r',
    ' ',
    '\t',
    ':',
    ';',
    ',',
    '=',
    '"',
    '\0',
    '0\r\n\r\n',
    '5\r\nhello\r\n',
  ],
  ...[
    'GET ',
    'POST ',
    'HEAD ',
    'OPTIONS * ',
    'CONNECT ',
    'PRI ',
    '/',
    '/later',
    '/abort',
    'http://a/',
    ' HTTP/1.1\r\n',
  ],
  ...[
    ' HTTP/1.0\r\n',
    'Host: a\r\n',
    'Content-Length: 5\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Expect: 100-continue\r\n',
  ],
  ...[
    'Connection: close\r\n',
    'Connection: keep-alive\r\n',
    'Connection: upgrade\r\nUpgrade: websocket\r\n',
    'X: y\r\n',
  ],
  ...[
    'chunked',
    'identity',
    'gzip, ',
    'close',
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    'a=b',
    '[::1]:80',
    '%00',
    '\xff',
  ],
);

const HEAD = { status: 200, reason: '', fields: new Fields() };

async function echo(exchange: Exchange): Promise<void> {
  const { method, target, authority } = exchange.request;
  try {
    let body = '';
    for (let part = await exchange.body?.read(); part; part = await exchange.body?.read()) {
      body += Buffer.from(part).toString('latin1');
    }
    exchange.respondWhole(HEAD, Buffer.from(`${method} ${target} ${authority} ${body}`, 'latin1'));
  } catch (error) {
    if (!(error instanceof RequestBodyFault)) throw error;
    exchange.respondWhole({ ...HEAD, status: error.status }, Buffer.from(error.fault));
  }
}

/** The responses, as far as they came, to the pieces of what a client sends before it ends its side. */
async function responsesTo(pieces: readonly Buffer[]): Promise<string[]> {
  const methods: string[] = [];
  const wire = openHttp1Wire((exchange) => {
    methods.push(exchange.request.method);
    void echo(exchange);
  });
  const finished = once(wire.socket, 'finish');
  for (const piece of pieces) wire.bring(piece);
  wire.socket.push(null);
  await finished;
  wire.socket.destroy();
  await wire.closed;
  mustBe('nothing has a deadline afterwards', !wire.isWatched);
  mustEqual('the connection says once that it has ended', wire.ends, 1);
  return readResponses(wire.output(), methods);
}

const requests: FuzzTarget = {
  name: 'http1-requests',
  corpus: REQUESTS,
  tokens: TOKENS,
  runs: 3_000,
  async check(input, cuts) {
    const whole = await responsesTo([input]);
    mustEqual('cut, the same responses', await responsesTo(piecesOf(input, cuts)), whole);
  },
};

/** Roads that do what echoes do not. The bodies are of no interest. */
const ROADS: readonly ((exchange: Exchange) => void)[] = [
  (exchange) => exchange.respondWhole(HEAD, Buffer.from('early')),
  (exchange) => exchange.abort('of its own accord'),
  (exchange) => {
    exchange.inform(103, Fields.of([['Link', '</a>']]));
    const sink = exchange.respondStream(HEAD, null);
    sink.write(Buffer.from('streamed')).catch(ignore);
    sink.end(Fields.of([['Checksum', 'abc']])).catch(ignore);
  },
  (exchange) => {
    const sink = exchange.respondStream(HEAD, 6);
    sink.write(Buffer.from('two')).catch(ignore);
    setImmediate(() => {
      sink.write(Buffer.from(' bits')).catch(ignore);
      sink.end().catch(ignore);
    });
  },
  (exchange) => void setImmediate(() => exchange.respondWhole({ ...HEAD, status: 204 }, null)),
  (exchange) => {
    exchange.body?.cancel('not wanted');
    exchange.respondWhole(HEAD, Buffer.alloc(100_000));
  },
  (exchange) => {
    exchange.body?.read().catch(ignore);
    setImmediate(() => exchange.respondStream(HEAD, null).abort('given up'));
  },
  (exchange) => {
    if (exchange.request.upgrade === null) throw new Error('the road has broken down');
    const { source, sink } = exchange.acceptTunnel(new Fields());
    source.read().catch(ignore);
    sink.end().catch(ignore);
    // Tunnels have no deadline here; their ends see to it.
    setImmediate(() => sink.abort('the other end is gone'));
  },
];

function ignore(): void {}

/** Deadlines of a few ticks, so that a client who waits is one who is slow. */
const SOON = {
  tickMs: 1_000,
  headMs: 3_000,
  idleMs: 3_000,
  bodyProgressMs: 3_000,
  writeProgressMs: 3_000,
  lingerMs: 2_000,
};
/** More than all of them one after the other, for every request that may be waiting. */
const TICKS = 200;

async function settle(): Promise<void> {
  for (let i = 0; i < 3; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function endOf(wire: Wire): Promise<void> {
  for (let tick = 0; tick < TICKS && !wire.socket.destroyed; tick += 1) {
    await settle();
    wire.tick();
  }
}

const roads: FuzzTarget = {
  name: 'http1-roads',
  corpus: REQUESTS,
  tokens: TOKENS,
  runs: 1_500,
  /** The client sends the pieces, waits now and then, and says no more. */
  async check(input, cuts) {
    let exchanges = 0;
    const wire = openHttp1Wire(
      (exchange) => {
        exchanges += 1;
        ROADS[(exchange.request.target.length + exchanges + input.length) % ROADS.length]?.(exchange);
      },
      { limits: SOON },
    );
    for (const piece of piecesOf(input, cuts)) {
      wire.bring(piece);
      if (piece.length % 3 === 0) await settle();
      if (piece.length % 7 === 0) wire.tick();
    }
    if (input.length % 2 === 0) wire.socket.push(null);
    await endOf(wire);
    mustBe('the connection ends', wire.socket.destroyed);
    await wire.closed;
    mustBe('nothing has a deadline afterwards', !wire.isWatched);
    mustEqual('the connection says once that it has ended', wire.ends, 1);
    mustBe(
      'what it sent begins with a response',
      /^(HTTP\/1\.1 |$)/.test(wire.output().toString('latin1', 0, 9)),
    );
  },
};

const LINES = { bytesMax: CONNECTION_LIMITS.headBytesMax, linesMax: CONNECTION_LIMITS.fieldLinesMax };

function linesOf(fields: Fields): string {
  return [...fields].map(([name, value]) => `${name}: ${value}\r\n`).join('');
}

const fieldLines: FuzzTarget = {
  name: 'field-lines',
  corpus: latin1(
    ...CASES.map((text) => text.slice(text.indexOf('\n') + 1, text.indexOf('\r\n\r\n') + 2)),
    'A: b\r\n c\r\nD : e\r\n',
    `X: ${'y'.repeat(200)}\r\nZ:${' '.repeat(20)}\r\n`,
  ),
  tokens: TOKENS,
  runs: 5_000,
  check(input) {
    const text = input.toString('latin1');
    for (const repairsResponses of [false, true]) {
      const rules = { ...LINES, repairsResponses };
      const fields = parseFieldLines(text, 0, text.length, rules);
      if (typeof fields === 'string') continue;
      mustBe('within the bound', fields.size <= LINES.linesMax);
      const again = parseFieldLines(linesOf(fields), 0, linesOf(fields).length, {
        ...rules,
        bytesMax: 200_000,
      });
      mustEqual('written again, they read the same', typeof again === 'string' ? again : [...again], [
        ...fields,
      ]);
    }
    const strict = parseFieldLines(text, 0, text.length, { ...LINES, repairsResponses: false });
    const repaired = parseFieldLines(text, 0, text.length, { ...LINES, repairsResponses: true });
    if (typeof strict !== 'string') {
      mustEqual('what is right needs no repair', typeof repaired === 'string' ? repaired : [...repaired], [
        ...strict,
      ]);
    }
  },
};

const requestHead: FuzzTarget = {
  name: 'request-head',
  corpus: REQUESTS,
  tokens: TOKENS,
  runs: 5_000,
  check(input, cuts) {
    const text = input.toString('latin1');
    const end = findHeadEnd(text, 0);
    for (const cut of cuts) {
      const early = findHeadEnd(text.slice(0, cut), 0);
      if (early !== HEAD_INCOMPLETE) mustEqual('the head ends where it ended', early, end);
    }
    if (end === HEAD_INCOMPLETE) return;
    const reader = new RequestFieldsReader(CONNECTION_LIMITS);
    const parsed = parse(text, reader);
    mustEqual('remembered, it reads the same', shownHead(parse(text, reader)), shownHead(parsed));
    for (const cut of cuts) {
      const other =
        text.slice(0, cut) + String.fromCharCode((text.charCodeAt(cut) + 1) & 0xff) + text.slice(cut + 1);
      const fresh = parse(other, new RequestFieldsReader(CONNECTION_LIMITS));
      mustEqual('another is not taken for one remembered', shownHead(parse(other, reader)), shownHead(fresh));
    }
    if (typeof parsed === 'string') return;
    const { method, target, httpVersion, fields } = parsed.head;
    const written = `${method} ${target} HTTP/${httpVersion}\r\n${linesOf(fields)}\r\n`;
    const again = parse(written, new RequestFieldsReader({ ...CONNECTION_LIMITS, headBytesMax: 200_000 }));
    mustEqual('written again, it is the same', shownHead(again), shownHead(parsed));
  },
};

function parse(text: string, reader: RequestFieldsReader): ParsedRequest | string {
  const end = findHeadEnd(text, 0);
  return end === HEAD_INCOMPLETE ? 'incomplete' : parseRequestHead(text, 0, end, 'http', reader);
}

function shownHead(parsed: ParsedRequest | string): unknown {
  return typeof parsed === 'string'
    ? parsed
    : { ...parsed, head: { ...parsed.head, fields: [...parsed.head.fields] } };
}

/** All there is to say of a decoder that was given the pieces. */
function decode(pieces: readonly Buffer[]) {
  let content = '';
  const decoder = new ChunkedDecoder((part) => {
    mustBe('no part is empty', part.length > 0);
    content += Buffer.from(part).toString('latin1');
  });
  let consumed = 0;
  for (const piece of pieces) {
    const until = decoder.push(piece);
    mustBe('no more than there was is consumed', until <= piece.length);
    consumed += until;
    if (until < piece.length) break;
  }
  const trailers = decoder.trailers === null ? null : [...decoder.trailers];
  return { content, consumed, isDone: decoder.isDone, fault: decoder.fault, trailers };
}

const chunked: FuzzTarget = {
  name: 'chunked',
  corpus: latin1(
    '0\r\n\r\n',
    '5\r\nhello\r\n0\r\n\r\n',
    '1;a="b;\\"c"\r\nx\r\nA ; d = e\r\n0123456789\r\n0;last\r\nTrailer: value\r\nOther: one\r\n\r\n',
    '000a\r\n0123456789\r\n00\r\n\r\nGET / HTTP/1.1\r\n\r\n',
    `${'f'.repeat(8)}\r\n`,
    `400\r\n${'z'.repeat(1_024)}\r\n0\r\n${'A: b\r\n'.repeat(30)}\r\n`,
    ...CASES.filter((text) => /chunked/i.test(text)).map((text) => text.slice(text.indexOf('\r\n\r\n') + 4)),
  ),
  tokens: TOKENS,
  runs: 5_000,
  check(input, cuts) {
    mustEqual('cut, the same', decode(piecesOf(input, cuts)), decode([input]));
  },
};

export const HTTP1_TARGETS: readonly FuzzTarget[] = [requests, roads, fieldLines, requestHead, chunked];
