/**
 * The HTTP/3 listener of an edge, from Bun's request to exchange. It owns its UDP port alone. When it is renewed,
 * `renewal.ts` says.
 */
import { errorMessage } from '#core/base/error-message.ts';
import type { Certificate } from '#core/model/snapshot.ts';
import type { Clock } from '#platform/clock.ts';
import { type Http3Identity, type Http3Server, startHttp3Server } from '#platform/http3-server.ts';
import type { ListenAddress } from '#platform/listen-address.ts';
import type { Logger } from '#platform/log.ts';
import { DeadlineSweep, type Guarded } from '../connection/deadline-sweep.ts';
import { CONNECTION_LIMITS, type ConnectionLimits } from '../connection/limits.ts';
import { plainAddress } from '../connection/plain-address.ts';
import { RequestBodyFault } from '../connection/request-refusal.ts';
import type { BodySource, ConnectionInfo, ExchangeHandler, RequestHead } from '../exchange.ts';
import { areEqual, Http3Certificates } from './certificates.ts';
import { HTTP3_LIMITS, type Http3Limits } from './limits.ts';
import { ownResponse } from './own-response.ts';
import { Renewal, type RenewalReason } from './renewal.ts';
import { Http3RequestBody } from './request-body.ts';
import { type Http3RequestFault, parseRequest, statusOf } from './request-head.ts';
import { type ExchangeOwner, Http3Exchange } from './server-exchange.ts';

export type Http3ListenLimits = ConnectionLimits & Http3Limits;

export interface Http3ListenerOptions {
  readonly address: ListenAddress;
  readonly handler: ExchangeHandler;
  readonly clock: Clock;
  readonly log: Logger;
  /** Memory the process may have resident before all connections are closed, in bytes. */
  readonly residentBytesMax: number;
  /** Departures from `CONNECTION_LIMITS` and `HTTP3_LIMITS`. */
  readonly limits?: Partial<Http3ListenLimits>;
}

export interface Http3Statistics {
  readonly exchanges: number;
  /** Responses under way, and those of them that were left without an end. */
  readonly pending: number;
  readonly unfinished: number;
  readonly renewals: number;
  /** Requests that were not served, by reason. */
  readonly refusals: Readonly<Record<string, number>>;
}

/** Ticks between two looks at the process's memory. */
const MEMORY_TICKS = 10;

export class Http3Listener implements Guarded, ExchangeOwner {
  readonly limits: Http3ListenLimits;
  readonly sweep: DeadlineSweep;
  readonly #options: Http3ListenerOptions;
  readonly #certificates: Http3Certificates;
  readonly #renewal: Renewal;
  readonly #refusals = new Map<string, number>();
  /** Where it listens, once it does; the port then stays. */
  #address: ListenAddress | null = null;
  #server: Http3Server | null = null;
  #isStarted = false;
  #isClosing = false;
  /** Of the server in force, and of the latest snapshot. */
  #served: readonly Http3Identity[] = [];
  #identities: readonly Http3Identity[] = [];
  #exchanges = 0;
  #unfinished = 0;
  #renewals = 0;

  constructor(options: Http3ListenerOptions) {
    this.#options = options;
    this.#certificates = new Http3Certificates(options.log);
    this.limits = { ...CONNECTION_LIMITS, ...HTTP3_LIMITS, ...options.limits };
    this.sweep = new DeadlineSweep(this.limits.tickMs);
    this.#renewal = new Renewal(this.limits);
  }

  /** Null until there is a certificate to serve with. */
  get address(): ListenAddress | null {
    return this.#address;
  }

