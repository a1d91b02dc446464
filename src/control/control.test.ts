import { afterEach, describe, expect, test } from 'bun:test';
import { readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlOptions } from '#control/control.ts';
import type { PopInput } from '#core/model/pop.ts';
import type { SiteInput } from '#core/model/site.ts';
import { createLocalHub } from '#platform/local-bus.ts';
import {
  joinTestPart,
  makeDataDirectory,
  startTestControl,
  type TestControl,
} from '../../test/support/test-control.ts';
import { until } from '../../test/support/until.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function makeDirectory(): string {
  const data = makeDataDirectory();
  cleanups.push(data.remove);
  return data.directory;
}

async function start(
  given: Partial<ControlOptions> & { readonly dataDirectory: string; readonly hub?: TestControl['hub'] },
): Promise<TestControl> {
  const control = await startTestControl(given);
  cleanups.push(() => control.close());
  return control;
}

const site = (id: string, hosts: string[], url = 'http://192.0.2.1'): SiteInput => ({
  id,
  hosts,
  origins: [{ url }],
});
const pop = (id: string, addresses: string[]): PopInput => ({
  id,
  name: id,
  edges: [{ id: `${id}-1`, addresses }],
});

const refusalOf = (work: Promise<unknown>) =>
  work.then(
    () => ({ code: 'none', message: 'was not refused' }),
    ({ code, message }) => ({ code, message }),
  );

describe('a restart', () => {
  test('keeps generation, token, authority and certificates, and publishes what was in force', async () => {
    const dataDirectory = makeDirectory();
    const hub = createLocalHub();
    const edge = joinTestPart(hub, 'edge:a/0');
    const before = await startTestControl({
      dataDirectory,
      hub,
      seed: { sites: [site('a', ['a.test'])], pops: [] },
    });
    await before.client.createSite({ body: site('b', ['b.test']) });
    const inForce = edge.snapshots.at(-1);
    const authority = await (await fetch(`${before.url}/ca.pem`)).text();
    await before.close();
    const after = await start({ dataDirectory, hub, seed: { sites: [site('a', ['a.test'])], pops: [] } });
    expect(after.adminToken).toBe(before.adminToken);
    expect(await (await fetch(`${after.url}/ca.pem`)).text()).toBe(authority);
    expect(edge.snapshots.at(-1)).toEqual(inForce as NonNullable<typeof inForce>);
    expect(inForce?.generation).toBe(2);
    await after.client.createSite({ body: site('c', ['c.test']) });
    expect(edge.snapshots.at(-1)?.generation).toBe(3);
  });

  test('secrets are for the owner alone', async () => {
    const dataDirectory = makeDirectory();
    const control = await start({ dataDirectory });
    for (const file of ['admin-token', 'control.sqlite', 'ca/ca-key.pem']) {
      expect([file, statSync(join(dataDirectory, file)).mode & 0o777]).toEqual([file, 0o600]);
    }
    expect(readFileSync(join(dataDirectory, 'admin-token'), 'utf8').trim()).toBe(control.adminToken);
    expect(readFileSync(join(dataDirectory, 'control.sqlite')).includes(control.adminToken)).toBe(false);
  });

  test('a lost token file is replaced by one with a new token', async () => {
    const dataDirectory = makeDirectory();
    const before = await startTestControl({ dataDirectory });
    await before.close();
    unlinkSync(join(dataDirectory, 'admin-token'));
    const after = await start({ dataDirectory });
    expect(after.adminToken).not.toBe(before.adminToken);
    expect((await after.client.listTokens()).tokens).toHaveLength(2);
  });

  test('a database older than the edges is published above their generation', async () => {
    const hub = createLocalHub();
    const edge = joinTestPart(hub, 'edge:a/0', { generation: () => edge.snapshots.at(-1)?.generation ?? 41 });
    const stubborn = joinTestPart(hub, 'edge:b/0', {
      generation: () => Math.max(41, stubborn.snapshots.at(-1)?.generation ?? 0),
    });
    const control = await start({
      dataDirectory: makeDirectory(),
      hub,
      expectedParts: ['control', 'edge:b/0'],
    });
    await until('the generation is above', async () => (await control.client.getHealth()).generation > 41);
    expect(edge.snapshots.at(-1)?.generation).toBe(42);
    expect((await control.client.createSite({ body: site('a', ['a.test']) })).id).toBe('a');
    expect(edge.snapshots.at(-1)?.generation).toBe(43);
  });
});

