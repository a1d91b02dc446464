/**
 * Finding a place from words: `50.1,8.7`, `Frankfurt`, `Paris, US`, `Springfield, Illinois`, `Portland, OR`.
 *
 * A name alone means the largest city of that name; among places whose size is not known it must be the only
 * one. What follows the comma narrows it: a country (code or English name) or a region (code or name);
 * where it can be read both ways (`CA`: Canada, California), both are looked at.
 *
 *   candidates among large cities │ among all places          │ answer
 *   one or more                   │ not looked at             │ the most populous
 *   none                          │ one, or all within 30 km  │ that one
 *   none                          │ several                   │ refused: be more precise, with examples
 *   none                          │ none                      │ refused: not known, with similar names
 */
import type { CityView } from '#core/contract/cities.ts';
import { type ApiError, errorAt } from '#core/contract/errors.ts';
import type { GeoPoint } from '#core/model/pop.ts';
import { type City, foldName, readAllPlaces, readLargeCities, readRegions } from './city-table.ts';

export interface Place {
  readonly name: string;
  readonly location: GeoPoint;
  /** ISO 3166 code, null when not known. */
  readonly country: string | null;
}

const SUGGESTIONS_MAX = 5;
const SAME_PLACE_DEGREES = 0.3;
/** After this long without use the table of all places is let go of, ms: it takes 90 MB. */
const ALL_PLACES_KEPT_MS = 60_000;

/** Former and English names that are still in use and that neither table has. */
const PRESENT_NAMES: Readonly<Record<string, string>> = {
  bangalore: 'bengaluru',
  bombay: 'mumbai',
  calcutta: 'kolkata',
  madras: 'chennai',
  peking: 'beijing',
  saigon: 'ho chi minh city',
  'tel aviv': 'tel aviv yafo',
};

interface NamedCity extends City {
  readonly folded: string;
}

export class CitySearch {
  #regions: ReadonlyMap<string, string> | null = null;
  #large: readonly NamedCity[] | null = null;
  #all: readonly NamedCity[] | null = null;
  #allTimer: ReturnType<typeof setTimeout> | null = null;
  /** English names of countries, folded, by code. */
  readonly #countryNames = new Map<string, string>();
  readonly #displayNames = new Intl.DisplayNames(['en'], { type: 'region' });

  /** The place that the words mean. Throws ApiError `invalid` with suggestions; `path` names the field. */
  resolve(text: string, path: string): Place {
    const labelled = /^([^(),]+)[^(]*\(([^()]+)\)\s*$/.exec(text);
    const coordinates = parseCoordinates(labelled?.[2] ?? text, path);
    if (coordinates !== null) {
      return { name: (labelled?.[1] ?? text).trim(), location: coordinates, country: null };
    }
    const [name, ...qualifiers] = parseWords(text);
    const matches = (city: NamedCity) => city.folded === name && this.#fits(city, qualifiers);
    const large = name === '' ? undefined : this.#largeCities().find(matches);
    if (large !== undefined) return toPlace(large);
    const small = name === '' ? [] : this.#allPlaces().filter(matches);
    const [first] = small;
    if (first === undefined) throw this.#unknown(text, name, path);
    if (small.every((city) => isNear(city, first))) return toPlace(first);
    const labels = small.map((city) => this.#label(city, small));
    throw refusal(path, `"${text}" is the name of ${small.length} places; say which one`, labels);
  }

  /** Cities whose name begins with the words (before a comma), the largest first. */
  complete(text: string, limit: number): CityView[] {
    const [name, ...qualifiers] = parseWords(text);
    if (name === '') return [];
    const begins = (city: NamedCity) => city.folded.startsWith(name) && this.#fits(city, qualifiers, true);
    const found = this.#largeCities().filter(begins).slice(0, limit);
    // The long table answers for small places, but a letter or two would match thousands of them.
    if (found.length < limit && name.length >= 3) {
      for (const city of this.#allPlaces().filter(begins).sort(byNameLength)) {
        if (found.length >= limit) break;
        if (!found.some((known) => known.country === city.country && isNear(known, city))) found.push(city);
      }
    }
    return found.map((city) => {
      const { name: cityName, region, country, latitude, longitude } = city;
      return { name: cityName, region, country, latitude, longitude, label: this.#label(city, found) };
    });
  }

  close(): void {
    if (this.#allTimer !== null) clearTimeout(this.#allTimer);
    this.#all = null;
  }

  /** Words that mean this city and no other; with coordinates where its region has several of the name. */
  #label(city: NamedCity, others: readonly NamedCity[]): string {
    const largest = this.#largeCities().find(
      ({ folded, country }) => folded === city.folded && country === city.country,
    );
    if (largest === city && city.country !== '') return `${city.name}, ${city.country}`;
    const label = [city.name, city.region, city.country].filter((part) => part !== '').join(', ');
    const isShared = [...others, ...this.#largeCities(), ...(this.#all ?? [])].some(
      (other) =>
        other.folded === city.folded &&
        other.country === city.country &&
        other.region === city.region &&
        !isNear(other, city),
    );
    return isShared ? `${label} (${city.latitude},${city.longitude})` : label;
  }

  #fits(city: City, qualifiers: readonly string[], isPrefix = false): boolean {
    return qualifiers.every((qualifier) => {
      if (qualifier === '') return true;
      const names = [
        city.country.toLowerCase(),
        this.#countryName(city.country),
        city.regionCode.toLowerCase(),
        foldName(city.region),
      ];
      return names.some((name) => name === qualifier || (isPrefix && name.startsWith(qualifier)));
    });
  }

  #countryName(code: string): string {
    const known = this.#countryNames.get(code);
    if (known !== undefined) return known;
    const name = /^[A-Z]{2}$/.test(code) ? foldName(this.#displayNames.of(code) ?? '') : '';
    this.#countryNames.set(code, name);
    return name;
  }

  #unknown(text: string, name: string, path: string): ApiError {
    const letters = name.slice(0, Math.max(3, Math.ceil(name.length * 0.7)));
    const similar = this.#largeCities()
      .filter((city) => city.folded === name || (letters.length >= 3 && city.folded.startsWith(letters)))
      .map((city) => (city.country === '' ? city.name : `${city.name}, ${city.country}`));
    return refusal(
      path,
      `no city "${text}" is known; write a city ("Frankfurt", "Paris, US") or coordinates ("50.1,8.7")`,
      similar,
    );
  }

