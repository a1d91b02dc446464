import { expect, test } from 'bun:test';
import type { Certificate } from '#core/model/snapshot.ts';
import type { TlsPolicy } from '#core/model/tls-policy.ts';
import { createSilentLogger } from '#platform/log.ts';
import { createTestAuthority } from '../../../test/support/test-authority.ts';
import { CertificateStore } from './certificate-store.ts';
import { TLS_LIMITS } from './limits.ts';

const STRICT: TlsPolicy = { minTlsVersion: '1.3', clientCertificates: null };

async function certificates(...names: string[]): Promise<[Certificate, ...Certificate[]]> {
  const authority = await createTestAuthority();
  const made = await Promise.all(
    names.map(async (name) => {
      const { key, cert } = await authority.issue([name]);
      return { hosts: [name], certificatePem: cert, privateKeyPem: key };
    }),
  );
  return made as [Certificate, ...Certificate[]];
}

function storeOf(all: readonly Certificate[], policies = new Map<string, TlsPolicy>()): CertificateStore {
  const store = new CertificateStore(createSilentLogger());
  store.replace(all, policies);
  return store;
}

test('the exact name, then the wildcard one label up, then the default', async () => {
  const [first, wild, exact] = await certificates('first.example', '*.example.com', 'www.example.com');
  const store = storeOf([first, wild, exact] as Certificate[]);
  const chosen = (name: string | null) => store.identify(name)?.certificates[0];
  for (const name of ['www.example.com', 'WWW.Example.COM', 'www.example.com.']) {
    expect(chosen(name)).toBe(exact as Certificate);
  }
  for (const name of ['a.example.com', 'B.EXAMPLE.COM.']) expect(chosen(name)).toBe(wild as Certificate);
  const others = ['example.com', 'a.b.example.com', '', '.', 'localhost', '*.example', 'first.example', null];
  for (const name of others) expect(chosen(name)).toBe(first);
  expect(storeOf([]).identify('first.example')).toBeNull();
});

test('several certificates of one name go together, within bounds, and so do those of the default', async () => {
  const [first, second, other] = await certificates('a.example', 'a.example', 'b.example');
  const store = storeOf([first, other, second] as Certificate[]);
  const both = [first, second] as Certificate[];
  expect(store.identify('a.example')?.certificates).toEqual(both);
  expect(store.identify(null)?.certificates).toEqual(both);
  expect(store.identify('b.example')?.certificates).toEqual([other as Certificate]);
  const many = storeOf(new Array<Certificate>(20).fill(first));
  expect(many.identify('a.example')?.certificates.length).toBe(TLS_LIMITS.certificatesPerHostMax);
});

test('a policy goes by the exact host, whichever certificate it has', async () => {
  const [first] = await certificates('*.example.com');
  const store = storeOf([first], new Map([['www.example.com', STRICT]]));
  expect(store.identify('WWW.example.com.')?.policy).toBe(STRICT);
  for (const name of ['example.com', 'a.example.com', '', null]) {
    expect(store.identify(name)?.policy).toBeNull();
  }
});

test('digests are equal for equal content, across swaps, and for no other', async () => {
  const [a, b] = await certificates('a.example', 'b.example');
  const all = [a, b] as Certificate[];
  const policies = new Map([['b.example', STRICT]]);
  const store = storeOf(all, policies);
  const digestOf = (name: string) => store.identify(name)?.digest;
  const [ofA, ofB] = [digestOf('a.example'), digestOf('b.example')];
  expect(ofA).not.toBe(ofB as string);
  store.replace(structuredClone(all), structuredClone(policies));
  expect([digestOf('a.example'), digestOf('b.example')]).toEqual([ofA, ofB]);
  store.replace(all, new Map());
  expect(digestOf('a.example')).toBe(ofA as string);
  expect(digestOf('b.example')).not.toBe(ofB as string);
  store.replace([{ ...a, privateKeyPem: (b as Certificate).privateKeyPem }], policies);
  expect(digestOf('a.example')).not.toBe(ofA as string);
});

test('a certificate that cannot be read is no default', async () => {
  const [good] = await certificates('good.example');
  const bad = { hosts: ['bad.example'], certificatePem: 'x', privateKeyPem: 'y' };
  const store = storeOf([bad, good]);
  expect(store.identify('other.example')?.certificates).toEqual([good]);
  expect(storeOf([bad]).identify(null)).toBeNull();
});
