import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { ORIGIN_LIMITS } from './limits.ts';
import { ResponseReader } from './response-reader.ts';

/** All that a reader tells of the pieces, joined so that it does not depend on how they were cut. */
function read(method: string, ...pieces: Uint8Array[]): string[] {
  return readFor({ method }, pieces);
}

function readFor(request: { method: string; upgrade?: string }, pieces: readonly Uint8Array[]): string[] {
  const events: string[] = [];
  let content = '';
  let hasSwitched = false;
  const reader = new ResponseReader(request, ORIGIN_LIMITS, {
    onInform: (status, fields) => events.push(`inform ${status} ${JSON.stringify([...fields])}`),
    onSwitch: (reason, fields, rest) => {
      events.push(`switch ${reason} ${JSON.stringify([...fields])}`);
      content += rest.toString('latin1');
      hasSwitched = true;
    },
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
  for (const piece of pieces) {
    // Once switched, bytes are others' to read.
    if (hasSwitched) content += Buffer.from(piece).toString('latin1');
    else reader.push(Buffer.from(piece));
  }
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

  const SWITCH = 'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\nA: b\r\n\r\n';
  const switches: [string, string, string[]][] = [
    ['at once', `${SWITCH}HTTP/1.1 raw`, ['switch Switching [["A","b"]]', 'HTTP/1.1 raw']],
    [
      'behind an interim response',
      `HTTP/1.1 103 E\r\n\r\n${SWITCH}raw\r\n\r\n`,
      ['inform 103 []', 'switch Switching [["A","b"]]', 'raw\r\n\r\n'],
    ],
    [
      'refused',
      'HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno',
      [
        'head {"minorVersion":1,"status":403,"reason":"No"} length 2 true [["Content-Length","2"]]',
        'end null',
        'no',
      ],
    ],
  ];
  for (const [protocol, lines] of [
    ['another', 'Connection: Upgrade\r\nUpgrade: h2c\r\n'],
    ['several', 'Connection: Upgrade\r\nUpgrade: websocket, x\r\n'],
    ['none named', 'Connection: Upgrade\r\n'],
    ['not said of the connection', 'Upgrade: websocket\r\n'],
  ] as const) {
    const fault = 'fault http_protocol_error 101 to another protocol than was asked for';
    switches.push([`to ${protocol}`, `HTTP/1.1 101 S\r\n${lines}\r\nraw`, [fault, '']]);
  }
  test.each(switches)('a switch that was asked for, %s, however the bytes are cut', (_, wire, due) => {
    const bytes = latin1(wire);
    const request = { method: 'GET', upgrade: 'websocket' };
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      expect(readFor(request, [bytes.slice(0, cut), bytes.slice(cut)])).toEqual(due);
    }
    expect(
      readFor(
        request,
        [...bytes].map((byte) => Uint8Array.of(byte)),
      ),
    ).toEqual(due);
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
    const reader: ResponseReader = new ResponseReader({ method: 'GET' }, ORIGIN_LIMITS, {
      onInform: () => events.push('inform'),
      onSwitch: () => events.push('switch'),
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
