/**
 * A connection of the edge on a socket without a network: pieces arrive exactly as they were cut, what it
 * writes can be seen, or held up as by a client that takes nothing.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import {
  type ClientConnection,
  type ConnectionContext,
  LISTEN_LIMITS,
  type ListenLimits,
} from '#edge/connection/context.ts';
import { DeadlineSweep, type Guarded } from '#edge/connection/deadline-sweep.ts';
import { OutputScratch } from '#edge/connection/output-scratch.ts';
import { WriteTurns } from '#edge/connection/write-turns.ts';
import type { ConnectionInfo, ExchangeHandler } from '#edge/exchange.ts';
import { Http1Connection } from '#edge/http1/connection.ts';
import { RequestFieldsReader } from '#edge/http1/request-fields.ts';
import { FrameScratch } from '#edge/http2/output.ts';
import { Http2Connection } from '#edge/http2/server/connection.ts';
import { createSilentLogger } from '#platform/log.ts';

const INFO = {
  clientAddress: '192.0.2.1',
  clientPort: 1,
  localAddress: '192.0.2.2',
  localPort: 443,
  tls: null,
  alternative: null,
} as const;

/** As in a worker, connections share them. */
const LOG = createSilentLogger();
const SCRATCH = new OutputScratch();
const FRAME_SCRATCH = new FrameScratch();

class WatchedSweep extends DeadlineSweep {
  readonly watched = new Set<Guarded>();

  override add(guarded: Guarded): void {
    super.add(guarded);
    this.watched.add(guarded);
  }

  override delete(guarded: Guarded): void {
    super.delete(guarded);
    this.watched.delete(guarded);
  }
}

export class WireSocket extends Duplex {
  readonly written: Buffer[] = [];
  #isStuck: boolean;
  #held: (() => void) | null = null;

  constructor(isStuck = false) {
    super({ allowHalfOpen: true });
    this.#isStuck = isStuck;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(Buffer.from(chunk));
    if (this.#isStuck) this.#held = done;
    else done();
  }

  resetAndDestroy(): void {
    this.destroy();
  }

  /** As sockets have it. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  /** The client takes what it has left lying, and all that follows. */
  release(): void {
    this.#isStuck = false;
    this.#held?.();
    this.#held = null;
  }
}

export interface Wire {
  readonly socket: WireSocket;
  readonly context: ConnectionContext;
  /** All that the connection has written. */
  output(): Buffer;
  /** The network brings a chunk. */
  bring(chunk: Uint8Array): void;
  /** Whether anything still has a deadline. */
  readonly isWatched: boolean;
  /** A tick of the deadlines passes. */
  tick(): void;
  readonly closed: Promise<void>;
  /** How often the connection has said that it has ended. */
  readonly ends: number;
}

export interface WireOptions {
  readonly limits?: Partial<ListenLimits>;
  /** The client takes nothing, until it is released. */
  readonly isStuck?: boolean;
}

/** Begins a protocol, as listeners do. */
type Begin = (
  socket: Socket,
  info: ConnectionInfo,
  context: ConnectionContext,
  onClosed: () => void,
) => ClientConnection;

export function openHttp1Wire(handler: ExchangeHandler, options: WireOptions = {}): Wire {
  return openWire('http', (...parts) => new Http1Connection(...parts), handler, options);
}

export function openHttp2Wire(handler: ExchangeHandler, options: WireOptions = {}): Wire {
  return openWire('https', (...parts) => new Http2Connection(...parts), handler, options);
}

function openWire(
  scheme: ConnectionInfo['scheme'],
  begin: Begin,
  handler: ExchangeHandler,
  options: WireOptions,
): Wire {
  const limits = { ...LISTEN_LIMITS, tickMs: 60_000, ...options.limits };
  const sweep = new WatchedSweep(limits.tickMs);
  const context: ConnectionContext = {
    handler,
    clock: { now: () => 784_887_151_000 },
    log: LOG,
    limits,
    sweep,
    scratch: SCRATCH,
    requestFields: new RequestFieldsReader(limits),
    turns: new WriteTurns(LISTEN_LIMITS.turnBytes),
    frameScratch: FRAME_SCRATCH,
    exchanges: 0,
    isDraining: false,
    isHandingOver: false,
    countRefusal() {},
  };
  const socket = new WireSocket(options.isStuck ?? false);
  const close = Promise.withResolvers<void>();
  socket.once('close', close.resolve);
  let ends = 0;
  begin(socket as unknown as Socket, { ...INFO, scheme }, context, () => {
    ends += 1;
  });
  return {
    socket,
    context,
    get ends() {
      return ends;
    },
    output: () => Buffer.concat(socket.written),
    bring: (chunk) => {
      socket.push(chunk);
    },
    get isWatched() {
      return sweep.watched.size > 0;
    },
    tick: () => {
      sweep.tick += 1;
      for (const guarded of sweep.watched) guarded.onTick(sweep.tick);
    },
    closed: close.promise,
  };
}