  /** Takes over the certificates of a snapshot; in time, connections get them. */
  follow(certificates: readonly Certificate[]): void {
    this.#identities = this.#certificates.identitiesOf(certificates);
    if (this.#isStarted && !areEqual(this.#identities, this.#served)) this.#want('certificates');
  }

  /** Listens as soon as there is a certificate. Throws AppError `conflict` when the port cannot be had. */
  start(): void {
    this.#isStarted = true;
    this.sweep.add(this);
    if (this.#identities.length > 0) this.#serve();
  }

  statistics(): Http3Statistics {
    return {
      exchanges: this.#exchanges,
      pending: this.#server?.pendingRequests ?? 0,
      unfinished: this.#unfinished,
      renewals: this.#renewals,
      refusals: Object.fromEntries(this.#refusals),
    };
  }

  /** Takes no more requests, lets responses under way finish, and closes every connection after `drainMs`. */
  async close(drainMs: number): Promise<void> {
    this.#isClosing = true;
    const server = this.#server;
    if (server !== null) {
      const timer = setTimeout(() => void server.stop(true), drainMs);
      // What was left without an end never ends; nobody else is to be waited for then.
      if (server.pendingRequests <= this.#unfinished) await server.stop(true);
      else await server.stop(false);
      clearTimeout(timer);
    }
    this.#server = null;
    this.sweep.close();
  }

  onTick(tick: number): void {
    if (this.#isClosing) return;
    if (tick % MEMORY_TICKS === 0 && process.memoryUsage.rss() > this.#options.residentBytesMax) {
      this.#want('memory');
    }
    if (this.#unfinished > 0) this.#want('unfinished');
    const isQuiet = (this.#server?.pendingRequests ?? 0) <= this.#unfinished;
    const reason = this.#renewal.due(this.#now(), isQuiet);
    if (reason !== null) this.#renew(reason);
  }

  unfinished(isUnfinished: boolean, reason: string): void {
    this.#unfinished = Math.max(0, this.#unfinished + (isUnfinished ? 1 : -1));
    if (!isUnfinished) return;
    this.countRefusal(reason === 'response-too-slow' ? reason : 'response-unfinished');
  }

  countRefusal(reason: string): void {
    this.#refusals.set(reason, (this.#refusals.get(reason) ?? 0) + 1);
  }

  #now(): number {
    return this.sweep.tick * this.limits.tickMs;
  }

  #want(reason: RenewalReason): void {
    this.#renewal.want(reason, this.#now());
  }

  #renew(reason: RenewalReason): void {
    const { log } = this.#options;
    this.#renewal.done(this.#now());
    void this.#server?.stop(true);
    this.#server = null;
    this.#served = this.#identities;
    this.#unfinished = 0;
    this.#renewals += 1;
    if (reason === 'memory') this.countRefusal('resident-bytes-max');
    log.info({ reason }, 'HTTP/3 listener renewed; its connections were closed');
    if (this.#identities.length === 0) return;
    try {
      this.#serve();
    } catch (error) {
      log.error({ reason: errorMessage(error) }, 'HTTP/3 cannot be served; tried again');
      this.#want('certificates');
    }
  }

  #serve(): void {
    const { address, log } = this.#options;
    const server = startHttp3Server({
      address: this.#address ?? address,
      identities: this.#identities,
      idleSeconds: this.limits.idleSeconds,
      answer: (request) => this.#receive(request),
      onFault: (error) => {
        log.error({ err: error }, 'fault while answering a request over HTTP/3');
        return ownResponse(500, 'internal fault', false);
      },
    });
    this.#server = server;
    this.#served = this.#identities;
    this.#address = { address: address.address, port: server.port };
  }

  #receive(request: Request): Response | Promise<Response> {
    if ((this.#server?.pendingRequests ?? 0) > this.limits.exchangesMax)
      return this.#refuse('exchanges-max', 503, request);
    const parsed = parseRequest(request, this.limits);
    if (typeof parsed === 'string') return this.#refuse(parsed, statusOf(parsed), request);
    const { head, contentLength } = parsed;
    const connection = this.#connectionOf(request);
    if (request.body === null || contentLength === 0) return this.#begin(request, head, connection, null);
    const body = new Http3RequestBody(request.body, contentLength, this);
    if (contentLength !== null) return this.#begin(request, head, connection, body);
    return body.hasContent().then(
      (hasContent) => this.#begin(request, head, connection, hasContent ? body : null),
      (fault: unknown) => {
        const status = fault instanceof RequestBodyFault ? fault.status : 400;
        return ownResponse(status, 'the body did not arrive', false);
      },
    );
  }

  #begin(
    request: Request,
    head: RequestHead,
    connection: ConnectionInfo,
    body: BodySource | null,
  ): Response | Promise<Response> {
    const { handler, clock, log } = this.#options;
    this.#exchanges += 1;
    const exchange = new Http3Exchange({
      id: this.#exchanges,
      connection,
      request: head,
      receivedAt: clock.now(),
      body,
      signal: () => request.signal,
      owner: this,
    });
    try {
      handler(exchange);
    } catch (error) {
      log.error({ err: error, exchange: exchange.id }, 'the handler of an exchange failed');
      exchange.abort('the handler failed');
    }
    return exchange.response();
  }

  #connectionOf(request: Request): ConnectionInfo {
    const client = this.#server?.clientOf(request);
    return {
      clientAddress: plainAddress(client?.address ?? ''),
      clientPort: client?.port ?? 0,
      localAddress: this.#options.address.address,
      localPort: this.#address?.port ?? 0,
      scheme: 'https',
      // Bun does not tell which name the client asked for, so a host with a TLS policy of its own is misdirected here.
      tls: { serverName: null, protocol: 'TLSv1.3', policy: null, clientCertificate: null },
      alternative: null,
    };
  }

  #refuse(reason: Http3RequestFault | 'exchanges-max', status: number, request: Request): Response {
    this.countRefusal(reason);
    return ownResponse(status, reason, request.method === 'HEAD');
  }
}
