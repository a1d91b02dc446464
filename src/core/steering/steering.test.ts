import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { hashText } from '../base/mix32.ts';
import { type Pop, type PopInput, popSchema } from '../model/pop.ts';
import { CandidateOrders } from './candidate-orders.ts';
import { chooseEdges, choosePop, createEdgeChoice } from './choose.ts';
import { biasedCost, DEFAULT_POLICY, distanceKm, type SteeringPolicy, writeUnitVector } from './policy.ts';
import { type ClientPlace, rankPops } from './rank.ts';
import { compileHealth, DEAD, type SteeringHealth, USABLE, WEAK } from './steering-health.ts';
import { compileSteering, type PopPreferences } from './steering-table.ts';

const PLACES: Readonly<Record<string, readonly [number, number]>> = {
  'los-angeles': [34.05, -118.24],
  frankfurt: [50.11, 8.68],
  mumbai: [19.07, 72.88],
  'hong-kong': [22.3, 114.17],
  'sao-paulo': [-23.55, -46.63],
  lagos: [6.45, 3.39],
};

function pop(id: string, more: Partial<PopInput> = {}): Pop {
  const [latitude, longitude] = PLACES[id] ?? [0, 0];
  const edges = [{ id: `${id}-1`, addresses: ['192.0.2.1'] }];
  return popSchema.parse({ id, name: id, location: { latitude, longitude }, edges, ...more });
}

function at(latitude: number, longitude: number, carrier: string | null = null): ClientPlace {
  const vector = new Float64Array(3);
  writeUnitVector(vector, 0, latitude, longitude);
  return { vector, carrier };
}

const NOWHERE: ClientPlace = { vector: null, carrier: null };
const WORLD = Object.keys(PLACES).map((id) => pop(id));

function healthOf(pops: readonly Pop[], down: readonly string[] = []): SteeringHealth {
  return compileHealth(
    pops,
    pops.flatMap(({ id, edges }) =>
      edges.map((edge) => ({
        edgeId: edge.id,
        popId: id,
        state: down.includes(edge.id) ? ('down' as const) : ('unknown' as const),
        reason: '',
        since: 0,
      })),
    ),
  );
}

interface Setting {
  readonly pops: readonly Pop[];
  readonly client: ClientPlace;
  readonly health?: SteeringHealth;
  readonly policy?: SteeringPolicy;
  readonly preferences?: ReadonlyMap<string, PopPreferences>;
  readonly network?: number;
  readonly family?: 0 | 4 | 6;
}

function choose(setting: Setting): string | null {
  const { pops, client, policy = DEFAULT_POLICY, preferences } = setting;
  const table = compileSteering(pops, preferences);
  const orders = new CandidateOrders(table, policy, 1, () => client);
  const health = setting.health ?? healthOf(pops);
  const chosen = choosePop(table, orders, health, 0, setting.network ?? 7, setting.family ?? 0);
  // The same question again finds the kept order.
  expect(choosePop(table, orders, health, 0, setting.network ?? 7, setting.family ?? 0)).toBe(chosen);
  return pops[chosen]?.id ?? null;
}

describe('distance and cost', () => {
  test.each([
    ['los-angeles', 'frankfurt', 9_310],
    ['hong-kong', 'mumbai', 4_300],
    ['lagos', 'lagos', 0],
    ['sao-paulo', 'lagos', 6_370],
  ])('%s to %s is about %i km', (from, to, expected) => {
    const vectors = new Float64Array(6);
    const [a, b] = [PLACES[from] ?? [0, 0], PLACES[to] ?? [0, 0]];
    writeUnitVector(vectors, 0, a[0], a[1]);
    writeUnitVector(vectors, 3, b[0], b[1]);
    expect(Math.abs(distanceKm(vectors, 0, vectors, 3) - expected)).toBeLessThan(40);
  });

  test('antipodes are half the circumference apart', () => {
    const vectors = new Float64Array(6);
    writeUnitVector(vectors, 0, 90, 0);
    writeUnitVector(vectors, 3, -90, 0);
    expect(distanceKm(vectors, 0, vectors, 3)).toBeCloseTo(20_015, 0);
  });

  test.each([
    [100, 0, 100],
    [100, 50, 50],
    [100, -50, 200],
  ])('a cost of %i with bias %i is %i', (cost, bias, expected) => {
    expect(biasedCost(cost, bias)).toBe(expected);
  });
});

