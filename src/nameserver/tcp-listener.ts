/**
 * Queries over TCP (RFC 7766): pipelined queries are answered in order, connections stay open until idle,
 * and are limited in all and by client. A client that does not read its answers is not read from either.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { DNS_LIMITS } from '#core/dns/limits.ts';
import type { IpAddress } from '#core/ip/address.ts';
import type { Clock } from '#platform/clock.ts';
import type { ListenAddress } from '#platform/listen-address.ts';
import { NAMESERVER_LIMITS } from './limits.ts';
import type { LiveAnswerer } from './live-answerer.ts';
import { FrameReader } from './tcp-frames.ts';
import { listenError } from './udp-listener.ts';
import { resolverOf } from './udp-socket.ts';

const SWEEP_INTERVAL_MS = 1_000;

export interface TcpListener {
  readonly address: ListenAddress;
  close(): Promise<void>;
  /**
   * Leaves new connections to a successor that accepts from the same socket, and answers on those it has until
   * they have been idle for as long as any may be, or `withinMs` have passed.
   */
  handOver(withinMs: number): Promise<void>;
}

export interface TcpListenerOptions {
  readonly listen: ListenAddress;
  readonly answerer: LiveAnswerer;
  readonly clock: Clock;
  readonly limits?: Partial<TcpLimits>;
}

export interface TcpLimits {
  readonly connectionsMax: number;
  readonly connectionsPerClientMax: number;
  readonly idleMs: number;
}

/** Throws AppError `conflict` when the port is in use. */
export async function listenTcp(options: TcpListenerOptions): Promise<TcpListener> {
  const { answerer, clock, listen } = options;
  const limits: TcpLimits = {
    connectionsMax: NAMESERVER_LIMITS.tcpConnectionsMax,
    connectionsPerClientMax: NAMESERVER_LIMITS.tcpConnectionsPerClientMax,
    idleMs: NAMESERVER_LIMITS.tcpIdleMs,
    ...options.limits,
  };
  const connections = new Set<TcpConnection>();
  const isClosed = Promise.withResolvers<void>();
  const output = new Uint8Array(DNS_LIMITS.tcpOctetsMax);
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    if (!makeRoom(connections, socket.remoteAddress, limits)) {
      socket.destroy();
      return;
    }
    const connection = new TcpConnection(socket, answerer, clock, output);
    connections.add(connection);
    socket.on('close', () => connections.delete(connection));
  });
  await bind(server, listen);
  const sweep = setInterval(
    () => {
      const oldest = clock.now() - limits.idleMs;
      for (const connection of connections) if (connection.activeAt < oldest) connection.destroy();
    },
    Math.min(SWEEP_INTERVAL_MS, limits.idleMs),
  );
  const bound = server.address();
  const port = bound !== null && typeof bound === 'object' ? bound.port : listen.port;
  async function close(): Promise<void> {
    clearInterval(sweep);
    if (server.listening) server.close(() => isClosed.resolve());
    for (const connection of connections) connection.destroy();
    await isClosed.promise;
  }
  return {
    address: { address: listen.address, port },
    close,
    async handOver(withinMs) {
      // The server has closed when its last connection has.
      server.close(() => isClosed.resolve());
      const deadline = setTimeout(() => void close(), withinMs);
      await isClosed.promise;
      clearTimeout(deadline);
      clearInterval(sweep);
    },
  };
}

async function bind(server: Server, listen: ListenAddress): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', (error: NodeJS.ErrnoException) => {
    reject(listenError(listen, 'TCP', error.code ?? error.message));
  });
  const { descriptor } = listen;
  if (descriptor === undefined) {
    const { address, port } = listen;
    server.listen({ host: address, port, backlog: NAMESERVER_LIMITS.tcpBacklog, ipv6Only: true }, resolve);
  } else {
    server.listen({ fd: descriptor }, resolve);
  }
  await promise;
  // From here on errors are those of single connections; the server goes on.
  server.on('error', () => {});
}

/** Whether a newcomer may stay. With all places taken, the connection idle for longest makes room. */
function makeRoom(connections: Set<TcpConnection>, client: string | undefined, limits: TcpLimits): boolean {
  if (client === undefined) return false;
  let ofClient = 0;
  let idlest: TcpConnection | null = null;
  for (const connection of connections) {
    if (connection.client === client) ofClient += 1;
    if (idlest === null || connection.activeAt < idlest.activeAt) idlest = connection;
  }
  if (ofClient >= limits.connectionsPerClientMax) return false;
  if (connections.size >= limits.connectionsMax && idlest !== null) {
    connections.delete(idlest);
    idlest.destroy();
  }
  return true;
}

class TcpConnection {
  readonly client: string;
  /** When the last whole query was answered, or the connection began. */
  activeAt: number;
  readonly #socket: Socket;
  readonly #answerer: LiveAnswerer;
  readonly #clock: Clock;
  readonly #output: Uint8Array;
  readonly #resolver: IpAddress;
  readonly #frames = new FrameReader();
  #hasEnded = false;

  constructor(socket: Socket, answerer: LiveAnswerer, clock: Clock, output: Uint8Array) {
    this.client = socket.remoteAddress ?? '';
    this.activeAt = clock.now();
    this.#socket = socket;
    this.#answerer = answerer;
    this.#clock = clock;
    this.#output = output;
    this.#resolver = resolverOf(this.client);
    socket.on('data', (chunk: Buffer) => {
      this.#frames.append(chunk);
      this.#work();
    });
    socket.on('drain', () => this.#work());
    socket.on('end', () => {
      this.#hasEnded = true;
      this.#work();
    });
    socket.on('error', () => socket.destroy());
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Answers what has come in, as long as the client keeps up, a bounded number at a time. */
  #work(): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    for (let turn = 0; ; turn += 1) {
      if (socket.writableLength > NAMESERVER_LIMITS.tcpUnsentOctetsMax) {
        socket.pause();
        return;
      }
      if (turn === NAMESERVER_LIMITS.tcpQueriesPerTurn) {
        socket.pause();
        setImmediate(() => this.#work());
        return;
      }
      const query = this.#frames.next();
      if (query === null) break;
      if (query === 'too-long') {
        socket.destroy();
        return;
      }
      this.#answer(query);
    }
    if (this.#hasEnded) socket.end();
    else socket.resume();
  }

  #answer(query: Uint8Array): void {
    const length = this.#answerer.answer(query, query.length, this.#resolver, this.#output, true);
    this.activeAt = this.#clock.now();
    if (length === 0) return;
    const frame = new Uint8Array(2 + length);
    frame[0] = length >>> 8;
    frame[1] = length;
    frame.set(this.#output.subarray(0, length), 2);
    this.#socket.write(frame);
  }
}
