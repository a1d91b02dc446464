/**
 * Independent implementations as judges: the one within the runtime's own HTTP/2, and Python's hpack where it is
 * installed (Debian: python3-hpack). They decode what we encode, and we what they and real clients encode.
 */
import { describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { createServer, type Http2Server } from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { CLIENT_BLOCKS } from './client-blocks.cases.ts';
import { HpackDecoder } from './decoder.ts';
import { encodeField, encodeFieldPlain, fieldBytesMax } from './encoder.ts';
import { AMPLE, decodeHex, tableOf } from './inspect.cases.ts';
import { type Line, type LineChoice, ReferenceEncoder } from './reference-encoder.cases.ts';

const flat = (lines: readonly Line[]) => lines.flatMap((line) => [...line]);

function encode(lines: readonly Line[], encodeLine = encodeField): Buffer {
  const target = Buffer.alloc(lines.reduce((sum, [name, value]) => sum + fieldBytesMax(name, value), 0));
  let at = 0;
  for (const [name, value] of lines) at = encodeLine(target, at, name, value);
  return target.subarray(0, at);
}

/** Every octet that a value may hold, and names and values of all lengths around the steps of integers. */
const FIELDS: readonly Line[] = [
  ['accept-encoding', 'gzip, deflate'],
  ['age', '0'],
  ['authorization', 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='],
  ['x-visible', Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)).join('')],
  ['x-high', Array.from({ length: 128 }, (_, i) => String.fromCharCode(128 + i)).join('')],
  ...[1, 14, 15, 16, 126, 127, 128, 254, 255, 256, 400].flatMap((length): Line[] => [
    [`x-length-${length}`, 'v'.repeat(length)],
    [`n${'a'.repeat(length)}`, '~'.repeat(length)],
  ]),
];

describe('clients', () => {
  const expected = {
    chromium: [17, 16, 16, 16, 16],
    curl: [6, 6],
    h2load: [5, 5],
  };

  test.each(['chromium', 'curl', 'h2load'] as const)('%s, as it was recorded', (client) => {
    const decoder = new HpackDecoder(4_096);
    const lists = CLIENT_BLOCKS[client].map((block) => decodeHex(decoder, block) as string[]);
    expect(lists.map((list) => list.length / 2)).toEqual(expected[client]);
    for (const list of lists) {
      expect(list.filter((_, i) => i % 2 === 0).slice(0, 4)).toContain(':path');
      expect(list[list.indexOf('user-agent') + 1]).toMatch(/HeadlessChrome\/156|curl\/7\.88|h2load nghttp2/);
    }
  });
});

