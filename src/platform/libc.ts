/**
 * The C library by `bun:ffi`, for what `node:net` and `node:dgram` cannot do with sockets, and the addresses
 * its calls take. Constants and layouts are Linux's; elsewhere `openLibc` answers null.
 */
import { dlopen, type FFIFunction } from 'bun:ffi';
import { addressOctets, parseAddress } from '#core/ip/address.ts';

export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const IPPROTO_IPV6 = 41;
export const IPV6_V6ONLY = 26;

/** glibc, then musl. */
const NAMES = ['libc.so.6', 'libc.musl-x86_64.so.1', 'libc.musl-aarch64.so.1', 'libc.so'];

/** The calls named, or null where this is not Linux with a C library of a known name. */
export function openLibc<const Symbols extends Record<string, FFIFunction>>(symbols: Symbols) {
  if (process.platform !== 'linux') return null;
  for (const name of NAMES) {
    try {
      return dlopen(name, symbols).symbols;
    } catch {
      // Another C library: the next name.
    }
  }
  return null;
}

/**
 * An address as `bind` takes it, or null when the text is none. Family in host order, all else in network order:
 *
 *   sockaddr_in     family @0 (2) | port @2 (2) | address @4 (4) | zeros                       16 octets
 *   sockaddr_in6    family @0 (2) | port @2 (2) | flow @4 (4) | address @8 (16) | scope @24 (4)   28 octets
 */
export function socketAddress(text: string, port: number): Uint8Array<ArrayBuffer> | null {
  const address = parseAddress(text);
  if (address === null) return null;
  const isIpv4 = address.family === 4;
  const octets = new Uint8Array(isIpv4 ? 16 : 28);
  const view = new DataView(octets.buffer);
  view.setUint16(0, isIpv4 ? AF_INET : AF_INET6, true);
  view.setUint16(2, port);
  octets.set(addressOctets(address), isIpv4 ? 4 : 8);
  return octets;
}
