import { describe, expect, test } from 'bun:test';
import { checkPop, checkSite, compile, type Model } from './compile.ts';
import { type PopInput, popSchema } from './pop.ts';
import { type SiteInput, siteSchema } from './site.ts';
import { snapshotSchema } from './snapshot.ts';

const ZONE: Model['zone'] = {
  name: 'cdn.test',
  nameServers: [{ name: 'ns1.cdn.test', addresses: ['192.0.2.53'] }],
  mailbox: 'hostmaster.cdn.test',
  steeringTtlSeconds: 30,
  negativeTtlSeconds: 30,
};

const site = (id: string, hosts: string[], more: Partial<SiteInput> = {}) =>
  siteSchema.parse({ id, hosts, origins: [{ url: 'http://192.0.2.1' }], ...more });
const pop = (id: string, edges: PopInput['edges']) => popSchema.parse({ id, name: id, edges });

function model(parts: Partial<Model>): Model {
  return { zone: ZONE, sites: [], pops: [], networks: [], certificates: [], ...parts };
}

function problemsOf(parts: Partial<Model>): string[] {
  const compiled = compile(model(parts), 1);
  return compiled.ok ? [] : compiled.problems.map(({ path, message }) => `${path}: ${message}`);
}

describe('compile', () => {
  test('a sound model becomes valid content, in an order of its own', () => {
    const sites = [site('b', ['b.example.com']), site('a', ['a.example.com', 'a.cdn.test'])];
    const pops = [
      pop('y', [{ id: 'y-1', addresses: ['192.0.2.2'] }]),
      pop('x', [{ id: 'x-1', addresses: ['192.0.2.1', '2001:db8::1'] }]),
    ];
    const one = compile(model({ sites, pops }), 7);
    const other = compile(model({ sites: [...sites].reverse(), pops: [...pops].reverse() }), 7);
    expect(one).toEqual(other);
    expect(one.ok && one.content.sites.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(one.ok && snapshotSchema.safeParse({ ...one.content, digest: '0'.repeat(64) }).success).toBe(true);
  });

  test.each<[string, Partial<Model>, string[]]>([
    [
      'two sites with one host',
      { sites: [site('a', ['x.example.com']), site('b', ['x.example.com'])] },
      ['sites.b.hosts[0]: "x.example.com" belongs to the site "a"'],
    ],
    [
      'a host twice',
      { sites: [site('a', ['x.test', 'x.test'])] },
      ['sites.a.hosts[1]: "x.test" is listed twice'],
    ],
    [
      'the zone as a host',
      { sites: [site('a', ['cdn.test'])] },
      ['sites.a.hosts[0]: "cdn.test" is the zone itself; use a name below it, such as "www.cdn.test"'],
    ],
    [
      'a name server as a host',
      { sites: [site('a', ['ns1.cdn.test'])] },
      ['sites.a.hosts[0]: "ns1.cdn.test" is a name server of the zone'],
    ],
    [
      'a name server as an id',
      { sites: [site('ns1', ['x.test'])] },
      ['sites.ns1.id: ns1.cdn.test is a name server of the zone; choose another id'],
    ],
    [
      "another site's name as a host",
      { sites: [site('a', ['b.cdn.test']), site('b', ['x.test'])] },
      [
        'sites.a.hosts[0]: "b.cdn.test" is the name of the site "b"',
        'sites.b.id: the name of this site, b.cdn.test, is a host of the site "a"; choose another id',
      ],
    ],
    ['an id twice', { sites: [site('a', ['x.test']), site('a', ['y.test'])] }, ['sites.a: exists twice']],
    [
      'an edge id in two POPs',
      {
        pops: [
          pop('x', [{ id: 'e', addresses: ['192.0.2.1'] }]),
          pop('y', [{ id: 'e', addresses: ['192.0.2.2'] }]),
        ],
      },
      ['pops.y.edges[0].id: "e" is an edge of the POP "x"'],
    ],
    [
      'an address twice in a POP',
      {
        pops: [
          pop('x', [
            { id: 'e', addresses: ['192.0.2.1'] },
            { id: 'f', addresses: ['192.0.2.1'] },
          ]),
        ],
      },
      ['pops.x.edges[1].addresses[0]: "192.0.2.1" is listed twice'],
    ],
    [
      'a network twice',
      {
        networks: Array.from({ length: 2 }, () => ({
          network: '192.0.2.0/24',
          location: { latitude: 0, longitude: 0 },
          country: null,
          carrier: null,
        })),
      },
      ['networks.192.0.2.0/24: exists twice'],
    ],
  ])('%s', (_, parts, problems) => {
    expect(problemsOf(parts)).toEqual(problems);
  });

  test("a site's own name may be its host", () => {
    expect(problemsOf({ sites: [site('shop', ['shop.cdn.test', 'deep.shop.cdn.test'])] })).toEqual([]);
  });

  test('a name that gets too long is told', () => {
    const zone = { ...ZONE, name: `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}` };
    const around = { zone, ownerOfHost: () => null, hasSite: () => false };
    expect(checkSite(site('s'.repeat(63), ['x.test']), around)[0]?.message).toContain('longer than 253');
  });

  test('a POP may keep its own edges', () => {
    expect(checkPop(pop('x', [{ id: 'e', addresses: ['192.0.2.1'] }]), () => 'x')).toEqual([]);
  });
});
