/**
 * Compiles MaxMind DB files (one for IPv4, one for IPv6) into the table of `geo-table.ts`: adjacent networks
 * of one place are merged, coordinates rounded to hundredths of a degree, districts dropped from the names
 * of cities. Places are one when city, country and tenth of a degree (about 11 km) are.
 */
import {
  alignedOctets,
  GEO_HEADER_OCTETS,
  type GeoCounts,
  sectionOctets,
  writeGeoHeader,
} from './geo-table.ts';
import { findField, isText, type Mmdb, openMmdb, readReal, type ValueRegister, walkMmdb } from './mmdb.ts';

/** IPv6 networks are told apart up to here: what one site gets. */
const IPV6_DEPTH_MAX = 48;
const NAME_OCTETS_MAX = 255;
const PLACES_MAX = 1 << 24;

export interface GeoSources {
  readonly ipv4: Uint8Array;
  readonly ipv6: Uint8Array;
  /** ASCII: who made the data and under which licence. */
  readonly attribution: string;
}

/** The compiled file, or a text that says which source is unfit and why. */
export function compileGeo(sources: GeoSources): Uint8Array | string {
  const places = new PlaceBuilder();
  const ipv4 = compileFamily(sources.ipv4, 4, places);
  if (typeof ipv4 === 'string') return `IPv4 source: ${ipv4}`;
  const ipv6 = compileFamily(sources.ipv6, 6, places);
  if (typeof ipv6 === 'string') return `IPv6 source: ${ipv6}`;
  if (places.count > PLACES_MAX) return `${places.count} places are more than the format can hold`;
  return assemble(ipv4, ipv6, places, sources.attribution);
}

function compileFamily(bytes: Uint8Array, family: 4 | 6, places: PlaceBuilder): RangeCollector | string {
  const mmdb = openMmdb(bytes);
  if (typeof mmdb === 'string') return mmdb;
  if (mmdb.ipVersion !== family) return `holds IPv${mmdb.ipVersion} networks`;
  const placeOf = places.reader(mmdb);
  const ranges = new RangeCollector(mmdb.nodeCount);
  if (family === 4) {
    walkMmdb(mmdb, 32, (high, _low, _length, record) => {
      ranges.append((high & 0xffff0000) >>> 0, high & 0xffff, placeOf(record));
    });
  } else {
    walkMmdb(mmdb, IPV6_DEPTH_MAX, (high, low, _length, record) => {
      ranges.append(high, low >>> 16, placeOf(record));
    });
  }
  return ranges;
}

/** Takes ranges in address order and lays them out in blocks. */
class RangeCollector {
  #blocks = new Uint32Array(1 << 16);
  #offsets = new Uint32Array((1 << 16) + 1);
  blockCount = 0;
  #starts: Uint16Array;
  #placesLow: Uint16Array;
  #placesHigh: Uint8Array;
  rangeCount = 0;
  #lastPlace = -1;

  constructor(rangesExpected: number) {
    this.#starts = new Uint16Array(rangesExpected);
    this.#placesLow = new Uint16Array(rangesExpected);
    this.#placesHigh = new Uint8Array(rangesExpected);
  }

  append(key: number, low: number, place: number): void {
    if (place === this.#lastPlace) return;
    if (this.blockCount === 0 || this.#blocks[this.blockCount - 1] !== key) {
      this.#openBlock(key);
      if (low !== 0) this.#push(0, Math.max(this.#lastPlace, 0));
    }
    this.#push(low, place);
    this.#lastPlace = place;
  }

  #openBlock(key: number): void {
    if (this.blockCount + 1 >= this.#offsets.length) {
      this.#blocks = grown(this.#blocks, new Uint32Array(this.#blocks.length * 2));
      this.#offsets = grown(this.#offsets, new Uint32Array(this.#blocks.length + 1));
    }
    this.#blocks[this.blockCount] = key;
    this.#offsets[this.blockCount] = this.rangeCount;
    this.blockCount += 1;
  }

  #push(low: number, place: number): void {
    if (this.rangeCount === this.#starts.length) {
      this.#starts = grown(this.#starts, new Uint16Array(this.#starts.length * 2 + 16));
      this.#placesLow = grown(this.#placesLow, new Uint16Array(this.#starts.length));
      this.#placesHigh = grown(this.#placesHigh, new Uint8Array(this.#starts.length));
    }
    this.#starts[this.rangeCount] = low;
    this.#placesLow[this.rangeCount] = place & 0xffff;
    this.#placesHigh[this.rangeCount] = place >>> 16;
    this.rangeCount += 1;
  }

  /** The sections of the file, in its order. */
  sections(): ArrayBufferView[] {
    const offsets = this.#offsets.subarray(0, this.blockCount + 1);
    offsets[this.blockCount] = this.rangeCount;
    return [
      this.#blocks.subarray(0, this.blockCount),
      offsets,
      this.#starts.subarray(0, this.rangeCount),
      this.#placesLow.subarray(0, this.rangeCount),
      this.#placesHigh.subarray(0, this.rangeCount),
    ];
  }
}

function grown<T extends Uint8Array | Uint16Array | Uint32Array>(from: T, into: T): T {
  into.set(from);
  return into;
}

/** Gathers the distinct places of all sources. Place 0 is "nowhere known". */
class PlaceBuilder {
  readonly #value: ValueRegister = { type: 0, size: 0, start: 0, next: 0 };
  readonly #indexByKey = new Map<string, number>();
  readonly #cityByName = new Map<string, number>([['', 0]]);
  readonly #names: Uint8Array[] = [new Uint8Array(0)];
  readonly latitudes: number[] = [0];
  readonly longitudes: number[] = [0];
  readonly countries: number[] = [0];
  readonly cities: number[] = [0];

