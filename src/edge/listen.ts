/**
 * The listeners of one edge worker: accepts connections, plain and over TLS, within bounds, and runs an
 * HTTP/1.1 or HTTP/2 connection on each (`http1/connection.ts`, `http2/server/connection.ts`). Closing drains. Which certificate a name gets is
 * the certificate store's; what a request is answered with is the handler's.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { AppError } from '#core/base/app-error.ts';
import { type Prefix, parsePrefix } from '#core/ip/prefix.ts';
import type { Clock } from '#platform/clock.ts';
import { formatListenAddress, type ListenAddress } from '#platform/listen-address.ts';
import type { Logger } from '#platform/log.ts';
import { Admission } from './connection/admission.ts';
import {
  type ClientConnection,
  type ConnectionContext,
  LISTEN_LIMITS,
  type ListenLimits,
} from './connection/context.ts';
import { DeadlineSweep } from './connection/deadline-sweep.ts';
import { OutputScratch } from './connection/output-scratch.ts';
import { ProxyGate } from './connection/proxy-gate.ts';
import type { ConnectionInfo, ExchangeHandler } from './exchange.ts';
import { Http1Connection } from './http1/connection.ts';
import { FrameScratch } from './http2/output.ts';
import { Http2Connection } from './http2/server/connection.ts';
import { PrefaceSniffer } from './http2/server/preface-sniffer.ts';
import type { CertificateStore } from './tls/certificate-store.ts';
import { TlsAcceptor } from './tls/tls-acceptor.ts';

export interface ListenOptions {
  /** Null: no such listener. */
  readonly http: ListenAddress | null;
  readonly https: ListenAddress | null;
  readonly handler: ExchangeHandler;
  readonly certificates: CertificateStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether other worker processes share the ports (SO_REUSEPORT). */
  readonly reusePort: boolean;
  /** Whether plain connections may speak HTTP/2 with prior knowledge (h2c); not unless said. */
  readonly acceptsH2c?: boolean;
  /**
   * Networks (CIDR) of load balancers: only they may connect, and each connection begins with a header of the
   * PROXY protocol, version 2. Null: everybody may, and nobody sends one.
   */
  readonly proxySources?: readonly string[] | null;
  /** Departures from `LISTEN_LIMITS`. */
  readonly limits?: Partial<ListenLimits>;
}

export interface ListenerStatistics {
  /** Connections accepted so far, and open now. */
  readonly accepted: number;
  readonly open: number;
}

export interface ListenStatistics {
  readonly http: ListenerStatistics | null;
  readonly https: ListenerStatistics | null;
  readonly exchanges: number;
  /** Requests and connections that were not served, by reason (`request-refusal.ts` and the bounds here). */
  readonly refusals: Readonly<Record<string, number>>;
}

export interface Listeners {
  /** The addresses in use, with the port the system chose. */
  readonly http: ListenAddress | null;
  readonly https: ListenAddress | null;
  statistics(): ListenStatistics;
  /**
   * Stops accepting, closes idle connections, lets responses under way finish, and cuts what is left
   * after `drainMs`. Resolves when no connection is open.
   */
  close(drainMs: number): Promise<void>;
  /**
   * Leaves new connections to a successor that accepts from the same sockets, and loses nothing of those it
   * has: handshakes finish, and an idle connection may bring one more request, whose response says that it
   * is the last, for a client that reuses a connection cannot know of our end before we tell it. Otherwise
   * like `close`, which may be called after it to cut it short.
   */
  handOver(drainMs: number): Promise<void>;
}

/** Starts the listeners. Throws AppError when an address cannot be had; nothing then stays open. */
export async function listen(options: ListenOptions): Promise<Listeners> {
  const listening = new Listening(options);
  try {
    await listening.start();
  } catch (error) {
    await listening.close(0);
    throw error;
  }
  return listening;
}

const SOCKET_OPTIONS = { allowHalfOpen: true, noDelay: true, keepAlive: true } as const;

