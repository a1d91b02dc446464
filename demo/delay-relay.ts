/**
 * A wire of a chosen length: a TCP relay through which every byte takes half a round trip, in each
 * direction, and a new connection its full round trip first (TCP's handshake). Byte order is kept and a
 * slow reader slows the writer. It models propagation alone: bandwidth, loss and slow start are not in it,
 * so what it adds to a page is the least that distance can add.
 *
 * It belongs to the demo; nothing of the product's path runs through it except where the demo puts it.
 */
import net from 'node:net';

/** Bytes on the wire in one direction of one connection before the sender is paused: 8 MiB, a fast long path's worth. */
const IN_FLIGHT_BYTES_MAX = 8 * 1024 * 1024;
const CONNECTIONS_MAX = 4096;

export interface DelayRelayOptions {
  /** Address and port to listen on; port 0 lets the system choose. */
  readonly listen: { readonly address: string; readonly port: number };
  readonly target: { readonly address: string; readonly port: number };
  /** Round-trip time in milliseconds for a peer; 0 lets it through undelayed. */
  readonly roundTripMs: (peerAddress: string) => number;
}

export interface DelayRelay {
  readonly address: string;
  readonly port: number;
  /** Bytes that came from the target's side, over all connections. */
  bytesFromTarget(): number;
  close(): Promise<void>;
}

interface Direction {
  readonly from: net.Socket;
  readonly to: net.Socket;
  readonly delayMs: number;
  readonly count: (bytes: number) => void;
}

/** Carries bytes, then the end, from one socket to the other, each `delayMs` after it came. */
function carry({ from, to, delayMs, count }: Direction): void {
  const wire: { readonly dueAt: number; readonly chunk: Buffer | null }[] = [];
  let inFlightBytes = 0;
  let timer: NodeJS.Timeout | null = null;
  let isBlocked = false;

  function deliver(): void {
    timer = null;
    while (!isBlocked) {
      const next = wire[0];
      if (next === undefined || to.destroyed) return;
      const waitMs = next.dueAt - performance.now();
      if (waitMs > 0) {
        timer = setTimeout(deliver, waitMs);
        return;
      }
      wire.shift();
      if (next.chunk === null) {
        to.end();
        return;
      }
      inFlightBytes -= next.chunk.length;
      isBlocked = !to.write(next.chunk);
      if (from.isPaused() && inFlightBytes < IN_FLIGHT_BYTES_MAX / 2) from.resume();
    }
  }

  function depart(chunk: Buffer | null): void {
    wire.push({ dueAt: performance.now() + delayMs, chunk });
    if (timer === null && !isBlocked) deliver();
  }

  from.on('data', (chunk: Buffer) => {
    count(chunk.length);
    inFlightBytes += chunk.length;
    if (inFlightBytes >= IN_FLIGHT_BYTES_MAX) from.pause();
    depart(chunk);
  });
  from.on('end', () => depart(null));
  to.on('drain', () => {
    isBlocked = false;
    if (timer === null) deliver();
  });
}

/** Starts a relay; rejects when the address cannot be listened on. */
export async function startDelayRelay(options: DelayRelayOptions): Promise<DelayRelay> {
  const open = new Set<net.Socket>();
  const waiting = new Set<NodeJS.Timeout>();
  let bytesFromTarget = 0;

  function join(near: net.Socket, delayMs: number): void {
    const far = net.connect({
      host: options.target.address,
      port: options.target.port,
      allowHalfOpen: true,
      noDelay: true,
    });
    open.add(far);
    carry({ from: near, to: far, delayMs, count: () => {} });
    carry({
      from: far,
      to: near,
      delayMs,
      count: (bytes) => {
        bytesFromTarget += bytes;
      },
    });
    // An orderly close leaves what is still on the wire to arrive; anything else breaks off both.
    far.on('error', () => near.resetAndDestroy());
    far.on('close', (hadError) => {
      open.delete(far);
      if (hadError || !far.readableEnded) near.resetAndDestroy();
    });
    near.on('close', (hadError) => {
      if (hadError || !near.readableEnded) far.resetAndDestroy();
    });
  }

  const server = net.createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (near) => {
    open.add(near);
    near.on('close', () => open.delete(near));
    near.on('error', () => near.destroy());
    const roundTripMs = options.roundTripMs(near.remoteAddress ?? '');
    // The connection was accepted at once; its handshake over the distance is made up for here.
    const timer = setTimeout(() => {
      waiting.delete(timer);
      if (near.destroyed) return;
      join(near, roundTripMs / 2);
      near.resume();
    }, Math.ceil(roundTripMs));
    waiting.add(timer);
  });
  server.maxConnections = CONNECTIONS_MAX;

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.listen.port, options.listen.address, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const bound = server.address() as net.AddressInfo;
  return {
    address: bound.address,
    port: bound.port,
    bytesFromTarget: () => bytesFromTarget,
    close: () =>
      new Promise((resolve) => {
        for (const timer of waiting) clearTimeout(timer);
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}
