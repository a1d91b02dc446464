import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDataDirectory } from '../../../test/support/test-control.ts';
import { StaticFiles } from './static-files.ts';

const data = makeDataDirectory();
const root = join(data.directory, 'dist');
const script = `console.log(${JSON.stringify('perigee '.repeat(500))});`;
let files: StaticFiles;

beforeAll(() => {
  mkdirSync(join(root, 'assets'), { recursive: true });
  writeFileSync(join(root, 'index.html'), '<!doctype html><title>Console</title>');
  writeFileSync(join(root, 'assets/index-3f9ab2c1.js'), script);
  writeFileSync(join(root, 'assets/map.png'), new Uint8Array([0x89, 0x50]));
  writeFileSync(join(root, '.hidden'), 'secret');
  writeFileSync(join(data.directory, 'secret.txt'), 'secret');
  symlinkSync(join(data.directory, 'secret.txt'), join(root, 'link.txt'));
  files = new StaticFiles(root);
});
afterAll(() => data.remove());

const get = (path: string, headers: Record<string, string> = {}) =>
  files.respond(new Request('http://localhost/', { headers }), path);

describe('files of the console', () => {
  test.each([
    ['/', 'text/html; charset=utf-8', 'no-cache'],
    ['/index.html', 'text/html; charset=utf-8', 'no-cache'],
    ['/sites/shop', 'text/html; charset=utf-8', 'no-cache'],
    ['/assets/index-3f9ab2c1.js', 'text/javascript; charset=utf-8', 'public, max-age=31536000, immutable'],
    ['/assets/map.png', 'image/png', 'no-cache'],
  ])('%s', async (path, type, cacheControl) => {
    const response = await get(path);
    expect(response?.status).toBe(200);
    expect(response?.headers.get('content-type')).toBe(type);
    expect(response?.headers.get('cache-control')).toBe(cacheControl);
    const isPage = type.startsWith('text/html');
    expect(response?.headers.get('content-security-policy')?.includes("script-src 'self'") ?? false).toBe(
      isPage,
    );
  });

  test('text is compressed for those who take it, once', async () => {
    const path = '/assets/index-3f9ab2c1.js';
    const compressed = await get(path, { 'accept-encoding': 'br, gzip' });
    expect(compressed?.headers.get('content-encoding')).toBe('gzip');
    expect(compressed?.headers.get('vary')).toBe('accept-encoding');
    const bytes = new Uint8Array((await compressed?.arrayBuffer()) ?? new ArrayBuffer());
    expect(bytes.length).toBeLessThan(script.length / 10);
    expect(new TextDecoder().decode(Bun.gunzipSync(bytes))).toBe(script);
    for (const encoding of ['br', 'gzip;q=0', 'identity']) {
      const plain = await get(path, { 'accept-encoding': encoding });
      expect(plain?.headers.get('content-encoding')).toBeNull();
      expect(await plain?.text()).toBe(script);
    }
  });

  test('what the browser has is not sent again; what was rebuilt is', async () => {
    const etag = (await get('/'))?.headers.get('etag') ?? '';
    expect((await get('/', { 'if-none-match': `"x", W/${etag}` }))?.status).toBe(304);
    writeFileSync(join(root, 'index.html'), '<!doctype html><title>Console, rebuilt</title>');
    const rebuilt = await get('/', { 'if-none-match': etag });
    expect(rebuilt?.status).toBe(200);
    expect(await rebuilt?.text()).toContain('rebuilt');
  });

  test.each([
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/assets/../../secret.txt',
    '/assets/%2e%2e%2f%2e%2e%2fsecret.txt',
    '/..%5csecret.txt',
    '/link.txt',
    '/%00.txt',
    '/secret.txt%00.html',
    '/%ff.txt',
    '/assets.txt',
    `/${'a'.repeat(5000)}.txt`,
    '//etc/hosts.txt',
    '/none.js',
  ])('%s leads nowhere', async (path) => {
    expect(await get(path)).toBeNull();
  });

  test.each(['/etc/passwd', '//etc/passwd', '/..', '/%2e%2e%2f%2e%2e%2fetc%2fpasswd', '/assets', '/.hidden'])(
    '%s shows the console at most',
    async (path) => {
      const response = await get(path);
      if (response !== null) expect(await response.text()).toContain('<title>Console');
    },
  );

  test('a console that is not built says so', async () => {
    const response = await new StaticFiles(join(root, 'nowhere')).respond(
      new Request('http://localhost/'),
      '/',
    );
    expect(response?.status).toBe(503);
    expect(await response?.text()).toContain('The console is not built');
  });
});
