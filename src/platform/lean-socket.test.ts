/** What all kinds of `ByteSocket` do alike, on real connections: those of `node:net` and `node:tls` are the yardstick. */
import { beforeAll, expect, test } from 'bun:test';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, createSecureContext, createServer as createTlsServer } from 'node:tls';
import { createTestAuthority, type TestCertificate } from '../../test/support/test-authority.ts';
import { until } from '../../test/support/until.ts';
import type { ByteSocket } from './byte-socket.ts';
import { listenLean } from './lean-socket.ts';

interface Pair extends AsyncDisposable {
  readonly server: ByteSocket;
  readonly client: Socket;
  /** What the server's socket and the client were told, in order; data joined. */
  readonly told: string[];
}

type Listen = (onConnection: (socket: ByteSocket) => void) => Promise<{ port: number; close(): void }>;

const ANY_PORT = { address: '127.0.0.1', port: 0 };

let certificate: TestCertificate;

beforeAll(async () => {
  certificate = await (await createTestAuthority()).issue(['localhost']);
});

function listenOn(server: Server): ReturnType<Listen> {
  return new Promise((resolve) => {
    const close = (): void => void server.close();
    server.listen(0, '127.0.0.1', () => resolve({ port: (server.address() as AddressInfo).port, close }));
  });
}

/** TLS begun once the first bytes have come, as the edge does it. */
async function listenLeanTls(onConnection: (socket: ByteSocket) => void): ReturnType<Listen> {
  const context = createSecureContext(certificate);
  return listenLean(ANY_PORT, false, (socket) => {
    socket.on('data', (firstBytes: Buffer) => {
      socket.secure({
        context,
        firstBytes,
        alpnProtocols: Buffer.from('\x08http/1.1', 'latin1'),
        asksForCertificate: false,
        onHandshake: (outcome) => {
          if (outcome !== null) onConnection(socket);
        },
      });
    });
  });
}

interface Kind {
  readonly name: string;
  readonly listen: Listen;
  readonly isSecure: boolean;
}

const SOCKET_OPTIONS = { allowHalfOpen: true, noDelay: true } as const;

const KINDS: readonly Kind[] = [
  {
    name: 'node:net',
    listen: (onConnection) => listenOn(createServer(SOCKET_OPTIONS, onConnection)),
    isSecure: false,
  },
  {
    name: 'Bun.listen',
    listen: async (onConnection) => listenLean(ANY_PORT, false, onConnection),
    isSecure: false,
  },
  {
    name: 'node:tls',
    listen: (onConnection) => listenOn(createTlsServer({ ...SOCKET_OPTIONS, ...certificate }, onConnection)),
    isSecure: true,
  },
  { name: 'Bun.listen with TLS', listen: listenLeanTls, isSecure: true },
];

async function open({ listen, isSecure }: Kind): Promise<Pair> {
  const accepted = Promise.withResolvers<ByteSocket>();
  const told: string[] = [];
  const tell = (who: string, socket: ByteSocket): void => {
    socket.on('data', (bytes) => told.push(`${who}: ${bytes.toString('latin1')}`));
    socket.on('end', () => told.push(`${who} end`));
    socket.on('error', () => {});
    socket.on('close', () => told.push(`${who} close`));
  };
  const listener = await listen((socket) => {
    tell('server', socket);
    accepted.resolve(socket);
  });
  const where = { port: listener.port, host: '127.0.0.1', allowHalfOpen: true };
  const client = isSecure ? connectTls({ ...where, rejectUnauthorized: false }) : connect(where);
  tell('client', client);
  const server = await accepted.promise;
  return {
    server,
    client,
    told,
    async [Symbol.asyncDispose]() {
      client.destroy();
      server.destroy();
      listener.close();
      await until('the server socket is closed', () => told.includes('server close'));
    },
  };
}

/** A client that keeps what it gets instead of telling it. */
function collect(client: Socket): Buffer[] {
  const received: Buffer[] = [];
  client.removeAllListeners('data');
  client.on('data', (bytes: Buffer) => received.push(bytes));
  return received;
}

