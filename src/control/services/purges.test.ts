import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { PurgesPage } from '#core/model/messages.ts';
import type { PurgeTarget } from '#core/model/purge.ts';
import { systemClock } from '#platform/clock.ts';
import { createLocalHub } from '#platform/local-bus.ts';
import {
  joinTestPart,
  makeDataDirectory,
  refusalOf,
  startTestControl,
  type TestControl,
} from '../../../test/support/test-control.ts';
import { until } from '../../../test/support/until.ts';

const data = makeDataDirectory();
let control: TestControl;

beforeAll(async () => {
  control = await startTestControl({ dataDirectory: data.directory });
  const origins = [{ url: 'http://192.0.2.1' }];
  await control.client.createSite({ body: { id: 'shop', hosts: ['www.example.com'], origins } });
});
afterAll(async () => {
  await control.close();
  data.remove();
});

describe('purges', () => {
  test('are answered when every edge worker has taken them, in the order of the log', async () => {
    const edges = ['edge:a/0', 'edge:a/1', 'edge:b/0'].map((name) => joinTestPart(control.hub, name));
    const targets: PurgeTarget[] = [
      { kind: 'url', url: 'https://www.example.com/a?b=c' },
      { kind: 'url', url: 'http://shop.cdn.test/' },
      { kind: 'prefix', siteId: 'shop', prefix: '/img/' },
      { kind: 'tag', siteId: 'shop', tag: 'sale' },
      { kind: 'host', siteId: 'shop', host: 'www.example.com' },
      { kind: 'everything', siteId: 'shop' },
    ];
    const answers = await Promise.all(targets.map((body) => control.client.createPurge({ body })));
    const first = answers[0]?.position ?? 0;
    expect(answers.map(({ position }) => position)).toEqual(targets.map((_, index) => first + index));
    for (const edge of edges) {
      expect(edge.purges.map(({ position }) => position)).toEqual(answers.map(({ position }) => position));
      expect(edge.purges.map(({ target }) => target)).toEqual(targets);
    }
    expect(answers[0]?.receipts).toEqual(
      ['edge:a/0', 'edge:a/1', 'edge:b/0'].map((part) => ({
        part,
        applied: true,
        purgedResponses: 1,
        error: null,
      })),
    );
    const { purges } = await control.client.listPurges({ query: { limit: 2 } });
    expect(purges.map(({ target }) => target)).toEqual([...targets].reverse().slice(0, 2));
    expect(purges[0]?.receipts).toHaveLength(3);
    const older = await control.client.listPurges({ query: { before: purges[1]?.position ?? 0 } });
    expect(older.purges[0]?.position).toBe((purges[1]?.position ?? 0) - 1);
    for (const edge of edges) edge.close();
  });

  test('carry whether they are soft, to the edges and in the log', async () => {
    const edge = joinTestPart(control.hub, 'edge:a/0');
    const body = { kind: 'url', url: 'https://www.example.com/a', soft: true } as const;
    expect(await control.client.createPurge({ body })).toMatchObject({ soft: true });
    await control.client.createPurge({ body: { kind: 'host', siteId: 'shop', host: 'SHOP.cdn.test' } });
    expect(edge.purges).toMatchObject([
      { siteId: 'shop', soft: true, target: { kind: 'url', url: 'https://www.example.com/a' } },
      { siteId: 'shop', soft: false, target: { kind: 'host', host: 'shop.cdn.test' } },
    ]);
    const { purges } = await control.client.listPurges({ query: { limit: 2 } });
    expect(purges.map(({ soft }) => soft)).toEqual([false, true]);
    edge.close();
  });

  test('an edge that fails is named, and the purge is in the log', async () => {
    const good = joinTestPart(control.hub, 'edge:a/0');
    const bad = joinTestPart(control.hub, 'edge:b/0', {
      onPurge: () => {
        throw new Error('storage is gone');
      },
    });
    const refusal = await refusalOf(
      control.client.createPurge({ body: { kind: 'everything', siteId: 'shop' } }),
    );
    expect(refusal).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/^purge \d+ is in the log, but edge:b\/0 did not confirm it/),
      details: [{ path: 'edge:b/0', message: 'storage is gone' }],
    });
    expect(good.purges).toHaveLength(1);
    const { purges } = await control.client.listPurges({ query: { limit: 1 } });
    expect(purges[0]?.receipts.map(({ part, applied }) => [part, applied])).toEqual([
      ['edge:a/0', true],
      ['edge:b/0', false],
    ]);
    good.close();
    bad.close();
  });

  test('an edge that stays silent is waited for as long as the bound says, then named', async () => {
    const silent = joinTestPart(control.hub, 'edge:c/0', { onPurge: () => new Promise(() => undefined) });
    const refusal = await refusalOf(
      control.client.createPurge({ body: { kind: 'everything', siteId: 'shop' } }),
    );
    expect(refusal).toMatchObject({
      code: 'unavailable',
      details: [{ path: 'edge:c/0', message: 'no answer within 5000 ms' }],
    });
    silent.close();
  }, 30_000);

  test('one that waits for an edge does not hold up the next', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const edge = joinTestPart(control.hub, 'edge:d/0', {
      onPurge: async ({ target }) => {
        if (target.kind === 'everything') await gate;
        return { purgedResponses: 0 };
      },
    });
    const slow = control.client.createPurge({ body: { kind: 'everything', siteId: 'shop' } });
    const quick = await control.client.createPurge({ body: { kind: 'tag', siteId: 'shop', tag: 'x' } });
    expect(quick.receipts[0]?.applied).toBe(true);
    release();
    expect((await slow).receipts[0]?.applied).toBe(true);
    edge.close();
  });

  test('without any edge there is nobody to purge', async () => {
    expect(
      (await control.client.createPurge({ body: { kind: 'everything', siteId: 'shop' } })).receipts,
    ).toEqual([]);
  });

  test.each<[PurgeTarget, object]>([
    [{ kind: 'everything', siteId: 'none' }, { code: 'not-found' }],
    [
      { kind: 'url', url: 'https://other.example.com/' },
      {
        code: 'invalid',
        message: 'url: no site has the host "other.example.com"; add it to a site, or check the spelling',
      },
    ],
    [
      { kind: 'url', url: '/a' },
      { code: 'invalid', message: expect.stringContaining('is not a complete URL') },
    ],
    [{ kind: 'url', url: 'ftp://www.example.com/' }, { code: 'invalid' }],
    [{ kind: 'url', url: 'http://user:word@www.example.com/' }, { code: 'invalid' }],
    [{ kind: 'prefix', siteId: 'shop', prefix: 'img' }, { code: 'invalid' }],
    [
      { kind: 'host', siteId: 'shop', host: 'other.example.com' },
      {
        code: 'invalid',
        message:
          'host: site "shop" has no host "other.example.com"; its hosts are www.example.com, shop.cdn.test',
      },
    ],
    [{ kind: 'host', siteId: 'none', host: 'www.example.com' }, { code: 'not-found' }],
    [{ kind: 'everything', siteId: 'shop', soft: 'yes' } as unknown as PurgeTarget, { code: 'invalid' }],
    [{ kind: 'tag', siteId: 'shop', tag: '' }, { code: 'invalid' }],
    [{ kind: 'other' } as unknown as PurgeTarget, { code: 'invalid' }],
  ])('%j is refused', async (body, expected) => {
    expect(await refusalOf(control.client.createPurge({ body }))).toMatchObject(expected);
  });

  test('an edge that comes late is told those behind the position it has', async () => {
    const edge = joinTestPart(control.hub, 'edge:late/0');
    const order = async (tag: string) =>
      (await control.client.createPurge({ body: { kind: 'tag', siteId: 'shop', tag, soft: true } })).position;
    const [first, second] = [await order('first'), await order('second')];
    await control.client.createPurge({ body: { kind: 'url', url: 'https://www.example.com/a' } });
    const missed = async (position: number): Promise<PurgesPage> => {
      const [reply] = await edge.bus.request('purges-after', { position }, { timeoutMs: 1_000 });
      if (reply?.ok !== true) throw new Error('no answer');
      return reply.answer;
    };
    const { purges, unknownBefore } = await missed(first);
    expect(unknownBefore).toBe(0);
    expect(purges).toEqual(edge.purges.slice(1));
    expect(purges[0]).toMatchObject({ position: second, siteId: 'shop', soft: true });
    expect((await missed(second + 1)).purges).toEqual([]);
    edge.close();
  });

  test('an edge that knows of later ones than the log has is not sent earlier ones again', async () => {
    const own = makeDataDirectory();
    const seed = {
      sites: [{ id: 'a', hosts: ['a.test'], origins: [{ url: 'http://192.0.2.1' }] }],
      pops: [],
    };
    const fresh = await startTestControl({
      dataDirectory: own.directory,
      hub: createLocalHub(),
      clock: systemClock,
      seed,
    });
    const edge = joinTestPart(fresh.hub, 'edge:b/0');
    await edge.bus.request('purges-after', { position: 500 }, { timeoutMs: 1_000 });
    const { position } = await fresh.client.createPurge({ body: { kind: 'everything', siteId: 'a' } });
    expect(position).toBe(501);
    edge.close();
    await fresh.close();
    own.remove();
  });

  test('the log goes on after a restart', async () => {
    const own = makeDataDirectory();
    const hub = createLocalHub();
    const options = { dataDirectory: own.directory, hub, clock: systemClock };
    const site = { id: 'a', hosts: ['a.test'], origins: [{ url: 'http://192.0.2.1' }] };
    const before = await startTestControl({ ...options, seed: { sites: [site], pops: [] } });
    await before.client.createPurge({ body: { kind: 'everything', siteId: 'a' } });
    await before.close();
    const after = await startTestControl(options);
    const { position } = await after.client.createPurge({ body: { kind: 'everything', siteId: 'a' } });
    expect(position).toBe(2);
    expect(
      await until('both are listed', async () => (await after.client.listPurges()).purges.length === 2),
    ).toBe(true);
    await after.close();
    own.remove();
  });
});