describe('health', () => {
  test('a part that holds what this database never published is not ready', async () => {
    const hub = createLocalHub();
    joinTestPart(hub, 'edge:a/0', { generation: () => 41 });
    const control = await start({ dataDirectory: makeDirectory(), hub, expectedParts: ['edge:a/0'] });
    const answers: Record<string, unknown>[] = [];
    await until('the generation has been raised to the part’s', async () => {
      answers.push(await control.client.getHealth());
      return Number(answers.at(-1)?.generation) > 41;
    });
    expect(
      answers.filter(({ generation }) => Number(generation) < 41).map(({ status }) => status),
    ).not.toContain('ok');
  });

  test('starting, ok, degraded: with the parts that are missing', async () => {
    const hub = createLocalHub();
    const expectedParts = ['control', 'nameserver', 'edge:a/0'];
    const control = await start({ dataDirectory: makeDirectory(), hub, expectedParts });
    const health = async () => {
      const response = await fetch(`${control.url}/health`);
      return [response.status, await response.json()];
    };
    expect(await health()).toEqual([
      503,
      { status: 'starting', zone: 'cdn.test', generation: 1, missing: ['nameserver', 'edge:a/0'] },
    ]);
    joinTestPart(hub, 'nameserver');
    const edge = joinTestPart(hub, 'edge:a/0');
    const ok = await until('all parts are ready', async () => {
      const seen = await health();
      return seen[0] === 200 && seen;
    });
    expect(ok[1]).toEqual({ status: 'ok', zone: 'cdn.test', generation: 1 });
    edge.close();
    const degraded = await until('the edge is missed', async () => {
      const seen = await health();
      return seen[0] === 503 && seen;
    });
    expect(degraded[1]).toMatchObject({ status: 'degraded', missing: ['edge:a/0'] });
    const status = await control.client.getStatus();
    expect(status.parts.map(({ part, state }) => [part, state])).toEqual([
      ['control', 'ready'],
      ['edge:a/0', 'silent'],
      ['nameserver', 'ready'],
    ]);
    expect(status).toMatchObject({ dnsAddress: '127.0.0.1:8053', health: [], totals: { sites: 0, pops: 0 } });
  });

  test('a part with an old generation is behind', async () => {
    const hub = createLocalHub();
    const control = await start({ dataDirectory: makeDirectory(), hub, expectedParts: ['edge:a/0'] });
    joinTestPart(hub, 'edge:a/0', { generation: () => 0 });
    await until('the census sees it', async () =>
      (await control.client.getStatus()).parts.some(({ state }) => state === 'behind'),
    );
    expect((await control.client.getHealth()).missing).toEqual(['edge:a/0']);
  });
});

