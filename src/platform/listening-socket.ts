/**
 * A TCP socket that listens and is never accepted from here: the supervisor holds it and hands its
 * descriptor to worker processes, which accept from it. While a worker restarts, new connections wait in
 * the kernel's queue instead of being refused. `node:net` cannot give such a socket away, libc can.
 *
 * All processes share the one socket and its queue, so that nothing is lost with any of them: whoever closes
 * its descriptor closes nothing for the others. (With SO_REUSEPORT each process has a queue of its own, and
 * what waits in it is reset when that process closes.)
 *
 * Linux only (`libc.ts`); elsewhere `openListeningSocket` answers null and workers bind by themselves.
 */
import { ptr } from 'bun:ffi';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  openLibc,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  socketAddress,
} from './libc.ts';

const SO_REUSEADDR = 2;
/** Connections that may wait to be accepted; the kernel caps it at net.core.somaxconn. */
const BACKLOG = 4096;

const CALLS = {
  socket: { args: ['int', 'int', 'int'], returns: 'int' },
  bind: { args: ['int', 'ptr', 'u32'], returns: 'int' },
  listen: { args: ['int', 'int'], returns: 'int' },
  setsockopt: { args: ['int', 'int', 'int', 'ptr', 'u32'], returns: 'int' },
  close: { args: ['int'], returns: 'int' },
} as const;

/**
 * Listens at an address that is known to be free (`up/preflight.ts` has just bound and released it).
 * Returns the descriptor, or null when the platform has no way to do this.
 */
export function openListeningSocket(address: string, port: number): number | null {
  const libc = openLibc(CALLS);
  const bindAddress = socketAddress(address, port);
  if (libc === null || bindAddress === null) return null;
  const isIpv6 = address.includes(':');
  const descriptor = libc.socket(isIpv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return null;
  const on = new Int32Array([1]);
  libc.setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, ptr(on), 4);
  if (isIpv6) libc.setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, ptr(on), 4);
  const isListening =
    libc.bind(descriptor, ptr(bindAddress), bindAddress.length) === 0 &&
    libc.listen(descriptor, BACKLOG) === 0;
  if (isListening) return descriptor;
  libc.close(descriptor);
  return null;
}

/**
 * Gives a socket its queue back. To be called when a process has begun to accept from it: Bun's `listen` on a
 * descriptor cuts the queue, which is everybody's, to 511 connections, whatever backlog it is told (1.4.5).
 */
export function restoreBacklog(descriptor: number): void {
  openLibc(CALLS)?.listen(descriptor, BACKLOG);
}
