import { describe, expect, test } from 'bun:test';
import { AppError } from '../base/app-error.ts';
import { API_ROUTES } from './api.ts';
import { createApiClient, type SentRequest } from './client.ts';
import { ApiError } from './errors.ts';

function clientAnswering(status: number, body: unknown) {
  const sent: SentRequest[] = [];
  const client = createApiClient({
    baseUrl: 'http://127.0.0.1:8000/',
    token: 'secret',
    send: async (request) => {
      sent.push(request);
      return { status, body: typeof body === 'string' ? body : JSON.stringify(body) };
    },
  });
  return { client, sent };
}

const SITE = {
  id: 'shop',
  hosts: ['shop.example.com'],
  origins: [{ url: 'http://192.0.2.1', hostHeader: null, verifyCertificate: true, http2: false }],
  rules: [],
  staleWhileRevalidateSeconds: 0,
  staleIfErrorSeconds: 0,
  cname: 'shop.cdn.test',
};

describe('the client', () => {
  test('fills path and query, percent-encoded, and sends the token', async () => {
    const { client, sent } = clientAnswering(200, SITE);
    await client.getSite({ params: { id: 'a/b?c' } });
    expect(sent[0]).toEqual({
      method: 'GET',
      url: 'http://127.0.0.1:8000/api/v1/sites/a%2Fb%3Fc',
      headers: { accept: 'application/json', authorization: 'Bearer secret' },
      body: null,
    });
    const listing = clientAnswering(200, { sites: [SITE], next: null });
    const { sites } = await listing.client.listSites({ query: { limit: 5, after: 'ä&b' } });
    expect(sites[0]?.cname).toBe('shop.cdn.test');
    expect(listing.sent[0]?.url).toBe('http://127.0.0.1:8000/api/v1/sites?limit=5&after=%C3%A4%26b');
  });

  test('sends bodies as JSON', async () => {
    const { client, sent } = clientAnswering(201, SITE);
    await client.createSite({
      body: { id: 'shop', hosts: ['shop.example.com'], origins: [{ url: 'http://192.0.2.1' }] },
    });
    expect(sent[0]?.headers['content-type']).toBe('application/json');
    expect(JSON.parse(sent[0]?.body ?? '')).toMatchObject({ id: 'shop' });
  });

  test('does not send the token where none is needed, and reads an unhealthy answer', async () => {
    const { client, sent } = clientAnswering(503, {
      status: 'starting',
      zone: 'cdn.test',
      generation: 1,
      missing: ['nameserver'],
    });
    expect((await client.getHealth()).missing).toEqual(['nameserver']);
    expect(sent[0]?.headers).toEqual({ accept: 'application/json' });
  });

  test('204 is no value', async () => {
    const { client } = clientAnswering(204, '');
    expect(await client.deleteSite({ params: { id: 'shop' } })).toBeUndefined();
  });

  test('a refusal becomes an error with its code, message and details', async () => {
    const { client } = clientAnswering(400, {
      error: { code: 'invalid', message: 'no', details: [{ path: 'hosts[0]', message: 'bad' }] },
    });
    const error = await client.listSites().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      code: 'invalid',
      message: 'no',
      details: [{ path: 'hosts[0]', message: 'bad' }],
    });
  });

  test.each([
    [200, '<html>'],
    [200, '{"sites":1}'],
    [502, 'Bad Gateway'],
    [404, '{"error":"x"}'],
    [204, ''],
  ])('an answer from something else (%d %s) is named as such', async (status, body) => {
    const { client } = clientAnswering(status, body);
    const error = await client.listSites().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: 'unavailable' });
  });

  test('no answer at all says where none came from', async () => {
    const client = createApiClient({
      baseUrl: 'http://127.0.0.1:9',
      token: null,
      send: () => Promise.reject(new Error('connection refused')),
    });
    const error = await client.getHealth().catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'unavailable',
      message: 'no answer from the control plane at http://127.0.0.1:9: connection refused',
    });
  });
});

describe('the routes', () => {
  test('no two share method and path, and path parameters are described', () => {
    const seen = new Set<string>();
    for (const route of Object.values(API_ROUTES)) {
      const key = `${route.method} ${route.path}`;
      expect(seen.has(key)).toBe(false);
      seen.add(key);
      const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
      const described = 'params' in route ? Object.keys(route.params.shape) : [];
      expect(described).toEqual(inPath);
    }
  });

  test('a patch leaves out what is left out: no default sneaks in', () => {
    expect(API_ROUTES.patchSite.body.parse({})).toEqual({});
    expect(API_ROUTES.patchPop.body.parse({})).toEqual({});
  });

  test('unknown fields are refused', () => {
    expect(API_ROUTES.createSite.body.safeParse({ ...SITE, colour: 1 }).success).toBe(false);
    expect(API_ROUTES.patchSite.body.safeParse({ colour: 1 }).success).toBe(false);
    expect(
      API_ROUTES.createPop.body.safeParse({ name: 'x', addresses: ['192.0.2.1'], colour: 1 }).success,
    ).toBe(false);
  });
});
