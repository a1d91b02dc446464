/**
 * Reads the server name out of a ClientHello (RFC 8446 §4.1.2, RFC 6066 §3) before the handshake begins, so that
 * the handshake can be one of that name's own: its certificates, least version and client authorities.
 * Only what leads to the name is read; everything else is the TLS library's to judge.
 *
 *   record:       type 22, version, length, then a part of the handshake message
 *   message:      type 1, length (3 bytes), then
 *   ClientHello:  version, random, session id, cipher suites, compression methods, extensions
 */
import { TLS_LIMITS } from './limits.ts';

export type ClientHello =
  /** Not whole yet: nothing is to be learned before there are `bytesMin` bytes. */
  | { readonly kind: 'incomplete'; readonly bytesMin: number }
  /** Null: it names no server. */
  | { readonly kind: 'complete'; readonly serverName: string | null }
  | { readonly kind: 'refused'; readonly reason: 'client-hello-unreadable' | 'client-hello-too-large' };

const RECORD_HEADER_BYTES = 5;
const RECORD_TYPE_HANDSHAKE = 22;
const RECORD_BYTES_MAX = 16_384;
const MESSAGE_HEADER_BYTES = 4;
const MESSAGE_TYPE_CLIENT_HELLO = 1;
const EXTENSION_SERVER_NAME = 0;
const NAME_TYPE_HOST = 0;
/** Of a host name (RFC 1035 §3.1). */
const NAME_BYTES_MAX = 255;

const UNREADABLE: ClientHello = { kind: 'refused', reason: 'client-hello-unreadable' };
const TOO_LARGE: ClientHello = { kind: 'refused', reason: 'client-hello-too-large' };

/** `bytes`: all that came on the connection so far. */
export function readClientHello(bytes: Buffer): ClientHello {
  const parts: Buffer[] = [];
  let messageBytes = 0;
  let wantedBytes = MESSAGE_HEADER_BYTES;
  for (let at = 0; messageBytes < wantedBytes; ) {
    const start = at + RECORD_HEADER_BYTES;
    if (at < bytes.length && bytes[at] !== RECORD_TYPE_HANDSHAKE) return UNREADABLE;
    if (at + 1 < bytes.length && bytes[at + 1] !== 3) return UNREADABLE;
    if (start > TLS_LIMITS.clientHelloBytesMax) return TOO_LARGE;
    if (bytes.length < start) return { kind: 'incomplete', bytesMin: start };
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > RECORD_BYTES_MAX) return UNREADABLE;
    const end = start + length;
    if (end > TLS_LIMITS.clientHelloBytesMax) return TOO_LARGE;
    if (bytes.length < end) return { kind: 'incomplete', bytesMin: end };
    parts.push(bytes.subarray(start, end));
    messageBytes += length;
    at = end;
    if (wantedBytes === MESSAGE_HEADER_BYTES && messageBytes >= MESSAGE_HEADER_BYTES) {
      const header = joined(parts);
      if (header[0] !== MESSAGE_TYPE_CLIENT_HELLO) return UNREADABLE;
      wantedBytes += header.readUIntBE(1, 3);
      if (wantedBytes > TLS_LIMITS.clientHelloBytesMax) return TOO_LARGE;
    }
  }
  return readMessage(joined(parts).subarray(MESSAGE_HEADER_BYTES, wantedBytes));
}

function joined(parts: readonly Buffer[]): Buffer {
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : Buffer.concat(parts);
}

function readMessage(message: Buffer): ClientHello {
  const reader = new Reader(message);
  // Version and random.
  reader.skip(2 + 32);
  reader.skip(reader.readLength(1));
  reader.skip(reader.readLength(2));
  reader.skip(reader.readLength(1));
  // Before TLS 1.3 extensions might be left out.
  if (reader.isAtEnd) return { kind: 'complete', serverName: null };
  const extensions = reader.readPart(reader.readLength(2));
  while (!extensions.isAtEnd) {
    const type = extensions.readLength(2);
    const content = extensions.readPart(extensions.readLength(2));
    if (extensions.isBroken) return UNREADABLE;
    if (type === EXTENSION_SERVER_NAME) return readServerName(content);
  }
  return reader.isBroken ? UNREADABLE : { kind: 'complete', serverName: null };
}

function readServerName(extension: Reader): ClientHello {
  const names = extension.readPart(extension.readLength(2));
  while (!names.isAtEnd) {
    const type = names.readLength(1);
    const name = names.readPart(names.readLength(2));
    if (names.isBroken || name.length === 0 || name.length > NAME_BYTES_MAX) return UNREADABLE;
    if (type === NAME_TYPE_HOST) return { kind: 'complete', serverName: name.text };
  }
  return UNREADABLE;
}

/** Walks bytes by their length prefixes. What reaches beyond the end leaves it broken and at its end. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  isBroken = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  get length(): number {
    return this.#bytes.length;
  }

  get text(): string {
    return this.#bytes.toString('latin1');
  }

  skip(count: number): void {
    this.#at += count;
    if (this.#at > this.#bytes.length) this.isBroken = true;
  }

  readLength(octets: 1 | 2): number {
    const start = this.#at;
    this.skip(octets);
    return this.isBroken ? 0 : this.#bytes.readUIntBE(start, octets);
  }

  readPart(count: number): Reader {
    const start = this.#at;
    this.skip(count);
    return new Reader(this.#bytes.subarray(start, this.#at));
  }
}
