/**
 * The listeners of one edge worker: accepts connections, plain and over TLS, within bounds, and runs an
 * HTTP/1.1 or HTTP/2 connection on each (`http1/connection.ts`, `http2/server/connection.ts`). Closing drains. Which certificate a name gets is
 * the certificate store's; what a request is answered with is the handler's.
 */
import { createServer, type Socket } from 'node:net';
import { AppError } from '#core/base/app-error.ts';
import { type Prefix, parsePrefix } from '#core/ip/prefix.ts';
import type { ByteSocket } from '#platform/byte-socket.ts';
import type { Clock } from '#platform/clock.ts';
import { isLeanListenerAvailable, type LeanSocket } from '#platform/lean-socket.ts';
import type { ListenAddress } from '#platform/listen-address.ts';
import type { Logger } from '#platform/log.ts';
import { type AlternativeService, http3At } from './alternative-service.ts';
import { type BoundListener, bindLean, bindServer } from './bind.ts';
import { Admission } from './connection/admission.ts';
import {
  type ClientConnection,
  type ConnectionContext,
  LISTEN_LIMITS,
  type ListenLimits,
} from './connection/context.ts';
import { DeadlineSweep } from './connection/deadline-sweep.ts';
import { OutputScratch } from './connection/output-scratch.ts';
import { plainAddress } from './connection/plain-address.ts';
import { ProxyGate } from './connection/proxy-gate.ts';
import { WriteTurns } from './connection/write-turns.ts';
import type { ConnectionInfo, ExchangeHandler } from './exchange.ts';
import { Http1Connection } from './http1/connection.ts';
import { RequestFieldsReader } from './http1/request-fields.ts';
import { FrameScratch } from './http2/output.ts';
import { Http2Connection } from './http2/server/connection.ts';
import { PrefaceSniffer } from './http2/server/preface-sniffer.ts';
import { BunTls } from './tls/bun-tls.ts';
import type { CertificateStore } from './tls/certificate-store.ts';
import type { HandshakeSocket } from './tls/handshake.ts';
import { NodeTls } from './tls/node-tls.ts';
import { TlsAcceptor } from './tls/tls-acceptor.ts';
import type { TlsEngine } from './tls/tls-engine.ts';

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
  /** Where HTTP/3 is served, for connections over TLS to advertise; null or missing: nowhere. */
  readonly http3Port?: number | null;
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

/** Offered by ALPN (RFC 7301), the preferred one first. */
const ALPN_PROTOCOLS = ['h2', 'http/1.1'] as const;

const SOCKET_OPTIONS = { allowHalfOpen: true, noDelay: true, keepAlive: true } as const;