describe("the runtime's own HTTP/2", () => {
  const SETTINGS = 4;
  const HEADERS = 1;
  const END_STREAM_END_HEADERS = 5;

  function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head[3] = type;
    head[4] = flags;
    head.writeUInt32BE(stream, 5);
    return Buffer.concat([head, payload]);
  }

  /** Sends requests whose heads are these blocks; resolves with the blocks of as many responses. */
  function exchange(port: number, blocks: readonly Buffer[]): Promise<Buffer[]> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer[]>();
    const socket = connect(port, '127.0.0.1');
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('closed by the server')));
    const responses: Buffer[] = [];
    let received = Buffer.alloc(0);
    socket.on('data', (part: Buffer) => {
      received = Buffer.concat([received, part]);
      while (received.length >= 9 && received.length >= 9 + received.readUIntBE(0, 3)) {
        const end = 9 + received.readUIntBE(0, 3);
        if (received[3] === HEADERS) responses.push(Buffer.from(received.subarray(9, end)));
        received = received.subarray(end);
      }
      if (responses.length < blocks.length) return;
      resolve(responses);
      socket.destroy();
    });
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    socket.write(frame(SETTINGS, 0, 0, Buffer.alloc(0)));
    blocks.forEach((block, i) => {
      socket.write(frame(HEADERS, END_STREAM_END_HEADERS, 2 * i + 1, block));
    });
    return promise;
  }

  async function listen(server: Http2Server): Promise<number> {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  test('decodes what we encode, and we what it encodes', async () => {
    const request: Line[] = [
      [':method', 'GET'],
      [':scheme', 'http'],
      [':path', '/judged?by=you'],
      [':authority', 'www.example.com'],
      ...FIELDS,
    ];
    const seen: string[][] = [];
    const server = createServer((request, response) => {
      seen.push(request.rawHeaders);
      for (const [name, value] of FIELDS) response.setHeader(`${name}-answer`, value);
      response.statusCode = 207;
      response.end();
    });
    try {
      const port = await listen(server);
      const blocks = [encode(request, encodeField), encode(request, encodeFieldPlain)];
      const responses = await exchange(port, blocks);
      expect(seen).toEqual([flat(request), flat(request)]);
      const decoder = new HpackDecoder(4_096);
      for (const block of responses) {
        const list = decoder.decode(block, 0, block.length, AMPLE) as string[];
        expect(list.slice(0, 2)).toEqual([':status', '207']);
        for (const [name, value] of FIELDS) expect(list[list.indexOf(`${name}-answer`) + 1]).toBe(value);
      }
    } finally {
      server.close();
    }
  });
});

/** Reads commands as JSON lines, answers each with one. Text is latin1 both ways. */
const PYTHON = `
import json, sys
from hpack import Decoder, Encoder
decoders, encoders = {}, {}
def lines(fields): return [[bytes(n).decode('latin1'), bytes(v).decode('latin1')] for n, v in fields]
for text in sys.stdin:
    c = json.loads(text)
    if c['do'] == 'decode':
        d = decoders.setdefault(c['connection'], Decoder(max_header_list_size=10000000))
        fields = d.decode(bytes.fromhex(c['block']), raw=True)
        never = [bytes(f[0]).decode('latin1') for f in fields if not getattr(f, 'indexable', True)]
        print(json.dumps({'lines': lines(fields), 'table': lines(d.header_table.dynamic_entries), 'never': never}))
    else:
        e = encoders.setdefault(c['connection'], Encoder())
        for size in c['sizes']: e.header_table_size = size
        fields = [(n.encode('latin1'), v.encode('latin1'), s) for n, v, s in c['lines']]
        block = e.encode(fields, huffman=c['huffman'])
        print(json.dumps({'block': block.hex(), 'table': lines(e.header_table.dynamic_entries)}))
`;

interface Answer {
  readonly block: string;
  readonly lines: Line[];
  readonly table: Line[];
  readonly never: string[];
}

function askPython(commands: readonly object[]): Answer[] {
  const { stdout, stderr, status } = spawnSync('/usr/bin/python3', ['-c', PYTHON], {
    input: commands.map((command) => `${JSON.stringify(command)}\n`).join(''),
    encoding: 'utf8',
    timeout: 30_000,
    maxBuffer: 100_000_000,
  });
  if (status !== 0) throw new Error(`python3: ${stderr}`);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer);
}

const hasPython = spawnSync('/usr/bin/python3', ['-c', 'import hpack']).status === 0;

