import { afterAll, describe, expect, test } from 'bun:test';
import { ApiError } from '#core/contract/errors.ts';
import { CitySearch } from './city-search.ts';

const search = new CitySearch();
afterAll(() => search.close());

function refusalOf(text: string): string {
  try {
    search.resolve(text, 'at');
  } catch (error) {
    if (error instanceof ApiError) return error.message;
    throw error;
  }
  throw new Error(`${text} was resolved`);
}

describe('resolve', () => {
  test.each([
    ['Frankfurt', 'DE', 50.1, 8.7],
    ['frankfurt, de', 'DE', 50.1, 8.7],
    ['Frankfurt am Main', 'DE', 50.1, 8.7],
    ['Frankfurt, Germany', 'DE', 50.1, 8.7],
    ['Paris', 'FR', 48.9, 2.3],
    ['Paris, Texas', 'US', 33.7, -95.6],
    ['paris, tx', 'US', 33.7, -95.6],
    ['Los Angeles', 'US', 34.0, -118.2],
    ['Los Angeles, CA', 'US', 34.0, -118.2],
    ['Los Angeles, Chile', 'CL', -37.5, -72.4],
    ['London', 'GB', 51.5, -0.1],
    ['London, CA', 'CA', 43.0, -81.2],
    ['Portland, OR', 'US', 45.5, -122.7],
    ['Portland, Maine', 'US', 43.7, -70.2],
    ['Mumbai', 'IN', 19.0, 72.9],
    ['Hong Kong', 'HK', 22.3, 114.2],
    ['São Paulo', 'BR', -23.6, -46.6],
    ['sao paulo', 'BR', -23.6, -46.6],
    ['SÃO  PAULO', 'BR', -23.6, -46.6],
    ['Lagos', 'NG', 6.4, 3.4],
    ['Lagos, Portugal', 'PT', 37.1, -8.7],
    ['Washington', 'US', 38.9, -77.0],
    ['Washington, DC', 'US', 38.9, -77.0],
    ['New York', 'US', 40.7, -74.0],
    ['New York City', 'US', 40.7, -74.0],
    ['Zürich', 'CH', 47.4, 8.5],
    ['Zurich', 'CH', 47.4, 8.5],
    ['Bengaluru', 'IN', 13.0, 77.6],
    ['Bangalore', 'IN', 13.0, 77.6],
    ['Ho Chi Minh City', 'VN', 10.8, 106.7],
    ['Saigon', 'VN', 10.8, 106.7],
    ['Mexico City', 'MX', 19.4, -99.1],
    ['Tel Aviv', 'IL', 32.1, 34.8],
    ['Kolkata', 'IN', 22.5, 88.3],
    ['Chennai', 'IN', 13.1, 80.3],
    ['Beijing', 'CN', 39.9, 116.4],
    ['Yangon', 'MM', 16.8, 96.2],
  ])('%s', (text, country, latitude, longitude) => {
    const place = search.resolve(text, 'at');
    expect(place.country).toBe(country);
    expect(Math.abs(place.location.latitude - latitude)).toBeLessThan(0.3);
    expect(Math.abs(place.location.longitude - longitude)).toBeLessThan(0.3);
  });

  test.each([
    ['50.1,8.7', 50.1, 8.7],
    [' -33.9 , 151.2 ', -33.9, 151.2],
    ['0 0', 0, 0],
  ])('coordinates %s', (text, latitude, longitude) => {
    expect(search.resolve(text, 'at')).toEqual({
      name: text.trim(),
      location: { latitude, longitude },
      country: null,
    });
  });

  test('a name of many small places is refused with examples', () => {
    expect(refusalOf('San Isidro, PH')).toMatch(
      /is the name of \d+ places; say which one; for example "San Isidro, /,
    );
  });

  test('an example may be given back as it is', () => {
    const example = /for example "([^"]+)"/.exec(refusalOf('Paris, US'))?.[1] ?? '';
    expect(search.resolve(example, 'at').country).toBe('US');
  });

  test.each(['Frankfurd', 'Xqzyw', '', ',', ', , US', '99,8', '1,181', "'; drop table", 'a'.repeat(200)])(
    'nothing is made up for %p',
    (text) => {
      expect(refusalOf(text)).toStartWith('at: ');
    },
  );

  test('a misspelt name brings similar ones', () => {
    expect(refusalOf('Frankfurd')).toContain('"Frankfurt, DE"');
  });
});

describe('complete', () => {
  test('large cities come first', () => {
    expect(search.complete('par', 3)[0]?.label).toBe('Paris, FR');
    expect(search.complete('l', 5)).toHaveLength(5);
    expect(search.complete('san fr', 1)[0]?.label).toBe('San Francisco, US');
  });

  test('every label names the city it stands for', () => {
    for (const query of ['san jose', 'springf', 'paris', 'london', 'tübing', 'washington']) {
      for (const city of search.complete(query, 5)) {
        const place = search.resolve(city.label, 'at');
        expect([city.label, Math.abs(place.location.latitude - city.latitude) < 0.31]).toEqual([
          city.label,
          true,
        ]);
      }
    }
  });

  test('small places are found by more letters, and nonsense finds none', () => {
    expect(search.complete('Tübingen', 5)[0]).toMatchObject({ country: 'DE' });
    expect(search.complete('qqqxx', 5)).toEqual([]);
    expect(search.complete(', ,', 5)).toEqual([]);
  });
});