class Listening implements Listeners {
  http: ListenAddress | null = null;
  https: ListenAddress | null = null;
  readonly #options: ListenOptions;
  readonly #context: ConnectionContext;
  readonly #refusals = new Map<string, number>();
  readonly #connections = new Set<ClientConnection>();
  readonly #servers: Server[] = [];
  readonly #httpAdmission: Admission;
  readonly #httpsAdmission: Admission;
  readonly #proxySources: readonly Prefix[] | null;
  readonly #gates: ProxyGate[] = [];
  readonly #tlsAcceptor: TlsAcceptor;
  readonly #emptied = Promise.withResolvers<void>();
  #drainDeadline: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ListenOptions) {
    const limits = { ...LISTEN_LIMITS, ...options.limits };
    const countRefusal = (reason: string) => {
      this.#refusals.set(reason, (this.#refusals.get(reason) ?? 0) + 1);
    };
    this.#options = options;
    this.#proxySources = options.proxySources?.map(readNetwork) ?? null;
    const noticeEnd = () => this.#noticeEnd();
    this.#httpAdmission = new Admission(limits, countRefusal, noticeEnd);
    this.#httpsAdmission = new Admission(limits, countRefusal, noticeEnd);
    this.#context = {
      handler: options.handler,
      clock: options.clock,
      log: options.log,
      limits,
      sweep: new DeadlineSweep(limits.tickMs),
      scratch: new OutputScratch(),
      frameScratch: new FrameScratch(),
      exchanges: 0,
      isDraining: false,
      isHandingOver: false,
      countRefusal,
    };
    this.#tlsAcceptor = new TlsAcceptor({
      certificates: options.certificates,
      admission: this.#httpsAdmission,
      sweep: this.#context.sweep,
      limits,
      alpnProtocols: ['h2', 'http/1.1'],
      log: options.log,
      countRefusal,
    });
  }

  async start(): Promise<void> {
    const { http, https } = this.#options;
    if (http !== null) this.http = await this.#bind(this.#plainServer(), http);
    if (https !== null) this.https = await this.#bind(this.#secureServer(), https);
  }

  statistics(): ListenStatistics {
    const { accepted, open } = this.#httpAdmission;
    const secure = this.#httpsAdmission;
    return {
      http: this.http === null ? null : { accepted, open },
      https: this.https === null ? null : { accepted: secure.accepted, open: secure.open },
      exchanges: this.#context.exchanges,
      refusals: Object.fromEntries(this.#refusals),
    };
  }

  close(drainMs: number): Promise<void> {
    this.#context.isHandingOver = false;
    this.#cutBeginnings();
    return this.#drain(drainMs);
  }

  handOver(drainMs: number): Promise<void> {
    this.#context.isHandingOver = true;
    return this.#drain(drainMs);
  }

  async #drain(drainMs: number): Promise<void> {
    this.#context.isDraining = true;
    for (const server of this.#servers.splice(0)) server.close();
    for (const connection of [...this.#connections]) connection.drain();
    clearTimeout(this.#drainDeadline);
    this.#drainDeadline = setTimeout(() => this.#cut(), drainMs);
    this.#noticeEnd();
    await this.#emptied.promise;
    clearTimeout(this.#drainDeadline);
    this.#context.sweep.close();
  }

  #noticeEnd(): void {
    if (this.#context.isDraining && this.#httpAdmission.open + this.#httpsAdmission.open === 0)
      this.#emptied.resolve();
  }

  #cutBeginnings(): void {
    for (const gate of this.#gates) gate.close();
    this.#tlsAcceptor.close();
  }

  #cut(): void {
    this.#cutBeginnings();
    for (const connection of [...this.#connections]) connection.sever();
    this.#emptied.resolve();
  }

  #plainServer(): Server {
    return this.#server(this.#httpAdmission, (socket, ends) => {
      this.#open(socket, 'http', null, ends);
      socket.resume();
    });
  }

  #secureServer(): Server {
    return this.#server(this.#httpsAdmission, (socket, ends) => {
      this.#tlsAcceptor.accept(socket, ends.clientAddress, (secured, tls) =>
        this.#open(secured, 'https', tls, ends),
      );
    });
  }

  /** A server that hands over each connection admitted, its PROXY protocol header taken off where there is to be one. */
  #server(admission: Admission, onAdmitted: (socket: Socket, ends: ConnectionEnds) => void): Server {
    const onOpen = (socket: Socket, proxied: ConnectionEnds | null) => {
      const ends = proxied ?? endsOf(socket);
      // Gone before it was accepted.
      if (ends === null) socket.destroy();
      else if (admission.admit(socket, ends.clientAddress)) onAdmitted(socket, ends);
    };
    const sources = this.#proxySources;
    if (sources === null) return createServer(SOCKET_OPTIONS, (socket) => onOpen(socket, null));
    const { sweep, limits } = this.#context;
    const gate = new ProxyGate({ sources, admission, sweep, headerMs: limits.proxyHeaderMs, onOpen });
    this.#gates.push(gate);
    return createServer(SOCKET_OPTIONS, (socket) => gate.accept(socket));
  }

  #open(socket: Socket, scheme: 'http' | 'https', tls: ConnectionInfo['tls'], ends: ConnectionEnds): void {
    if (socket.destroyed) return;
    const info: ConnectionInfo = { ...ends, scheme, tls };
    const connection: ClientConnection = this.#connect(socket, info, () => {
      this.#connections.delete(connection);
    });
    this.#connections.add(connection);
    if (this.#context.isDraining) connection.drain();
  }

  /** Speaks the version that ALPN chose, or that a plain connection begins with. */
  #connect(socket: Socket, info: ConnectionInfo, onClosed: () => void): ClientConnection {
    const context = this.#context;
    const open = (isHttp2: boolean): ClientConnection =>
      isHttp2
        ? new Http2Connection(socket, info, context, onClosed)
        : new Http1Connection(socket, info, context, onClosed);
    if (info.tls !== null) return open((socket as TLSSocket).alpnProtocol === 'h2');
    if (this.#options.acceptsH2c !== true) return open(false);
    return new PrefaceSniffer(socket, context, open, onClosed);
  }

  #bind(server: Server, address: ListenAddress): Promise<ListenAddress> {
    const { promise, resolve, reject } = Promise.withResolvers<ListenAddress>();
    const { log, reusePort } = this.#options;
    const refused = (error: NodeJS.ErrnoException) => reject(bindError(error, address));
    server.once('error', refused);
    server.once('listening', () => {
      server.off('error', refused);
      server.on('error', (error) => log.error({ err: error, ...address }, 'accepting a connection failed'));
      this.#servers.push(server);
      resolve({ address: address.address, port: (server.address() as AddressInfo).port });
    });
    const { descriptor } = address;
    if (descriptor === undefined) server.listen({ host: address.address, port: address.port, reusePort });
    else server.listen({ fd: descriptor });
    return promise;
  }
}

