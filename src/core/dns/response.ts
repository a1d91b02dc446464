/**
 * Writes a response in place behind the copied question (RFC 1035 §4.1, RFC 6891 §7). Room for the OPT
 * record is kept from the start; a record set that does not fit sets TC and empties the answer, optional
 * records that do not fit are left out (RFC 2181 §9).
 */
import { EDNS_OPTION, FLAG, RCODE, TYPE } from './codes.ts';
import { DNS_LIMITS } from './limits.ts';
import type { Query } from './query.ts';

const COMPRESSED_QUESTION_NAME = 0xc000 | DNS_LIMITS.headerOctets;
const OPT_FIXED_OCTETS = 11;

/** A response under construction; overwritten for every packet. */
export interface Response {
  output: Uint8Array;
  /** Where the next record goes. */
  at: number;
  /** End of what records may fill. */
  limit: number;
  answers: number;
  authorities: number;
  additionals: number;
  isAuthoritative: boolean;
  isTruncated: boolean;
  /** Prefix length for which the answer holds, for the client subnet option. */
  scopeLength: number;
}

export function createResponse(): Response {
  return {
    output: new Uint8Array(0),
    at: 0,
    limit: 0,
    answers: 0,
    authorities: 0,
    additionals: 0,
    isAuthoritative: false,
    isTruncated: false,
    scopeLength: 0,
  };
}

function writeUint16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

/** Begins: id and question are copied from the query's packet. `octetsMax` is the transport's limit. */
export function beginResponse(
  response: Response,
  query: Query,
  input: Uint8Array,
  output: Uint8Array,
  octetsMax: number,
  nsid: Uint8Array,
): void {
  const { questionEnd } = query;
  output[0] = input[0] as number;
  output[1] = input[1] as number;
  for (let at: number = DNS_LIMITS.headerOctets; at < questionEnd; at += 1) output[at] = input[at] as number;
  response.output = output;
  response.at = questionEnd;
  response.limit = Math.min(octetsMax, output.length) - optOctets(query, nsid);
  response.answers = 0;
  response.authorities = 0;
  response.additionals = 0;
  response.isAuthoritative = false;
  response.isTruncated = false;
  response.scopeLength = 0;
}

function optOctets(query: Query, nsid: Uint8Array): number {
  if (!query.hasEdns) return 0;
  const subnet = query.subnet.isPresent ? 8 + ((query.subnet.sourceLength + 7) >> 3) : 0;
  return OPT_FIXED_OCTETS + subnet + (query.wantsNsid ? 4 + nsid.length : 0);
}

/** Appends a record owned by the question's name; false when it does not fit. */
export function appendAtQuestion(response: Response, body: Uint8Array): boolean {
  return appendAtOffset(response, COMPRESSED_QUESTION_NAME, body);
}

/** Appends a record whose owner is the question's name from its octet `skip` on (an ancestor of it). */
export function appendAtAncestor(response: Response, skip: number, body: Uint8Array): boolean {
  return appendAtOffset(response, COMPRESSED_QUESTION_NAME + skip, body);
}

function appendAtOffset(response: Response, pointer: number, body: Uint8Array): boolean {
  const { output, at } = response;
  if (at + 2 + body.length > response.limit) return false;
  writeUint16(output, at, pointer);
  copyOctets(output, at + 2, body);
  response.at = at + 2 + body.length;
  return true;
}

/** Appends a complete record; false when it does not fit. */
export function appendRecord(response: Response, record: Uint8Array): boolean {
  if (response.at + record.length > response.limit) return false;
  copyOctets(response.output, response.at, record);
  response.at += record.length;
  return true;
}

/** Records are tens of octets: a loop costs less than the call of `set`. */
function copyOctets(output: Uint8Array, at: number, octets: Uint8Array): void {
  for (let index = 0; index < octets.length; index += 1) output[at + index] = octets[index] as number;
}

/** The answer did not fit: what has been written goes, and the client is told to come by TCP. */
export function truncate(response: Response, query: Query): void {
  response.at = query.questionEnd;
  response.answers = 0;
  response.authorities = 0;
  response.additionals = 0;
  response.isTruncated = true;
}

/** Writes header and OPT; returns the length of the whole. `rcode` may be an extended one. */
export function finishResponse(response: Response, query: Query, rcode: number, nsid: Uint8Array): number {
  const { output } = response;
  let additionals = response.additionals;
  let end = response.at;
  if (query.hasEdns) {
    end = writeOpt(response, query, rcode >> 4, nsid);
    additionals += 1;
  }
  let flags = FLAG.QR | (query.flags & (FLAG.OPCODE | FLAG.RD | FLAG.CD)) | (rcode & 15);
  if (response.isAuthoritative) flags |= FLAG.AA;
  if (response.isTruncated) flags |= FLAG.TC;
  writeUint16(output, 2, flags);
  writeUint16(output, 4, query.questionEnd > DNS_LIMITS.headerOctets ? 1 : 0);
  writeUint16(output, 6, response.answers);
  writeUint16(output, 8, response.authorities);
  writeUint16(output, 10, additionals);
  return end;
}

function writeOpt(response: Response, query: Query, rcodeHigh: number, nsid: Uint8Array): number {
  const { output, at } = response;
  output[at] = 0;
  writeUint16(output, at + 1, TYPE.OPT);
  writeUint16(output, at + 3, DNS_LIMITS.udpOctetsMax);
  output[at + 5] = rcodeHigh;
  output[at + 6] = 0;
  output[at + 7] = query.wantsDnssec ? 0x80 : 0;
  output[at + 8] = 0;
  let end = at + OPT_FIXED_OCTETS;
  // Options of a version we do not know were not read, so none are answered.
  if (rcodeHigh !== RCODE.BADVERS >> 4) {
    if (query.subnet.isPresent) end = writeClientSubnet(response, query, end);
    if (query.wantsNsid) {
      writeUint16(output, end, EDNS_OPTION.NSID);
      writeUint16(output, end + 2, nsid.length);
      copyOctets(output, end + 4, nsid);
      end += 4 + nsid.length;
    }
  }
  writeUint16(output, at + 9, end - at - OPT_FIXED_OCTETS);
  return end;
}

/** The query's option with the scope filled in (RFC 7871 §7.2.1: family, source and address as they came). */
function writeClientSubnet(response: Response, query: Query, at: number): number {
  const { output } = response;
  const { subnet } = query;
  const octets = (subnet.sourceLength + 7) >> 3;
  writeUint16(output, at, EDNS_OPTION.CLIENT_SUBNET);
  writeUint16(output, at + 2, 4 + octets);
  writeUint16(output, at + 4, subnet.family);
  output[at + 6] = subnet.sourceLength;
  // Without an address there is nothing the answer could be tailored to.
  output[at + 7] = subnet.sourceLength === 0 ? 0 : response.scopeLength;
  for (let index = 0; index < octets; index += 1) {
    const word =
      index < 4 ? subnet.word0 : index < 8 ? subnet.word1 : index < 12 ? subnet.word2 : subnet.word3;
    output[at + 8 + index] = word >>> (24 - 8 * (index & 3));
  }
  return at + 8 + octets;
}

/** The transport's limit for this query's response over UDP. */
export function udpOctetsMax(query: Query): number {
  return Math.min(query.udpOctetsMax, DNS_LIMITS.udpOctetsMax);
}
