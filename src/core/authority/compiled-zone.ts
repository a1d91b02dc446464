/**
 * A snapshot as the name server answers from it: the zone's static records, every steered name, and the
 * addresses of edges as record bodies. Plain data, so that it passes to another thread as it is.
 *
 *   <zone>                      SOA, NS (and steered addresses when a site has the zone's name as host)
 *   <name server>.<zone>        its addresses
 *   <site id>.<zone>, hosts     steered A and AAAA
 *   names between               empty non-terminals (RFC 8020): NODATA
 */
import { AppError } from '../base/app-error.ts';
import { assert } from '../base/assert.ts';
import { hashText } from '../base/mix32.ts';
import { TYPE } from '../dns/codes.ts';
import { encodeName, isWithin, parentName } from '../dns/name.ts';
import { addressType, completeRecord, type RecordSet, recordBody, soaData } from '../dns/record.ts';
import { addressOctets, parseAddress } from '../ip/address.ts';
import type { Pop } from '../model/pop.ts';
import type { Snapshot, Zone } from '../model/snapshot.ts';
import { compileLocator, type Locator } from '../steering/locate.ts';
import { compileSteering, type SteeringTable } from '../steering/steering-table.ts';
import { buildNameTable, type NameEntry, type NameTable } from './name-table.ts';

/** TTL of SOA, NS and name servers' addresses: they change when a name server moves. */
const STATIC_TTL_SECONDS = 3600;
const SOA_REFRESH_SECONDS = 3600;
const SOA_RETRY_SECONDS = 900;
const SOA_EXPIRE_SECONDS = 1_209_600;

/** What is at a name. */
export interface ZoneNode {
  readonly isSteered: boolean;
  readonly recordSets: readonly RecordSet[];
}

export interface CompiledZone {
  readonly generation: number;
  /** Wire form, lower case. */
  readonly zoneName: Uint8Array;
  readonly names: NameTable;
  readonly nodes: readonly ZoneNode[];
  /** SOA record body for negative answers (its TTL is theirs, RFC 2308 §3). */
  readonly negativeSoa: Uint8Array;
  readonly steeringTtlSeconds: number;
  readonly pops: readonly Pop[];
  readonly steering: SteeringTable;
  /** Address record bodies of each edge, indexed as in the steering table. */
  readonly edgeBodiesIpv4: readonly (readonly Uint8Array[])[];
  readonly edgeBodiesIpv6: readonly (readonly Uint8Array[])[];
  /** Without a geography database: each thread maps that itself. */
  readonly locator: Locator;
}

/** Compiles a snapshot. Throws AppError `invalid` when a name in it cannot be one. */
export function compileZone(snapshot: Snapshot): CompiledZone {
  const { zone, pops } = snapshot;
  const zoneName = wireName(zone.name);
  const builder = new NodeBuilder(zoneName);
  builder.addRecordSets(zoneName, [soaSet(zone, snapshot.generation), nameServerSet(zone)]);
  for (const server of zone.nameServers) {
    const name = wireName(server.name);
    if (isWithin(name, name.length, zoneName)) builder.addRecordSets(name, addressSets(server.addresses));
  }
  for (const site of snapshot.sites) {
    // All names of a site lead to the same edges.
    const siteHash = hashText(site.id);
    builder.addSteered(wireName(`${site.id}.${zone.name}`), siteHash);
    for (const host of site.hosts) builder.addSteered(wireName(host), siteHash);
  }
  const edges = pops.flatMap((pop) => pop.edges);
  const bodiesOf = (type: number): Uint8Array[][] =>
    edges.map((edge) => addressBodies(edge.addresses, zone.steeringTtlSeconds, type));
  return {
    generation: snapshot.generation,
    zoneName,
    ...builder.finish(),
    negativeSoa: recordBody(TYPE.SOA, zone.negativeTtlSeconds, soaOf(zone, snapshot.generation)),
    steeringTtlSeconds: zone.steeringTtlSeconds,
    pops,
    steering: compileSteering(pops),
    edgeBodiesIpv4: bodiesOf(TYPE.A),
    edgeBodiesIpv6: bodiesOf(TYPE.AAAA),
    locator: compileLocator(snapshot.networks, null),
  };
}

function wireName(text: string): Uint8Array {
  const name = encodeName(text);
  if (name === null) throw new AppError('invalid', `"${text}" is too long to be a host name.`);
  return name;
}

