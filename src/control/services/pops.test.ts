import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { PopCreate } from '#core/contract/pops.ts';
import {
  joinTestPart,
  makeDataDirectory,
  refusalOf,
  startTestControl,
  type TestControl,
  type TestPart,
} from '../../../test/support/test-control.ts';

const data = makeDataDirectory();
let control: TestControl;
let edge: TestPart;

beforeAll(async () => {
  control = await startTestControl({ dataDirectory: data.directory });
  edge = joinTestPart(control.hub, 'edge:a/0');
});
afterAll(async () => {
  await control.close();
  data.remove();
});

describe('POPs', () => {
  test('a city and addresses are enough', async () => {
    const pop = await control.client.createPop({
      body: { at: 'São Paulo', addresses: ['192.0.2.1', '2001:db8::1'] },
    });
    expect(pop).toMatchObject({
      id: 'sao-paulo',
      state: 'active',
      edges: [{ id: 'sao-paulo', addresses: ['192.0.2.1', '2001:db8::1'] }],
    });
    expect(pop.location?.latitude).toBeCloseTo(-23.56, 1);
    expect(edge.snapshots.at(-1)?.pops).toEqual([pop]);
  });

  test('everything may be said instead', async () => {
    const edges = [
      { id: 'fra-1', addresses: ['192.0.2.2'] },
      { id: 'fra-2', addresses: ['192.0.2.3'] },
    ];
    const location = { latitude: 50.11, longitude: 8.68 };
    const body = { id: 'fra', name: 'Frankfurt 1', location, edges, state: 'drained' } as const;
    expect(await control.client.createPop({ body: { ...body, edges: [...edges] } })).toEqual({
      ...body,
      edges,
    });
  });

  test('coordinates in words need a name or an id', async () => {
    const at = '50.1,8.7';
    const pop = await control.client.createPop({ body: { id: 'xx', at, addresses: ['192.0.2.4'] } });
    expect(pop).toMatchObject({ id: 'xx', name: '50.1,8.7', location: { latitude: 50.1, longitude: 8.7 } });
  });

  test('is drained, moved, given other addresses, and removed', async () => {
    const params = { id: 'sao-paulo' };
    expect((await control.client.patchPop({ params, body: { state: 'drained' } })).state).toBe('drained');
    const moved = await control.client.patchPop({
      params,
      body: { at: 'Lagos, NG', addresses: ['192.0.2.9'] },
    });
    expect(moved.edges).toEqual([{ id: 'sao-paulo', addresses: ['192.0.2.9'] }]);
    expect(moved.location?.longitude).toBeCloseTo(3.39, 1);
    expect(moved.state).toBe('drained');
    expect((await control.client.patchPop({ params, body: { location: null } })).location).toBeNull();
    const replaced = await control.client.putPop({
      params,
      body: { at: 'Mumbai', addresses: ['192.0.2.10'] },
    });
    expect(replaced).toMatchObject({ id: 'sao-paulo', name: 'Mumbai', state: 'active' });
    expect((await control.client.listPops()).pops.map(({ id }) => id)).toEqual(['fra', 'sao-paulo', 'xx']);
    await control.client.deletePop({ params });
    expect(await refusalOf(control.client.getPop({ params }))).toMatchObject({ code: 'not-found' });
  });

  test.each<[string, PopCreate, object]>([
    ['an id that is taken', { id: 'fra', addresses: ['192.0.2.1'] }, { code: 'conflict' }],
    [
      "another POP's edge",
      { id: 'y', edges: [{ id: 'fra-1', addresses: ['192.0.2.1'] }] },
      {
        code: 'conflict',
        message: 'POP "y": edges[0].id: "fra-1" is an edge of the POP "fra"',
        details: [{ path: 'edges[0].id', message: '"fra-1" is an edge of the POP "fra"' }],
      },
    ],
    [
      'an address twice, spelt differently',
      { id: 'y', addresses: ['2001:db8::1', '2001:0db8:0::1'] },
      { code: 'conflict' },
    ],
    [
      'both places',
      { id: 'y', at: 'Lagos', location: null, addresses: ['192.0.2.1'] },
      { code: 'invalid', message: 'at: give "at" or "location", not both' },
    ],
    [
      'no edges',
      { id: 'y' },
      { code: 'invalid', message: 'addresses: is missing: give "addresses" (or "edges")' },
    ],
    [
      'an unknown city',
      { at: 'Frankfurd', addresses: ['192.0.2.1'] },
      {
        code: 'invalid',
        message: expect.stringMatching(/^at: no city "Frankfurd" is known.*"Frankfurt, DE"/),
      },
    ],
    [
      'no id to be made',
      { name: '東京', addresses: ['192.0.2.1'] },
      { code: 'invalid', details: [{ path: 'id', message: 'is missing' }] },
    ],
    [
      'no address',
      { id: 'y', addresses: ['example.com'] },
      { code: 'invalid', details: [{ path: 'addresses[0]', message: 'must be an IPv4 or IPv6 address' }] },
    ],
  ])('%s is refused', async (_, body, expected) => {
    expect(await refusalOf(control.client.createPop({ body }))).toMatchObject(expected);
  });
});

