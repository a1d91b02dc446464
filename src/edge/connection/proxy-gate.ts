/**
 * The entrance of a listener behind load balancers: takes connections from the networks named alone, reads the
 * PROXY protocol header that each must begin with, and lets it in as its client's (`admission.ts`). A listener
 * either asks for the header of everybody or of nobody: whoever may leave it out may also claim to be anyone.
 */
import type { Socket } from 'node:net';
import { parseAddress } from '#core/ip/address.ts';
import { contains, type Prefix } from '#core/ip/prefix.ts';
import type { Admission } from './admission.ts';
import type { DeadlineSweep, Guarded } from './deadline-sweep.ts';
import { type ProxiedEnds, type ProxyHeader, readProxyHeader } from './proxy-protocol.ts';

export interface ProxyGateOptions {
  /** Networks that load balancers connect from. */
  readonly sources: readonly Prefix[];
  readonly admission: Admission;
  readonly sweep: DeadlineSweep;
  /** From accepting the connection to the end of its header. */
  readonly headerMs: number;
  /** The connection's own bytes come next; it is paused. `ends` null: its own are the true ones. */
  readonly onOpen: (socket: Socket, ends: ProxiedEnds | null) => void;
}

export class ProxyGate {
  readonly #options: ProxyGateOptions;
  readonly #waiting = new Set<WaitingConnection>();

  constructor(options: ProxyGateOptions) {
    this.#options = options;
  }

  accept(socket: Socket): void {
    // Until somebody else listens; and what goes wrong before that matters to nobody.
    socket.on('error', () => {});
    const { sources, admission, onOpen } = this.#options;
    const address = parseAddress(socket.remoteAddress ?? '');
    if (address === null || !sources.some((source) => contains(source, address))) {
      admission.refuse(socket, 'proxy-source-untrusted');
      return;
    }
    if (!admission.enter(socket)) return;
    const waiting = new WaitingConnection(socket, this.#options, (header) => {
      this.#waiting.delete(waiting);
      if (header !== null) onOpen(socket, header.ends);
    });
    this.#waiting.add(waiting);
  }

  /** Cuts those that have not sent their header yet. */
  close(): void {
    for (const waiting of [...this.#waiting]) waiting.cut();
  }
}

/** One connection until its header is there. */
class WaitingConnection implements Guarded {
  readonly #socket: Socket;
  readonly #options: ProxyGateOptions;
  readonly #onOver: (header: ProxyHeader | null) => void;
  readonly #deadline: number;
  #held: Buffer | null = null;

  /** `onOver` is called once: with the header, or with null when the connection is no more. */
  constructor(socket: Socket, options: ProxyGateOptions, onOver: (header: ProxyHeader | null) => void) {
    this.#socket = socket;
    this.#options = options;
    this.#onOver = onOver;
    this.#deadline = options.sweep.tick + options.sweep.ticks(options.headerMs);
    options.sweep.add(this);
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
  }

  onTick(tick: number): void {
    if (tick >= this.#deadline) this.#refuse('proxy-header-too-slow');
  }

  cut(): void {
    this.#onClose();
    this.#socket.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    const bytes = this.#held === null ? chunk : Buffer.concat([this.#held, chunk]);
    const header = readProxyHeader(bytes);
    if (header === 'incomplete') {
      this.#held = bytes;
    } else if (typeof header === 'string') {
      this.#refuse(header);
    } else {
      this.#stopListening();
      // A TLS server finds what is put back only on a paused socket (Bun 1.4.5).
      this.#socket.pause();
      if (bytes.length > header.length) this.#socket.unshift(bytes.subarray(header.length));
      this.#onOver(header);
    }
  };

  readonly #onEnd = (): void => this.#refuse('proxy-header-incomplete');

  readonly #onClose = (): void => {
    this.#stopListening();
    this.#onOver(null);
  };

  #refuse(reason: string): void {
    this.#onClose();
    this.#options.admission.refuse(this.#socket, reason);
  }

  #stopListening(): void {
    this.#options.sweep.delete(this);
    this.#socket.off('data', this.#onData);
    this.#socket.off('end', this.#onEnd);
    this.#socket.off('close', this.#onClose);
  }
}
