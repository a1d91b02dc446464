/** `perigee up` as a command: it starts whole or not at all, does its job, and ends with 0. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask } from '../../support/dns-query.ts';
import { type PerigeeProcess, partProcess, runPerigee, startPerigee } from '../../support/perigee-process.ts';
import { proxyHeader } from '../../support/proxy-header.ts';
import { openRawClient } from '../../support/raw-client.ts';
import { until } from '../../support/until.ts';

let origin: Server;
let originUrl: string;
let requests = 0;
let forwardedFor: string | string[] | undefined;
/** Lets the answer to /held go; null before it was asked for. */
let held: (() => void) | null = null;

beforeAll(async () => {
  origin = createServer((request, response) => {
    requests += 1;
    forwardedFor = request.headers['x-forwarded-for'];
    response.setHeader('Cache-Control', 'max-age=600');
    const answer = () => response.end(`origin answers ${request.headers.host}${request.url}`);
    if (request.url === '/held') held = answer;
    else answer();
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  const bound = origin.address();
  originUrl = `http://127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`;
});

afterAll(() => {
  origin.close();
});

describe('a running CDN', () => {
  let perigee: PerigeeProcess;
  beforeAll(async () => {
    perigee = await startPerigee('--no-demo', '--site', `www.example.com=${originUrl}`);
  });
  afterAll(() => perigee.stop());

  function get(path: string, host = 'www.example.com'): Promise<Response> {
    return fetch(`http://${perigee.http}${path}`, { headers: { Host: host } });
  }

  test('says that it is healthy, of which zone and generation', async () => {
    const response = await fetch(`http://${perigee.api}/health`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: 'ok', zone: 'cdn.test', generation: expect.any(Number) });
  });

  test('gives its figures to Prometheus', async () => {
    const response = await fetch(`http://${perigee.api}/metrics`);
    expect(response.status).toBe(200);
    expect(await response.text()).toMatch(/^# TYPE perigee_\w+ (counter|gauge)$/m);
  });

  test('answers from the origin once, then from the edge', async () => {
    const before = requests;
    const miss = await get('/once');
    expect(await miss.text()).toBe('origin answers www.example.com/once');
    expect(miss.headers.get('cache-status')).toContain('fwd=uri-miss');
    const hit = await get('/once');
    expect(await hit.text()).toBe('origin answers www.example.com/once');
    expect(hit.headers.get('cache-status')).toContain('hit');
    expect(Number(hit.headers.get('age'))).toBeLessThan(60);
    expect(requests - before).toBe(1);
  });

  test('resolves the site to its edge', async () => {
    for (const name of ['www-example-com.cdn.test', 'www.example.com']) {
      const answer = await ask(perigee.dns, { name, type: 'A' });
      expect(answer.answers?.map((record) => 'data' in record && record.data)).toEqual(['127.0.0.1']);
    }
  });

  test('takes a site and a purge through the command line', async () => {
    const added = await perigee.cli('site', 'add', 'new.example.com', '--origin', originUrl, '--json');
    expect(added.err).toBe('');
    expect(added.exitCode).toBe(0);
    expect(await (await get('/page', 'new.example.com')).text()).toBe('origin answers new.example.com/page');
    await (await get('/page', 'new.example.com')).text();
    const before = requests;
    expect((await perigee.cli('purge', 'http://new.example.com/page')).exitCode).toBe(0);
    await (await get('/page', 'new.example.com')).text();
    expect(requests - before).toBe(1);
  });

  test('answers a site under its own name in the zone, before any CNAME points there', async () => {
    expect(await (await get('/own', 'www-example-com.cdn.test')).text()).toBe(
      'origin answers www-example-com.cdn.test/own',
    );
  });

  test('a host that nobody added is told so', async () => {
    const response = await get('/', 'stranger.example');
    expect([404, 421]).toContain(response.status);
    expect(await response.text()).toContain('stranger.example');
  });
});

describe('a start that cannot be', () => {
  const directory = mkdtempSync(join(tmpdir(), 'perigee-refused-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const free = ['--http', '--https', '--dns', '--api'].flatMap((option) => [option, '127.0.0.1:0']);

  test('because a port is in use is one line and exit code 1', async () => {
    const place = originUrl.replace('http://', '');
    const { exitCode, out, err } = await runPerigee([
      'up',
      '--no-demo',
      '--data',
      directory,
      ...free,
      '--http',
      place,
    ]);
    expect(err).toBe(`perigee: --http ${place}: the port is in use; stop what uses it or choose another\n`);
    expect(out).toBe('');
    expect(exitCode).toBe(1);
  });

  test('because a part finds its data broken is one line and exit code 1', async () => {
    const broken = join(directory, 'broken');
    mkdirSync(broken);
    writeFileSync(join(broken, 'control.sqlite'), 'no database at all, whatever it is called'.repeat(100));
    const { exitCode, err } = await runPerigee(['up', '--no-demo', '--data', broken, ...free]);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(err).toContain('control.sqlite cannot be opened');
    expect(exitCode).toBe(1);
  });

  test('because the origin is no URL is one line and exit code 2', async () => {
    const { exitCode, err } = await runPerigee([
      'up',
      '--no-demo',
      '--data',
      directory,
      '--site',
      'a.example=nonsense',
    ]);
    expect(err).toStartWith('perigee: --site a.example=nonsense: the origin must be an address');
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(exitCode).toBe(2);
  });

  test('because the data directory cannot be is one line and exit code 1', async () => {
    writeFileSync(join(directory, 'file'), '');
    const { exitCode, err } = await runPerigee([
      'up',
      '--no-demo',
      '--data',
      join(directory, 'file'),
      ...free,
    ]);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(err).toContain('the directory cannot be written');
    expect(exitCode).toBe(1);
  });

  test('because the option is unknown names it', async () => {
    const { exitCode, err } = await runPerigee(['up', '--nonsense']);
    expect(err).toContain('--nonsense');
    expect(exitCode).toBe(2);
  });
});

test('while it ends, answers under way finish and new connections are refused', async () => {
  const perigee = await startPerigee('--no-demo', '--site', `www.example.com=${originUrl}`);
  const answer = fetch(`http://${perigee.http}/held`, { headers: { Host: 'www.example.com' } });
  await until('the origin is asked', () => held !== null);
  const ended = perigee.stop();
  const [host = '', port = ''] = perigee.http.split(':');
  await until('a new connection is refused', async () => {
    const socket = connect(Number(port), host);
    const outcome = await new Promise<string>((resolve) => {
      socket.once('connect', () => resolve('taken'));
      socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? ''));
    });
    socket.destroy();
    return outcome === 'ECONNREFUSED';
  });
  held?.();
  expect(await (await answer).text()).toBe('origin answers www.example.com/held');
  expect(await ended).toBe(0);
});

test('a second Ctrl-C ends it at once', async () => {
  const perigee = await startPerigee('--no-demo', '--site', `www.example.com=${originUrl}`);
  held = null;
  const answer = fetch(`http://${perigee.http}/held`, { headers: { Host: 'www.example.com' } });
  answer.catch(() => undefined);
  await until('the origin is asked', () => held !== null);
  process.kill(perigee.pid, 'SIGINT');
  await until('it is ending', () => partProcess(perigee, 'nameserver') === null);
  process.kill(perigee.pid, 'SIGINT');
  expect(await perigee.stop()).toBe(130);
  await expect(answer.then((response) => response.text())).rejects.toThrow();
});

test('behind load balancers it takes their word for who the user is, and SIGTERM ends it with 0', async () => {
  const site = `www.example.com=${originUrl}`;
  const perigee = await startPerigee('--no-demo', '--site', site, '--proxy-protocol', '127.0.0.0/8');
  const [address = '', port = ''] = perigee.http.split(':');
  const client = await openRawClient({ address, port: Number(port) });
  client.write(proxyHeader({ client: '203.0.113.7' }));
  client.write('GET /whose HTTP/1.1\r\nHost: www.example.com\r\n\r\n');
  expect((await client.readResponse()).text).toBe('origin answers www.example.com/whose');
  expect(forwardedFor).toBe('203.0.113.7');
  client.destroy();
  expect(await perigee.stop()).toBe(0);
  await expect(fetch(`http://${perigee.api}/health`)).rejects.toThrow();
});
