/**
 * Domain names (RFC 1035 §3.1, RFC 4343): text to and from the uncompressed wire form. Names inside queries
 * are read in place by `query.ts`; here is what compiling a zone and explaining an answer need.
 */
import { DNS_LIMITS } from './limits.ts';

const DOT = 0x2e;
const BACKSLASH = 0x5c;

/**
 * Wire form of a name in text, in lower case: "www.example.com" or "www.example.com.". Escapes `\.` and
 * `\DDD` are read (RFC 1035 §5.1). Null when it is no name (an empty or too long label, too long in all).
 */
export function encodeName(text: string): Uint8Array | null {
  const wire: number[] = [0];
  let labelAt = 0;
  const closeLabel = (): boolean => {
    const length = wire.length - labelAt - 1;
    if (length === 0 || length > DNS_LIMITS.labelOctetsMax) return false;
    wire[labelAt] = length;
    labelAt = wire.length;
    wire.push(0);
    return true;
  };
  if (text === '.' || text === '') return new Uint8Array(1);
  for (let index = 0; index < text.length; index += 1) {
    let octet = text.charCodeAt(index);
    if (octet === DOT) {
      if (!closeLabel()) return null;
      continue;
    }
    if (octet === BACKSLASH) {
      const digits = /^\d{3}/.exec(text.slice(index + 1, index + 4))?.[0];
      octet = digits === undefined ? text.charCodeAt(index + 1) : Number(digits);
      index += digits?.length ?? 1;
    }
    if (!(octet <= 255)) return null;
    wire.push(lowerOctet(octet));
  }
  // Not asked of the text: a name may end with a dot that is escaped.
  const isLabelOpen = wire.length - labelAt > 1;
  if (isLabelOpen && !closeLabel()) return null;
  return wire.length > DNS_LIMITS.nameOctetsMax ? null : Uint8Array.from(wire);
}

/** Text of an uncompressed name at `offset`, without the last dot; the root is ".". */
export function decodeName(wire: Uint8Array, offset = 0): string {
  let text = '';
  let at = offset;
  for (let length = wire[at] ?? 0; length !== 0; length = wire[at] ?? 0) {
    if (text !== '') text += '.';
    for (let index = 1; index <= length; index += 1) text += textOfOctet(wire[at + index] ?? 0);
    at += length + 1;
  }
  return text === '' ? '.' : text;
}

function textOfOctet(octet: number): string {
  if (octet === DOT || octet === BACKSLASH) return `\\${String.fromCharCode(octet)}`;
  const isPrintable = octet > 0x20 && octet < 0x7f;
  return isPrintable ? String.fromCharCode(octet) : `\\${String(octet).padStart(3, '0')}`;
}

/** ASCII capitals in lower case, every other octet as it is (RFC 4343 §3). */
export function lowerOctet(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet + 32 : octet;
}

/** The name without its first label; null for the root. */
export function parentName(wire: Uint8Array): Uint8Array | null {
  const first = wire[0] ?? 0;
  return first === 0 ? null : wire.subarray(first + 1);
}

/**
 * Whether the name in the first `nameLength` octets of `name` is `ancestor` or lies below it; both
 * uncompressed and in lower case. Labels are stepped over whole: "xcdn.test" is not below "cdn.test".
 */
export function isWithin(name: Uint8Array, nameLength: number, ancestor: Uint8Array): boolean {
  let at = 0;
  while (nameLength - at > ancestor.length) at += (name[at] as number) + 1;
  if (nameLength - at !== ancestor.length) return false;
  for (let index = 0; index < ancestor.length; index += 1) {
    if (name[at + index] !== ancestor[index]) return false;
  }
  return true;
}
