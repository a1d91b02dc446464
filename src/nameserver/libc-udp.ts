/**
 * The calls of libc that the batch listener makes, and the C structures it hands to the kernel. The one
 * unsafe place of the name server: every pointer given out here leads into memory that lives as long as
 * the `PacketBatch` that owns it, and every length given to the kernel is that memory's.
 *
 * Linux, 64-bit, little-endian (offsets in octets; musl's narrower fields coincide there):
 *
 *   struct iovec    { void *base @0; size_t length @8 }                                      16 octets
 *   struct msghdr   { void *name @0; u32 namelen @8; iovec *iov @16; size_t iovlen @24;
 *                     void *control @32; size_t controllen @40; int flags @48 }              56 octets
 *   struct mmsghdr  { msghdr @0; u32 length @56 }                                            64 octets
 *   addresses: see `platform/libc.ts`
 */
import { type Pointer, ptr, read } from 'bun:ffi';
import { DNS_LIMITS } from '#core/dns/limits.ts';
import type { AddressRegister } from '#core/ip/address.ts';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  openLibc,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOL_SOCKET,
  socketAddress,
} from '#platform/libc.ts';
import { NAMESERVER_LIMITS } from './limits.ts';

const SO_RCVBUF = 8;
const SO_RCVTIMEO = 20;
const SO_SNDTIMEO = 21;
/** recvmmsg: wait for the first packet, take what else is there. */
const MSG_WAITFORONE = 0x10000;

/** Packets taken by one call. */
const BATCH_PACKETS = 64;
const RECEIVE_BUFFER_OCTETS = 4 << 20;
/** How long a call waits, so that the thread looks up for news. */
const WAIT_MICROSECONDS = 50_000;

const ERROR_NAMES: Readonly<Record<number, string>> = {
  13: 'EACCES',
  97: 'EAFNOSUPPORT',
  98: 'EADDRINUSE',
  99: 'EADDRNOTAVAIL',
};

const SYMBOLS = {
  socket: { args: ['int', 'int', 'int'], returns: 'int' },
  bind: { args: ['int', 'ptr', 'u32'], returns: 'int' },
  getsockname: { args: ['int', 'ptr', 'ptr'], returns: 'int' },
  setsockopt: { args: ['int', 'int', 'int', 'ptr', 'u32'], returns: 'int' },
  close: { args: ['int'], returns: 'int' },
  recvmmsg: { args: ['int', 'ptr', 'u32', 'int', 'ptr'], returns: 'int' },
  sendmmsg: { args: ['int', 'ptr', 'u32', 'int'], returns: 'int' },
  __errno_location: { args: [], returns: 'ptr' },
} as const;

export type Libc = NonNullable<ReturnType<typeof openLibc<typeof SYMBOLS>>>;

/** The calls of libc; null where this is no 64-bit little-endian Linux with a C library of a known name. */
export function openUdpCalls(): Libc | null {
  return process.arch === 'x64' || process.arch === 'arm64' ? openLibc(SYMBOLS) : null;
}

function lastError(libc: Libc): number {
  const location = libc.__errno_location();
  return location === null ? 0 : read.i32(location, 0);
}