class Listening implements Listeners {
  http: ListenAddress | null = null;
  https: ListenAddress | null = null;
  readonly #options: ListenOptions;
  readonly #context: ConnectionContext;
  readonly #refusals = new Map<string, number>();
  readonly #connections = new Set<ClientConnection>();
  readonly #bound: BoundListener[] = [];
  readonly #alternative: AlternativeService | null;
  readonly #httpAdmission: Admission;
  readonly #httpsAdmission: Admission;
  readonly #proxySources: readonly Prefix[] | null;
  readonly #gates: ProxyGate[] = [];
  #closeHandshakes: () => void = () => {};
  readonly #emptied = Promise.withResolvers<void>();
  #drainDeadline: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ListenOptions) {
    const limits = { ...LISTEN_LIMITS, ...options.limits };
    const countRefusal = (reason: string) => {
      this.#refusals.set(reason, (this.#refusals.get(reason) ?? 0) + 1);
    };
    this.#options = options;
    const { http3Port = null } = options;
    this.#alternative = http3Port === null ? null : http3At(http3Port);
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
      requestFields: new RequestFieldsReader(limits),
      turns: new WriteTurns(limits.turnBytes),
      frameScratch: new FrameScratch(),
      exchanges: 0,
      isDraining: false,
      isHandingOver: false,
      countRefusal,
    };
  }

  async start(): Promise<void> {
    const { http, https, acceptsH2c } = this.#options;
    if (http !== null) {
      this.http =
        this.#isLean && acceptsH2c !== true
          ? this.#bindLean(http, this.#httpAdmission, (socket, ends) => this.#openPlain(socket, ends))
          : await this.#bindServer(http, this.#httpAdmission, (socket, ends) => {
              if (acceptsH2c === true) this.#openPlain(socket, ends, this.#speakEither(socket));
              else this.#openPlain(socket, ends);
              socket.resume();
            });
    }
    if (https !== null) this.https = await this.#startSecure(https);
  }

  async #startSecure(address: ListenAddress): Promise<ListenAddress> {
    const { tlsContextsMax } = this.#context.limits;
    const { log } = this.#options;
    if (this.#isLean) {
      const accept = this.#acceptTls(new BunTls(ALPN_PROTOCOLS, tlsContextsMax, log));
      return this.#bindLean(address, this.#httpsAdmission, accept);
    }
    const accept = this.#acceptTls(new NodeTls(ALPN_PROTOCOLS, tlsContextsMax, log));
    return this.#bindServer(address, this.#httpsAdmission, accept);
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
    for (const bound of this.#bound.splice(0)) bound.close();
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
    this.#closeHandshakes();
  }

  #cut(): void {
    this.#cutBeginnings();
    for (const connection of [...this.#connections]) connection.sever();
    this.#emptied.resolve();
  }

  /** Whether connections are taken as they come, which costs least where the runtime has a listener for it. */
  get #isLean(): boolean {
    return isLeanListenerAvailable() && this.#proxySources === null;
  }

  #bindLean(
    address: ListenAddress,
    admission: Admission,
    onAdmitted: (socket: LeanSocket, ends: ConnectionEnds) => void,
  ): ListenAddress {
    const bound = bindLean(address, this.#options.reusePort, (socket) =>
      admitAs(endsOf(socket), socket, admission, onAdmitted),
    );
    this.#bound.push(bound);
    return { address: address.address, port: bound.port };
  }

  /** On sockets of node:net, the PROXY protocol header taken off where there is to be one. */
  async #bindServer(
    address: ListenAddress,
    admission: Admission,
    onAdmitted: (socket: Socket, ends: ConnectionEnds) => void,
  ): Promise<ListenAddress> {
    const { log, reusePort } = this.#options;
    const onOpen = (socket: Socket, proxied: ConnectionEnds | null) =>
      admitAs(proxied ?? endsOf(socket), socket, admission, onAdmitted);
    const server = createServer(SOCKET_OPTIONS, this.#gate(admission, onOpen));
    const bound = await bindServer(server, address, reusePort, log);
    this.#bound.push(bound);
    return { address: address.address, port: bound.port };
  }

  #gate(
    admission: Admission,
    onOpen: (socket: Socket, proxied: ConnectionEnds | null) => void,
  ): (socket: Socket) => void {
    const sources = this.#proxySources;
    if (sources === null) return (socket) => onOpen(socket, null);
    const { sweep, limits } = this.#context;
    const gate = new ProxyGate({ sources, admission, sweep, headerMs: limits.proxyHeaderMs, onOpen });
    this.#gates.push(gate);
    return (socket) => gate.accept(socket);
  }

  #acceptTls<Accepted extends HandshakeSocket>(
    engine: TlsEngine<Accepted>,
  ): (socket: Accepted, ends: ConnectionEnds) => void {
    const { sweep, limits, countRefusal } = this.#context;
    const { certificates } = this.#options;
    const admission = this.#httpsAdmission;
    const { handshakeMs } = limits;
    const acceptor = new TlsAcceptor({ engine, certificates, admission, sweep, handshakeMs, countRefusal });
    this.#closeHandshakes = () => acceptor.close();
    return (socket, ends) =>
      acceptor.accept(socket, ends.clientAddress, (secured, tls, alpnProtocol) => {
        const speak = alpnProtocol === 'h2' ? this.#speakHttp2(secured) : this.#speakHttp1(secured);
        // Over HTTP/3 nobody learns which name was asked for, so hosts with a policy of their own are not served there.
        const alternative = tls.policy === null ? this.#alternative : null;
        this.#open(secured, { ...ends, scheme: 'https', tls, alternative }, speak);
      });
  }

  #openPlain(socket: ByteSocket, ends: ConnectionEnds, speak: Speak = this.#speakHttp1(socket)): void {
    this.#open(socket, { ...ends, scheme: 'http', tls: null, alternative: null }, speak);
  }

  #open(socket: ByteSocket, info: ConnectionInfo, speak: Speak): void {
    if (socket.destroyed) return;
    const connection: ClientConnection = speak(info, () => {
      this.#connections.delete(connection);
    });
    this.#connections.add(connection);
    if (this.#context.isDraining) connection.drain();
  }

  #speakHttp1(socket: ByteSocket): Speak {
    return (info, onClosed) => new Http1Connection(socket, info, this.#context, onClosed);
  }

  #speakHttp2(socket: ByteSocket): Speak {
    return (info, onClosed) => new Http2Connection(socket, info, this.#context, onClosed);
  }

  /** The version that a plain connection begins with. */
  #speakEither(socket: Socket): Speak {
    return (info, onClosed) => {
      const begin = (isHttp2: boolean): ClientConnection =>
        (isHttp2 ? this.#speakHttp2(socket) : this.#speakHttp1(socket))(info, onClosed);
      return new PrefaceSniffer(socket, this.#context, begin, onClosed);
    };
  }
}

/** `ends` null: the other end was gone before the connection was accepted. */
function admitAs<Accepted extends ByteSocket>(
  ends: ConnectionEnds | null,
  socket: Accepted,
  admission: Admission,
  onAdmitted: (socket: Accepted, ends: ConnectionEnds) => void,
): void {
  if (ends === null) socket.destroy();
  else if (admission.admit(socket, ends.clientAddress)) onAdmitted(socket, ends);
}

/** Begins a protocol on a connection. */
type Speak = (info: ConnectionInfo, onClosed: () => void) => ClientConnection;

function readNetwork(text: string): Prefix {
  const network = parsePrefix(text);
  if (network === null) throw new AppError('invalid', `${text} is no network such as "192.0.2.0/24"`);
  return network;
}

type ConnectionEnds = Pick<ConnectionInfo, 'clientAddress' | 'clientPort' | 'localAddress' | 'localPort'>;

/** Null: the other end is gone. */
function endsOf(socket: ByteSocket): ConnectionEnds | null {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (remoteAddress === undefined) return null;
  return {
    clientAddress: plainAddress(remoteAddress),
    clientPort: remotePort ?? 0,
    localAddress: plainAddress(localAddress ?? ''),
    localPort: localPort ?? 0,
  };
}
