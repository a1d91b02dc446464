/**
 * TCP connections accepted by `Bun.listen`, as `ByteSocket`s, plain or gone over to TLS. `node:net` puts two
 * streams between the kernel and its users, with queues, ticks and flags of their own; here a write is a system
 * call, and only what the kernel does not take is kept. Of each event but `close` there is one listener.
 *
 * On other runtimes there are none: see `isLeanListenerAvailable`.
 */
import { readSync } from 'node:fs';
import { type LeanHandle, type LeanTlsOptions, NOBODY, type SocketReceiver, startTls } from './lean-tls.ts';
import type { ListenAddress } from './listen-address.ts';
import { sendFile } from './send-file.ts';

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
  const listener = Bun.listen<SocketReceiver>({
    hostname: address.address,
    port: address.port,
    ...where,
    allowHalfOpen: true,
    socket: {
      open(handle) {
        handle.setNoDelay(true);
        handle.setKeepAlive(true, 0);
        const socket = new LeanSocket(handle as LeanHandle);
        handle.data = socket;
        onConnection(socket);
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

/**
 * What octets of a file are copied into where they cannot be sent as they lie, as under TLS; not kept by a handle. Large,
 * for each piece is two system calls: 8 MiB under TLS cost 1.8 ms in such pieces, 3.6 ms in those of 16 KiB.
 */
const COPY_BYTES = 256 * 1024;
let copy: Buffer | null = null;
/** To learn whether the kernel takes any more, and to be told when it does. */
const PROBE_BYTES = 4096;
/** A file of which none was taken so often, with room for what was copied, is one that cannot be sent as it lies. */
const SEND_TRIES = 2;

export class LeanSocket implements SocketReceiver {
  #handle: LeanHandle;
  /** What lies under TLS; null: nothing, `#handle` is the connection itself. */
  #transport: LeanHandle | null = null;
  /** What the kernel has not taken, oldest first. */
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  /** Whether the kernel has not taken all of a file, and somebody waits to go on. */
  #isFull = false;
  #isEnding = false;
  /** Whether the other side has ended. */
  #hasEnded = false;
  #isDestroyed = false;
  #isClosed = false;
  #isDestroyedWhenSent = false;
  #onData: (bytes: Buffer) => void = ignore;
  #onEnd: () => void = ignore;
  #onDrain: () => void = ignore;
  #onClose: (() => void)[] = [];

  constructor(handle: LeanHandle) {
    this.#handle = handle;
  }

  /** Becomes the server's side of a TLS connection. Whatever comes and goes from here on is what TLS protects. */
  secure(options: LeanTlsOptions): void {
    const transport = this.#handle;
    // What is encrypted is nobody's business any more.
    transport.data = NOBODY;
    const [under, handle] = startTls(transport, this, options);
    under.data = NOBODY;
    this.#transport = under;
    this.#handle = handle;
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

  off(event: 'data' | 'end' | 'close', listener: (...details: never[]) => void): void {
    if (event === 'close') this.#onClose = this.#onClose.filter((one) => one !== listener);
    else if (event === 'data' && this.#onData === listener) this.#onData = ignore;
    else if (event === 'end' && this.#onEnd === listener) this.#onEnd = ignore;
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

  writeFile(descriptor: number, offset: number, byteLength: number): number {
    if (this.#isEnding || this.#isDestroyed || this.#pendingBytes > 0) return 0;
    let done = 0;
    let triesLeft = this.#transport === null ? SEND_TRIES : 0;
    while (done < byteLength) {
      if (triesLeft > 0) {
        const sent = sendFile(this.#handle.fd, descriptor, offset + done, byteLength - done);
        if (sent > 0) done += sent;
        else triesLeft -= 1;
        if (done === byteLength) break;
      }
      const asked = Math.min(triesLeft > 0 ? PROBE_BYTES : COPY_BYTES, byteLength - done);
      copy ??= Buffer.allocUnsafeSlow(COPY_BYTES);
      const count = readSync(descriptor, copy, 0, asked, offset + done);
      if (count === 0) throw new Error(`the file ends at ${offset + done}`);
      const taken = Math.max(0, this.#handle.write(copy.subarray(0, count)));
      done += taken;
      if (taken < count) {
        this.#isFull = true;
        break;
      }
    }
    return done;
  }

  end(): void {
    if (this.#isEnding || this.#isDestroyed) return;
    this.#isEnding = true;
    if (this.#pendingBytes === 0) this.#handle.shutdown();
  }

  destroySoon(): void {
    this.end();
    if (this.#pendingBytes === 0) this.destroy();
    else this.#isDestroyedWhenSent = true;
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    if (this.#transport === null) {
      this.#handle.end();
      return;
    }
    // `end` would wait for the other side, and so does this where the kernel has no room for a close_notify.
    this.#handle.close();
    if (!this.#isClosed) this.#transport.close();
  }

  resetAndDestroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    (this.#transport ?? this.#handle).terminate();
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
    if (this.#isDestroyed) return;
    if (this.#pendingBytes === 0) {
      if (!this.#isFull) return;
      this.#isFull = false;
      this.#onDrain();
      return;
    }
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
    if (this.#isDestroyedWhenSent) this.destroy();
  }

  closed(error: Error | undefined): void {
    // Of an end that follows ours, the runtime tells only that all is over.
    const hasEndedNow = error === undefined && this.#isEnding && !this.#hasEnded && !this.#isDestroyed;
    this.#isDestroyed = true;
    this.#isClosed = true;
    this.#pending = [];
    this.#pendingBytes = 0;
    // Never within a call of ours: whoever destroys a socket finishes what it is doing first.
    queueMicrotask(() => {
      if (hasEndedNow) this.#onEnd();
      for (const listener of this.#onClose) listener();
    });
  }
}
