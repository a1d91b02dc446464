import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { SiteInput } from '#core/model/site.ts';
import { createTestAuthority } from '../../../test/support/test-authority.ts';
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

const input = (id: string, more: Partial<SiteInput> = {}): SiteInput => ({
  id,
  hosts: [`${id}.example.com`],
  origins: [{ url: 'http://192.0.2.1:8080' }],
  ...more,
});

/** The site as the edge has it. */
const atEdge = (id: string) => edge.snapshots.at(-1)?.sites.find((site) => site.id === id);

const CACHING_DEFAULTS = {
  statusTtls: [],
  cacheKey: {
    query: { include: 'all', names: [], sorted: false },
    headers: [],
    cookies: [],
    deviceClass: false,
    country: false,
  },
  bypassWhen: { headers: [], cookies: [], query: [] },
  setCookie: 'explicit',
  requestDirectives: 'honour',
  staleWhileRevalidateSeconds: 0,
  staleIfErrorSeconds: 86_400,
  finishFills: true,
  requestFields: 'all',
  checkContentType: true,
  slices: 'auto',
} satisfies Partial<SiteInput>;

describe('sites', () => {
  test('a site that was added is at the edge, with a certificate, before the answer comes', async () => {
    const before = edge.snapshots.at(-1)?.generation ?? 0;
    const site = await control.client.createSite({
      body: input('shop', { hosts: ['WWW.Shop.example.com '] }),
    });
    expect(site).toEqual({
      id: 'shop',
      hosts: ['www.shop.example.com'],
      origins: [
        {
          url: 'http://192.0.2.1:8080',
          hostHeader: null,
          verifyCertificate: true,
          http2: false,
          timeouts: null,
        },
      ],
      rules: [],
      ...CACHING_DEFAULTS,
      webSockets: true,
      minTlsVersion: '1.2',
      clientCertificates: null,
      cname: 'shop.cdn.test',
    });
    expect(atEdge('shop')?.hosts).toEqual(['www.shop.example.com', 'shop.cdn.test']);
    expect(edge.snapshots.at(-1)?.generation).toBe(before + 1);
    expect(edge.snapshots.at(-1)?.certificates.map(({ hosts }) => hosts)).toContainEqual([
      'shop.cdn.test',
      'www.shop.example.com',
    ]);
  });

  test('is listed in pages by id', async () => {
    for (const id of ['p3', 'p1', 'p2']) await control.client.createSite({ body: input(id) });
    const first = await control.client.listSites({ query: { limit: 2 } });
    expect(first.sites.map(({ id }) => id)).toEqual(['p1', 'p2']);
    expect(first.next).toBe('p2');
    const second = await control.client.listSites({ query: { limit: 2, after: 'p2' } });
    expect(second.sites.map(({ id }) => id)).toEqual(['p3', 'shop']);
    expect(second.next).toBeNull();
  });

  test('what was read can be put back; nothing changes by that, not even the generation', async () => {
    const site = await control.client.getSite({ params: { id: 'shop' } });
    const generation = edge.snapshots.at(-1)?.generation;
    expect(await control.client.putSite({ params: { id: 'shop' }, body: site })).toEqual(site);
    expect(edge.snapshots.at(-1)?.generation).toBe(generation as number);
  });

  test('a patch changes what it names and no more', async () => {
    const rules = [{ path: '/img/*', edgeTtlSeconds: 60 }];
    const site = await control.client.patchSite({ params: { id: 'shop' }, body: { rules } });
    expect(site.rules[0]).toMatchObject({ path: '/img/*', mode: 'respect-origin', edgeTtlSeconds: 60 });
    expect(site.hosts).toEqual(['www.shop.example.com']);
    const again = await control.client.patchSite({
      params: { id: 'shop' },
      body: { staleIfErrorSeconds: 5, webSockets: false },
    });
    expect(again.rules).toEqual(site.rules);
    expect(atEdge('shop')).toMatchObject({ staleIfErrorSeconds: 5, webSockets: false });
  });

  test('authorities of client certificates are checked, kept in one form, and taken away again', async () => {
    const authority = await createTestAuthority();
    const { key, cert } = await authority.issue(['shop']);
    const params = { id: 'shop' };
    const patch = (clientCertificates: SiteInput['clientCertificates']) =>
      control.client.patchSite({
        params,
        body: clientCertificates === undefined ? {} : { clientCertificates: clientCertificates as never },
      });
    const site = await patch({ authoritiesPem: `ours:\r\n${authority.certificate}`, mode: 'require' });
    expect(site.clientCertificates?.authoritiesPem).toStartWith('-----BEGIN CERTIFICATE-----\n');
    expect(site.minTlsVersion).toBe('1.2');
    expect(atEdge('shop')?.clientCertificates).toEqual(site.clientCertificates);
    for (const wrong of [cert, `${authority.certificate}\n${key}`, '-----BEGIN CERTIFICATE-----\nx']) {
      expect(await refusalOf(patch({ authoritiesPem: wrong, mode: 'require' }))).toMatchObject({
        code: 'invalid',
        details: [{ path: 'clientCertificates.authoritiesPem' }],
      });
    }
    expect(await refusalOf(patch({ authoritiesPem: 'x', mode: 'require' }))).toMatchObject({
      message: 'clientCertificates.authoritiesPem: must be certificates in PEM',
    });
    expect(
      (await patch({ authoritiesPem: authority.certificate, mode: 'request' })).clientCertificates?.mode,
    ).toBe('request');
    await control.client.patchSite({ params, body: { minTlsVersion: '1.3' } });
    expect(atEdge('shop')).toMatchObject({ minTlsVersion: '1.3', clientCertificates: { mode: 'request' } });
    await control.client.patchSite({ params, body: { minTlsVersion: '1.2', clientCertificates: null } });
    expect(atEdge('shop')).toMatchObject({ minTlsVersion: '1.2', clientCertificates: null });
  });

  test('put adds what is not there, and refuses another id', async () => {
    const added = await control.client.putSite({ params: { id: 'fresh' }, body: input('fresh') });
    expect(added.cname).toBe('fresh.cdn.test');
    expect(
      await refusalOf(control.client.putSite({ params: { id: 'fresh' }, body: input('other') })),
    ).toMatchObject({ code: 'invalid', details: [{ path: 'id', message: 'must be "fresh"' }] });
  });

  test('a host that moves is free for the other site', async () => {
    await control.client.patchSite({ params: { id: 'fresh' }, body: { hosts: ['new.example.com'] } });
    await control.client.patchSite({ params: { id: 'p1' }, body: { hosts: ['fresh.example.com'] } });
    expect(atEdge('p1')?.hosts).toEqual(['fresh.example.com', 'p1.cdn.test']);
  });

  test('removed is gone everywhere', async () => {
    await control.client.deleteSite({ params: { id: 'fresh' } });
    expect(atEdge('fresh')).toBeUndefined();
    const gone = { code: 'not-found', message: 'there is no site "fresh"; list the sites to see their ids' };
    expect(await refusalOf(control.client.getSite({ params: { id: 'fresh' } }))).toMatchObject(gone);
    expect(await refusalOf(control.client.deleteSite({ params: { id: 'fresh' } }))).toMatchObject(gone);
    expect(
      await refusalOf(
        control.client.patchSite({ params: { id: 'fresh' }, body: { staleIfErrorSeconds: 1 } }),
      ),
    ).toMatchObject(gone);
  });
});

