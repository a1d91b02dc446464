import { describe, expect, test } from 'bun:test';
import { greatCircleKm, roundTripMs } from './distance.ts';
import { DEMO_ORIGIN_PLACE, DEMO_POPS, DEMO_USERS } from './plan.ts';

const LONDON = { latitude: 51.5072, longitude: -0.1276 };
const NEW_YORK = { latitude: 40.7128, longitude: -74.006 };
const SYDNEY = { latitude: -33.8688, longitude: 151.2093 };

describe('great-circle distance', () => {
  test.each([
    [LONDON, NEW_YORK, 5570],
    [LONDON, SYDNEY, 16_990],
    // Across the date line and the equator.
    [{ latitude: -17.7134, longitude: 178.065 }, { latitude: -13.759, longitude: -172.1046 }, 1140],
    [{ latitude: 90, longitude: 0 }, { latitude: -90, longitude: 77 }, 20_015],
  ])('%o to %o is about %d km, both ways', (from, to, km) => {
    expect(Math.abs(greatCircleKm(from, to) - km) / km).toBeLessThan(0.01);
    expect(greatCircleKm(to, from)).toBeCloseTo(greatCircleKm(from, to), 6);
  });

  test('of a place to itself is 0', () => {
    expect(greatCircleKm(LONDON, LONDON)).toBe(0);
  });
});

test('the round trip is 5 ms and 1.5 ms per 100 km', () => {
  expect(roundTripMs(LONDON, LONDON)).toBe(5);
  expect(roundTripMs(LONDON, NEW_YORK)).toBeCloseTo(5 + greatCircleKm(LONDON, NEW_YORK) * 0.015, 6);
});

describe('the plan', () => {
  test('every POP and edge has an id and an address of its own', () => {
    for (const key of ['id', 'edgeId', 'address'] as const) {
      expect(new Set(DEMO_POPS.map((pop) => pop[key])).size).toBe(6);
    }
  });

  test('each user is nearest to another POP, and all but one far from the origin', () => {
    const nearest = DEMO_USERS.map(
      (user) =>
        DEMO_POPS.toSorted((one, other) => greatCircleKm(user, one) - greatCircleKm(user, other))[0]?.id,
    );
    expect(new Set(nearest).size).toBe(6);
    expect(DEMO_USERS.filter((user) => greatCircleKm(user, DEMO_ORIGIN_PLACE) > 8000)).toHaveLength(5);
  });
});
