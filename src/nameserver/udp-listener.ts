/**
 * Listening for queries over UDP, one interface over two ways: batches of system calls in a thread of its
 * own (`udp-batch.ts`, Linux), or the runtime's socket (`udp-socket.ts`, everywhere). `listen-udp.ts` picks one.
 */
import { AppError } from '#core/base/app-error.ts';
import { formatListenAddress, type ListenAddress } from '#platform/listen-address.ts';
import type { Logger } from '#platform/log.ts';
import type { CounterBlock } from './counters.ts';
import type { AnswererNews, LiveAnswerer } from './live-answerer.ts';

export interface UdpListener {
  readonly address: ListenAddress;
  readonly kind: 'batch' | 'socket';
  /** Counters of threads that are not the main one. */
  readonly counters: readonly CounterBlock[];
  /** Passes news on to threads that are not the main one. */
  tell(news: AnswererNews): void;
  /** Resolves once all threads answer by the news told so far (or one of them is found failing). */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export interface UdpListenerOptions {
  readonly listen: ListenAddress;
  /** An inherited socket that is bound to the address; only `udp-batch.ts` can take queries from one. */
  readonly descriptor?: number;
  /** What is known already: nothing is answered without it. */
  readonly news: readonly AnswererNews[];
  /** Answers in the main thread. */
  readonly answerer: LiveAnswerer;
  readonly identity: string;
  readonly log: Logger;
}

/** The error for an address that cannot be listened at. `code` is the system's name of the cause. */
export function listenError(listen: ListenAddress, protocol: 'UDP' | 'TCP', code: string): AppError {
  const place = `${formatListenAddress(listen)} (${protocol})`;
  if (code === 'EADDRINUSE') {
    return new AppError(
      'conflict',
      `DNS cannot listen at ${place}: the port is in use. Choose another with --dns.`,
    );
  }
  if (code === 'EACCES') {
    return new AppError('forbidden', `DNS cannot listen at ${place}: ports below 1024 need privileges.`);
  }
  return new AppError('unavailable', `DNS cannot listen at ${place}: ${code}.`);
}
