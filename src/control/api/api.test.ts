import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { API_ROUTES } from '#core/contract/api.ts';
import { BODY_BYTES_MAX } from '#core/contract/route.ts';
import { makeDataDirectory, startTestControl, type TestControl } from '../../../test/support/test-control.ts';
import { CONTROL_LIMITS } from '../limits.ts';

const data = makeDataDirectory();
let control: TestControl;

beforeAll(async () => {
  control = await startTestControl({ dataDirectory: data.directory, allowedHosts: ['Control.example.com'] });
});
afterAll(async () => {
  await control.close();
  data.remove();
});

async function errorOf(response: Response): Promise<{ status: number; code: string; message: string }> {
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  return { status: response.status, ...error };
}

/** A request as bytes, for what `fetch` would not send. Resolves with the status line and all that follows. */
function sendRaw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(control.url);
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    let answer = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

const post = (body: string, headers: Record<string, string> = { 'content-type': 'application/json' }) =>
  control.request('/api/v1/sites', { method: 'POST', body, headers });

describe('tokens', () => {
  test('every operation but the open ones needs one', async () => {
    // One of its own: so many failures are a client's last for a while.
    const own = makeDataDirectory();
    const strict = await startTestControl({ dataDirectory: own.directory });
    for (const route of Object.values(API_ROUTES)) {
      const path = route.path.replace(/\{\w+\}/g, 'x');
      const response = await fetch(strict.url + path, { method: route.method.toUpperCase() });
      expect([route.path, response.status]).toEqual([route.path, route.auth === 'none' ? 200 : 401]);
    }
    await strict.close();
    own.remove();
  });

  test('a wrong one is told apart from none', async () => {
    const headers = (authorization: string) => ({ headers: { authorization } });
    const wrong = await control.request('/api/v1/sites', headers('Bearer perigee_wrong'));
    expect(wrong.headers.get('www-authenticate')).toBe('Bearer realm="perigee"');
    expect(await errorOf(wrong)).toMatchObject({
      status: 401,
      code: 'unauthenticated',
      message: expect.stringContaining('not valid'),
    });
    for (const field of ['Basic YTpi', 'Bearer', `Bearer ${'x'.repeat(5000)}`, control.adminToken]) {
      expect((await control.request('/api/v1/sites', headers(field))).status).toBe(401);
    }
    expect((await control.request('/api/v1/sites', headers(`bearer ${control.adminToken}`))).status).toBe(
      200,
    );
  });

  test('are made, listed without their secret, used and revoked', async () => {
    const made = await control.client.createToken({ body: { name: 'deploy' } });
    const { tokens } = await control.client.listTokens();
    expect(tokens.find(({ id }) => id === made.id)).toEqual({
      id: made.id,
      name: 'deploy',
      createdAt: made.createdAt,
      lastUsedAt: null,
    });
    expect(JSON.stringify(tokens)).not.toContain(made.token);
    const use = () =>
      control.request('/api/v1/sites', { headers: { authorization: `Bearer ${made.token}` } });
    expect((await use()).status).toBe(200);
    expect(
      (await control.client.listTokens()).tokens.find(({ id }) => id === made.id)?.lastUsedAt,
    ).toBeNumber();
    await control.client.deleteToken({ params: { id: made.id } });
    expect((await use()).status).toBe(401);
    expect(
      await errorOf(await control.request(`/api/v1/tokens/${made.id}`, { method: 'DELETE' })),
    ).toMatchObject({ status: 404 });
  });

  test('the last one cannot be revoked', async () => {
    const { tokens } = await control.client.listTokens();
    expect(tokens).toHaveLength(1);
    const response = await control.request(`/api/v1/tokens/${tokens[0]?.id}`, { method: 'DELETE' });
    expect(await errorOf(response)).toMatchObject({ status: 409, code: 'conflict' });
    expect((await control.client.listTokens()).tokens).toHaveLength(1);
  });

  test('who fails too often is told to wait, and a right token still passes', async () => {
    const attempt = () => fetch(`${control.url}/api/v1/sites`);
    const statuses = new Set<number>();
    for (let i = 0; i <= CONTROL_LIMITS.authFailuresPerMinuteMax; i++) statuses.add((await attempt()).status);
    expect([...statuses]).toContain(429);
    const refused = await attempt();
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await errorOf(refused)).toMatchObject({ code: 'limit-exceeded' });
    expect((await control.client.listSites()).sites).toEqual([]);
  });
});