/** No two pages of it are alike. */
function fileOf(length: number) {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE(Math.imul(at + 1, 0x9e37_79b1) >>> 0, at);
  const folder = mkdtempSync(join(tmpdir(), 'perigee-file-'));
  writeFileSync(join(folder, 'file'), bytes);
  const descriptor = openSync(join(folder, 'file'), 'r');
  return {
    bytes,
    descriptor,
    [Symbol.dispose]() {
      closeSync(descriptor);
      rmSync(folder, { recursive: true });
    },
  };
}

for (const kind of KINDS) {
  const { name } = kind;

  test(`${name}: knows both ends`, async () => {
    await using pair = await open(kind);
    const { server, client } = pair;
    await until('the client is connected', () => client.localPort !== undefined);
    expect([server.remoteAddress, server.remotePort]).toEqual(['127.0.0.1', client.localPort ?? 0]);
    expect([server.localAddress, server.localPort]).toEqual(['127.0.0.1', client.remotePort ?? 0]);
  });

  test(`${name}: what a slow reader does not take waits, in order and unchanged, and drain tells`, async () => {
    await using pair = await open(kind);
    const { server, client } = pair;
    const received = collect(client);
    client.pause();
    const part = Buffer.alloc(1_000_003, 'abcdefghij');
    let parts = 0;
    while (server.write(part)) parts += 1;
    for (let more = 0; more < 12; more += 1) server.write(part);
    parts += 13;
    const length = parts * part.length;
    expect(server.writableNeedDrain).toBe(true);
    expect(server.writableLength).toBeGreaterThan(0);
    let drains = 0;
    server.on('drain', () => {
      drains += 1;
    });
    client.resume();
    const count = (): number => received.reduce((sum, bytes) => sum + bytes.length, 0);
    await until('all has come', () => count() === length);
    await until('it has drained', () => server.writableLength === 0 && drains === 1);
    expect(Buffer.concat(received).equals(Buffer.concat(Array.from({ length: parts }, () => part)))).toBe(
      true,
    );
    expect(server.writableNeedDrain).toBe(false);
  });

  test(`${name}: octets of a file go as far as they are taken, and drain tells when more are`, async () => {
    await using pair = await open(kind);
    const { server, client } = pair;
    // Only what stands on `Bun.listen` can.
    if (server.writeFile === undefined) {
      expect(name).toStartWith('node:');
      return;
    }
    using file = fileOf(9_000_011);
    const received = collect(client);
    client.pause();
    let at = 3;
    let waits = 0;
    const goOn = (): void => {
      while (at < file.bytes.length) {
        const asked = Math.min(1_000_000, file.bytes.length - at);
        const taken = server.writeFile?.(file.descriptor, at, asked) ?? 0;
        at += taken;
        if (taken === asked) continue;
        waits += 1;
        return;
      }
      server.write(Buffer.from('end'));
    };
    server.on('drain', goOn);
    goOn();
    expect(at).toBeLessThan(file.bytes.length);
    expect(server.writableLength).toBe(0);
    client.resume();
    const due = Buffer.concat([file.bytes.subarray(3), Buffer.from('end')]);
    await until('all has come', () => received.reduce((sum, { length }) => sum + length, 0) === due.length);
    expect(Buffer.concat(received).equals(due)).toBe(true);
    expect(waits).toBeGreaterThan(0);
    expect(() => server.writeFile?.(file.descriptor, file.bytes.length, 10)).toThrow('the file ends');
    expect(() => server.writeFile?.(-1, 0, 10)).toThrow();
  });

  test(`${name}: ends once all has been written`, async () => {
    await using pair = await open(kind);
    const { server, client, told } = pair;
    const received = collect(client);
    client.pause();
    const part = Buffer.alloc(1_000_000, 'x');
    let length = part.length;
    while (server.write(part)) length += part.length;
    server.end();
    client.resume();
    await until('the client is told of the end', () => told.includes('client end'));
    expect(received.reduce((sum, bytes) => sum + bytes.length, 0)).toBe(length);
    expect(told).not.toContain('server close');
  });

  test(`${name}: either side ends and the other goes on`, async () => {
    for (const first of ['server', 'client'] as const) {
      await using pair = await open(kind);
      const { server, client, told } = pair;
      const second = first === 'server' ? 'client' : 'server';
      pair[first].end();
      await until('the end is told', () => told.includes(`${second} end`));
      pair[second].write(Buffer.from('still here'));
      await until('it is heard', () => told.includes(`${first}: still here`));
      pair[second].end();
      await until('both have closed', () => told.includes('server close') && told.includes('client close'));
      expect(told.filter((event) => event.startsWith(first))).toEqual([
        `${first}: still here`,
        `${first} end`,
        `${first} close`,
      ]);
      expect([server.destroyed, client.destroyed]).toEqual([true, true]);
    }
  });

  test(`${name}: nothing is told while it is paused`, async () => {
    await using pair = await open(kind);
    const { server, client, told } = pair;
    server.pause();
    client.write('first');
    client.end();
    // A round trip the other way: had the server been going to hear of it, it would have by now.
    server.write(Buffer.from('ping'));
    await until('the client hears', () => told.includes('client: ping'));
    expect(told.filter((event) => event.startsWith('server'))).toEqual([]);
    server.resume();
    await until('the end is told', () => told.includes('server end'));
    expect(told.filter((event) => event.startsWith('server'))).toEqual(['server: first', 'server end']);
  });

  test(`${name}: a reset is told as one, by either side`, async () => {
    for (const first of ['server', 'client'] as const) {
      await using pair = await open(kind);
      const { told } = pair;
      const errors: string[] = [];
      pair.client.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code ?? ''));
      pair[first].resetAndDestroy();
      await until('both have closed', () => told.includes('server close') && told.includes('client close'));
      if (first === 'server') expect(errors).toEqual(['ECONNRESET']);
    }
  });

  test(`${name}: closing is told later, and no bytes come after destroying`, async () => {
    await using pair = await open(kind);
    const { server, client, told } = pair;
    client.write('hello');
    await until('it is heard', () => told.includes('server: hello'));
    client.write('unheard');
    server.destroy();
    expect([server.destroyed, told.includes('server close')]).toEqual([true, false]);
    server.write(Buffer.from('dropped'));
    server.destroy();
    await until('both have closed', () => told.includes('server close') && told.includes('client close'));
    expect(told).not.toContain('server: unheard');
    expect(told).not.toContain('client: dropped');
  });

  test(`${name}: destroying closes at once, however little the other side reads`, async () => {
    for (const howMuch of ['nothing', 'little', 'all there is room for'] as const) {
      await using pair = await open(kind);
      const { server, client, told } = pair;
      client.pause();
      if (howMuch === 'little') server.write(Buffer.alloc(1000));
      // In parts small enough that the last one leaves hardly any room.
      if (howMuch === 'all there is room for') while (server.write(Buffer.alloc(100_000)));
      server.destroy();
      await until('the server socket is closed', () => told.includes('server close'));
    }
  });

  test(`${name}: destroySoon writes all there is, and closes without waiting for the other side`, async () => {
    await using pair = await open(kind);
    const { server, client, told } = pair;
    const received = collect(client);
    client.pause();
    let length = 0;
    for (let isTaken = true; isTaken; length += 100_000) isTaken = server.write(Buffer.alloc(100_000));
    server.destroySoon();
    expect(server.destroyed).toBe(false);
    client.resume();
    await until('the server socket is closed', () => told.includes('server close'));
    await until('the client is told of the end', () => told.includes('client end'));
    expect(received.reduce((sum, bytes) => sum + bytes.length, 0)).toBe(length);
    await using other = await open(kind);
    other.server.write(Buffer.from('last words'));
    other.server.destroySoon();
    await until('it is closed', () => other.told.includes('server close'));
    await until('the client hears', () => other.told.includes('client: last words'));
  });
}

for (const kind of KINDS.filter(({ name }) => name.startsWith('Bun.listen'))) {
  const { name } = kind;

  test(`${name}: what is written after the end is dropped`, async () => {
    await using pair = await open(kind);
    const { server, told } = pair;
    server.write(Buffer.from('last words'));
    server.end();
    expect(server.write(Buffer.from('too late'))).toBe(false);
    await until('the client is told of the end', () => told.includes('client end'));
    expect(told).toEqual(['client: last words', 'client end']);
  });
}