describe('the seed', () => {
  const one = {
    sites: [site('shop', ['shop.cdn.test'], 'http://192.0.2.1:1')],
    pops: [pop('local', ['192.0.2.1'])],
  };

  test('adds, updates what differs, and leaves what users made', async () => {
    const dataDirectory = makeDirectory();
    const first = await startTestControl({ dataDirectory, seed: one });
    await first.client.patchSite({
      params: { id: 'shop' },
      body: { rules: [{ edgeTtlSeconds: 9 }], hosts: ['shop.cdn.test', 'www.example.com'] },
    });
    await first.client.createSite({ body: site('mine', ['mine.test']) });
    await first.client.createPop({ body: { id: 'far', at: 'Lagos', addresses: ['192.0.2.9'] } });
    await first.client.patchPop({ params: { id: 'local' }, body: { state: 'drained', name: 'Here' } });
    await first.close();
    const second = await start({
      dataDirectory,
      seed: {
        sites: [site('shop', ['shop.cdn.test'], 'http://192.0.2.1:2')],
        pops: [pop('local', ['192.0.2.2'])],
      },
    });
    const { sites } = await second.client.listSites();
    expect(sites.map(({ id }) => id)).toEqual(['mine', 'shop']);
    expect(sites[1]).toMatchObject({
      hosts: ['shop.cdn.test', 'www.example.com'],
      origins: [{ url: 'http://192.0.2.1:2' }],
      rules: [{ edgeTtlSeconds: 9 }],
    });
    const { pops } = await second.client.listPops();
    expect(pops).toMatchObject([
      { id: 'far' },
      { id: 'local', name: 'Here', state: 'drained', edges: [{ addresses: ['192.0.2.2'] }] },
    ]);
  });

  test('the same again changes nothing', async () => {
    const dataDirectory = makeDirectory();
    const first = await startTestControl({ dataDirectory, seed: one });
    const { generation } = await first.client.getHealth();
    await first.close();
    const second = await start({ dataDirectory, seed: one });
    expect((await second.client.getHealth()).generation).toBe(generation);
  });

  test('POPs that are not given any more go, sites stay', async () => {
    const dataDirectory = makeDirectory();
    const first = await startTestControl({
      dataDirectory,
      seed: { ...one, pops: [...one.pops, pop('demo', ['192.0.2.7'])] },
    });
    expect((await first.client.listPops()).pops).toHaveLength(2);
    await first.close();
    const second = await start({ dataDirectory, seed: { sites: [], pops: one.pops } });
    expect((await second.client.listPops()).pops.map(({ id }) => id)).toEqual(['local']);
    expect((await second.client.listSites()).sites.map(({ id }) => id)).toEqual(['shop']);
  });

  test('a site is found by its host, and a taken id gets a number', async () => {
    const dataDirectory = makeDirectory();
    const first = await startTestControl({ dataDirectory });
    await first.client.createSite({ body: site('own-name', ['www.example.com']) });
    await first.client.createSite({ body: site('a-b-test', ['other.test']) });
    await first.close();
    const sites = [
      site('www-example-com', ['www.example.com'], 'http://192.0.2.5'),
      site('a-b-test', ['a.b.test']),
      site('a-b-test', ['a-b.test']),
      site('ns1', ['ns1.example.com']),
    ];
    const second = await start({ dataDirectory, seed: { sites, pops: [] } });
    const found = (await second.client.listSites()).sites.map(({ id, hosts }) => [id, hosts[0]]);
    expect(found).toEqual([
      ['a-b-test', 'other.test'],
      ['a-b-test-2', 'a.b.test'],
      ['a-b-test-3', 'a-b.test'],
      ['ns1-2', 'ns1.example.com'],
      ['own-name', 'www.example.com'],
    ]);
    expect((await second.client.getSite({ params: { id: 'own-name' } })).origins[0]?.url).toBe(
      'http://192.0.2.5',
    );
  });

  test.each<[string, SiteInput[], RegExp]>([
    [
      'a bad origin',
      [site('a', ['a.test'], 'gopher://x')],
      /^site a\.test: origins\.0\.url: must be an address/,
    ],
    ['a bad host', [site('a', ['a b'])], /^site a b: hosts\.0: must be a host name/],
    ['the zone itself', [site('a', ['cdn.test'])], /^site "a": hosts\[0\]: "cdn\.test" is the zone itself/],
  ])('%s stops the start with one clear line, and nothing listens', async (_, sites, message) => {
    const refusal = await refusalOf(
      startTestControl({ dataDirectory: makeDirectory(), seed: { sites, pops: [] } }),
    );
    expect(refusal.message).toMatch(message);
  });
});

describe('what stops the start', () => {
  test('an address in use', async () => {
    const control = await start({ dataDirectory: makeDirectory() });
    const port = Number(new URL(control.url).port);
    const refusal = await refusalOf(
      startTestControl({ dataDirectory: makeDirectory(), listen: { address: '127.0.0.1', port } }),
    );
    expect(refusal).toEqual({
      code: 'conflict',
      message: `the API's address 127.0.0.1:${port} is in use by another program; stop it, or choose another with --api`,
    });
  });

  test('an address that is not ours', async () => {
    const listen = { address: '192.0.2.1', port: 0 };
    expect(await refusalOf(startTestControl({ dataDirectory: makeDirectory(), listen }))).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('the API cannot listen at 192.0.2.1:0'),
    });
  });

  test('a data directory that is a file', async () => {
    const file = join(makeDirectory(), 'file');
    writeFileSync(file, '');
    expect(await refusalOf(startTestControl({ dataDirectory: file }))).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('choose another with --data'),
    });
  });

  test('a database that is none', async () => {
    const dataDirectory = makeDirectory();
    writeFileSync(join(dataDirectory, 'control.sqlite'), 'rubbish '.repeat(1000));
    expect(await refusalOf(startTestControl({ dataDirectory }))).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('cannot be opened'),
    });
  });

  test('a zone that is no name', async () => {
    expect(
      await refusalOf(startTestControl({ dataDirectory: makeDirectory(), zoneName: 'not a zone' })),
    ).toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('zone "not a zone": must be a host name'),
    });
  });

  test('a zone that a site already has as its host', async () => {
    const dataDirectory = makeDirectory();
    const first = await startTestControl({ dataDirectory });
    await first.client.createSite({ body: site('a', ['other.test']) });
    await first.close();
    expect(await refusalOf(startTestControl({ dataDirectory, zoneName: 'other.test' }))).toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('sites.a.hosts[0]: "other.test" is the zone itself'),
    });
  });
});
