import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SentRequest } from '#core/contract/client.ts';
import { connect } from './connection.ts';
import { sendOverNetwork } from './send.ts';

const folder = mkdtempSync(join(tmpdir(), 'perigee-cli-'));
writeFileSync(join(folder, 'admin-token'), 'from-file\n');
afterAll(() => rmSync(folder, { recursive: true }));

/** The request that a client with these options makes. */
async function firstRequest(
  given: Parameters<typeof connect>[0],
  environment: Record<string, string>,
): Promise<SentRequest> {
  const sent: SentRequest[] = [];
  const api = connect(given, {
    environment,
    send: async (request) => {
      sent.push(request);
      return { status: 200, body: '{"tokens":[]}' };
    },
  });
  await api.listTokens();
  const request = sent[0];
  if (request === undefined) throw new Error('nothing was sent');
  return request;
}

describe('where the API is', () => {
  test.each([
    [{}, {}, 'http://127.0.0.1:8000/'],
    [{}, { PERIGEE_API: 'https://api.example.com' }, 'https://api.example.com/'],
    [{ api: '192.0.2.1:9' }, { PERIGEE_API: 'https://api.example.com' }, 'http://192.0.2.1:9/'],
    [{ api: 'http://example.com/cdn/' }, {}, 'http://example.com/cdn/'],
  ])('options %j, environment %j: %s', async (given, environment, base) => {
    const { url } = await firstRequest({ ...given, token: 't' }, environment);
    expect(url).toBe(`${base}api/v1/tokens`);
  });

  test.each(['', 'http://', 'http://a b', 'http://u:p@x', 'http://x/?a'])('"%s" is refused', (api) => {
    expect(() => connect({ api, token: 't' }, { environment: {} })).toThrow(
      `--api ${api}: must be an address`,
    );
  });
});

describe('the token', () => {
  test.each([
    [{ token: 'given', data: folder }, { PERIGEE_TOKEN: 'env' }, 'given'],
    [{}, { PERIGEE_TOKEN: 'env', PERIGEE_DATA: folder }, 'env'],
    // A directory named on the command line is nearer than the environment's token.
    [{ data: folder }, { PERIGEE_TOKEN: 'env' }, 'from-file'],
    [{}, { PERIGEE_DATA: folder }, 'from-file'],
  ])('options %j, environment %j: %s', async (given, environment, token) => {
    expect((await firstRequest(given, environment)).headers.authorization).toBe(`Bearer ${token}`);
  });

  test('none to be found: says where it was looked for and what to do', () => {
    const nowhere = join(folder, 'nowhere');
    expect(() => connect({ data: nowhere }, { environment: {} })).toThrow(
      `no token: ${nowhere}/admin-token is not there`,
    );
  });

  test.each(['', 'two words', 'line\nbreak', 'ü'])('%j is none', (token) => {
    expect(() => connect({ token }, { environment: {} })).toThrow('does not hold a token');
  });

  test('a file that is far too large is none', () => {
    writeFileSync(join(folder, 'admin-token'), 'x'.repeat(5000));
    expect(() => connect({ data: folder }, { environment: {} })).toThrow('is too large for a token');
  });
});

describe('sending', () => {
  const request = { method: 'GET', headers: {}, body: null };

  test('nobody listens: names the address and the likely cause', async () => {
    await expect(
      sendOverNetwork({ ...request, url: 'http://127.0.0.1:1/api/v1/sites' }),
    ).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(
        'cannot reach the API at http://127.0.0.1:1: is "perigee up" running?',
      ),
    });
  });

  test('status and body come back whole; redirections are not followed with the token', async () => {
    const server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: (asked) =>
        new URL(asked.url).pathname === '/away'
          ? Response.redirect('http://127.0.0.1:1/', 302)
          : new Response(`ü${asked.headers.get('authorization')}`, { status: 201 }),
    });
    const url = `http://127.0.0.1:${server.port}/`;
    expect(await sendOverNetwork({ ...request, url, headers: { authorization: 'Bearer t' } })).toEqual({
      status: 201,
      body: 'üBearer t',
    });
    expect((await sendOverNetwork({ ...request, url: `${url}away` })).status).toBe(302);
    await server.stop(true);
  });
});
