/** A small world for tests of the name server: a zone with six POPs and two sites, and queries to it. */
import { decode, encode, type Packet } from 'dns-packet';
import { type Pop, popSchema } from '../model/pop.ts';
import { siteSchema } from '../model/site.ts';
import { type Snapshot, snapshotSchema } from '../model/snapshot.ts';

const PLACES: readonly (readonly [string, string, number, number])[] = [
  ['lax', 'Los Angeles', 34.05, -118.24],
  ['fra', 'Frankfurt', 50.11, 8.68],
  ['bom', 'Mumbai', 19.07, 72.88],
  ['hkg', 'Hong Kong', 22.3, 114.17],
  ['gru', 'São Paulo', -23.55, -46.63],
  ['los', 'Lagos', 6.45, 3.39],
];

export const POPS: readonly Pop[] = PLACES.map(([id, name, latitude, longitude], index) =>
  popSchema.parse({
    id,
    name,
    location: { latitude, longitude },
    edges: [
      // Frankfurt alone has IPv6.
      { id: `${id}-1`, addresses: [`127.0.1.${index + 1}`, ...(id === 'fra' ? ['2001:db8::f'] : [])] },
    ],
  }),
);

export interface SnapshotParts {
  readonly generation?: number;
  readonly pops?: readonly Pop[];
  readonly networks?: Snapshot['networks'];
  readonly nameServers?: Snapshot['zone']['nameServers'];
  readonly zone?: string;
}

/** Each network in the documentation ranges stands for a place. */
export const NETWORKS: Snapshot['networks'] = [
  network('192.0.2.0/25', 34.05, -118.24, 'US'),
  network('192.0.2.128/25', 50.11, 8.68, 'DE'),
  network('198.51.100.0/24', 19.07, 72.88, 'IN'),
  network('203.0.113.0/24', -23.55, -46.63, 'BR'),
  network('2001:db8:1::/48', 22.3, 114.17, 'HK'),
  network('2001:db8:2::/48', 6.45, 3.39, 'NG'),
];

function network(
  cidr: string,
  latitude: number,
  longitude: number,
  country: string,
): Snapshot['networks'][number] {
  return { network: cidr, location: { latitude, longitude }, country, carrier: null };
}

/** The snapshot; its digest is a blank, for those who compute one. */
export function buildSnapshot(parts: SnapshotParts = {}): Snapshot {
  const name = parts.zone ?? 'cdn.test';
  const site = (id: string, hosts: readonly string[]) =>
    siteSchema.parse({ id, hosts, origins: [{ url: 'http://127.0.0.1:9' }] });
  return snapshotSchema.parse({
    format: 1,
    generation: parts.generation ?? 7,
    digest: '0'.repeat(64),
    zone: {
      name,
      nameServers: parts.nameServers ?? [
        { name: `ns1.${name}`, addresses: ['127.0.0.1', '2001:db8::53'] },
        { name: 'ns2.example.net', addresses: ['127.0.0.2'] },
      ],
      mailbox: `hostmaster.${name}`,
      steeringTtlSeconds: 30,
      negativeTtlSeconds: 20,
    },
    sites: [site('shop', ['www.shop.example', `deep.down.${name}`]), site('apex', [name])],
    pops: parts.pops ?? POPS,
    networks: parts.networks ?? NETWORKS,
    certificates: [],
  });
}

export interface QueryParts {
  readonly name?: string;
  readonly type?: string;
  readonly class?: string;
  readonly id?: number;
  /** Client subnet: address and source prefix length. */
  readonly subnet?: readonly [string, number];
  /** Absent: no EDNS unless a subnet asks for it. */
  readonly edns?: {
    readonly udpOctets?: number;
    readonly version?: number;
    readonly options?: readonly object[];
    readonly dnssec?: boolean;
  };
}

/** A query as dns-packet writes it. */
export function buildQuery(parts: QueryParts = {}): Uint8Array {
  const { edns, subnet } = parts;
  const options: object[] = [...(edns?.options ?? [])];
  if (subnet !== undefined) {
    options.push({
      code: 'CLIENT_SUBNET',
      ip: subnet[0],
      sourcePrefixLength: subnet[1],
      scopePrefixLength: 0,
    });
  }
  const opt = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: edns?.udpOctets ?? 1232,
    extendedRcode: 0,
    ednsVersion: edns?.version ?? 0,
    flags: edns?.dnssec === true ? 0x8000 : 0,
    options,
  };
  const packet = {
    type: 'query',
    id: parts.id ?? 4711,
    flags: 0x0100,
    questions: [{ name: parts.name ?? 'shop.cdn.test', type: parts.type ?? 'A', class: parts.class ?? 'IN' }],
    additionals: edns === undefined && subnet === undefined ? [] : [opt],
  };
  // dns-packet's types know fewer options and classes than it does.
  return Uint8Array.from(encode(packet as unknown as Packet));
}

export interface Decoded {
  readonly id: number;
  readonly rcode: string;
  readonly flag_aa: boolean;
  readonly flag_tc: boolean;
  readonly flag_ra: boolean;
  readonly flag_rd: boolean;
  readonly questions: readonly { readonly name: string; readonly type: string }[];
  readonly answers: readonly DecodedRecord[];
  readonly authorities: readonly DecodedRecord[];
  readonly additionals: readonly DecodedRecord[];
}

interface DecodedRecord {
  readonly name: string;
  readonly type: string;
  readonly ttl?: number;
  readonly data?: unknown;
  readonly extendedRcode?: number;
  readonly ednsVersion?: number;
  readonly udpPayloadSize?: number;
  readonly flag_do?: boolean;
  readonly options?: readonly {
    readonly code: number;
    readonly data: Uint8Array;
    readonly scopePrefixLength?: number;
    readonly sourcePrefixLength?: number;
    readonly ip?: string;
  }[];
}

/** A response as dns-packet reads it. */
export function decodeResponse(octets: Uint8Array): Decoded {
  return decode(Buffer.from(octets)) as unknown as Decoded;
}

/** Data of the answers, in order. */
export function answerData(response: Decoded): unknown[] {
  return response.answers.map(({ data }) => data);
}

/** Scope of the client subnet option; null when there is none. */
export function scopeOf(response: Decoded): number | null {
  const opt = response.additionals.find(({ type }) => type === 'OPT');
  return opt?.options?.find(({ code }) => code === 8)?.scopePrefixLength ?? null;
}
