import { expect, test } from 'bun:test';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { connect } from 'node:tls';
import fc from 'fast-check';
import { readClientHello } from './client-hello.ts';
import { TLS_LIMITS } from './limits.ts';

/** The first bytes of a real client. */
async function recordHello(options: { servername?: string; maxVersion?: 'TLSv1.2' }): Promise<Buffer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const client = connect({ host: '127.0.0.1', port, ...options });
  client.on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}

function u16(value: number): number[] {
  return [value >> 8, value & 0xff];
}

function vector(octets: 1 | 2, content: readonly number[]): number[] {
  return [...(octets === 1 ? [content.length] : u16(content.length)), ...content];
}

function extension(type: number, content: readonly number[]): number[] {
  return [...u16(type), ...vector(2, content)];
}

function serverNameExtension(name: string, type = 0): number[] {
  return extension(0, vector(2, [type, ...vector(2, [...Buffer.from(name, 'latin1')])]));
}

function helloMessage(extensions: readonly number[] | null): number[] {
  const body = [
    3,
    3,
    ...new Array<number>(32).fill(7),
    ...vector(1, [1, 2, 3]),
    ...vector(2, [0x13, 0x01]),
    ...vector(1, [0]),
    ...(extensions === null ? [] : vector(2, extensions)),
  ];
  return [1, 0, ...u16(body.length), ...body];
}

/** In records of at most `size` bytes. */
function records(message: readonly number[], size = 16_384): Buffer {
  const all: number[] = [];
  for (let at = 0; at < message.length; at += size) {
    all.push(22, 3, 1, ...vector(2, message.slice(at, at + size)));
  }
  return Buffer.from(all);
}

const NAMED = [...extension(0x0a0a, []), ...serverNameExtension('WWW.example.com'), ...extension(16, [0, 0])];

test('the name that real clients send', async () => {
  for (const options of [{}, { maxVersion: 'TLSv1.2' }] as const) {
    const named = await recordHello({ ...options, servername: 'shop.example.com' });
    expect(readClientHello(named)).toEqual({ kind: 'complete', serverName: 'shop.example.com' });
    expect(readClientHello(await recordHello({ ...options }))).toEqual({
      kind: 'complete',
      serverName: null,
    });
  }
});

test('with and without extensions, and whatever follows', () => {
  const complete = (serverName: string | null) => ({ kind: 'complete', serverName }) as const;
  expect(readClientHello(records(helloMessage(NAMED)))).toEqual(complete('WWW.example.com'));
  expect(readClientHello(records(helloMessage([])))).toEqual(complete(null));
  expect(readClientHello(records(helloMessage(null)))).toEqual(complete(null));
  const followed = Buffer.concat([records(helloMessage(NAMED)), Buffer.from('anything')]);
  expect(readClientHello(followed)).toEqual(complete('WWW.example.com'));
});

test('cut at any byte and in records of any size it is the same, and it asks for no more than it needs', () => {
  for (const size of [1, 2, 3, 7, 50, 16_384]) {
    const whole = records(helloMessage(NAMED), size);
    for (let length = 0; length < whole.length; length += 1) {
      const hello = readClientHello(whole.subarray(0, length));
      if (hello.kind !== 'incomplete') throw new Error(`${hello.kind} after ${length} bytes`);
      expect(hello.bytesMin).toBeGreaterThan(length);
      expect(hello.bytesMin).toBeLessThanOrEqual(whole.length);
    }
    expect(readClientHello(whole)).toEqual({ kind: 'complete', serverName: 'WWW.example.com' });
  }
});

test('what is no ClientHello is known by its first bytes', () => {
  const unreadable = { kind: 'refused', reason: 'client-hello-unreadable' } as const;
  const message = helloMessage(NAMED);
  const cases: readonly (readonly number[])[] = [
    [...Buffer.from('G')],
    [...Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    [0],
    [0x80, 0x2e, 1],
    [21, 3, 1, 0, 2, 1, 0],
    [22, 2],
    [22, 3, 1, 0, 0],
    [22, 3, 1, 0x40, 0x01],
    [...records([2, ...message.slice(1)])],
    [...records(helloMessage(serverNameExtension('x'.repeat(256))))],
    [...records(helloMessage(extension(0, [])))],
    [...records(helloMessage(extension(0, [0, 9, 0, 0, 1])))],
    [...records(helloMessage([0, 0, 0, 99]))],
    [...records(helloMessage([0, 0, 0]))],
  ];
  for (const bytes of cases) expect(readClientHello(Buffer.from(bytes))).toEqual(unreadable);
});

test('more than the bound is refused as soon as it is announced', () => {
  const tooLarge = { kind: 'refused', reason: 'client-hello-too-large' } as const;
  expect(readClientHello(Buffer.from([22, 3, 1, 0x40, 0x00]))).toEqual(tooLarge);
  expect(readClientHello(Buffer.from([22, 3, 1, 0, 4, 1, 1, 0, 0]))).toEqual(tooLarge);
  const padded = helloMessage(extension(21, new Array<number>(9_000).fill(0)));
  const many = readClientHello(records(padded, 2));
  expect(many).toEqual(tooLarge);
  expect(readClientHello(records(padded)).kind).toBe('complete');
  expect(records(padded, 2).length).toBeGreaterThan(TLS_LIMITS.clientHelloBytesMax);
});

test('bytes at random, and a hello with bytes changed, are read without harm and within the bound', () => {
  const whole = records(helloMessage(NAMED), 40);
  const changed = fc
    .array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 8 })
    .map((changes) => {
      const bytes = Buffer.from(whole);
      for (const [at, value] of changes) bytes[at] = value;
      return bytes;
    });
  const random = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.oneof(changed, random), (bytes) => {
      const hello = readClientHello(bytes);
      if (hello.kind === 'incomplete') {
        expect(hello.bytesMin).toBeGreaterThan(bytes.length);
        expect(hello.bytesMin).toBeLessThanOrEqual(TLS_LIMITS.clientHelloBytesMax);
      }
    }),
    { numRuns: 2_000 },
  );
});