  #largeCities(): readonly NamedCity[] {
    this.#regions ??= readRegions();
    this.#large ??= readLargeCities(this.#regions).map(withFoldedName);
    return this.#large;
  }

  #allPlaces(): readonly NamedCity[] {
    this.#regions ??= readRegions();
    this.#all ??= readAllPlaces(this.#regions).map(withFoldedName);
    if (this.#allTimer !== null) clearTimeout(this.#allTimer);
    this.#allTimer = setTimeout(() => {
      this.#all = null;
    }, ALL_PLACES_KEPT_MS);
    this.#allTimer.unref();
    return this.#all;
  }
}

/** The name before the first comma, by its present name, and what narrows it; all folded. */
function parseWords(text: string): [name: string, ...qualifiers: string[]] {
  const [name = '', ...qualifiers] = text.split(',').map(foldName);
  return [PRESENT_NAMES[name] ?? name, ...qualifiers];
}

/** `latitude,longitude` in degrees, or null when the text is not of that form. Throws when out of range. */
function parseCoordinates(text: string, path: string): GeoPoint | null {
  const match = /^\s*([+-]?\d{1,3}(?:\.\d{1,10})?)\s*[,; ]\s*([+-]?\d{1,3}(?:\.\d{1,10})?)\s*$/.exec(text);
  if (match === null) return null;
  const latitude = Number(match[1]);
  const longitude = Number(match[2]);
  if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180) {
    throw refusal(path, `"${text}" is no place: latitude is -90 to 90, longitude -180 to 180`, []);
  }
  return { latitude, longitude };
}

function refusal(path: string, message: string, suggestions: readonly string[]): ApiError {
  const some = [...new Set(suggestions)].slice(0, SUGGESTIONS_MAX);
  const hint = some.length === 0 ? '' : `; for example ${some.map((label) => `"${label}"`).join(', ')}`;
  return errorAt(path, `${message}${hint}`);
}

function withFoldedName(city: City): NamedCity {
  return { ...city, folded: foldName(city.name) };
}

function toPlace({ name, latitude, longitude, country }: City): Place {
  return { name, location: { latitude, longitude }, country: country === '' ? null : country };
}

function isNear(a: City, b: City): boolean {
  return (
    Math.abs(a.latitude - b.latitude) < SAME_PLACE_DEGREES &&
    Math.abs(a.longitude - b.longitude) < SAME_PLACE_DEGREES
  );
}

function byNameLength(a: City, b: City): number {
  return a.name.length - b.name.length;
}
