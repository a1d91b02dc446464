/** Networks: an address and how many of its leading bits count (CIDR, RFC 4632, RFC 4291 §2.3). */
import {
  type AddressRegister,
  addressBits,
  formatAddress,
  type IpAddress,
  parseAddress,
  wordOf,
} from './address.ts';

export interface Prefix {
  /** Bits beyond `length` are zero. */
  readonly address: IpAddress;
  readonly length: number;
}

/** Reads "192.0.2.0/24"; bits beyond the length are cleared. Null when it is no network. */
export function parsePrefix(text: string): Prefix | null {
  const slash = text.indexOf('/');
  if (slash < 0) return null;
  const address = parseAddress(text.slice(0, slash));
  const lengthText = text.slice(slash + 1);
  if (address === null || !/^(?:0|[1-9][0-9]{0,2})$/.test(lengthText)) return null;
  const length = mappedLength(Number(lengthText), text, address);
  if (length < 0 || length > addressBits(address.family)) return null;
  return { address: maskAddress(address, length), length };
}

/** A network written inside ::ffff:0:0/96 has been read as IPv4: its length counts from bit 96. */
function mappedLength(length: number, text: string, address: IpAddress): number {
  return address.family === 4 && text.includes(':') ? length - 96 : length;
}

/** The first `bits` (0..32) bits of a word set. */
export function maskOfWord(bits: number): number {
  return bits <= 0 ? 0 : bits >= 32 ? 0xffffffff : (0xffffffff << (32 - bits)) >>> 0;
}

/** Whether the address is in the network; never when they are of different families. */
export function contains(prefix: Prefix, address: IpAddress): boolean {
  if (prefix.address.family !== address.family) return false;
  for (let index = 0; index < 4; index += 1) {
    const mask = maskOfWord(prefix.length - 32 * index);
    if ((wordOf(address, index) & mask) >>> 0 !== wordOf(prefix.address, index)) return false;
  }
  return true;
}

/** Clears the bits of `address` beyond `length`. */
export function maskAddress(address: IpAddress, length: number): IpAddress {
  const register: AddressRegister = { ...address };
  maskRegister(register, length);
  return register;
}

/** As `maskAddress`, in place. */
function maskRegister(register: AddressRegister, length: number): void {
  register.word0 = (register.word0 & maskOfWord(length)) >>> 0;
  register.word1 = (register.word1 & maskOfWord(length - 32)) >>> 0;
  register.word2 = (register.word2 & maskOfWord(length - 64)) >>> 0;
  register.word3 = (register.word3 & maskOfWord(length - 96)) >>> 0;
}

export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress(prefix.address)}/${prefix.length}`;
}
