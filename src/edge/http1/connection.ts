/**
 * One HTTP/1.1 connection to a client (RFC 9112): reads requests one after the other, hands each to the
 * road as an exchange, and the next only when the one before has been answered whole; keeps deadlines and
 * bounds; decides when the connection ends, and ends it so that the client gets what was sent.
 *
 *     data ──▶ body of the current request? ──▶ RequestBody
 *        └──▶ input ──(no exchange, output not blocked)──▶ head ──▶ exchange ──▶ handler
 *     handler ──▶ output ──▶ response sent ──▶ next head │ rest of the body dropped │ linger, close
 *        └── switch of protocols: what comes is a body until the client's end, what goes is as it is
 */
import type { ByteSocket } from '#platform/byte-socket.ts';
import type { ConnectionContext } from '../connection/context.ts';
import { type Guarded, NEVER } from '../connection/deadline-sweep.ts';
import { type RequestRefusal, refusalStatus } from '../connection/request-refusal.ts';
import { resetSocket } from '../connection/reset-socket.ts';
import type { ConnectionInfo, Tunnel } from '../exchange.ts';
import { findHeadEnd, findHopeless, HEAD_INCOMPLETE, hasRequestLine } from './head-end.ts';
import { InputBuffer } from './input-buffer.ts';
import { Output } from './output.ts';
import { RequestBody, type RequestBodyOwner } from './request-body.ts';
import { BODY_CHUNKED, BODY_NONE } from './request-fields.ts';
import { type ParsedRequest, parseRequestHead } from './request-head.ts';
import { TunnelBody, type TunnelOwner } from './response-body.ts';
import { dateLine, standardReason, statusLine } from './response-head.ts';
import { type ExchangeOwner, ServerExchange } from './server-exchange.ts';

/** Heads are looked for in this much text first: nearly all fit, and pipelined ones are decoded once. */
const HEAD_WINDOW_BYTES = 2048;

export class Http1Connection implements Guarded, ExchangeOwner, RequestBodyOwner, TunnelOwner {
  readonly output: Output;
  readonly #socket: ByteSocket;
  readonly #info: ConnectionInfo;
  readonly #context: ConnectionContext;
  readonly #onClosed: () => void;
  readonly #input = new InputBuffer();
  /** How much of an incomplete head has been looked at. */
  #scanned = 0;
  #exchange: ServerExchange | null = null;
  /** The body that is still arriving. */
  #body: RequestBody | null = null;
  #requests = 0;

  /** Whether the connection is to be used again after the current response. */
  #isPersistent = true;
  #owesContinue = false;
  #hasInputEnded = false;
  #isTunnel = false;
  #hasTunnelEnded = false;
  #isLingering = false;
  #lingeredBytes = 0;
  #isClosed = false;
  #isPaused = false;
  #isAdvancing = false;
  #isYielding = false;

  #readDeadline: number;
  #isReadingHead = false;
  /** Body bytes received when the running interval began. */
  #bodyMark = 0;