/** Chance that can be had again: a linear congruential generator. */
function createChance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe.skipIf(!hasPython)("Python's hpack (skipped where python3-hpack is not installed)", () => {
  const SEED = 7541;
  const NAMES = [':path', ':status', 'accept-encoding', 'cookie', 'x-a', 'x-b', 'x-long-name-'.repeat(8)];
  const VALUES = ['', '/', '200', 'gzip, deflate', 'one', '\xe4\xff\0', 'long value '.repeat(30)];

  function randomLines(chance: (below: number) => number): Line[] {
    return Array.from({ length: chance(10) }, (): Line => {
      const value = chance(3) === 0 ? `value-${chance(1_000)}` : (VALUES[chance(VALUES.length)] as string);
      return [NAMES[chance(NAMES.length)] as string, value];
    });
  }

  test('decodes the clients as we do, with the same table', () => {
    const decoders = new Map<string, HpackDecoder>();
    const commands = Object.entries(CLIENT_BLOCKS).flatMap(([connection, blocks]) =>
      blocks.map((block) => ({ do: 'decode', connection, block })),
    );
    const answers = askPython(commands);
    commands.forEach(({ connection, block }, i) => {
      const decoder = decoders.get(connection) ?? new HpackDecoder(4_096);
      decoders.set(connection, decoder);
      expect(decodeHex(decoder, block)).toEqual(flat(answers[i]?.lines ?? []));
      expect(tableOf(decoder)).toEqual(flat(answers[i]?.table ?? []));
    });
  });

  test('decodes what we encode, and sees which fields are never indexed', () => {
    const secrets: Line[] = ['authorization', 'cookie', 'proxy-authorization', 'set-cookie'].map((name) => [
      name,
      'secret',
    ]);
    const lines = [...FIELDS, ...secrets];
    const commands = [encodeField, encodeFieldPlain].map((encodeLine) => ({
      do: 'decode',
      connection: 'ours',
      block: encode(lines, encodeLine).toString('hex'),
    }));
    for (const answer of askPython(commands)) {
      expect(answer.lines).toEqual(lines);
      expect(answer.table).toEqual([]);
      expect(new Set(answer.never)).toEqual(new Set(secrets.map(([name]) => name)));
    }
  });

  test(`we decode what it encodes, with its table (seed ${SEED})`, () => {
    const chance = createChance(SEED);
    const commands = Array.from({ length: 400 }, (_, i) => ({
      do: 'encode',
      connection: i % 4,
      sizes: chance(5) === 0 ? Array.from({ length: 1 + chance(2) }, () => chance(4_097)) : [],
      huffman: chance(2) === 0,
      lines: randomLines(chance).map((line) => [...line, chance(6) === 0]),
    }));
    const decoders = Array.from({ length: 4 }, () => new HpackDecoder(4_096));
    askPython(commands).forEach((answer, i) => {
      const command = commands[i] as (typeof commands)[number];
      const decoder = decoders[command.connection] as HpackDecoder;
      expect(decodeHex(decoder, answer.block)).toEqual(
        command.lines.flatMap(([name, value]) => [name as string, value as string]),
      );
      expect(tableOf(decoder)).toEqual(flat(answer.table));
    });
  });

  test(`it decodes what our tests' encoder encodes (seed ${SEED})`, () => {
    const chance = createChance(SEED);
    const encoders = Array.from({ length: 4 }, () => new ReferenceEncoder(4_096));
    const kinds: LineChoice['literal'][] = ['added', 'added', 'not-indexed', 'never-indexed'];
    const expected: { lines: Line[]; table: Line[] }[] = [];
    const commands = Array.from({ length: 400 }, (_, i) => {
      const lines = randomLines(chance);
      const encoder = encoders[i % 4] as ReferenceEncoder;
      const block = encoder.encodeBlock({
        sizes: chance(5) === 0 ? Array.from({ length: 1 + chance(2) }, () => chance(4_097)) : [],
        lines: lines.map((line) => ({
          line,
          mayIndex: chance(2) === 0,
          literal: kinds[chance(4)] as LineChoice['literal'],
          which: chance(3),
          mayIndexName: chance(2) === 0,
          isHuffman: chance(2) === 0,
          zeros: chance(3),
        })),
      });
      expected.push({ lines, table: [...encoder.table] });
      return { do: 'decode', connection: i % 4, block: block.toString('hex') };
    });
    askPython(commands).forEach((answer, i) => {
      expect(answer.lines).toEqual(expected[i]?.lines ?? []);
      expect(answer.table).toEqual(expected[i]?.table ?? []);
    });
  });
});
