/**
 * Answers one DNS query: octets in, octets out, no other effect (RFC 1034 §4.3.2, 2308, 6891, 7871, 8020,
 * 8482). Functions are named after the answer they give.
 *
 *   broken            FORMERR (or nothing, see core/dns/query.ts)
 *   EDNS version > 0  BADVERS
 *   class CH          version and identity of the server, else REFUSED
 *   zone transfers, foreign names, foreign classes   REFUSED
 *   name not there    NXDOMAIN with SOA
 *   steered name, A or AAAA                          the edges for this client
 *   static records    the record set; ANY: HINFO (RFC 8482)
 *   else              NODATA with SOA
 */
import { CLASS, RCODE, TYPE } from '../dns/codes.ts';
import { DNS_LIMITS } from '../dns/limits.ts';
import { decodeName, isWithin } from '../dns/name.ts';
import { createQuery, type Query, readQuery } from '../dns/query.ts';
import { completeRecord, type RecordSet, recordBody, textData } from '../dns/record.ts';
import {
  appendAtAncestor,
  appendAtQuestion,
  appendRecord,
  beginResponse,
  createResponse,
  finishResponse,
  type Response,
  truncate,
  udpOctetsMax,
} from '../dns/response.ts';
import type { AddressRegister, IpAddress } from '../ip/address.ts';
import { chooseEdges, choosePop, createEdgeChoice, type EdgeChoice } from '../steering/choose.ts';
import { STEERING_LIMITS } from '../steering/limits.ts';
import { createLocated, type Located, locate } from '../steering/locate.ts';
import type { ZoneNode } from './compiled-zone.ts';
import { findName } from './name-table.ts';
import type { AuthorityView } from './view.ts';

/** HINFO of RFC 8482 §4.2: there is something here, but nobody gets all of it at once. */
const MINIMAL_ANY = recordBody(TYPE.HINFO, 3600, textData(['RFC8482', '']));
const SERVER_NAME = 'Perigee';

/** Memory that answering reuses: one per thread. */
export interface AnswerScratch {
  readonly query: Query;
  readonly response: Response;
  readonly client: AddressRegister;
  readonly located: Located;
  readonly edges: EdgeChoice;
  /** Who this server is, for NSID and id.server. */
  readonly nsid: Uint8Array;
  /** Code of the last answer, for counters. */
  rcode: number;
}

/** `identity` is ASCII; cut to 64 characters. */
export function createScratch(identity: string): AnswerScratch {
  const text = identity.slice(0, DNS_LIMITS.nsidOctetsMax);
  return {
    query: createQuery(),
    response: createResponse(),
    client: { family: 4, word0: 0, word1: 0, word2: 0, word3: 0 },
    located: createLocated(),
    edges: createEdgeChoice(),
    nsid: Uint8Array.from(text, (letter) => letter.charCodeAt(0) & 0x7f),
    rcode: RCODE.NOERROR,
  };
}

/**
 * Answers the query in the first `length` octets of `input` into `output` (at least 1,232 octets; 65,535
 * for a stream). `resolver` is who sent it. Returns the response's length, 0 for no response.
 * Without a view there is no zone yet: SERVFAIL.
 */
export function answerQuery(
  view: AuthorityView | null,
  scratch: AnswerScratch,
  input: Uint8Array,
  length: number,
  resolver: IpAddress,
  output: Uint8Array,
  isStream: boolean,
): number {
  const { query, response, nsid } = scratch;
  const outcome = readQuery(query, input, length);
  if (outcome === 'drop') return 0;
  const octetsMax = isStream ? DNS_LIMITS.tcpOctetsMax : udpOctetsMax(query);
  beginResponse(response, query, input, output, octetsMax, nsid);
  if (outcome === 'notimp') scratch.rcode = RCODE.NOTIMP;
  else if (outcome === 'formerr') scratch.rcode = RCODE.FORMERR;
  else if (query.ednsVersion !== 0) scratch.rcode = RCODE.BADVERS;
  else if (query.class === CLASS.CH) scratch.rcode = answerChaos(scratch);
  else if (view === null) scratch.rcode = RCODE.SERVFAIL;
  else scratch.rcode = answerInternet(view, scratch, resolver);
  return finishResponse(response, query, scratch.rcode, nsid);
}

/** version.bind and id.server, and their elder names (RFC 4892). */
function answerChaos(scratch: AnswerScratch): number {
  const { query, response, nsid } = scratch;
  const name = decodeName(query.name);
  let text: string | null = null;
  if (name === 'version.bind' || name === 'version.server') text = SERVER_NAME;
  if (name === 'id.server' || name === 'hostname.bind') text = String.fromCharCode(...nsid);
  if (text === null || (query.type !== TYPE.TXT && query.type !== TYPE.ANY)) return RCODE.REFUSED;
  response.isAuthoritative = true;
  appendAnswer(scratch, recordBody(TYPE.TXT, 0, textData([text]), CLASS.CH));
  return RCODE.NOERROR;
}