function readNetwork(text: string): Prefix {
  const network = parsePrefix(text);
  if (network === null) throw new AppError('invalid', `${text} is no network such as "192.0.2.0/24"`);
  return network;
}

type ConnectionEnds = Pick<ConnectionInfo, 'clientAddress' | 'clientPort' | 'localAddress' | 'localPort'>;

/** Null: the other end is gone. */
function endsOf(socket: Socket): ConnectionEnds | null {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (remoteAddress === undefined) return null;
  return {
    clientAddress: plainAddress(remoteAddress),
    clientPort: remotePort ?? 0,
    localAddress: plainAddress(localAddress ?? ''),
    localPort: localPort ?? 0,
  };
}

/** An IPv4 address as such, also when an IPv6 socket accepted it (RFC 4291 §2.5.5.2). */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

function bindError(error: NodeJS.ErrnoException, address: ListenAddress): AppError {
  const name = formatListenAddress(address);
  const options = { cause: error };
  switch (error.code) {
    case 'EADDRINUSE':
      return new AppError(
        'conflict',
        `${name} is in use by another program: stop it or choose another port`,
        options,
      );
    case 'EACCES':
      return new AppError(
        'forbidden',
        `${name} may not be used: choose a port above 1023 or grant the right`,
        options,
      );
    case 'EADDRNOTAVAIL':
      return new AppError('invalid', `${name} is not an address of this machine`, options);
    default:
      return new AppError('unavailable', `cannot listen on ${name}: ${error.message}`, options);
  }
}