  get count(): number {
    return this.cities.length;
  }

  /** A function from a record's file offset (-1: none) to its place, for one database. */
  reader(mmdb: Mmdb): (record: number) => number {
    // One slot per octet of the data section, 0 for "not read yet": a tenth of the time of a Map.
    const placesPlusOne = new Uint32Array(mmdb.dataEnd - mmdb.dataStart);
    const cityByOffset = new Map<number, number>();
    return (record) => {
      const slot = record - mmdb.dataStart;
      if (slot < 0 || slot >= placesPlusOne.length) return 0;
      const known = placesPlusOne[slot] as number;
      if (known !== 0) return known - 1;
      const place = this.#placeOf(mmdb, record, cityByOffset);
      placesPlusOne[slot] = place + 1;
      return place;
    };
  }

  #placeOf(mmdb: Mmdb, record: number, cityByOffset: Map<number, number>): number {
    const value = this.#value;
    const latitude = findField(mmdb, record, 'latitude', value) ? readReal(mmdb, value) : Number.NaN;
    const longitude = findField(mmdb, record, 'longitude', value) ? readReal(mmdb, value) : Number.NaN;
    const isPlaced = Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
    // Providers put (0, 0) where they know nothing; no network is in the Gulf of Guinea.
    if (!isPlaced || (latitude === 0 && longitude === 0)) return 0;
    const country = findField(mmdb, record, 'country_code', value) ? countryCode(mmdb, value) : 0;
    const city = findField(mmdb, record, 'city', value) ? this.#cityOf(mmdb, value, cityByOffset) : 0;
    const cell = Math.round(latitude * 10 + 900) * 3601 + Math.round(longitude * 10 + 1800);
    const key = `${city}:${country * 6_485_401 + cell}`;
    let place = this.#indexByKey.get(key);
    if (place === undefined) {
      place = this.count;
      this.#indexByKey.set(key, place);
      this.latitudes.push(Math.round(latitude * 100));
      this.longitudes.push(Math.round(longitude * 100));
      this.countries.push(country);
      this.cities.push(city);
    }
    return place;
  }

  #cityOf(mmdb: Mmdb, value: ValueRegister, byOffset: Map<number, number>): number {
    let city = byOffset.get(value.start);
    if (city === undefined) {
      const text = isText(value)
        ? mmdb.bytes.subarray(value.start, value.start + value.size)
        : new Uint8Array(0);
      const octets = withoutDistrict(text);
      const name = String.fromCharCode(...octets);
      city = this.#cityByName.get(name) ?? this.#names.length;
      if (city === this.#names.length) this.#names.push(octets);
      this.#cityByName.set(name, city);
      byOffset.set(value.start, city);
    }
    return city;
  }

  /** The sections of the file, in its order. */
  sections(): ArrayBufferView[] {
    const cityOffsets: number[] = [];
    let octets = 0;
    for (const name of this.#names) {
      cityOffsets.push(octets);
      octets += 1 + name.length;
    }
    const names = new Uint8Array(octets);
    for (const [index, name] of this.#names.entries()) {
      const offset = cityOffsets[index] ?? 0;
      names[offset] = name.length;
      names.set(name, offset + 1);
    }
    return [
      Int16Array.from(this.latitudes),
      Int16Array.from(this.longitudes),
      Uint16Array.from(this.countries),
      Uint32Array.from(this.cities, (city) => cityOffsets[city] ?? 0),
      names,
    ];
  }
}

function countryCode(mmdb: Mmdb, value: ValueRegister): number {
  if (!isText(value) || value.size !== 2) return 0;
  const first = mmdb.bytes[value.start] ?? 0;
  const second = mmdb.bytes[value.start + 1] ?? 0;
  const isLetter = (octet: number): boolean => octet >= 0x41 && octet <= 0x5a;
  return isLetter(first) && isLetter(second) ? (first << 8) | second : 0;
}

/** "Los Angeles (Westwood)" is Los Angeles. */
function withoutDistrict(octets: Uint8Array): Uint8Array {
  let length = Math.min(octets.length, NAME_OCTETS_MAX);
  for (let index = 1; index < length; index += 1) {
    if (octets[index] === 0x28 && octets[index - 1] === 0x20) length = index - 1;
  }
  return octets.slice(0, length);
}

function assemble(
  ipv4: RangeCollector,
  ipv6: RangeCollector,
  places: PlaceBuilder,
  attribution: string,
): Uint8Array {
  const text = Uint8Array.from(attribution, (letter) => letter.charCodeAt(0));
  const placeSections = places.sections();
  const sections = [...ipv4.sections(), ...ipv6.sections(), ...placeSections, text];
  const counts: GeoCounts = {
    blocks4: ipv4.blockCount,
    ranges4: ipv4.rangeCount,
    blocks6: ipv6.blockCount,
    ranges6: ipv6.rangeCount,
    places: places.count,
    nameOctets: placeSections.at(-1)?.byteLength ?? 0,
    attributionOctets: text.length,
  };
  const octets = sectionOctets(counts).reduce((sum, size) => sum + alignedOctets(size), GEO_HEADER_OCTETS);
  const file = new Uint8Array(octets);
  writeGeoHeader(new DataView(file.buffer), counts);
  let at = GEO_HEADER_OCTETS;
  for (const section of sections) {
    file.set(new Uint8Array(section.buffer, section.byteOffset, section.byteLength), at);
    at += alignedOctets(section.byteLength);
  }
  return file;
}