describe('who may speak at all', () => {
  const get = (headers: Record<string, string>) => control.request('/api/v1/sites', { headers });
  const port = () => new URL(control.url).port;

  test.each(['evil.example', 'evil.example:8000', '127.0.0.1.evil.example', 'localhost.evil.example', ''])(
    'a foreign Host %p is refused',
    async (host) => {
      const answer = await sendRaw(
        `GET /api/v1/sites HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 (421|400) /);
    },
  );

  test.each([
    'localhost',
    'localhost:8000',
    '[::1]:8000',
    '192.0.2.1',
    'control.example.com',
    'console.localhost',
  ])('Host %p is fine', async (host) => {
    const answer = await sendRaw(`GET /health HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(answer).toStartWith('HTTP/1.1 200 ');
  });

  test('pages of other origins are refused, the console is not', async () => {
    for (const origin of [
      'http://evil.example',
      'null',
      'http://127.0.0.1',
      `http://127.0.0.1:${port()}.evil.example`,
    ]) {
      expect([origin, (await get({ origin })).status]).toEqual([origin, 403]);
    }
    expect((await get({ origin: control.url })).status).toBe(200);
    expect((await get({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' })).status).toBe(403);
    expect((await get({ 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' })).status).toBe(200);
  });

  test('nothing is offered to other origins, and answers carry security headers', async () => {
    const response = await get({});
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('set-cookie')).toBeNull();
    const preflight = await fetch(`${control.url}/api/v1/sites`, {
      method: 'OPTIONS',
      headers: { origin: 'http://evil.example', 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(403);
  });
});

describe('hostile bodies and addresses', () => {
  test.each<[string, string, number, string]>([
    ['nothing', '', 400, 'body: is not JSON'],
    ['half a document', '{"id":', 400, 'body: is not JSON'],
    ['a list', '[]', 400, 'body: '],
    ['null', 'null', 400, 'body: '],
    ['a number', '1e999', 400, 'body: '],
    ['deep nesting', '['.repeat(100_000) + ']'.repeat(100_000), 400, 'body: '],
    ['deep nesting in a field', `{"id":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`, 400, ''],
    ['a prototype', '{"__proto__":{"id":"x"},"constructor":1}', 400, ''],
    ['wrong types', '{"id":{},"hosts":"x","origins":{"0":1}}', 400, ''],
    [
      'a long host',
      JSON.stringify({ id: 'x', hosts: ['a.'.repeat(50_000)], origins: [{ url: 'http://a' }] }),
      400,
      'hosts[0]',
    ],
    ['many hosts', JSON.stringify({ id: 'x', hosts: Array(20_000).fill('a'), origins: [] }), 400, 'hosts'],
    [
      'a body that is too large',
      JSON.stringify({ id: 'x'.repeat(BODY_BYTES_MAX) }),
      400,
      'body: is larger than',
    ],
    ['a NUL', '{"id":"a\\u0000b","hosts":["a"],"origins":[{"url":"http://a"}]}', 400, 'id: '],
  ])('%s is refused', async (_, body, status, message) => {
    const error = await errorOf(await post(body));
    expect(error.status).toBe(status);
    expect(error.message).toContain(message);
    expect(error.message.length).toBeLessThan(1_100);
  });

  test('the wrong media type, and bytes that are no text', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp']) {
      expect(await errorOf(await post('{}', { 'content-type': type }))).toMatchObject({
        status: 400,
        code: 'invalid',
      });
    }
    const response = await control.request('/api/v1/sites', {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: new Uint8Array([0x22, 0xff, 0xfe, 0x22]),
    });
    expect((await errorOf(response)).message).toBe('body: is not UTF-8');
  });

  test('a chunked body without end is cut off at the bound', async () => {
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    const head = `POST /api/v1/sites HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer ${control.adminToken}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const answer = await sendRaw(`${head}${chunk.repeat(5)}0\r\n\r\n`);
    expect(answer).toStartWith('HTTP/1.1 400 ');
    expect(answer).toContain('is larger than');
  });

  test.each<[string, string, number]>([
    ['GET', '/api/v1/none', 404],
    ['GET', '/api/v2/sites', 404],
    ['GET', '/api/v1/sites/..%2f..%2fetc', 400],
    ['GET', `/api/v1/sites/${'x'.repeat(3000)}`, 400],
    ['GET', '/api/v1/sites?limit=0', 400],
    ['GET', '/api/v1/sites?limit=1e9', 400],
    ['GET', '/api/v1/sites?limt=1', 400],
    ['GET', '/api/v1/sites?limit=1&limit=2', 400],
    ['GET', '/api/v1/sites?__proto__=1', 400],
    ['GET', '/api/v1/status?x=1', 400],
    ['GET', '/api/v1/stats?minutes=999999', 400],
    ['GET', '/api/v1/cities?query=', 400],
    ['GET', '/api/v1/sites?after=%27%3B%20drop%20table%20sites%3B--', 200],
    ['DELETE', '/api/v1/sites', 405],
    ['POST', '/health', 405],
    ['PROPFIND', '/api/v1/sites', 405],
    ['DELETE', '/index.html', 405],
  ])('%s %s → %d', async (method, path, status) => {
    const response = await control.request(path, { method });
    expect(response.status).toBe(status);
    if (status !== 200) expect((await errorOf(response)).message.length).toBeGreaterThan(10);
    if (status === 405) expect(response.headers.get('allow')).toMatch(/^[A-Z]+(, [A-Z]+)*$/);
  });

  test('after all of it the control plane is well', async () => {
    expect(await control.client.getHealth()).toMatchObject({ status: 'ok', zone: 'cdn.test' });
  });
});

describe('open addresses', () => {
  test('the OpenAPI document describes every operation with its schemas', async () => {
    const response = await fetch(`${control.url}/api/v1/openapi.json`);
    expect(response.headers.get('content-type')).toBe('application/json');
    const document = (await response.json()) as {
      openapi: string;
      paths: Record<
        string,
        Record<
          string,
          {
            operationId: string;
            security?: object[];
            requestBody?: object;
            parameters?: object[];
            responses: Record<string, object>;
          }
        >
      >;
      components: { securitySchemes: object };
    };
    expect(document.openapi).toBe('3.1.0');
    expect(document.components.securitySchemes).toEqual({ token: { type: 'http', scheme: 'bearer' } });
    for (const [name, route] of Object.entries(API_ROUTES)) {
      const operation = document.paths[route.path]?.[route.method];
      expect(operation?.operationId).toBe(name);
      expect(operation?.security).toEqual(route.auth === 'token' ? [{ token: [] }] : undefined);
      expect(Object.keys(operation?.responses ?? {})).toContain(String(route.status));
      expect('body' in route).toBe(operation?.requestBody !== undefined);
      expect(operation?.parameters?.length ?? 0).toBe(
        Object.keys('params' in route ? route.params.shape : {}).length +
          Object.keys('query' in route ? route.query.shape : {}).length,
      );
    }
    expect(JSON.stringify(document.paths['/api/v1/sites']?.post?.requestBody)).toContain(
      '"staleIfErrorSeconds"',
    );
  });

  test("the authority's certificate can be downloaded by anybody, its key by nobody", async () => {
    const response = await fetch(`${control.url}/ca.pem`);
    expect(response.headers.get('content-type')).toBe('application/x-pem-file');
    const text = await response.text();
    expect(text).toStartWith('-----BEGIN CERTIFICATE-----');
    expect(text).not.toContain('PRIVATE KEY');
    for (const path of [
      '/ca-key.pem',
      '/ca/ca-key.pem',
      '/admin-token',
      '/control.sqlite',
      '/..%2fadmin-token',
    ]) {
      const answer = await fetch(control.url + path);
      expect([path, answer.status === 200]).toEqual([path, false]);
      expect(await answer.text()).not.toContain('perigee_');
    }
  });

  test('HEAD says what GET would', async () => {
    for (const path of ['/health', '/api/v1/status', '/']) {
      const [get, head] = [await control.request(path), await control.request(path, { method: 'HEAD' })];
      expect(head.status).toBe(get.status);
      expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'));
      expect(await head.text()).toBe('');
      if (path === '/health')
        expect(head.headers.get('content-length')).toBe(String((await get.text()).length));
    }
  });

  test('cities are completed', async () => {
    const { cities } = await control.client.listCities({ query: { query: 'frank', limit: 2 } });
    expect(cities[0]).toMatchObject({ name: 'Frankfurt', country: 'DE', label: 'Frankfurt, DE' });
    expect(cities).toHaveLength(2);
  });
});