describe('ranking', () => {
  test('nearest first, and the estimate is 5 ms and 1.5 ms per 100 km', () => {
    const ranked = rankPops(compileSteering(WORLD), DEFAULT_POLICY, at(48.86, 2.35));
    expect(ranked.map(({ pop: index }) => WORLD[index]?.id)).toEqual([
      'frankfurt',
      'lagos',
      'mumbai',
      'los-angeles',
      'sao-paulo',
      'hong-kong',
    ]);
    const [first] = ranked;
    expect(first?.costMs).toBeCloseTo(5 + (first?.distanceKm ?? 0) * 0.015, 6);
  });

  test('ties make one tier', () => {
    const pops = [
      pop('a', { location: { latitude: 50, longitude: 8 } }),
      pop('b', { location: { latitude: 50, longitude: 8.1 } }),
      pop('c', { location: { latitude: 52, longitude: 8 } }),
    ];
    const ranked = rankPops(compileSteering(pops), DEFAULT_POLICY, at(50, 8));
    expect(ranked.map(({ tier }) => tier)).toEqual([0, 0, 1]);
  });

  test('a POP without location comes last, a drained one not at all', () => {
    const pops = [pop('nowhere', { location: null }), pop('lagos'), pop('frankfurt', { state: 'drained' })];
    const ranked = rankPops(compileSteering(pops), DEFAULT_POLICY, at(50, 8));
    expect(ranked.map(({ pop: index, costMs }) => [pops[index]?.id, costMs === null])).toEqual([
      ['lagos', false],
      ['nowhere', true],
    ]);
  });

  test('a client nowhere known has all placed POPs in one tier', () => {
    const ranked = rankPops(compileSteering(WORLD), DEFAULT_POLICY, NOWHERE);
    expect(new Set(ranked.map(({ tier }) => tier))).toEqual(new Set([0]));
    expect(ranked.every(({ costMs, distanceKm: km }) => costMs === null && km === null)).toBe(true);
  });

  test('carrier and bias move the order only where they are set', () => {
    const pops = [pop('frankfurt'), pop('lagos')];
    const paris = at(48.86, 2.35, 'example-net');
    expect(choose({ pops, client: paris })).toBe('frankfurt');
    const drawn = new Map([['lagos', { bias: 95 }]]);
    expect(choose({ pops, client: paris, preferences: drawn })).toBe('lagos');
    const london = [pop('frankfurt'), pop('london', { location: { latitude: 51.5, longitude: -0.12 } })];
    const carriers = new Map([['london', { carriers: ['other-net'] }]]);
    expect(choose({ pops: london, client: paris })).toBe('london');
    expect(choose({ pops: london, client: paris, preferences: carriers })).toBe('frankfurt');
    expect(choose({ pops: london, client: at(48.86, 2.35), preferences: carriers })).toBe('london');
  });
});

