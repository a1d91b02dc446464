import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { Reader } from 'mmdb-lib';
import { formatAddress, type IpAddress, parseAddress } from './address.ts';
import { compileGeo } from './geo-compile.ts';
import { cityOf, countryOf, type GeoTable, lookupGeo, openGeoTable } from './geo-table.ts';
import { buildMmdb, type FixtureNetwork } from './mmdb.cases.ts';

const NETWORKS: readonly FixtureNetwork[] = [
  { network: '1.0.0.0/8', city: 'Sydney', country: 'AU', latitude: -33.87, longitude: 151.21 },
  {
    network: '1.2.0.0/16',
    city: 'Los Angeles (Westwood)',
    country: 'US',
    latitude: 34.06,
    longitude: -118.44,
  },
  { network: '1.2.3.0/25', city: 'São Paulo', country: 'BR', latitude: -23.55, longitude: -46.63 },
  { network: '1.2.3.128/25', city: 'São Paulo (Centro)', country: 'BR', latitude: -23.55, longitude: -46.63 },
  { network: '1.2.3.77/32', city: 'Lagos', country: 'NG', latitude: 6.45, longitude: 3.39 },
  { network: '9.0.0.0/8', city: '', country: '', latitude: 0, longitude: 0 },
  { network: '255.255.255.0/24', city: 'Suva', country: 'FJ', latitude: -18.14, longitude: 178.44 },
  { network: '2001:db8::/32', city: 'Mumbai', country: 'IN', latitude: 19.07, longitude: 72.88 },
  { network: '2001:db8:8000::/33', city: 'Hong Kong', country: 'HK', latitude: 22.3, longitude: 114.17 },
  { network: '2001:db8:1:8000::/49', city: 'Frankfurt', country: 'DE', latitude: 50.11, longitude: 8.68 },
];

function compile(networks: readonly FixtureNetwork[]): GeoTable {
  const file = compileGeo({
    ipv4: buildMmdb(4, networks),
    ipv6: buildMmdb(6, networks),
    attribution: 'Example data, CC0',
  });
  if (typeof file === 'string') throw new Error(file);
  const table = openGeoTable(file);
  if (typeof table === 'string') throw new Error(table);
  return table;
}

function lookup(
  table: GeoTable,
  address: IpAddress,
): { city: string; country: string | null; scope: number } {
  const found = { place: 0, scope: 0 };
  lookupGeo(table, address, found);
  return { city: cityOf(table, found.place), country: countryOf(table, found.place), scope: found.scope };
}

