/**
 * Reads a query in place: header, question, and the EDNS OPT record among what follows (RFC 1035 §4,
 * RFC 6891, RFC 9619). Nothing is allocated: the fields of one `Query` are overwritten for every packet,
 * the name is copied in lower case and hashed on the way. EDNS options are read in `edns.ts`.
 *
 *   shorter than a header, or a response       → drop      (never answer a response: loops)
 *   other opcode                               → notimp
 *   not one question, broken name or record,
 *   two OPTs, octets left over                 → formerr
 *   else                                       → answerable
 */
import { addOctet, FNV_OFFSET, mix32 } from '../base/mix32.ts';
import { FLAG, OPCODE_QUERY, TYPE } from './codes.ts';
import { type QueryOptions, readOptions } from './edns.ts';
import { DNS_LIMITS } from './limits.ts';
import { lowerOctet } from './name.ts';

export type QueryOutcome = 'drop' | 'notimp' | 'formerr' | 'answerable';

/** The query being answered. */
export interface Query extends QueryOptions {
  /** The header's second word as received. */
  flags: number;
  /** End of the question in the packet; the header's end when there is no readable question. */
  questionEnd: number;
  /** The name in lower case, uncompressed; `nameLength` octets count. */
  readonly name: Uint8Array;
  nameLength: number;
  nameHash: number;
  type: number;
  class: number;
  hasEdns: boolean;
  ednsVersion: number;
  /** Whether the client asks for DNSSEC records (DO). */
  wantsDnssec: boolean;
  /** UDP octets the client can take, at least 512. */
  udpOctetsMax: number;
}

export function createQuery(): Query {
  return {
    flags: 0,
    questionEnd: 0,
    name: new Uint8Array(DNS_LIMITS.nameOctetsMax),
    nameLength: 0,
    nameHash: 0,
    type: 0,
    class: 0,
    hasEdns: false,
    ednsVersion: 0,
    wantsDnssec: false,
    udpOctetsMax: DNS_LIMITS.plainUdpOctetsMax,
    wantsNsid: false,
    subnet: { isPresent: false, family: 0, sourceLength: 0, word0: 0, word1: 0, word2: 0, word3: 0 },
  };
}

function readUint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

/** Reads the packet in the first `length` octets of `bytes` into `query`. */
export function readQuery(query: Query, bytes: Uint8Array, length: number): QueryOutcome {
  if (length < DNS_LIMITS.headerOctets) return 'drop';
  query.flags = readUint16(bytes, 2);
  query.questionEnd = DNS_LIMITS.headerOctets;
  query.nameLength = 0;
  query.hasEdns = false;
  query.ednsVersion = 0;
  query.wantsDnssec = false;
  query.wantsNsid = false;
  query.udpOctetsMax = DNS_LIMITS.plainUdpOctetsMax;
  query.subnet.isPresent = false;
  if ((query.flags & FLAG.QR) !== 0) return 'drop';
  if ((query.flags & FLAG.OPCODE) >> 11 !== OPCODE_QUERY) return 'notimp';
  if (readUint16(bytes, 4) !== 1) return 'formerr';
  const nameEnd = readQuestionName(query, bytes, length);
  if (nameEnd < 0 || nameEnd + 4 > length) return 'formerr';
  query.type = readUint16(bytes, nameEnd);
  query.class = readUint16(bytes, nameEnd + 2);
  query.questionEnd = nameEnd + 4;
  return readRecords(query, bytes, length) ? 'answerable' : 'formerr';
}

/** The question's name: no compression is possible there. Returns its end, -1 when broken. */
function readQuestionName(query: Query, bytes: Uint8Array, length: number): number {
  const { name } = query;
  let hash = FNV_OFFSET;
  let at: number = DNS_LIMITS.headerOctets;
  let written = 0;
  for (;;) {
    if (at >= length) return -1;
    const label = bytes[at] as number;
    if (label > DNS_LIMITS.labelOctetsMax || at + label >= length) return -1;
    if (written + label + 1 > DNS_LIMITS.nameOctetsMax) return -1;
    name[written] = label;
    hash = addOctet(hash, label);
    for (let index = 1; index <= label; index += 1) {
      const octet = lowerOctet(bytes[at + index] as number);
      name[written + index] = octet;
      hash = addOctet(hash, octet);
    }
    at += label + 1;
    written += label + 1;
    if (label === 0) break;
  }
  query.nameLength = written;
  query.nameHash = mix32(hash);
  return at;
}

/** The hash that `readQuery` gives a name; for tables of names. */
export function hashName(wire: Uint8Array): number {
  let hash = FNV_OFFSET;
  for (const octet of wire) hash = addOctet(hash, octet);
  return mix32(hash);
}

/** Walks the records behind the question; false when one is broken or octets are left over. */
function readRecords(query: Query, bytes: Uint8Array, length: number): boolean {
  const leading = readUint16(bytes, 6) + readUint16(bytes, 8);
  const records = leading + readUint16(bytes, 10);
  if (records > DNS_LIMITS.queryRecordsMax) return false;
  let at = query.questionEnd;
  for (let index = 0; index < records; index += 1) {
    const nameEnd = skipName(bytes, length, at);
    if (nameEnd < 0 || nameEnd + 10 > length) return false;
    const dataStart = nameEnd + 10;
    const dataEnd = dataStart + readUint16(bytes, nameEnd + 8);
    if (dataEnd > length) return false;
    if (readUint16(bytes, nameEnd) === TYPE.OPT) {
      // One OPT at most, owned by the root, in the additional section (RFC 6891 §6.1.1).
      if (query.hasEdns || nameEnd !== at + 1 || index < leading) return false;
      if (!readOpt(query, bytes, nameEnd, dataEnd)) return false;
    }
    at = dataEnd;
  }
  return at === length;
}

/** The OPT record's fixed fields, which stand where class and TTL do (RFC 6891 §6.1.3), then its options. */
function readOpt(query: Query, bytes: Uint8Array, nameEnd: number, dataEnd: number): boolean {
  query.hasEdns = true;
  query.udpOctetsMax = Math.max(readUint16(bytes, nameEnd + 2), DNS_LIMITS.plainUdpOctetsMax);
  query.ednsVersion = bytes[nameEnd + 5] as number;
  query.wantsDnssec = ((bytes[nameEnd + 6] as number) & 0x80) !== 0;
  // Of another version nothing else can be understood; the answer is BADVERS.
  return query.ednsVersion !== 0 || readOptions(query, bytes, nameEnd + 10, dataEnd);
}

/** End of a possibly compressed name that nobody needs; -1 when broken. A pointer ends it. */
function skipName(bytes: Uint8Array, length: number, start: number): number {
  let at = start;
  while (at < length) {
    const label = bytes[at] as number;
    if (label === 0) return at + 1;
    if (label >= 0xc0) return at + 2 <= length ? at + 2 : -1;
    if (label > DNS_LIMITS.labelOctetsMax || at + label - start >= DNS_LIMITS.nameOctetsMax) return -1;
    at += label + 1;
  }
  return -1;
}
