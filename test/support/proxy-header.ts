/** PROXY protocol headers, version 2, as load balancers send them; wrong ones too. */
import { crc32c } from '#core/base/crc32c.ts';
import { addressOctets, type IpAddress, parseAddress } from '#core/ip/address.ts';

export interface ProxyHeaderParts {
  readonly versionAndCommand?: number;
  /** By default that of `client`. */
  readonly family?: number;
  readonly client?: string;
  readonly clientPort?: number;
  readonly local?: string;
  readonly localPort?: number;
  /** Type and value of each. */
  readonly fields?: readonly (readonly [number, Uint8Array])[];
  readonly withChecksum?: boolean;
  /** Bytes instead of addresses and fields. */
  readonly block?: Uint8Array;
}

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const CRC32C = 0x03;

export function proxyHeader(parts: ProxyHeaderParts = {}): Buffer {
  const { client = '203.0.113.7', clientPort = 56_324, local = '192.0.2.1', localPort = 443 } = parts;
  const fields = [...(parts.fields ?? [])];
  if (parts.withChecksum === true) fields.push([CRC32C, new Uint8Array(4)]);
  const block =
    parts.block ??
    Buffer.concat([octets(client), octets(local), word(clientPort), word(localPort), ...fields.map(field)]);
  const family = parts.family ?? (client.includes(':') ? 0x21 : 0x11);
  const fixed = Buffer.from([parts.versionAndCommand ?? 0x21, family]);
  const header = Buffer.concat([SIGNATURE, fixed, word(block.length), block]);
  if (parts.withChecksum === true) header.writeUInt32BE(crc32c(header), header.length - 4);
  return header;
}

function octets(address: string): Uint8Array {
  return addressOctets(parseAddress(address) as IpAddress);
}

function word(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

function field([type, value]: readonly [number, Uint8Array]): Buffer {
  return Buffer.concat([Buffer.from([type]), word(value.length), value]);
}
