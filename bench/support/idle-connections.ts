/** Memory that idle TLS connections take: opens them, has each answered once, and looks at the server's memory. */
import { connect, type TLSSocket } from 'node:tls';
import type { Figures } from '../bench-result.ts';
import { HOST, type RunningCache } from '../caches/cache.ts';
import { SIZES } from './static-origin.ts';

/** Connections before the first look, so that what the first ones bring about once is in both. */
const FIRST = 2_000;
/** Bun's own handshakes go on five at a time, the newest first: with more under way the oldest can starve. */
const AT_ONCE = 4;
/** Several, because servers bound what one client address may hold. */
const CLIENT_ADDRESSES = ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5'];
const ANSWER_MS = 30_000;
/** For the server to free what it used while connections were being made. */
const SETTLE_MS = 1_000;

export async function measureIdleConnections(cache: RunningCache, count: number): Promise<Figures> {
  const sockets: TLSSocket[] = [];
  let closed = 0;
  const open = async (until: number): Promise<number> => {
    const openers = Array.from({ length: AT_ONCE }, async () => {
      while (sockets.length < until) {
        const socket = openOne(cache.httpsPort ?? 0, sockets.length);
        sockets.push(socket);
        await answered(socket);
        socket.once('close', () => {
          closed += 1;
        });
      }
    });
    await Promise.all(openers);
    await Bun.sleep(SETTLE_MS);
    if (closed > 0) throw new Error(`${closed} idle connections were closed`);
    return cache.server.residentBytes();
  };
  try {
    const before = await open(FIRST);
    const after = await open(count);
    return { bytesPerConnection: (after - before) / (count - FIRST) };
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

function openOne(port: number, index: number): TLSSocket {
  // Of node:net's options, which node:tls passes on.
  const local = { localAddress: CLIENT_ADDRESSES[index % CLIENT_ADDRESSES.length] };
  const socket = connect({
    ...local,
    host: '127.0.0.1',
    port,
    servername: HOST,
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: false,
  });
  socket.on('error', () => {});
  return socket;
}

/** Resolves when one request has been answered whole. */
function answered(socket: TLSSocket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const late = setTimeout(() => reject(new Error('a connection was not answered')), ANSWER_MS);
  const onClose = (): void => reject(new Error('a connection was closed before it was answered'));
  let received = 0;
  socket.once('secureConnect', () => {
    socket.write(`GET /stored/${SIZES.small.file} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
  });
  socket.once('close', onClose);
  socket.on('data', (bytes: Buffer) => {
    received += bytes.length;
    // The body is one byte repeated: with so many bytes, it has begun and nearly all of it has come.
    if (received > SIZES.small.bytes) resolve();
  });
  return promise.finally(() => {
    clearTimeout(late);
    socket.off('close', onClose);
  });
}
