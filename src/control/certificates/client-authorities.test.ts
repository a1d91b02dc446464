import { expect, test } from 'bun:test';
import { createTestAuthority } from '../../../test/support/test-authority.ts';
import { readClientAuthorities } from './client-authorities.ts';

const DAY_MS = 86_400_000;
const now = Date.now();

test('certificates of authorities are taken, in one form, without what stands around them', async () => {
  const [one, two] = [await createTestAuthority(), await createTestAuthority()];
  const pem = `subject=CN one\r\n${one.certificate.replaceAll('\n', '\r\n')}\r\n# two\n${two.certificate}`;
  const read = readClientAuthorities(pem, now);
  if (!read.ok) throw new Error(read.problem);
  expect(read.authoritiesPem).not.toContain('one');
  expect(read.authoritiesPem).not.toContain('\r');
  expect(read.authoritiesPem.match(/BEGIN/g)?.length).toBe(2);
  expect(readClientAuthorities(read.authoritiesPem, now)).toEqual(read);
});

test('what is wrong is said, and nothing of it is repeated that might be a secret', async () => {
  const authority = await createTestAuthority();
  const { key, cert } = await authority.issue(['www.example.com']);
  const good = authority.certificate;
  const problemOf = (pem: string, at = now) => {
    const read = readClientAuthorities(pem, at);
    return read.ok ? null : read.problem;
  };
  expect(problemOf('')).toBe('holds no certificate');
  expect(problemOf(`${good}\n${key}`)).toContain('holds a private key');
  expect(problemOf(`${good}\n${key}`)).not.toContain(key.split('\n')[1] as string);
  expect(problemOf(good.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE'))).toContain('"TRUSTED CERTIFICATE"');
  expect(problemOf(`${good}\n${cert}`)).toBe(
    'certificate 2 of 2 (CN=Test origin) is not the certificate of an authority',
  );
  expect(problemOf(good, now + 3 * DAY_MS)).toMatch(/^certificate 1 of 1 \(CN=Test authority\) ran out on 2/);
  expect(problemOf(good.slice(0, 200))).toContain('cut off');
  expect(problemOf(good.replace('\n', '\n!'))).toContain('cut off');
  expect(problemOf(good.replace(/\n[A-Za-z0-9+/=]{64}\n/, '\nAAAA\n'))).toBe(
    'certificate 1 of 1 cannot be read',
  );
  expect(problemOf(`${good}\n`.repeat(17))).toContain('17 certificates, and 16 is the most');
});
