/**
 * Plain TCP connections accepted by `Bun.listen`, as `ByteSocket`s. `node:net` puts two streams between the
 * kernel and its users, with queues, ticks and flags of their own; here a write is a system call, and only
 * what the kernel does not take is kept. Of each event but `close` there is one listener.
 *
 * On other runtimes there are none: see `isLeanListenerAvailable`.
 */
import type { ListenAddress } from './listen-address.ts';

/** What `Bun.listen` takes beside what its types say; node:net's own server rests on it. */
interface ListenExtras {
  readonly fd?: number;
  readonly reusePort?: boolean;
}

export interface LeanListener {
  readonly port: number;
  /** Accepts no more; open connections stay. */
  close(): void;
}

export function isLeanListenerAvailable(): boolean {
  return typeof Bun !== 'undefined';
}

/** Listens, with `onConnection` for each connection. Throws the system's error when the address cannot be had. */
export function listenLean(
  address: ListenAddress,
  reusePort: boolean,
  onConnection: (socket: LeanSocket) => void,
): LeanListener {
  const { descriptor } = address;
  const where: ListenExtras = descriptor === undefined ? { reusePort } : { fd: descriptor };
  const listener = Bun.listen<LeanSocket>({
    hostname: address.address,
    port: address.port,
    ...where,
    allowHalfOpen: true,
    socket: {
      open(handle) {
        handle.setNoDelay(true);
        handle.setKeepAlive(true, 0);
        handle.data = new LeanSocket(handle);
        onConnection(handle.data);
      },
      data: (handle, bytes) => handle.data.received(bytes),
      drain: (handle) => handle.data.drained(),
      end: (handle) => handle.data.ended(),
      close: (handle, error) => handle.data.closed(error),
      // What a listener of ours throws is a fault of ours: it ends where every other one does.
      error: (_handle, error) => queueMicrotask(() => raise(error)),
    },
  });
  const port = descriptor === undefined ? listener.port : address.port;
  return { port, close: () => listener.stop(false) };
}

function raise(error: Error): never {
  throw error;
}

function ignore(): void {}

type Handle = Bun.Socket<LeanSocket> & { pause(): void; resume(): void };

export class LeanSocket {
  readonly #handle: Handle;
  /** What the kernel has not taken, oldest first. */
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #isEnding = false;
  /** Whether the other side has ended. */
  #hasEnded = false;
  #isDestroyed = false;
  #onData: (bytes: Buffer) => void = ignore;
  #onEnd: () => void = ignore;
  #onDrain: () => void = ignore;
  readonly #onClose: (() => void)[] = [];

  constructor(handle: Bun.Socket<LeanSocket>) {
    this.#handle = handle as Handle;
  }

  get remoteAddress(): string {
    return this.#handle.remoteAddress;
  }

  get remotePort(): number {
    return this.#handle.remotePort;
  }

  get localAddress(): string {
    return this.#handle.localAddress;
  }

  get localPort(): number {
    return this.#handle.localPort;
  }

  get destroyed(): boolean {
    return this.#isDestroyed;
  }

  get writableLength(): number {
    return this.#pendingBytes;
  }

  get writableNeedDrain(): boolean {
    return this.#pendingBytes > 0;
  }

  get writableEnded(): boolean {
    return this.#isEnding;
  }

  get writableFinished(): boolean {
    return this.#isEnding && this.#pendingBytes === 0;
  }

  on(event: 'data' | 'end' | 'drain' | 'close' | 'error', listener: (...details: never[]) => void): void {
    switch (event) {
      case 'data':
        this.#onData = listener as (bytes: Buffer) => void;
        break;
      case 'end':
        this.#onEnd = listener as () => void;
        break;
      case 'drain':
        this.#onDrain = listener as () => void;
        break;
      case 'close':
        this.#onClose.push(listener as () => void);
        break;
      case 'error':
        // Errors of the wire say no more than `close` does.
        break;
    }
  }

  once(event: 'close', listener: () => void): void {
    this.on(event, listener);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isEnding || this.#isDestroyed) return false;
    let taken = 0;
    if (this.#pendingBytes === 0) {
      // Negative: the connection has broken, and `close` follows.
      taken = Math.max(0, this.#handle.write(bytes));
      if (taken === bytes.length) return true;
    }
    this.#pending.push(taken === 0 ? bytes : bytes.subarray(taken));
    this.#pendingBytes += bytes.length - taken;
    return false;
  }

  end(): void {
    if (this.#isEnding || this.#isDestroyed) return;
    this.#isEnding = true;
    if (this.#pendingBytes === 0) this.#handle.shutdown();
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#handle.end();
  }

  resetAndDestroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#handle.terminate();
  }

  pause(): void {
    this.#handle.pause();
  }

  resume(): void {
    this.#handle.resume();
  }

  // From the runtime.

  received(bytes: Buffer): void {
    if (!this.#isDestroyed) this.#onData(bytes);
  }

  ended(): void {
    this.#hasEnded = true;
    if (!this.#isDestroyed) this.#onEnd();
  }

  drained(): void {
    if (this.#isDestroyed || this.#pendingBytes === 0) return;
    let sent = 0;
    for (const bytes of this.#pending) {
      const taken = Math.max(0, this.#handle.write(bytes));
      this.#pendingBytes -= taken;
      if (taken < bytes.length) {
        if (sent > 0) this.#pending.splice(0, sent);
        this.#pending[0] = bytes.subarray(taken);
        return;
      }
      sent += 1;
    }
    this.#pending = [];
    if (this.#isEnding) this.#handle.shutdown();
    else this.#onDrain();
  }

  closed(error: Error | undefined): void {
    // Of an end that follows ours, the runtime tells only that all is over.
    const hasEndedNow = error === undefined && this.#isEnding && !this.#hasEnded && !this.#isDestroyed;
    this.#isDestroyed = true;
    this.#pending = [];
    this.#pendingBytes = 0;
    // Never within a call of ours: whoever destroys a socket finishes what it is doing first.
    queueMicrotask(() => {
      if (hasEndedNow) this.#onEnd();
      for (const listener of this.#onClose) listener();
    });
  }
}
