/**
 * UDP by batches of system calls (`libc-udp.ts`) in a thread of its own (`udp-batch-worker.ts`): about half
 * the CPU per query of the runtime's socket. The socket belongs to this side, so that it stays bound, and
 * queries wait in it, while a thread that failed is started again.
 */
import { AppError } from '#core/base/app-error.ts';
import { type CounterBlock, createCounterBlock } from './counters.ts';
import { type Libc, openUdpCalls, openUdpSocket } from './libc-udp.ts';
import type { AnswererNews } from './live-answerer.ts';
import { type BatchMessage, type BatchReport, CONTROL } from './udp-batch-worker.ts';
import { listenError, type UdpListener, type UdpListenerOptions } from './udp-listener.ts';

const READY_WITHIN_MS = 10_000;
const CLOSED_WITHIN_MS = 2_000;
const RESTART_AFTER_MS = 500;
const SETTLED_WITHIN_MS = 5_000;

/** Null where the platform has no such calls. Throws AppError `conflict` when the port is in use. */
export async function listenBatch(options: UdpListenerOptions): Promise<UdpListener | null> {
  const libc = openUdpCalls();
  if (libc === null) return null;
  const { descriptor, listen } = options;
  const socket =
    descriptor === undefined
      ? openUdpSocket(libc, listen.address, listen.port)
      : { descriptor, port: listen.port };
  if (typeof socket === 'string') throw listenError(listen, 'UDP', socket);
  const listener = new BatchListener(options, libc, socket.descriptor, socket.port);
  if (await listener.start()) return listener;
  await listener.close();
  return null;
}

class BatchListener implements UdpListener {
  readonly kind = 'batch';
  readonly address: UdpListener['address'];
  readonly counters: readonly CounterBlock[] = [createCounterBlock()];
  readonly #options: UdpListenerOptions;
  readonly #libc: Libc;
  readonly #descriptor: number;
  /** The last news of each kind, for a thread that starts again. */
  readonly #lastNews = new Map<AnswererNews['kind'], AnswererNews>();
  #thread: Worker | null = null;
  #control = new Int32Array(new SharedArrayBuffer(8));
  /** News the current thread has in force. */
  #newsInForce = 0;
  #waiters: (() => void)[] = [];
  #isClosing = false;
  #restart: ReturnType<typeof setTimeout> | null = null;

  constructor(options: UdpListenerOptions, libc: Libc, descriptor: number, port: number) {
    this.#options = options;
    this.#libc = libc;
    this.#descriptor = descriptor;
    this.address = { address: options.listen.address, port };
    for (const news of options.news) this.#lastNews.set(news.kind, news);
  }

  /** Starts the thread; false when it does not come up. */
  start(): Promise<boolean> {
    const control = new Int32Array(new SharedArrayBuffer(8));
    const thread = new Worker(new URL('./udp-batch-worker.ts', import.meta.url).href);
    this.#control = control;
    this.#thread = thread;
    this.#newsInForce = 0;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), READY_WITHIN_MS);
    thread.onmessage = ({ data }: { data: BatchReport }) => {
      if (data.kind === 'ready') resolve(true);
      if (data.kind === 'failure') this.#options.log.error({ cause: data.cause }, 'UDP thread');
      if (data.kind === 'news') {
        this.#newsInForce = data.received;
        this.#wake();
      }
    };
    thread.onerror = (event) => {
      resolve(false);
      this.#recover(thread, event.message);
    };
    thread.addEventListener('close', () => this.#recover(thread, 'it ended'));
    const [counters] = this.counters;
    if (counters !== undefined) {
      const { identity } = this.#options;
      this.#post({ kind: 'start', descriptor: this.#descriptor, identity, counters, control });
    }
    for (const news of this.#lastNews.values()) this.#sendNews(news);
    return promise.finally(() => clearTimeout(timer));
  }

  #recover(thread: Worker, cause: string): void {
    if (this.#isClosing || thread !== this.#thread) return;
    this.#thread = null;
    this.#wake();
    this.#options.log.error({ cause }, 'UDP thread failed; starting it again');
    this.#restart = setTimeout(() => {
      void this.start();
    }, RESTART_AFTER_MS);
  }

  tell(news: AnswererNews): void {
    this.#lastNews.set(news.kind, news);
    if (this.#thread !== null) this.#sendNews(news);
  }

  async settled(): Promise<void> {
    const deadline = setTimeout(() => this.#wake(true), SETTLED_WITHIN_MS);
    if (!this.#isSettled()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
    clearTimeout(deadline);
  }

  #isSettled(): boolean {
    return this.#thread === null || this.#newsInForce >= Atomics.load(this.#control, CONTROL.newsSent);
  }

  #wake(isLate = false): void {
    if (!isLate && !this.#isSettled()) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }

  #sendNews(news: AnswererNews): void {
    // Counted first: the thread then goes to its event loop and waits for the message there.
    Atomics.add(this.#control, CONTROL.newsSent, 1);
    this.#post({ kind: 'news', news });
  }

  #post(message: BatchMessage): void {
    this.#thread?.postMessage(message);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#wake(true);
    if (this.#restart !== null) clearTimeout(this.#restart);
    const thread = this.#thread;
    if (thread !== null) {
      await closed(thread, this.#control);
      thread.terminate();
    }
    if (this.#libc.close(this.#descriptor) !== 0)
      throw new AppError('internal', 'The UDP socket did not close.');
  }
}

/** Asks the thread to end and waits until it has left the socket. */
async function closed(thread: Worker, control: Int32Array): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, CLOSED_WITHIN_MS);
  thread.onmessage = ({ data }: { data: BatchReport }) => {
    if (data.kind === 'closed') resolve();
  };
  Atomics.store(control, CONTROL.isClosing, 1);
  await promise;
  clearTimeout(timer);
}