  constructor(socket: ByteSocket, info: ConnectionInfo, context: ConnectionContext, onClosed: () => void) {
    this.#socket = socket;
    this.#info = info;
    this.#context = context;
    this.#onClosed = onClosed;
    const { scratch, turns, limits } = context;
    this.output = new Output(socket, scratch, turns, limits.writePartBytes, () => this.#drained());
    this.#readDeadline = this.#deadline(context.limits.headMs);
    context.sweep.add(this);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => this.#inputEnded());
    socket.on('drain', () => this.#drained());
    // What went wrong on the wire matters to nobody: `close` follows, and the client is gone.
    socket.on('error', () => {});
    socket.on('close', () => this.#closed());
  }

  // What exchanges and bodies ask of their connection.

  now(): number {
    return this.#context.clock.now();
  }

  beginResponse(mustClose: boolean): string {
    if (mustClose || !this.mayPersist()) this.#isPersistent = false;
    if (!this.#isPersistent) return 'Connection: close\r\n\r\n';
    return this.#exchange?.request.httpVersion === '1.0' ? 'Connection: keep-alive\r\n\r\n' : '\r\n';
  }

  beginTunnel(head: string): Tunnel {
    this.#isTunnel = true;
    this.output.write(head, null, '');
    const source = new RequestBody('until-end', this, this.#context.limits);
    this.#body = source;
    if (this.#input.length > 0) this.#feedInput(source);
    if (this.#hasInputEnded) source.endInput();
    return { source, sink: new TunnelBody(this) };
  }

  endTunnel(): void {
    this.#socket.end();
    this.#hasTunnelEnded = true;
    // Whole in both directions: what happens to the connection now is no loss.
    if (this.#hasInputEnded) this.#exchange = null;
  }

  responseSent(): void {
    this.#exchange = null;
    if (this.#isClosed) return;
    if (!this.#isPersistent || this.#mayEndUnannounced) {
      this.#linger();
      return;
    }
    if (this.#body === null) {
      this.#readDeadline = this.#deadline(this.#context.limits.idleMs);
    } else {
      // What the road left of the body is dropped, within a bound, to reach the next request.
      this.#body.cancel('the response is complete');
      this.#awaitBody();
    }
    if (!this.#isAdvancing) this.#advance();
  }

  bodyWanted(): void {
    if (this.#isClosed) return;
    if (this.#owesContinue && this.#exchange !== null && !this.#exchange.isResponding) {
      this.#owesContinue = false;
      this.output.write('HTTP/1.1 100 Continue\r\n\r\n', null, '');
    }
    this.#awaitBody();
    this.#adjustFlow();
  }

  bodyCancelled(): void {
    if (this.#isClosed) return;
    this.#awaitBody();
    this.#adjustFlow();
  }

  cut(reason: string, mustReset: boolean): void {
    this.#context.log.debug({ client: this.#info.clientAddress, reason }, 'connection cut');
    // The exchange ends by our own doing: nobody is told that the client went.
    this.#exchange = null;
    this.#closed();
    if (mustReset) resetSocket(this.#socket);
    else this.#socket.destroy();
  }

  // What listeners ask.

  /** The current request is answered, the last one; while handing over, an idle connection may bring one yet. */
  drain(): void {
    if (this.#exchange === null && !this.#isTunnel && this.#mayEndUnannounced) this.#linger();
  }

  /** Ends the connection as if the client had gone. */
  sever(): void {
    this.#closed();
    this.#socket.destroy();
  }

  onTick(tick: number): void {
    const { limits, sweep } = this.#context;
    if (this.output.isStalled(tick, sweep.ticks(limits.writeProgressMs))) {
      this.#context.countRefusal('response-too-slow');
      this.sever();
    } else if (tick >= this.#readDeadline) {
      this.#readExpired();
    }
  }

  // Receiving.

  #receive(chunk: Buffer): void {
    if (this.#isLingering) {
      this.#lingeredBytes += chunk.length;
      if (this.#lingeredBytes > this.#context.limits.lingerBytesMax) this.#socket.destroy();
      return;
    }
    let at = 0;
    if (this.#body !== null) {
      at = this.#feedBody(this.#body, chunk, 0);
      if (this.#isClosed || this.#isLingering) return;
    }
    if (at < chunk.length) this.#input.append(chunk, at);
    if (!this.#isAdvancing && !this.#isYielding) this.#advance();
  }

  #feedBody(body: RequestBody, bytes: Buffer, start: number): number {
    const at = body.feed(bytes, start);
    if (body.broken !== null) {
      this.#bodyBroke(body.broken);
      return bytes.length;
    }
    if (body.isComplete) {
      this.#body = null;
      this.#owesContinue = false;
      this.#readDeadline = this.#exchange === null ? this.#deadline(this.#context.limits.idleMs) : NEVER;
    } else if (body.droppedBytes > this.#context.limits.unreadBodyBytesMax) {
      this.#isPersistent = false;
      if (this.#exchange === null) this.#linger();
    }
    this.#adjustFlow();
    return at;
  }

  /** The body's end will never be known: nothing after it can be read. */
  #bodyBroke(reason: string): void {
    this.#context.countRefusal(reason);
    this.#isPersistent = false;
    this.#readDeadline = NEVER;
    this.#body = null;
    this.#input.clear();
    this.#hasInputEnded = true;
    if (this.#exchange === null) this.#linger();
  }

  #inputEnded(): void {
    if (this.#isClosed) return;
    this.#hasInputEnded = true;
    if (this.#isTunnel) {
      this.#body?.endInput();
      if (this.#hasTunnelEnded) this.#exchange = null;
      return;
    }
    if (this.#body !== null) {
      this.#body.fail('body-incomplete');
      this.#bodyBroke('body-incomplete');
    }
    // Requests received before are still answered (RFC 9112 §9.6); a half-finished head never will be.
    if (this.#exchange === null && !this.#isLingering && !this.#isYielding) this.#advance();
    // The road may be waiting for a long time; with nobody sending any more, only the write side matters.
  }

  /** Starts the requests that have arrived whole, one after the other. */
  #advance(): void {
    this.#isAdvancing = true;
    let turns = this.#context.limits.pipelinedRequestsPerTurn;
    while (this.#exchange === null && !this.#isLingering && !this.#isClosed && !this.output.isBlocked) {
      const input = this.#input;
      if (this.#body !== null) {
        if (input.length === 0) break;
        this.#feedInput(this.#body);
        if (this.#body !== null) break;
        continue;
      }
      if (input.length === 0) {
        if (this.#hasInputEnded || this.#mayEndUnannounced) this.#linger();
        break;
      }
      if (turns === 0) {
        this.#yieldTurn();
        break;
      }
      turns -= 1;
      if (!this.#readRequest()) break;
    }
    this.#isAdvancing = false;
    this.#adjustFlow();
  }

  /** Lets other connections have their turn before the next of many pipelined requests. */
  #yieldTurn(): void {
    this.#isYielding = true;
    setImmediate(() => {
      this.#isYielding = false;
      if (!this.#isClosed && this.#exchange === null) this.#advance();
    });
  }

  #feedInput(body: RequestBody): void {
    const input = this.#input;
    const bytes = input.bytes.subarray(input.from, input.to);
    input.clear();
    const at = this.#feedBody(body, bytes, 0);
    if (at < bytes.length && !this.#isLingering && !this.#isClosed) input.append(bytes, at);
  }

  /** Reads the head at the beginning of the input. False when it is incomplete or was refused. */
  #readRequest(): boolean {
    const input = this.#input;
    const { limits } = this.#context;
    let windowEnd = Math.min(input.to, input.from + HEAD_WINDOW_BYTES);
    let text = input.bytes.toString('latin1', input.from, windowEnd);
    let end = findHeadEnd(text, this.#scanned);
    if (end === HEAD_INCOMPLETE && windowEnd < input.to) {
      windowEnd = Math.min(input.to, input.from + limits.headBytesMax);
      text = input.bytes.toString('latin1', input.from, windowEnd);
      end = findHeadEnd(text, HEAD_WINDOW_BYTES);
    }
    if (end === HEAD_INCOMPLETE) {
      this.#awaitHead(text);
      return false;
    }
    this.#scanned = 0;
    const parsed = parseRequestHead(text, 0, end, this.#info.scheme, this.#context.requestFields);
    if (typeof parsed === 'string') {
      this.#refuse(parsed);
      return false;
    }
    input.from += end;
    this.#begin(parsed);
    return true;
  }

  /** Waits for the rest of a head, unless there is no hope for it. */
  #awaitHead(text: string): void {
    const { limits } = this.#context;
    const hopeless = findHopeless(text, this.#scanned);
    if (hopeless !== -1) {
      const fault = parseRequestHead(text, 0, hopeless + 3, this.#info.scheme, this.#context.requestFields);
      this.#refuse(typeof fault === 'string' ? fault : 'field-bare-lf');
      return;
    }
    this.#scanned = text.length;
    if (text.length >= limits.headBytesMax) {
      this.#refuse(hasRequestLine(text) ? 'fields-too-large' : 'line-too-long');
    } else if (this.#hasInputEnded || this.#mayEndUnannounced) {
      this.#linger();
    } else if (!this.#isReadingHead) {
      this.#isReadingHead = true;
      this.#readDeadline = this.#deadline(limits.headMs);
    }
  }

  #begin(parsed: ParsedRequest): void {
    const context = this.#context;
    this.#isReadingHead = false;
    this.#readDeadline = NEVER;
    this.#requests += 1;
    this.#isPersistent = parsed.isPersistent;
    let body: RequestBody | null = null;
    if (parsed.bodyLength !== BODY_NONE) {
      body = new RequestBody(
        parsed.bodyLength === BODY_CHUNKED ? null : parsed.bodyLength,
        this,
        context.limits,
      );
      this.#body = body;
      this.#bodyMark = 0;
      this.#owesContinue = parsed.expectsContinue;
    }
    context.exchanges += 1;
    const now = context.clock.now();
    const exchange = new ServerExchange(context.exchanges, this.#info, parsed.head, now, body, this);
    this.#exchange = exchange;
    if (body !== null && this.#input.length > 0) this.#feedInput(body);
    if (this.#body !== null && this.#hasInputEnded) {
      this.#body.fail('body-incomplete');
      this.#bodyBroke('body-incomplete');
    }
    try {
      context.handler(exchange);
    } catch (error) {
      context.log.error({ err: error, exchange: exchange.id }, 'the handler of an exchange failed');
      exchange.abort('the handler failed');
    }
  }

  // Deadlines and flow.

  #deadline(ms: number): number {
    return this.#context.sweep.tick + this.#context.sweep.ticks(ms);
  }

  /** Begins an interval in which body bytes must come, unless one is running. */
  #awaitBody(): void {
    if (this.#body === null || this.#readDeadline !== NEVER || this.#isLingering || this.#isTunnel) return;
    this.#readDeadline = this.#deadline(this.#context.limits.bodyProgressMs);
    this.#bodyMark = this.#body.receivedBytes;
  }

  #readExpired(): void {
    this.#readDeadline = NEVER;
    if (this.#isLingering) {
      if (this.output.hasPending) this.#readDeadline = this.#deadline(this.#context.limits.lingerMs);
      else this.#socket.destroy();
    } else if (this.#body !== null) {
      this.#bodyExpired(this.#body);
    } else if (this.#exchange !== null || this.output.isBlocked || this.#isYielding) {
      // Not the client's turn.
    } else if (this.#input.length > 0) {
      this.#refuse('head-too-slow');
    } else {
      this.#linger();
    }
  }

  #bodyExpired(body: RequestBody): void {
    if (!body.isWanted || this.#isPaused) return;
    if (body.receivedBytes - this.#bodyMark >= this.#context.limits.bodyProgressBytesMin) {
      this.#awaitBody();
      return;
    }
    body.fail('body-too-slow');
    this.#bodyBroke('body-too-slow');
  }

  /** Pauses the socket while what it brings has nowhere to go, and lets it flow again. */
  #adjustFlow(): void {
    if (this.#isClosed) return;
    const mustPause =
      !this.#isLingering &&
      (this.#body !== null
        ? this.#body.isFull
        : this.#input.length > this.#context.limits.pipelinedBytesMax &&
          (this.#exchange !== null || this.output.isBlocked || this.#isYielding));
    if (mustPause === this.#isPaused) return;
    this.#isPaused = mustPause;
    if (mustPause) {
      this.#socket.pause();
    } else {
      this.#socket.resume();
      this.#awaitBodyIfWanted();
    }
  }

  #awaitBodyIfWanted(): void {
    if (this.#body?.isWanted) this.#awaitBody();
  }

  #drained(): void {
    if (this.#isClosed) return;
    const isWhole = this.output.drained();
    if (isWhole) this.responseSent();
    else if (this.#exchange === null && !this.#isAdvancing && !this.#isYielding && !this.#isLingering) {
      this.#advance();
    }
  }

  // Ending.

  /**
   * Whether the connection may close although no response said so. A request that is on its way then is lost
   * unless the client may and does send it again (RFC 9110 §9.2.2, RFC 9112 §9.6).
   */
  get #mayEndUnannounced(): boolean {
    return this.#context.isDraining && !this.#context.isHandingOver;
  }

  mayPersist(): boolean {
    // What a client sent in expectation of a switch is no request.
    if (this.#exchange?.request.upgrade != null) return false;
    const { isDraining, limits } = this.#context;
    if (!this.#isPersistent || isDraining || this.#requests >= limits.requestsPerConnectionMax) return false;
    if (this.#hasInputEnded && this.#input.length === 0) return false;
    const body = this.#body;
    if (body === null || body.wasRead) return true;
    // An unread body: the client may never send it (RFC 9110 §10.1.1), or it is more than we care to drop.
    return !this.#owesContinue && body.remainingBytes <= limits.unreadBodyBytesMax;
  }

  /** Answers what cannot be served, and closes: where the next request begins is not known. */
  #refuse(refusal: RequestRefusal): void {
    this.#context.countRefusal(refusal);
    const status = refusalStatus(refusal);
    const text = `${status} ${standardReason(status)}: ${refusal}\n`;
    this.output.write(
      `${statusLine(status, '')}Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n${dateLine(this.now())}` +
        `Content-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`,
      null,
      '',
    );
    this.#linger();
  }

  /**
   * Ends our side and waits for the client to end its own: closing while it still sends would reset the
   * connection and could take our last response away (RFC 9112 §9.6).
   */
  #linger(): void {
    if (this.#isLingering || this.#isClosed) return;
    this.#isLingering = true;
    this.#input.clear();
    this.#body?.cancel('the connection closes');
    this.#body = null;
    this.#readDeadline = this.#deadline(this.#context.limits.lingerMs);
    this.#socket.end();
    this.#adjustFlow();
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#context.sweep.delete(this);
    this.output.gone('the connection is closed');
    this.#body?.fail('body-incomplete');
    this.#body = null;
    this.#input.clear();
    const exchange = this.#exchange;
    this.#exchange = null;
    exchange?.gone();
    this.#onClosed();
  }
}