/** A bound UDP socket, or the name of the system's error. */
export function openUdpSocket(
  libc: Libc,
  addressText: string,
  port: number,
): { readonly descriptor: number; readonly port: number } | string {
  const isIpv6 = addressText.includes(':');
  const descriptor = libc.socket(isIpv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const failed = (): string => {
    const code = lastError(libc);
    if (descriptor >= 0) libc.close(descriptor);
    return ERROR_NAMES[code] ?? `error ${code}`;
  };
  if (descriptor < 0) return failed();
  setOption(libc, descriptor, SOL_SOCKET, SO_RCVBUF, [RECEIVE_BUFFER_OCTETS]);
  if (isIpv6) setOption(libc, descriptor, IPPROTO_IPV6, IPV6_V6ONLY, [1]);
  // struct timeval: two 64-bit numbers, seconds and microseconds.
  setOption(libc, descriptor, SOL_SOCKET, SO_RCVTIMEO, [0, 0, WAIT_MICROSECONDS, 0]);
  setOption(libc, descriptor, SOL_SOCKET, SO_SNDTIMEO, [0, 0, WAIT_MICROSECONDS, 0]);
  const address = socketAddress(addressText, port);
  if (address === null) return failed();
  if (libc.bind(descriptor, ptr(address), address.length) !== 0) return failed();
  const bound = new Uint8Array(new ArrayBuffer(28));
  const boundLength = new Uint32Array([bound.length]);
  if (libc.getsockname(descriptor, ptr(bound), ptr(boundLength)) !== 0) return failed();
  return { descriptor, port: ((bound[2] ?? 0) << 8) | (bound[3] ?? 0) };
}

function setOption(libc: Libc, descriptor: number, level: number, option: number, value: number[]): void {
  const words = Int32Array.from(value);
  libc.setsockopt(descriptor, level, option, ptr(words), words.byteLength);
}

const HEADER_WORDS = 16;
const NAME_LENGTH_WORD = 2;
const RECEIVED_LENGTH_WORD = 14;
const IOVEC_WORDS = 4;
const ADDRESS_OCTETS = 28;
const QUERY_OCTETS = NAMESERVER_LIMITS.udpQueryOctetsMax;
const ANSWER_OCTETS = DNS_LIMITS.udpOctetsMax;

/**
 * Buffers for a batch: slot i holds query i, its sender's address, and its answer. Built once; a call
 * changes lengths only. Answers go out with the address memory that their queries came in with.
 */
export class PacketBatch {
  readonly #libc: Libc;
  readonly #descriptor: number;
  readonly #queries = new Uint8Array(new ArrayBuffer(BATCH_PACKETS * QUERY_OCTETS));
  readonly #answers = new Uint8Array(new ArrayBuffer(BATCH_PACKETS * ANSWER_OCTETS));
  readonly #addresses = new Uint8Array(new ArrayBuffer(BATCH_PACKETS * ADDRESS_OCTETS));
  readonly #receiveVectors = new Uint32Array(new ArrayBuffer(BATCH_PACKETS * IOVEC_WORDS * 4));
  readonly #sendVectors = new Uint32Array(new ArrayBuffer(BATCH_PACKETS * IOVEC_WORDS * 4));
  readonly #receiveHeaders = new Uint32Array(new ArrayBuffer(BATCH_PACKETS * HEADER_WORDS * 4));
  readonly #sendHeaders = new Uint32Array(new ArrayBuffer(BATCH_PACKETS * HEADER_WORDS * 4));
  #filled = 0;
  readonly #receivePointer: Pointer;
  readonly #sendPointers: readonly Pointer[];
  /** Views of each slot, made once. */
  readonly queries: readonly Uint8Array[];
  readonly answers: readonly Uint8Array[];

  constructor(libc: Libc, descriptor: number) {
    this.#libc = libc;
    this.#descriptor = descriptor;
    const slots = Array.from({ length: BATCH_PACKETS }, (_, slot) => slot);
    this.queries = slots.map((slot) =>
      this.#queries.subarray(slot * QUERY_OCTETS, (slot + 1) * QUERY_OCTETS),
    );
    this.answers = slots.map((slot) =>
      this.#answers.subarray(slot * ANSWER_OCTETS, (slot + 1) * ANSWER_OCTETS),
    );
    for (const slot of slots) {
      const address = ptr(this.#addresses, slot * ADDRESS_OCTETS);
      const headerAt = slot * HEADER_WORDS;
      const vectorAt = slot * IOVEC_WORDS;
      writePointer(this.#receiveVectors, vectorAt, ptr(this.#queries, slot * QUERY_OCTETS));
      this.#receiveVectors[vectorAt + 2] = QUERY_OCTETS;
      writePointer(this.#sendVectors, vectorAt, ptr(this.#answers, slot * ANSWER_OCTETS));
      writeHeader(this.#receiveHeaders, headerAt, address, ptr(this.#receiveVectors, vectorAt * 4));
      writeHeader(this.#sendHeaders, headerAt, address, ptr(this.#sendVectors, vectorAt * 4));
    }
    this.#receivePointer = ptr(this.#receiveHeaders);
    this.#sendPointers = slots.map((slot) => ptr(this.#sendHeaders, slot * HEADER_WORDS * 4));
  }

  /** Waits a moment for packets; how many came, or less than 1 for none (or an error that passes). */
  receive(): number {
    const headers = this.#receiveHeaders;
    // The kernel has overwritten the lengths of the slots that it filled.
    for (let slot = 0; slot < this.#filled; slot += 1) {
      headers[slot * HEADER_WORDS + NAME_LENGTH_WORD] = ADDRESS_OCTETS;
    }
    const received = this.#libc.recvmmsg(
      this.#descriptor,
      this.#receivePointer,
      BATCH_PACKETS,
      MSG_WAITFORONE,
      null,
    );
    this.#filled = Math.max(received, 0);
    return received;
  }

  /** Octets of the query in a slot. */
  queryLength(slot: number): number {
    return Math.min(this.#receiveHeaders[slot * HEADER_WORDS + RECEIVED_LENGTH_WORD] as number, QUERY_OCTETS);
  }

  /** Writes the sender of a slot's query into `into`. */
  readSender(slot: number, into: AddressRegister): void {
    const at = slot * ADDRESS_OCTETS;
    const isIpv6 = this.#addresses[at] === AF_INET6;
    into.family = isIpv6 ? 6 : 4;
    into.word0 = this.#addressWord(isIpv6 ? at + 8 : at + 4);
    into.word1 = isIpv6 ? this.#addressWord(at + 12) : 0;
    into.word2 = isIpv6 ? this.#addressWord(at + 16) : 0;
    into.word3 = isIpv6 ? this.#addressWord(at + 20) : 0;
  }

  #addressWord(at: number): number {
    const octets = this.#addresses;
    const high = ((octets[at] as number) << 24) | ((octets[at + 1] as number) << 16);
    return (high | ((octets[at + 2] as number) << 8) | (octets[at + 3] as number)) >>> 0;
  }

  /** Notes the length of a slot's answer; 0: none goes out. */
  setAnswerLength(slot: number, length: number): void {
    this.#sendVectors[slot * IOVEC_WORDS + 2] = Math.min(length, ANSWER_OCTETS);
    this.#sendHeaders[slot * HEADER_WORDS + NAME_LENGTH_WORD] = this.#receiveHeaders[
      slot * HEADER_WORDS + NAME_LENGTH_WORD
    ] as number;
  }

  /** Sends the answers of the first `count` slots, in runs between those that have none. */
  send(count: number): void {
    let slot = 0;
    while (slot < count) {
      if (this.#sendVectors[slot * IOVEC_WORDS + 2] === 0) {
        slot += 1;
        continue;
      }
      let end = slot + 1;
      while (end < count && this.#sendVectors[end * IOVEC_WORDS + 2] !== 0) end += 1;
      slot = this.#sendRun(slot, end);
    }
  }

  /** Sends a run; an answer that cannot be sent is lost, as the network might lose it. */
  #sendRun(start: number, end: number): number {
    let slot = start;
    while (slot < end) {
      const sent = this.#libc.sendmmsg(this.#descriptor, this.#sendPointers[slot] as Pointer, end - slot, 0);
      slot += sent > 0 ? sent : 1;
    }
    return slot;
  }
}

/** A 64-bit pointer as two words; pointers fit a double's 53 bits. */
function writePointer(words: Uint32Array, at: number, pointer: Pointer): void {
  words[at] = pointer >>> 0;
  words[at + 1] = Math.floor(pointer / 2 ** 32);
}

function writeHeader(words: Uint32Array, at: number, address: Pointer, vector: Pointer): void {
  writePointer(words, at, address);
  words[at + NAME_LENGTH_WORD] = ADDRESS_OCTETS;
  writePointer(words, at + 4, vector);
  words[at + 6] = 1;
}
