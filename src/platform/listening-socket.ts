/**
 * A TCP socket that listens and is never accepted from here: the supervisor holds it and hands its
 * descriptor to worker processes, which accept from it. While a worker restarts, new connections wait in
 * the kernel's queue instead of being refused. `node:net` cannot give such a socket away, libc can.
 *
 * Linux only (constants below); elsewhere `openListeningSocket` answers null and workers bind by themselves.
 */
import { dlopen, ptr } from 'bun:ffi';

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM_CLOEXEC = 1 | 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
/** Connections that may wait to be accepted; the kernel caps it at net.core.somaxconn. */
const BACKLOG = 4096;

/** Opens libc; null where this is not Linux with a C library of that name. */
function openLibc() {
  if (process.platform !== 'linux') return null;
  for (const name of ['libc.so.6', 'libc.musl-x86_64.so.1', 'libc.musl-aarch64.so.1', 'libc.so']) {
    try {
      return dlopen(name, {
        socket: { args: ['int', 'int', 'int'], returns: 'int' },
        bind: { args: ['int', 'ptr', 'u32'], returns: 'int' },
        listen: { args: ['int', 'int'], returns: 'int' },
        setsockopt: { args: ['int', 'int', 'int', 'ptr', 'u32'], returns: 'int' },
        close: { args: ['int'], returns: 'int' },
      }).symbols;
    } catch {
      // Another C library: the next name.
    }
  }
  return null;
}

/**
 * Listens at an address that is known to be free (`up/preflight.ts` has just bound and released it).
 * Returns the descriptor, or null when the platform has no way to do this.
 */
export function openListeningSocket(address: string, port: number): number | null {
  const libc = openLibc();
  if (libc === null) return null;
  const isIpv6 = address.includes(':');
  const descriptor = libc.socket(isIpv6 ? AF_INET6 : AF_INET, SOCK_STREAM_CLOEXEC, 0);
  if (descriptor < 0) return null;
  const on = new Int32Array([1]);
  libc.setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, ptr(on), 4);
  if (isIpv6) libc.setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, ptr(on), 4);
  const socketAddress = isIpv6 ? socketAddressIpv6(address, port) : socketAddressIpv4(address, port);
  const isListening =
    libc.bind(descriptor, ptr(socketAddress), socketAddress.length) === 0 &&
    libc.listen(descriptor, BACKLOG) === 0;
  if (isListening) return descriptor;
  libc.close(descriptor);
  return null;
}

/** struct sockaddr_in: family (host order), port (network order), address, zeros. */
function socketAddressIpv4(address: string, port: number): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_INET, true);
  view.setUint16(2, port);
  bytes.set(address.split('.').map(Number), 4);
  return bytes;
}

/** struct sockaddr_in6: family, port, flow, address, scope. */
function socketAddressIpv6(address: string, port: number): Uint8Array {
  const bytes = new Uint8Array(28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_INET6, true);
  view.setUint16(2, port);
  const [head = '', tail] = address.split('::');
  const groupsOf = (text: string) =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const left = groupsOf(head);
  const right = tail === undefined ? [] : groupsOf(tail);
  const groups = [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
  groups.forEach((group, index) => {
    view.setUint16(8 + index * 2, group);
  });
  return bytes;
}
