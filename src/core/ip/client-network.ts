/**
 * Whom a bound "per client address" counts as one: an IPv4 address, or the /64 of an IPv6 address, which is the
 * least that a network gives to one customer (RFC 6177) and holds more addresses than could be counted.
 */
import { formatAddress, parseAddress } from './address.ts';

/** A key that two addresses share if they count as one client; what is no address counts as itself. */
export function clientNetwork(address: string): string {
  if (!address.includes(':')) return address;
  // An interface name after the address (RFC 4007 §11) is the system's, not the client's.
  const zone = address.indexOf('%');
  const parsed = parseAddress(zone === -1 ? address : address.slice(0, zone));
  if (parsed === null) return address;
  if (parsed.family === 6) return `${parsed.word0.toString(16)}:${parsed.word1.toString(16)}/64`;
  return formatAddress(parsed);
}
