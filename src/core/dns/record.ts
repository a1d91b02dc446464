/**
 * Record data (RFC 1035 §3.3, RFC 3596) compiled to wire form once, when a snapshot comes in; answering
 * copies octets. A "record body" is everything of a record behind its owner name: type, class, TTL,
 * length, data. Names in data stand uncompressed, which every reader must accept.
 */
import { CLASS, TYPE } from './codes.ts';

/** Records of one type at one name. */
export interface RecordSet {
  readonly type: number;
  /** Record bodies. */
  readonly bodies: readonly Uint8Array[];
  /** Complete records (owner names uncompressed) that help the reader on: addresses of name servers. */
  readonly additional: readonly Uint8Array[];
}

export interface SoaFields {
  readonly primaryServer: Uint8Array;
  readonly mailbox: Uint8Array;
  readonly serial: number;
  readonly refreshSeconds: number;
  readonly retrySeconds: number;
  readonly expireSeconds: number;
  /** TTL of negative answers (RFC 2308 §4). */
  readonly minimumSeconds: number;
}

/** A record body. `ttlSeconds` is cut to 31 bits (RFC 2181 §8). */
export function recordBody(
  type: number,
  ttlSeconds: number,
  data: Uint8Array,
  recordClass: number = CLASS.IN,
): Uint8Array {
  const body = new Uint8Array(10 + data.length);
  const view = new DataView(body.buffer);
  view.setUint16(0, type);
  view.setUint16(2, recordClass);
  view.setUint32(4, ttlSeconds & 0x7fffffff);
  view.setUint16(8, data.length);
  body.set(data, 10);
  return body;
}

/** The type of address record that holds data of this length: A for 4 octets, AAAA for 16. */
export function addressType(octets: Uint8Array): number {
  return octets.length === 4 ? TYPE.A : TYPE.AAAA;
}

export function soaData(soa: SoaFields): Uint8Array {
  const { primaryServer, mailbox } = soa;
  const data = new Uint8Array(primaryServer.length + mailbox.length + 20);
  data.set(primaryServer);
  data.set(mailbox, primaryServer.length);
  const numbers = new DataView(data.buffer, primaryServer.length + mailbox.length);
  numbers.setUint32(0, soa.serial >>> 0);
  numbers.setUint32(4, soa.refreshSeconds);
  numbers.setUint32(8, soa.retrySeconds);
  numbers.setUint32(12, soa.expireSeconds);
  numbers.setUint32(16, soa.minimumSeconds);
  return data;
}

/** Character strings, each behind its length octet: the data of TXT and HINFO. ASCII, at most 255 octets each. */
export function textData(texts: readonly string[]): Uint8Array {
  const data: number[] = [];
  for (const text of texts) {
    const octets = Array.from(text.slice(0, 255), (letter) => letter.charCodeAt(0) & 0x7f);
    data.push(octets.length, ...octets);
  }
  return Uint8Array.from(data);
}

/** A complete record: owner and body. */
export function completeRecord(owner: Uint8Array, body: Uint8Array): Uint8Array {
  const record = new Uint8Array(owner.length + body.length);
  record.set(owner);
  record.set(body, owner.length);
  return record;
}
