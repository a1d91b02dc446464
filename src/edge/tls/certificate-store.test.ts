import { expect, test } from 'bun:test';
import type { Certificate } from '#core/model/snapshot.ts';
import { createSilentLogger } from '#platform/log.ts';
import { createTestAuthority } from '../../../test/support/test-authority.ts';
import { createCertificateStore } from './certificate-store.ts';

async function certificates(...names: string[]): Promise<Certificate[]> {
  const authority = await createTestAuthority();
  return Promise.all(
    names.map(async (name) => {
      const { key, cert } = await authority.issue([name]);
      return { hosts: [name], certificatePem: cert, privateKeyPem: key };
    }),
  );
}

test('the exact name, then the wildcard one label up, then the default', async () => {
  const store = createCertificateStore(createSilentLogger());
  const [first, wild, exact] = await certificates('first.example', '*.example.com', 'www.example.com');
  store.setCertificates([first, wild, exact] as Certificate[]);
  const fallback = store.contextFor('first.example');
  expect(fallback).not.toBeNull();
  expect(store.contextFor('WWW.example.com')).not.toBe(fallback);
  expect(store.contextFor('a.example.com')).not.toBe(store.contextFor('www.example.com'));
  expect(store.contextFor('a.example.com')).toBe(store.contextFor('B.EXAMPLE.COM.'));
  for (const name of ['example.com', 'a.b.example.com', '', '.', 'localhost', '*.example']) {
    expect(store.contextFor(name)).toBe(fallback);
  }
});

test('contexts are kept up to the bound, the least recently used let go', async () => {
  const store = createCertificateStore(createSilentLogger(), 2);
  store.setCertificates(await certificates('a.example', 'b.example', 'c.example'));
  const a = store.contextFor('a.example');
  const b = store.contextFor('b.example');
  expect(store.contextFor('a.example')).toBe(a);
  store.contextFor('c.example');
  expect(store.contextFor('a.example')).toBe(a);
  expect(store.contextFor('b.example')).not.toBe(b);
});

test('a swap keeps the contexts of certificates that stay, and tells of the default', async () => {
  const store = createCertificateStore(createSilentLogger());
  const [a, b] = (await certificates('a.example', 'b.example')) as [Certificate, Certificate];
  let told = 0;
  const stop = store.onDefault(() => {
    told += 1;
  });
  store.setCertificates([a, b]);
  expect([told, store.defaultCertificate?.cert]).toEqual([1, a.certificatePem]);
  const context = store.contextFor('b.example');
  store.setCertificates([b]);
  expect([told, store.defaultCertificate?.cert]).toEqual([2, b.certificatePem]);
  expect(store.contextFor('b.example')).toBe(context);
  stop();
  store.setCertificates([]);
  expect([told, store.defaultCertificate, store.contextFor('b.example')]).toEqual([2, null, null]);
});

test('a certificate that cannot be read is no default and has no context', async () => {
  const store = createCertificateStore(createSilentLogger());
  const [good] = (await certificates('good.example')) as [Certificate];
  const bad = { hosts: ['bad.example'], certificatePem: 'x', privateKeyPem: 'y' };
  store.setCertificates([bad, good]);
  expect(store.contextFor('bad.example')).toBeNull();
  expect(store.contextFor('other.example')).toBe(store.contextFor('good.example'));
});
