import { afterAll, beforeAll, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTestAuthority } from '../../../test/support/test-authority.ts';
import { makeDataDirectory, startTestControl, type TestControl } from '../../../test/support/test-control.ts';
import { createProgram, runProgram } from '../program.ts';

const data = makeDataDirectory();
let control: TestControl;
let authoritiesFile: string;

beforeAll(async () => {
  control = await startTestControl({ dataDirectory: data.directory });
  authoritiesFile = join(data.directory, 'authorities.pem');
  const both = [await createTestAuthority(), await createTestAuthority()];
  writeFileSync(authoritiesFile, both.map(({ certificate }) => `# one\n${certificate}\n`).join(''));
  await control.client.createSite({
    body: { id: 'club', hosts: ['club.example.com'], origins: [{ url: 'http://192.0.2.1' }] },
  });
});

afterAll(async () => {
  await control.close();
  data.remove();
});

async function perigee(...given: string[]): Promise<{ exitCode: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const io = {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
    environment: { PERIGEE_API: control.url, PERIGEE_TOKEN: control.adminToken },
    isTerminal: false,
  };
  const exitCode = await runProgram(createProgram(io), ['bun', 'perigee', ...given], io);
  return { exitCode, out, err };
}

const setting = async () => (await control.client.getSite({ params: { id: 'club' } })).clientCertificates;

test('what a site asks of secure connections is set, shown, changed in part and taken back', async () => {
  const asked = await perigee(
    'site',
    'set',
    'club',
    '--client-authorities',
    authoritiesFile,
    '--min-tls',
    '1.3',
  );
  expect(asked.err).toBe('');
  expect(asked.out).toContain('TLS                     1.3 or later\n');
  expect(asked.out).toContain('Client certificates     required, of 2 authorities\n');
  const required = await setting();
  expect(required?.mode).toBe('require');
  expect(required?.authoritiesPem.match(/BEGIN/g)?.length).toBe(2);
  const optional = await perigee('site', 'set', 'club', '--client-certificates', 'request');
  expect(optional.out).toContain('asked for, of 2 authorities\n');
  expect(await setting()).toEqual({ authoritiesPem: required?.authoritiesPem ?? '', mode: 'request' });
  const off = await perigee('site', 'set', 'club', '--client-certificates', 'off', '--min-tls', '1.2');
  expect(off.out).toContain('TLS                     1.2 or later\n');
  expect(off.out).toContain('Client certificates     not asked for\n');
  expect(await setting()).toBeNull();
});

test('what is wrong is refused in one line, and nothing is changed', async () => {
  const keyFile = join(data.directory, 'key.pem');
  const { key } = await (await createTestAuthority()).issue(['x']);
  writeFileSync(keyFile, `-----BEGIN CERTIFICATE-----\n${key}`);
  const largeFile = join(data.directory, 'large.pem');
  writeFileSync(largeFile, 'x'.repeat(40_000));
  for (const [given, words] of [
    [['--client-certificates', 'require'], 'say whose certificates are trusted: --client-authorities FILE'],
    [['--client-authorities', '/nowhere.pem'], '--client-authorities /nowhere.pem: is not there'],
    [['--client-authorities', largeFile], 'is too large'],
    [['--client-authorities', keyFile], 'holds a private key'],
    [['--client-certificates', 'perhaps'], "'perhaps' is invalid"],
    [['--min-tls', '1.1'], "'1.1' is invalid"],
  ] as const) {
    const ran = await perigee('site', 'set', 'club', ...given);
    expect(ran.exitCode).toBeGreaterThan(0);
    expect(ran.err).toStartWith('perigee: ');
    expect(ran.err).toContain(words);
    expect(ran.err).not.toContain(key.split('\n')[1] as string);
  }
  expect(await setting()).toBeNull();
});
