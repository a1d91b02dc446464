/** What origins answer: the reader of responses, interim ones, switches and trailers included. */
import { ORIGIN_LIMITS } from '#edge/origin/limits.ts';
import { ResponseReader } from '#edge/origin/response-reader.ts';
import { type FuzzTarget, latin1, mustBe, mustEqual, piecesOf } from '../target.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
const SWITCH = 'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

const CORPUS = latin1(
  `${OK}Content-Length: 5\r\n\r\nhello`,
  `${OK}Content-Length: 0\r\n\r\n`,
  `${OK}\r\nuntil the end`,
  `${CHUNKED}5;a="b"\r\nhello\r\n1\r\n!\r\n0\r\nA: b\r\n\r\n`,
  `${CHUNKED}0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n`,
  `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n${OK}Content-Length: 2\r\n\r\nhi`,
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: "x"\r\n\r\n',
  'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi',
  'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n',
  `${OK}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  `${OK}Content-Length: 5, 5\r\nContent-Length: 5\r\n\r\nhello`,
  `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
  `${OK}X-A : b\r\n  c\r\nContent-Length: 2\r\n\r\nhi`,
  'HTTP/1.1 999 304 Not Generated\r\nContent-Length: 1\r\n\r\nx',
  'HTTP/1.1 200\r\nConnection: close, foo\r\nKeep-Alive: timeout=5\r\n\r\n',
  `${SWITCH}raw bytes \0\xff`,
  `HTTP/1.1 103 E\r\n\r\n${SWITCH}`,
  'HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
);

const TOKENS = latin1(
  ...[
    '\r\n',
    '\r\n\r\n',
    '\n',
    '\r',
    ' ',
    '\t',
    ':',
    ',',
    ';',
    '"',
    '\0',
    '0\r\n\r\n',
    '3\r\nabc\r\n',
    OK,
    SWITCH,
  ],
  ...['HTTP/1.1 ', 'HTTP/1.0 ', 'HTTP/2 ', '100', '101', '103', '204', '304', 'Content-Length: 3\r\n'],
  ...[
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: identity\r\n',
    'Connection: close\r\n',
    'X: y\r\n',
    ' folded\r\n',
  ],
);

/** All that the reader tells of the pieces, so that it does not depend on how they were cut. */
function read(method: string, upgrade: string | null, pieces: readonly Buffer[]): readonly string[] {
  const events: string[] = [];
  const shown = (fields: Iterable<readonly [string, string]>) => JSON.stringify([...fields]);
  let content = '';
  let heads = 0;
  let ends = 0;
  let hasSwitched = false;
  const reader = new ResponseReader(upgrade === null ? { method } : { method, upgrade }, ORIGIN_LIMITS, {
    onInform: (status, fields) => events.push(`inform ${status} ${shown(fields)}`),
    onSwitch: (reason, fields, rest) => {
      events.push(`switch ${reason} ${shown(fields)}`);
      content += rest.toString('latin1');
      hasSwitched = true;
      ends += 1;
    },
    onHead: (line, framing) => {
      heads += 1;
      events.push(
        `head ${JSON.stringify(line)} ${framing.kind} ${framing.length} ${framing.isReusable} ${shown(framing.fields)}`,
      );
    },
    onPart: (part) => {
      mustBe('content comes between head and end, never empty', heads === 1 && ends === 0 && part.length > 0);
      content += Buffer.from(part).toString('latin1');
    },
    onResponseEnd: (trailers) => {
      ends += 1;
      events.push(`end ${trailers === null ? null : shown(trailers)}`);
    },
    // Junk is told sooner or later, by other words, depending on how much of it there is.
    onFault: (type) => {
      ends += 1;
      events.push(`fault ${type}`);
    },
  });
  for (const piece of pieces) {
    if (hasSwitched) content += piece.toString('latin1');
    else reader.push(Buffer.from(piece));
  }
  if (!hasSwitched) reader.end();
  mustEqual('it ends once', ends, 1);
  mustBe('it has one head at most', heads <= 1);
  mustBe(
    'it keeps no more than there was',
    events.filter((event) => event.startsWith('inform')).length <= ORIGIN_LIMITS.informsMax,
  );
  return [...events, content];
}

const responses: FuzzTarget = {
  name: 'responses',
  corpus: CORPUS,
  tokens: TOKENS,
  runs: 4_000,
  check(input, cuts) {
    for (const [method, upgrade] of [
      ['GET', null],
      ['HEAD', null],
      ['GET', 'websocket'],
    ] as const) {
      const whole = read(method, upgrade, [input]);
      mustEqual(`cut, the same (${method})`, read(method, upgrade, piecesOf(input, cuts)), whole);
    }
  },
};

export const RESPONSE_TARGETS: readonly FuzzTarget[] = [responses];