describe('addresses where no machine is', () => {
  test.each(['0.0.0.0', '224.0.0.1', '255.255.255.255', '::', 'ff02::1'])(
    '%s is refused',
    async (address) => {
      expect(
        await refusalOf(control.client.createPop({ body: { id: 'y', addresses: [address] } })),
      ).toMatchObject({
        code: 'invalid',
        details: [{ path: 'addresses[0]', message: expect.stringContaining('machine') }],
      });
    },
  );
});

describe('networks', () => {
  test('are replaced whole, in one spelling', async () => {
    const { networks } = await control.client.putNetworks({
      body: {
        networks: [
          { network: '192.0.2.77/24', at: 'Frankfurt' },
          {
            network: '2001:DB8::/32',
            location: { latitude: 1, longitude: 2 },
            country: 'NG',
            carrier: 'Example',
          },
        ],
      },
    });
    expect(networks[0]).toMatchObject({ network: '192.0.2.0/24', country: 'DE', carrier: null });
    expect(networks[1]).toEqual({
      network: '2001:db8::/32',
      location: { latitude: 1, longitude: 2 },
      country: 'NG',
      carrier: 'Example',
    });
    expect(edge.snapshots.at(-1)?.networks).toEqual(networks);
    expect(await control.client.listNetworks()).toEqual({ networks });
    await control.client.putNetworks({ body: { networks: [] } });
    expect(edge.snapshots.at(-1)?.networks).toEqual([]);
  });

  test('a network twice, without a place, or of no form is refused', async () => {
    const location = { latitude: 0, longitude: 0 };
    const put = (...networks: object[]) =>
      refusalOf(control.client.putNetworks({ body: { networks: networks as { network: string }[] } }));
    expect(
      await put({ network: '192.0.2.0/24', location }, { network: '192.0.2.1/24', location }),
    ).toMatchObject({ code: 'conflict', message: 'networks[1].network: "192.0.2.0/24" is listed twice' });
    expect(await put({ network: '192.0.2.0/24' })).toMatchObject({ code: 'invalid' });
    expect(await put({ network: '192.0.2.0/33', location })).toMatchObject({
      message: 'networks[0].network: must be a network such as "192.0.2.0/24"',
    });
    expect(await put({ network: '192.0.2.0/24', at: 'Xyzzyx' })).toMatchObject({
      message: expect.stringMatching(/^networks\[0\]\.at: no city/),
    });
  });

  test('ten thousand fit into one request', async () => {
    const location = { latitude: 0, longitude: 0 };
    const networks = Array.from({ length: 10_000 }, (_, i) => ({
      network: `10.${i >> 8}.${i & 255}.0/24`,
      location,
    }));
    expect((await control.client.putNetworks({ body: { networks } })).networks).toHaveLength(10_000);
    expect((await control.client.getStatus()).totals.networks).toBe(10_000);
  });
});
