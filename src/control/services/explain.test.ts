import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { CacheExplanation, SteeringQuestion } from '#core/model/messages.ts';
import {
  joinTestPart,
  makeDataDirectory,
  startTestControl,
  type TestControl,
} from '../../../test/support/test-control.ts';

const data = makeDataDirectory();
let control: TestControl;

beforeAll(async () => {
  control = await startTestControl({
    dataDirectory: data.directory,
    seed: {
      sites: [{ id: 'shop', hosts: ['www.example.com'], origins: [{ url: 'http://192.0.2.1' }] }],
      pops: [
        { id: 'fra', name: 'Frankfurt', edges: [{ id: 'fra-1', addresses: ['192.0.2.2'] }] },
        { id: 'lax', name: 'Los Angeles', edges: [{ id: 'lax-1', addresses: ['192.0.2.3'] }] },
      ],
    },
  });
});
afterAll(async () => {
  await control.close();
  data.remove();
});

/** A name server that sends whoever is north of the equator to Frankfurt, and remembers what it was asked. */
function joinNameServer(questions: SteeringQuestion[]) {
  const part = joinTestPart(control.hub, 'nameserver');
  part.bus.respond('explain-steering', (question) => {
    questions.push(question);
    const { host, clientAddress, clientPlace } = question;
    return {
      name: host,
      client: {
        address: clientAddress,
        network: `${clientAddress}/32`,
        place: clientPlace?.name ?? 'unknown',
        latitude: clientPlace?.latitude ?? null,
        longitude: clientPlace?.longitude ?? null,
        country: clientPlace?.country ?? null,
        source: clientPlace === undefined ? 'none' : 'operator',
      },
      candidates: [
        {
          popId: 'fra',
          name: 'Frankfurt',
          distanceKm: 1,
          costMs: 1,
          isUsable: true,
          reason: 'nearest',
          addresses: ['192.0.2.2'],
        },
      ],
      chosenPopId: (clientPlace?.latitude ?? 1) > 0 ? 'fra' : 'lax',
    };
  });
  part.bus.respond('health', () => [
    { edgeId: 'fra-1', popId: 'fra', state: 'up', reason: 'heartbeats', since: 1 },
  ]);
  return part;
}

const explanationBy =
  (part: string) =>
  (url: string): CacheExplanation => ({
    part,
    siteId: 'shop',
    cacheKey: url,
    rule: null,
    decision: 'forward: uri-miss',
    stored: null,
  });

describe('explain', () => {
  test("steering, and the chosen POP's workers", async () => {
    const questions: SteeringQuestion[] = [];
    const parts = [
      joinNameServer(questions),
      ...['edge:fra-1/0', 'edge:fra-1/1', 'edge:lax-1/0'].map((name) =>
        joinTestPart(control.hub, name, { explainCache: explanationBy(name) }),
      ),
    ];
    const fromCity = await control.client.explain({
      query: { url: 'www.example.com/a?b', from: 'Frankfurt' },
    });
    expect(fromCity).toMatchObject({
      url: 'http://www.example.com/a?b',
      host: 'www.example.com',
      site: { id: 'shop', cname: 'shop.cdn.test' },
      steering: { chosenPopId: 'fra', client: { place: 'Frankfurt', country: 'DE' } },
      notes: [],
    });
    expect(fromCity.caches.map(({ part }) => part)).toEqual(['edge:fra-1/0', 'edge:fra-1/1']);
    expect(fromCity.caches[0]?.cacheKey).toBe('http://www.example.com/a?b');
    const fromSouth = await control.client.explain({
      query: { url: 'https://shop.cdn.test/', from: '-33.9,151.2' },
    });
    expect(fromSouth.caches.map(({ part }) => part)).toEqual(['edge:lax-1/0']);
    await control.client.explain({ query: { url: 'http://www.example.com/', from: '2001:db8::7' } });
    await control.client.explain({ query: { url: 'http://www.example.com/' } });
    expect(questions.map(({ clientAddress }) => clientAddress)).toEqual([
      '127.0.0.1',
      '127.0.0.1',
      '2001:db8::7',
      '127.0.0.1',
    ]);
    expect(questions[0]?.clientPlace).toMatchObject({ name: 'Frankfurt', country: 'DE' });
    expect(questions[2]?.clientPlace).toBeUndefined();
    expect((await control.client.getStatus()).health).toEqual([
      { edgeId: 'fra-1', popId: 'fra', state: 'up', reason: 'heartbeats', since: 1 },
    ]);
    for (const part of parts) part.close();
  });

  test('what cannot be found out is said', async () => {
    expect(await control.client.explain({ query: { url: 'http://other.example.com/' } })).toMatchObject({
      site: null,
      steering: null,
      caches: [],
      notes: ['no site has the host other.example.com; edges answer it with 421'],
    });
    expect((await control.client.explain({ query: { url: 'http://www.example.com/' } })).notes).toEqual([
      'no name server answered, so the choice of the POP is not known',
      'no POP was chosen, so no cache is asked',
    ]);
    const nameServer = joinNameServer([]);
    const broken = joinTestPart(control.hub, 'edge:fra-1/0', {
      explainCache: () => {
        throw new Error('broken');
      },
    });
    expect((await control.client.explain({ query: { url: 'http://www.example.com/' } })).notes).toEqual([
      'edge:fra-1/0 did not answer: broken',
    ]);
    broken.close();
    expect((await control.client.explain({ query: { url: 'http://www.example.com/' } })).notes).toEqual([
      'no edge of the POP "fra" answered',
    ]);
    nameServer.close();
  });

  test.each([
    ['', 'Frankfurt'],
    ['mailto:a@b', 'Frankfurt'],
    ['http://', 'Frankfurt'],
    ['http://a b/', 'Frankfurt'],
    ['http://www.example.com/', 'Nowhereville'],
    ['http://www.example.com/', '300.1.2.3'],
  ])('%p from %p is refused', async (url, from) => {
    const error = await control.client.explain({ query: { url, from } }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'invalid' });
  });
});