describe('the compiled geography', () => {
  const table = compile(NETWORKS);

  test.each([
    ['0.0.0.1', '', null, 16],
    ['1.1.1.1', 'Sydney', 'AU', 16],
    ['1.2.0.1', 'Los Angeles', 'US', 23],
    ['1.2.3.4', 'São Paulo', 'BR', 26],
    ['1.2.3.77', 'Lagos', 'NG', 32],
    ['1.2.3.200', 'São Paulo', 'BR', 25],
    ['9.9.9.9', '', null, 5],
    ['255.255.255.255', 'Suva', 'FJ', 24],
    ['2001:db8::1', 'Mumbai', 'IN', 33],
    ['2001:db8:8001::', 'Hong Kong', 'HK', 33],
    ['2001:db7:ffff::', '', null, 29],
    ['::1', '', null, 32],
  ])('%s is in "%s" (%p), scope %i', (address, city, country, scope) => {
    expect(lookup(table, parseAddress(address) as IpAddress)).toMatchObject({ city, country, scope });
  });

  test('what is finer than a /48 takes one place of its own', () => {
    expect(lookup(table, parseAddress('2001:db8:1::') as IpAddress).city).toBe('Mumbai');
  });

  test('the licence travels in the file', () => {
    expect(table.attribution).toBe('Example data, CC0');
  });

  test('agrees with an independent reader, also everywhere in the scope', () => {
    const readers = { 4: reader(4, NETWORKS), 6: reader(6, NETWORKS) };
    const words = fc.constantFrom(
      0x01020300,
      0x0102034d,
      0x01ff0000,
      0x20010db8,
      0x80000000,
      0xffffffff,
      0x09000000,
    );
    fc.assert(
      fc.property(words, fc.integer({ min: 0, max: 0xffffffff }), fc.nat(), (word0, random, spread) => {
        const family = word0 === 0x20010db8 ? 6 : 4;
        // Finer than a /48 the table does not tell apart, the reader does.
        const word1 = family === 6 ? (random & 0xffff0000) >>> 0 : 0;
        const address: IpAddress = { family, word0, word1, word2: 0, word3: 0 };
        const found = lookup(table, address);
        const within = moved(address, found.scope, spread >>> 0);
        for (const probe of [address, within]) {
          expect(lookup(table, probe).city).toBe(cityBy(readers[family], probe));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('networks at every depth and in any order compile to what the reader says', () => {
    const cities = ['A', 'B', 'C', 'D'];
    const network = fc
      .tuple(
        fc.integer({ min: 0, max: 0xffffffff }),
        fc.integer({ min: 1, max: 32 }),
        fc.constantFrom(...cities),
      )
      .map(([word0, length, city]): FixtureNetwork => {
        const address = formatAddress({ family: 4, word0, word1: 0, word2: 0, word3: 0 });
        const index = cities.indexOf(city) + 1;
        return { network: `${address}/${length}`, city, country: 'XX', latitude: index, longitude: index };
      });
    fc.assert(
      fc.property(
        fc.array(network, { minLength: 1, maxLength: 8 }),
        fc.array(fc.integer({ min: 0, max: 0xffffffff }), { minLength: 1, maxLength: 8 }),
        (networks, probes) => {
          const ordered = networks.toSorted((a, b) => lengthOf(a) - lengthOf(b));
          const compiled = compile(ordered);
          const independent = reader(4, ordered);
          const edges = ordered.map(
            ({ network: text }) => parseAddress(text.split('/')[0] ?? '')?.word0 ?? 0,
          );
          for (const word0 of [...probes, ...edges]) {
            const address: IpAddress = { family: 4, word0, word1: 0, word2: 0, word3: 0 };
            expect(lookup(compiled, address).city).toBe(cityBy(independent, address));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('what is no database is refused with a reason', () => {
    const good = buildMmdb(4, NETWORKS);
    const ipv6 = buildMmdb(6, NETWORKS);
    const compiled = (ipv4: Uint8Array): unknown => compileGeo({ ipv4, ipv6, attribution: '' });
    expect(compiled(new Uint8Array(0))).toContain('marker is missing');
    expect(compiled(ipv6)).toContain('holds IPv6 networks');
    expect(compiled(good.subarray(0, 10))).toContain('marker is missing');
    // A tree that claims more nodes than the file has.
    const cut = Uint8Array.from([...good.subarray(good.length - 260)]);
    expect(typeof compiled(cut)).toBe('string');
  });

  test('damaged databases end in a refusal or a table, never in a fault of another kind', () => {
    const good = buildMmdb(4, NETWORKS);
    const ipv6 = buildMmdb(6, NETWORKS);
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), (at, octet) => {
        const damaged = good.slice();
        damaged[at] = octet;
        try {
          compileGeo({ ipv4: damaged, ipv6, attribution: '' });
        } catch (error) {
          expect(String(error)).toContain('a search tree is no deeper');
        }
      }),
      { numRuns: 300 },
    );
  });

  test('a file that does not fit its header is refused', () => {
    const file = compileGeo({ ipv4: buildMmdb(4, NETWORKS), ipv6: buildMmdb(6, NETWORKS), attribution: '' });
    if (typeof file === 'string') throw new Error(file);
    expect(openGeoTable(file.slice(0, -8))).toContain('octets long');
    expect(openGeoTable(file.slice(0, 20))).toContain('too short');
    const other = file.slice();
    other[4] = 99;
    expect(openGeoTable(other)).toContain('not a geography file');
  });
});

function lengthOf(network: FixtureNetwork): number {
  return Number(network.network.split('/')[1]);
}

function reader(family: 4 | 6, networks: readonly FixtureNetwork[]): Reader<never> {
  return new Reader(Buffer.from(buildMmdb(family, networks)));
}

function cityBy(independent: Reader<never>, address: IpAddress): string {
  const record = independent.get(formatAddress(address)) as { city: string; latitude: number } | null;
  return record === null || record.latitude === 0 ? '' : record.city.replace(/ \(.*/, '');
}

/** Another address with the same first `bits` bits. */
function moved(address: IpAddress, bits: number, spread: number): IpAddress {
  const flipped = (word: number, from: number): number =>
    from >= 32 ? word : from <= 0 ? (word ^ spread) >>> 0 : (word ^ (spread >>> from)) >>> 0;
  const word1 = address.family === 6 ? (flipped(address.word1, bits - 32) & 0xffff0000) >>> 0 : 0;
  return { ...address, word0: flipped(address.word0, bits), word1 };
}
