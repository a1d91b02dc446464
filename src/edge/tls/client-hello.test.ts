import { expect, test } from 'bun:test';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { connect } from 'node:tls';
import fc from 'fast-check';
import { extension, helloMessage, records, serverNameExtension } from '../../../test/support/client-hello.ts';
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
  expect(readClientHello(records(helloMessage({ extensions: NAMED })))).toEqual(complete('WWW.example.com'));
  expect(readClientHello(records(helloMessage({ extensions: [] })))).toEqual(complete(null));
  expect(readClientHello(records(helloMessage({ extensions: null })))).toEqual(complete(null));
  const followed = Buffer.concat([records(helloMessage({ extensions: NAMED })), Buffer.from('anything')]);
  expect(readClientHello(followed)).toEqual(complete('WWW.example.com'));
});

test('cut at any byte and in records of any size it is the same, and it asks for no more than it needs', () => {
  for (const size of [1, 2, 3, 7, 50, 16_384]) {
    const whole = records(helloMessage({ extensions: NAMED }), size);
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
  const message = helloMessage({ extensions: NAMED });
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
    [...records(helloMessage({ extensions: serverNameExtension('x'.repeat(256)) }))],
    [...records(helloMessage({ extensions: serverNameExtension('') }))],
    [...records(helloMessage({ extensions: extension(0, []) }))],
    [...records(helloMessage({ extensions: extension(0, [0, 9, 0, 0, 1]) }))],
    [...records(helloMessage({ extensions: [0, 0, 0, 99] }))],
    [...records(helloMessage({ extensions: [0, 0, 0] }))],
  ];
  for (const bytes of cases) expect(readClientHello(Buffer.from(bytes))).toEqual(unreadable);
});

test('more than the bound is refused as soon as it is announced', () => {
  const tooLarge = { kind: 'refused', reason: 'client-hello-too-large' } as const;
  expect(readClientHello(Buffer.from([22, 3, 1, 0x40, 0x00]))).toEqual(tooLarge);
  expect(readClientHello(Buffer.from([22, 3, 1, 0, 4, 1, 1, 0, 0]))).toEqual(tooLarge);
  const padded = helloMessage({ extensions: extension(21, new Array<number>(9_000).fill(0)) });
  const many = readClientHello(records(padded, 2));
  expect(many).toEqual(tooLarge);
  expect(readClientHello(records(padded)).kind).toBe('complete');
  expect(records(padded, 2).length).toBeGreaterThan(TLS_LIMITS.clientHelloBytesMax);
});

test('bytes at random, and a hello with bytes changed, are read without harm and within the bound', () => {
  const whole = records(helloMessage({ extensions: NAMED }), 40);
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