function soaOf(zone: Zone, generation: number): Uint8Array {
  const [primary] = zone.nameServers;
  assert(primary !== undefined, 'a zone has a name server');
  return soaData({
    primaryServer: wireName(primary.name),
    mailbox: wireName(zone.mailbox),
    serial: generation,
    refreshSeconds: SOA_REFRESH_SECONDS,
    retrySeconds: SOA_RETRY_SECONDS,
    expireSeconds: SOA_EXPIRE_SECONDS,
    minimumSeconds: zone.negativeTtlSeconds,
  });
}

function soaSet(zone: Zone, generation: number): RecordSet {
  const body = recordBody(TYPE.SOA, STATIC_TTL_SECONDS, soaOf(zone, generation));
  return { type: TYPE.SOA, bodies: [body], additional: [] };
}

function nameServerSet(zone: Zone): RecordSet {
  const zoneName = wireName(zone.name);
  const additional: Uint8Array[] = [];
  const bodies: Uint8Array[] = [];
  for (const server of zone.nameServers) {
    const name = wireName(server.name);
    bodies.push(recordBody(TYPE.NS, STATIC_TTL_SECONDS, name));
    if (!isWithin(name, name.length, zoneName)) continue;
    for (const set of addressSets(server.addresses)) {
      additional.push(...set.bodies.map((body) => completeRecord(name, body)));
    }
  }
  return { type: TYPE.NS, bodies, additional };
}

function addressSets(addresses: readonly string[]): RecordSet[] {
  return [TYPE.A, TYPE.AAAA].map((type) => ({
    type,
    bodies: addressBodies(addresses, STATIC_TTL_SECONDS, type),
    additional: [],
  }));
}

/** Record bodies of those addresses that belong into records of the type. */
function addressBodies(addresses: readonly string[], ttlSeconds: number, type: number): Uint8Array[] {
  const bodies: Uint8Array[] = [];
  for (const text of addresses) {
    const address = parseAddress(text);
    if (address === null) continue;
    const octets = addressOctets(address);
    if (addressType(octets) === type) bodies.push(recordBody(type, ttlSeconds, octets));
  }
  return bodies;
}

/** Gathers what is at each name, and the empty non-terminals above. */
class NodeBuilder {
  readonly #zoneName: Uint8Array;
  readonly #found = new Map<string, { name: Uint8Array; node: number; siteHash: number }>();
  /** Node 0 is every plain steered name, node 1 every empty non-terminal. */
  readonly #nodes: ZoneNode[] = [
    { isSteered: true, recordSets: [] },
    { isSteered: false, recordSets: [] },
  ];

  constructor(zoneName: Uint8Array) {
    this.#zoneName = zoneName;
  }

  /** Static records; of two name servers with one name the first counts. */
  addRecordSets(name: Uint8Array, recordSets: readonly RecordSet[]): void {
    const key = keyOf(name);
    const former = this.#found.get(key);
    if (former !== undefined && former.node > 1) return;
    this.#found.set(key, { name, node: this.#nodes.length, siteHash: 0 });
    this.#nodes.push({ isSteered: false, recordSets });
    this.#addAncestors(name);
  }

  /** A steered name. Where static records stand it is steered as well, but static addresses win. */
  addSteered(name: Uint8Array, siteHash: number): void {
    const former = this.#found.get(keyOf(name));
    const node = former === undefined ? undefined : this.#nodes[former.node];
    if (former === undefined || node === undefined || former.node === 1) {
      this.#found.set(keyOf(name), { name, node: 0, siteHash });
      this.#addAncestors(name);
    } else if (!node.isSteered) {
      this.#nodes[former.node] = { ...node, isSteered: true };
      former.siteHash = siteHash;
    }
  }

  #addAncestors(name: Uint8Array): void {
    if (!isWithin(name, name.length, this.#zoneName)) return;
    for (let above = parentName(name); above !== null; above = parentName(above)) {
      if (above.length <= this.#zoneName.length || this.#found.has(keyOf(above))) return;
      this.#found.set(keyOf(above), { name: above, node: 1, siteHash: 0 });
    }
  }

  finish(): { names: NameTable; nodes: readonly ZoneNode[] } {
    const entries: NameEntry[] = [...this.#found.values()];
    return { names: buildNameTable(entries), nodes: this.#nodes };
  }
}

/** A name as a key of a Map. */
function keyOf(name: Uint8Array): string {
  return String.fromCharCode(...name);
}
