import { afterEach, describe, expect, test } from 'bun:test';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { siteSchema } from '#core/model/site.ts';
import { openSqlite } from '../database/sqlite/open-sqlite.ts';
import { openAuthority } from './authority.ts';
import { ensureLeaves, LEAF_DAYS, signLeaf } from './leaves.ts';

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 0, 1);
const directories: string[] = [];

function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'perigee-certificates-'));
  directories.push(directory);
  return directory;
}

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

const site = (id: string, hosts: string[]) =>
  siteSchema.parse({ id, hosts, origins: [{ url: 'http://192.0.2.1' }] });

describe('the authority', () => {
  test('is made once, with keys only the owner can read, and found again', async () => {
    const directory = join(makeDirectory(), 'ca');
    const clock = { now: () => START };
    const first = await openAuthority(directory, clock);
    const second = await openAuthority(directory, clock);
    expect(second.certificatePem).toBe(first.certificatePem);
    expect(statSync(join(directory, 'ca-key.pem')).mode & 0o777).toBe(0o600);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    const certificate = new X509Certificate(first.certificatePem);
    expect(certificate.ca).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
  });

  test('is made anew when it has run out', async () => {
    const directory = makeDirectory();
    const first = await openAuthority(directory, { now: () => START });
    const later = await openAuthority(directory, { now: () => START + 3_651 * DAY_MS });
    expect(later.fingerprint).not.toBe(first.fingerprint);
  });

  test('broken files are named with the way out', async () => {
    const directory = makeDirectory();
    await openAuthority(directory, { now: () => START });
    writeFileSync(join(directory, 'ca-key.pem'), 'rubbish');
    await expect(openAuthority(directory, { now: () => START })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('remove the directory'),
    });
    expect(readFileSync(join(directory, 'ca-key.pem'), 'utf8')).toBe('rubbish');
  });
});

describe('leaves', () => {
  test('a client that trusts the authority reaches the host, and no other', async () => {
    const authority = await openAuthority(makeDirectory(), { now: () => Date.now() });
    const longHost = `${'long-'.repeat(12)}a.${'b'.repeat(60)}.example.com`;
    const leaf = await signLeaf(authority, [longHost, 'shop.cdn.test'], { now: () => Date.now() });
    const server = createServer({ cert: leaf.certificatePem, key: leaf.privateKeyPem }, (socket) =>
      socket.end(),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const tryHost = (servername: string) =>
      new Promise<string>((resolve) => {
        const socket = connect({ port, host: '127.0.0.1', servername, ca: authority.certificatePem }, () => {
          socket.destroy();
          resolve('trusted');
        });
        socket.on('error', (error) => resolve((error as NodeJS.ErrnoException).code ?? error.message));
      });
    expect(await tryHost('shop.cdn.test')).toBe('trusted');
    expect(await tryHost(longHost)).toBe('trusted');
    expect(await tryHost('other.cdn.test')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    server.close();
  });

  test('are kept, and signed again for new hosts, near their end and by a new authority', async () => {
    const directory = makeDirectory();
    const database = await openSqlite(join(directory, 'control.sqlite'));
    let now = START;
    const clock = { now: () => now };
    const authority = await openAuthority(join(directory, 'ca'), clock);
    const options = { database, authority, clock };
    const first = await ensureLeaves(options, [site('a', ['a.test']), site('b', ['b.test'])], 'cdn.test');
    expect(first.map(({ hosts }) => hosts)).toEqual([
      ['a.cdn.test', 'a.test'],
      ['b.cdn.test', 'b.test'],
    ]);
    const names = new X509Certificate(first[0]?.certificatePem ?? '').subjectAltName;
    expect(names).toBe('DNS:a.cdn.test, DNS:a.test');
    const again = await ensureLeaves(options, [site('a', ['a.test']), site('b', ['c.test'])], 'cdn.test');
    expect(again[0]).toEqual(first[0]);
    expect(again[1]?.hosts).toEqual(['b.cdn.test', 'c.test']);
    now += (LEAF_DAYS * 2 * DAY_MS) / 3 - 1;
    expect((await ensureLeaves(options, [site('a', ['a.test'])], 'cdn.test'))[0]).toEqual(first[0]);
    now += 1;
    const renewed = await ensureLeaves(options, [site('a', ['a.test'])], 'cdn.test');
    expect(renewed[0]?.certificatePem).not.toBe(first[0]?.certificatePem);
    const otherAuthority = await openAuthority(join(directory, 'other'), clock);
    const resigned = await ensureLeaves(
      { ...options, authority: otherAuthority },
      [site('a', ['a.test'])],
      'cdn.test',
    );
    expect(
      new X509Certificate(resigned[0]?.certificatePem ?? '').verify(
        new X509Certificate(otherAuthority.certificatePem).publicKey,
      ),
    ).toBe(true);
    await database.destroy();
  });
});