describe('refusals name the place, the cause and the way out', () => {
  test.each<[string, SiteInput, object]>([
    [
      'an id that is taken',
      input('shop'),
      { code: 'conflict', message: 'there is already a site "shop"; choose another id, or replace it' },
    ],
    [
      'a host of another site',
      input('x', { hosts: ['x.example.com', 'www.shop.example.com'] }),
      {
        code: 'conflict',
        message: 'site "x": hosts[1]: "www.shop.example.com" belongs to the site "shop"',
        details: [{ path: 'hosts[1]', message: '"www.shop.example.com" belongs to the site "shop"' }],
      },
    ],
    ['the zone', input('x', { hosts: ['cdn.test'] }), { code: 'conflict' }],
    ["another site's name", input('x', { hosts: ['shop.cdn.test'] }), { code: 'conflict' }],
    ['a name server', input('ns1'), { code: 'conflict' }],
    [
      'several wrong fields at once',
      input('Bad Id', { hosts: [], origins: [{ url: 'ftp://x' }] }),
      {
        code: 'invalid',
        details: [
          expect.objectContaining({ path: 'id' }),
          expect.objectContaining({ path: 'hosts' }),
          {
            path: 'origins[0].url',
            message:
              'must be an address such as "http://192.0.2.1:8080" or "https://origin.example.com", without a path',
          },
        ],
      },
    ],
    [
      'unknown fields, deep ones too',
      { ...input('x'), colour: 1, origins: [{ url: 'http://192.0.2.1', port: 1 }] } as unknown as SiteInput,
      {
        code: 'invalid',
        details: expect.arrayContaining([
          { path: 'colour', message: 'is not a field that is known here' },
          { path: 'origins[0].port', message: 'is not a field that is known here' },
        ]),
      },
    ],
    [
      'a missing field',
      { id: 'x', hosts: ['x.example.com'] } as unknown as SiteInput,
      { code: 'invalid', message: 'origins: is missing' },
    ],
  ])('%s', async (_, body, expected) => {
    const generation = edge.snapshots.at(-1)?.generation;
    expect(await refusalOf(control.client.createSite({ body }))).toMatchObject(expected);
    expect(edge.snapshots.at(-1)?.generation).toBe(generation as number);
  });

  test('two who add the same host at once: one gets it', async () => {
    const results = await Promise.allSettled(
      ['r1', 'r2', 'r3'].map((id) =>
        control.client.createSite({ body: input(id, { hosts: ['race.example.com'] }) }),
      ),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(
      edge.snapshots.at(-1)?.sites.filter(({ hosts }) => hosts.includes('race.example.com')),
    ).toHaveLength(1);
  });
});