describe('choosing a POP', () => {
  const nearLagos = at(6, 3);

  test('six regions get six POPs', () => {
    const chosen = Object.values(PLACES).map(([latitude, longitude]) =>
      choose({ pops: WORLD, client: at(latitude + 0.3, longitude - 0.2) }),
    );
    expect(chosen).toEqual(Object.keys(PLACES));
  });

  test('the next nearest takes over for one that is down', () => {
    expect(choose({ pops: WORLD, client: nearLagos, health: healthOf(WORLD, ['lagos-1']) })).toBe(
      'frankfurt',
    );
  });

  test('all down: health is disregarded', () => {
    const down = WORLD.map(({ id }) => `${id}-1`);
    expect(choose({ pops: WORLD, client: nearLagos, health: healthOf(WORLD, down) })).toBe('lagos');
  });

  test('a POP with fewer than half of its edges is used only when no other is', () => {
    const edges = [1, 2, 3].map((number) => ({ id: `lagos-${number}`, addresses: ['192.0.2.1'] }));
    const pops = [pop('lagos', { edges }), pop('frankfurt')];
    const two = healthOf(pops, ['lagos-1', 'lagos-2']);
    expect(Array.from(two.popStates)).toEqual([WEAK, USABLE]);
    expect(choose({ pops, client: nearLagos, health: two })).toBe('frankfurt');
    const three = healthOf(pops, ['lagos-1', 'lagos-2', 'frankfurt-1']);
    expect(Array.from(three.popStates)).toEqual([WEAK, DEAD]);
    expect(choose({ pops, client: nearLagos, health: three })).toBe('lagos');
  });

  test('without POPs, or with all drained, there is none', () => {
    expect(choose({ pops: [], client: nearLagos })).toBeNull();
    expect(choose({ pops: [pop('lagos', { state: 'drained' })], client: nearLagos })).toBeNull();
  });

  test('a needed address family passes over POPs without it', () => {
    const pops = [pop('lagos', { edges: [{ id: 'six', addresses: ['2001:db8::1'] }] }), pop('frankfurt')];
    expect(choose({ pops, client: nearLagos })).toBe('lagos');
    expect(choose({ pops, client: nearLagos, family: 4 })).toBe('frankfurt');
    expect(choose({ pops, client: nearLagos, family: 6 })).toBe('lagos');
  });

  test('when the kept candidates are all down, the rest are asked', () => {
    const pops = Array.from({ length: 40 }, (_, index) =>
      pop(`p${index}`, { location: { latitude: index, longitude: 0 } }),
    );
    const down = pops.slice(0, 35).map(({ id }) => `${id}-1`);
    expect(choose({ pops, client: at(-1, 0), health: healthOf(pops, down) })).toBe('p35');
  });

  test('POPs of one tier share networks about evenly, and always the same way', () => {
    const pops = ['a', 'b', 'c'].map((id) => pop(id, { location: { latitude: 50, longitude: 8 } }));
    const counts = new Map<string | null, number>();
    for (let network = 0; network < 3_000; network += 1) {
      const chosen = choose({ pops, client: at(50, 8), network: hashText(`n${network}`) });
      counts.set(chosen, (counts.get(chosen) ?? 0) + 1);
    }
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(120);
  });

  test('when one of a tier goes down, only its networks move', () => {
    const pops = ['a', 'b', 'c'].map((id) => pop(id, { location: { latitude: 50, longitude: 8 } }));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), (network) => {
        const client = at(50, 8);
        const before = choose({ pops, client, network });
        const after = choose({ pops, client, network, health: healthOf(pops, ['b-1']) });
        expect(before === 'b' || after === before).toBe(true);
        expect(after).not.toBe('b');
      }),
    );
  });

  test('a POP that accepts a part of its clients keeps that part and passes the others on', () => {
    const pops = [pop('lagos'), pop('frankfurt')];
    const health: SteeringHealth = { ...healthOf(pops), acceptFractions: Float64Array.of(0.25, 1) };
    let kept = 0;
    for (let network = 0; network < 2_000; network += 1) {
      if (choose({ pops, client: nearLagos, health, network: hashText(`n${network}`) }) === 'lagos')
        kept += 1;
    }
    expect(Math.abs(kept - 500)).toBeLessThan(80);
    const overloaded: SteeringHealth = { ...health, acceptFractions: Float64Array.of(0, 0) };
    expect(choose({ pops, client: nearLagos, health: overloaded })).toBe('lagos');
  });
});

describe('choosing edges', () => {
  const edges = ['a', 'b', 'c', 'd'].map((id, index) => ({ id, addresses: [`192.0.2.${index + 1}`] }));
  const pops = [pop('lagos', { edges })];
  const table = compileSteering(pops);
  const pick = (site: string, down: readonly string[] = [], family: 4 | 6 = 4): string[] => {
    const choice = createEdgeChoice();
    chooseEdges(table, healthOf(pops, down), 0, hashText(site), family, 2, choice);
    return Array.from(choice.edges.subarray(0, choice.count), (edge) => edges[edge]?.id ?? '');
  };

  test('a site stays on its edges, sites spread over all', () => {
    expect(pick('shop')).toEqual(pick('shop'));
    expect(pick('shop')).toHaveLength(2);
    const firsts = new Set(Array.from({ length: 60 }, (_, index) => pick(`site-${index}`)[0] ?? ''));
    expect([...firsts].sort()).toEqual(['a', 'b', 'c', 'd']);
  });

  test('an edge that is down is replaced, the other one stays', () => {
    const [first = '', second = ''] = pick('shop');
    const after = pick('shop', [first]);
    expect(after[0]).toBe(second);
    expect(after).not.toContain(first);
    expect(after).toHaveLength(2);
  });

  test('all down: all count as up', () => {
    expect(pick('shop', ['a', 'b', 'c', 'd'])).toEqual(pick('shop'));
  });

  test('edges without the family are not chosen', () => {
    expect(pick('shop', [], 6)).toEqual([]);
  });
});