function answerInternet(view: AuthorityView, scratch: AnswerScratch, resolver: IpAddress): number {
  const { query, response } = scratch;
  const isKnownClass = query.class === CLASS.IN || query.class === CLASS.ANY;
  if (!isKnownClass || query.type === TYPE.AXFR || query.type === TYPE.IXFR) return RCODE.REFUSED;
  const { names, nodes, zoneName } = view.zone;
  const entry = findName(names, query.name, query.nameLength, query.nameHash);
  if (entry < 0) {
    if (!isWithin(query.name, query.nameLength, zoneName)) return RCODE.REFUSED;
    answerNegative(view, scratch);
    return RCODE.NXDOMAIN;
  }
  response.isAuthoritative = true;
  const node = nodes[names.nodes[entry] as number] as ZoneNode;
  const recordSet = findRecordSet(node, query.type);
  if (recordSet !== null) {
    answerRecordSet(scratch, recordSet);
  } else if (node.isSteered && (query.type === TYPE.A || query.type === TYPE.AAAA)) {
    answerSteered(view, scratch, resolver, names.siteHashes[entry] as number);
  } else if (query.type === TYPE.ANY && (node.isSteered || node.recordSets.length > 0)) {
    appendAnswer(scratch, MINIMAL_ANY);
  } else {
    answerNegative(view, scratch);
  }
  return RCODE.NOERROR;
}

function findRecordSet(node: ZoneNode, type: number): RecordSet | null {
  for (const recordSet of node.recordSets)
    if (recordSet.type === type && recordSet.bodies.length > 0) return recordSet;
  return null;
}

function appendAnswer(scratch: AnswerScratch, body: Uint8Array): boolean {
  const { response, query } = scratch;
  if (!appendAtQuestion(response, body)) {
    truncate(response, query);
    return false;
  }
  response.answers += 1;
  return true;
}

function answerRecordSet(scratch: AnswerScratch, recordSet: RecordSet): void {
  const { response } = scratch;
  for (const body of recordSet.bodies) if (!appendAnswer(scratch, body)) return;
  for (const record of recordSet.additional) {
    if (!appendRecord(response, record)) return;
    response.additionals += 1;
  }
}

/** NODATA or NXDOMAIN: the SOA says for how long (RFC 2308). */
function answerNegative(view: AuthorityView, scratch: AnswerScratch): void {
  const { query, response } = scratch;
  const { zoneName, negativeSoa } = view.zone;
  response.isAuthoritative = true;
  const isInZone = isWithin(query.name, query.nameLength, zoneName);
  // An added host outside the zone cannot lend its name's end to the SOA's owner.
  const isWritten = isInZone
    ? appendAtAncestor(response, query.nameLength - zoneName.length, negativeSoa)
    : appendRecord(response, completeRecord(zoneName, negativeSoa));
  if (isWritten) response.authorities += 1;
  else truncate(response, query);
}

/** The edges for this client; the scope says for which network around it. */
function answerSteered(
  view: AuthorityView,
  scratch: AnswerScratch,
  resolver: IpAddress,
  siteHash: number,
): void {
  const { query, response, located } = scratch;
  locate(view.locator, clientOf(scratch, resolver), located);
  response.scopeLength = located.scope;
  const family = query.type === TYPE.A ? 4 : 6;
  const pop = choosePopForFamily(view, located, family);
  if (pop < 0 || !appendEdges(view, scratch, pop, siteHash, family)) answerNegative(view, scratch);
}

/**
 * A and AAAA come from one decision: a POP without IPv6 gives no AAAA, rather than one of a farther POP,
 * which clients would prefer. For A we go on to the next POP, because IPv4 must always work.
 */
export function choosePopForFamily(view: AuthorityView, located: Located, family: 4 | 6): number {
  const { zone, orders, health } = view;
  const { place, networkHash } = located;
  const pop = choosePop(zone.steering, orders, health, place, networkHash, 0);
  if (pop < 0) return -1;
  if (family === 6) return zone.steering.hasIpv6[pop] === 1 ? pop : -1;
  if (zone.steering.hasIpv4[pop] === 1) return pop;
  return choosePop(zone.steering, orders, health, place, networkHash, 4);
}

/** The client subnet's address if there is one, else the resolver's (RFC 7871 §7.2.1). */
function clientOf(scratch: AnswerScratch, resolver: IpAddress): IpAddress {
  const { subnet } = scratch.query;
  if (!subnet.isPresent || subnet.sourceLength === 0) return resolver;
  const { client } = scratch;
  client.family = subnet.family === 1 ? 4 : 6;
  client.word0 = subnet.word0;
  client.word1 = subnet.word1;
  client.word2 = subnet.word2;
  client.word3 = subnet.word3;
  return client;
}

/** One address of each chosen edge, then second ones, up to the policy's count; false when there is none. */
function appendEdges(
  view: AuthorityView,
  scratch: AnswerScratch,
  pop: number,
  siteHash: number,
  family: 4 | 6,
): boolean {
  const { zone, health, policy } = view;
  const { edges } = scratch;
  const addressesMax = Math.min(policy.answerAddresses, STEERING_LIMITS.answerAddressesMax);
  chooseEdges(zone.steering, health, pop, siteHash, family, addressesMax, edges);
  const bodies = family === 4 ? zone.edgeBodiesIpv4 : zone.edgeBodiesIpv6;
  let written = 0;
  for (let round = 0; written < addressesMax; round += 1) {
    const writtenBefore = written;
    for (let index = 0; index < edges.count && written < addressesMax; index += 1) {
      const body = bodies[edges.edges[index] as number]?.[round];
      if (body === undefined) continue;
      if (!appendAnswer(scratch, body)) return true;
      written += 1;
    }
    if (written === writtenBefore) break;
  }
  return written > 0;
}
