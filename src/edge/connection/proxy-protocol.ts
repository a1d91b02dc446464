/**
 * The header of the PROXY protocol, version 2 (haproxy's proxy-protocol.txt): by it a load balancer tells whose
 * connection it passes on. Bytes in, a verdict out; who is trusted to send one is `proxy-gate.ts`'s to say.
 * Version 1, a line of text, is not accepted: it has no length, and its end has to be guessed at.
 *
 *   signature (12) │ version, command (1) │ family, transport (1) │ length (2) │ addresses │ TLVs
 *   LOCAL: the balancer speaks for itself. PROXY: for somebody. What follows `length` is skipped where it says nothing.
 */
import { crc32c } from '#core/base/crc32c.ts';
import { addressBits, addressFromOctets, formatAddress } from '#core/ip/address.ts';

/** Bytes of a header with everything in it; load balancers in use stay below 1 KiB. */
export const PROXY_HEADER_BYTES_MAX = 4_096;

const SIGNATURE = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
const FIXED_BYTES = 16;

const COMMAND_LOCAL = 0x20;
const COMMAND_PROXY = 0x21;
const FAMILY_UNSPECIFIED = 0x00;
const FAMILY_TCP4 = 0x11;
const FAMILY_TCP6 = 0x21;
const TLV_HEAD_BYTES = 3;
const TLV_CRC32C = 0x03;
/** "P", with which version 1 begins. */
const LETTER_P = 0x50;

export interface ProxiedEnds {
  readonly clientAddress: string;
  readonly clientPort: number;
  /** What the client connected to. */
  readonly localAddress: string;
  readonly localPort: number;
}

export interface ProxyHeader {
  /** Bytes it takes; what follows is the connection's own. */
  readonly length: number;
  /** Null: the connection's own ends are the true ones. */
  readonly ends: ProxiedEnds | null;
}

export type ProxyHeaderFault =
  | 'proxy-header-missing'
  | 'proxy-version-1'
  | 'proxy-version-unknown'
  | 'proxy-command-unknown'
  | 'proxy-family-unknown'
  | 'proxy-header-too-long'
  | 'proxy-addresses-cut'
  | 'proxy-field-cut'
  | 'proxy-checksum-wrong';

/** Reads the header at the beginning of `bytes`; 'incomplete' while more is needed and it can still become one. */
export function readProxyHeader(bytes: Uint8Array): ProxyHeader | ProxyHeaderFault | 'incomplete' {
  const compared = Math.min(bytes.length, SIGNATURE.length);
  for (let i = 0; i < compared; i += 1) {
    if (bytes[i] !== SIGNATURE[i]) return bytes[0] === LETTER_P ? 'proxy-version-1' : 'proxy-header-missing';
  }
  const versionAndCommand = bytes[12];
  if (versionAndCommand === undefined) return 'incomplete';
  if (versionAndCommand >> 4 !== 2) return 'proxy-version-unknown';
  if (versionAndCommand !== COMMAND_LOCAL && versionAndCommand !== COMMAND_PROXY)
    return 'proxy-command-unknown';
  if (bytes.length < FIXED_BYTES) return 'incomplete';
  const length = FIXED_BYTES + (((bytes[14] as number) << 8) | (bytes[15] as number));
  if (length > PROXY_HEADER_BYTES_MAX) return 'proxy-header-too-long';
  if (bytes.length < length) return 'incomplete';
  if (versionAndCommand === COMMAND_LOCAL) return { length, ends: null };
  switch (bytes[13]) {
    case FAMILY_UNSPECIFIED:
      return { length, ends: null };
    case FAMILY_TCP4:
      return readAddresses(bytes.subarray(0, length), 4);
    case FAMILY_TCP6:
      return readAddresses(bytes.subarray(0, length), 6);
    default:
      return 'proxy-family-unknown';
  }
}

/** `header` is whole: both addresses, both ports, then fields of which only the checksum matters here. */
function readAddresses(header: Uint8Array, family: 4 | 6): ProxyHeader | ProxyHeaderFault {
  const octets = addressBits(family) / 8;
  const portsAt = FIXED_BYTES + 2 * octets;
  const fieldsAt = portsAt + 4;
  if (header.length < fieldsAt) return 'proxy-addresses-cut';
  const fault = checkFields(header, fieldsAt);
  if (fault !== null) return fault;
  const address = (at: number): string => formatAddress(addressFromOctets(family, header, at));
  const port = (at: number): number => ((header[at] as number) << 8) | (header[at + 1] as number);
  return {
    length: header.length,
    ends: {
      clientAddress: address(FIXED_BYTES),
      clientPort: port(portsAt),
      localAddress: address(FIXED_BYTES + octets),
      localPort: port(portsAt + 2),
    },
  };
}

function checkFields(header: Uint8Array, from: number): ProxyHeaderFault | null {
  let at = from;
  while (at < header.length) {
    if (header.length - at < TLV_HEAD_BYTES) return 'proxy-field-cut';
    const length = ((header[at + 1] as number) << 8) | (header[at + 2] as number);
    const valueAt = at + TLV_HEAD_BYTES;
    if (header.length - valueAt < length) return 'proxy-field-cut';
    if (header[at] === TLV_CRC32C && !isChecksumRight(header, valueAt, length)) return 'proxy-checksum-wrong';
    at = valueAt + length;
  }
  return null;
}

/** Over the whole header, with the checksum's own place taken as zero. */
function isChecksumRight(header: Uint8Array, at: number, length: number): boolean {
  if (length !== 4) return false;
  const claimed = new DataView(header.buffer, header.byteOffset + at, 4).getUint32(0);
  // A buffer's own `slice` would not copy.
  const zeroed = Uint8Array.from(header);
  zeroed.fill(0, at, at + 4);
  return crc32c(zeroed) === claimed;
}
