/**
 * Where a client's network is: the operator's word first, then the geography database. Places have numbers:
 * 0 is "nowhere known", then those of the database, then the operator's networks.
 */
import { combine32 } from '../base/mix32.ts';
import type { IpAddress } from '../ip/address.ts';
import { type GeoRegister, type GeoTable, lookupGeo } from '../ip/geo-table.ts';
import { maskOfWord, type Prefix, parsePrefix } from '../ip/prefix.ts';
import { compileRanges, findRange, type RangeTable, scopeWithin } from '../ip/range-table.ts';
import type { NetworkLocation } from '../model/snapshot.ts';
import { writeUnitVector } from './policy.ts';
import type { ClientPlace } from './rank.ts';

export interface Locator {
  readonly geo: GeoTable | null;
  readonly networks: readonly NetworkLocation[];
  readonly ipv4: RangeTable;
  readonly ipv6: RangeTable;
}

/** What was found for a client, overwritten by the next look-up. */
export interface Located extends GeoRegister {
  /** Hash of the network around the client in which everybody has this place. */
  networkHash: number;
}

export function createLocated(): Located {
  return { place: 0, scope: 0, networkHash: 0 };
}

export function compileLocator(networks: readonly NetworkLocation[], geo: GeoTable | null): Locator {
  const kept: NetworkLocation[] = [];
  const prefixes: Prefix[] = [];
  for (const network of networks) {
    const prefix = parsePrefix(network.network);
    if (prefix === null) continue;
    kept.push(network);
    prefixes.push(prefix);
  }
  return { geo, networks: kept, ipv4: compileRanges(4, prefixes), ipv6: compileRanges(6, prefixes) };
}

/** The same networks over another database. */
export function withGeo(locator: Locator, geo: GeoTable | null): Locator {
  return { ...locator, geo };
}

function geoPlaceCount(locator: Locator): number {
  return locator.geo?.placeCount ?? 1;
}

export function placeCount(locator: Locator): number {
  return geoPlaceCount(locator) + locator.networks.length;
}

/** Finds place, scope and network of an address. */
export function locate(locator: Locator, address: IpAddress, located: Located): void {
  const table = address.family === 4 ? locator.ipv4 : locator.ipv6;
  const range = table.values.length === 1 ? 0 : findRange(table, address);
  const network = table.values[range] as number;
  if (network >= 0) {
    located.place = geoPlaceCount(locator) + network;
    located.scope = scopeWithin(table, range, address);
  } else {
    located.place = 0;
    located.scope = 0;
    if (locator.geo !== null) lookupGeo(locator.geo, address, located);
    // The answer must not cover networks that the operator has placed elsewhere.
    if (table.values.length > 1) located.scope = Math.max(located.scope, scopeWithin(table, range, address));
  }
  located.networkHash = hashNetwork(address, located.scope);
}

function hashNetwork(address: IpAddress, length: number): number {
  let hash = combine32(address.family, length);
  hash = combine32(hash, address.word0 & maskOfWord(length));
  if (length > 32) hash = combine32(hash, address.word1 & maskOfWord(length - 32));
  if (length > 64) hash = combine32(hash, address.word2 & maskOfWord(length - 64));
  if (length > 96) hash = combine32(hash, address.word3 & maskOfWord(length - 96));
  return hash;
}

/** The operator's entry that a place is; null for places of the database. */
export function networkOfPlace(locator: Locator, place: number): NetworkLocation | null {
  return locator.networks[place - geoPlaceCount(locator)] ?? null;
}

/** Latitude and longitude of a place in degrees; null for nowhere. */
export function coordinatesOf(
  locator: Locator,
  place: number,
): { readonly latitude: number; readonly longitude: number } | null {
  const network = networkOfPlace(locator, place);
  if (network !== null) return network.location;
  if (place === 0 || locator.geo === null) return null;
  return {
    latitude: (locator.geo.latitudes[place] as number) / 100,
    longitude: (locator.geo.longitudes[place] as number) / 100,
  };
}

/** A place as ranking takes it. */
export function clientPlaceOf(locator: Locator, place: number): ClientPlace {
  const coordinates = coordinatesOf(locator, place);
  const carrier = networkOfPlace(locator, place)?.carrier ?? null;
  if (coordinates === null) return { vector: null, carrier };
  const vector = new Float64Array(3);
  writeUnitVector(vector, 0, coordinates.latitude, coordinates.longitude);
  return { vector, carrier };
}
