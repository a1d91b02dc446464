import { describe, expect, test } from 'bun:test';
import { siteSchema } from './site.ts';
import {
  type ClientCertificate,
  judgeTls,
  showsCertificate,
  type TlsPolicy,
  tlsPolicyOf,
  trustedCertificate,
} from './tls-policy.ts';

const NOW = 1_800_000_000_000;
const STRICT: TlsPolicy = { minTlsVersion: '1.3', clientCertificates: null };
const REQUIRE: TlsPolicy = {
  minTlsVersion: '1.2',
  clientCertificates: { authoritiesPem: 'one', mode: 'require' },
};
const OTHER: TlsPolicy = {
  minTlsVersion: '1.2',
  clientCertificates: { authoritiesPem: 'other', mode: 'require' },
};
const REQUEST: TlsPolicy = {
  minTlsVersion: '1.2',
  clientCertificates: { authoritiesPem: 'one', mode: 'request' },
};
const BOTH: TlsPolicy = { ...REQUIRE, minTlsVersion: '1.3' };
const ALL = [null, STRICT, REQUIRE, OTHER, REQUEST, BOTH];
const GOOD: ClientCertificate = { isTrusted: true, expiresAt: NOW + 1, base64: 'x' };
const PAST: ClientCertificate = { isTrusted: true, expiresAt: NOW, base64: 'x' };
const BAD: ClientCertificate = { isTrusted: false };

const judge = (policy: TlsPolicy | null, of: TlsPolicy | null, clientCertificate: ClientCertificate | null) =>
  judgeTls(policy, { policy: of, clientCertificate }, NOW);

test('a site that asks for nothing has no policy', () => {
  const site = { id: 'a', hosts: ['a.example'], origins: [{ url: 'http://192.0.2.1' }] };
  expect(tlsPolicyOf(siteSchema.parse(site))).toBeNull();
  expect(tlsPolicyOf(siteSchema.parse({ ...site, minTlsVersion: '1.3' }))).toEqual(STRICT);
  const clientCertificates = { authoritiesPem: '-----BEGIN CERTIFICATE-----' };
  expect(tlsPolicyOf(siteSchema.parse({ ...site, clientCertificates }))).toEqual({
    minTlsVersion: '1.2',
    clientCertificates: { ...clientCertificates, mode: 'require' },
  });
});

describe('judgement', () => {
  test('any two policies that differ: misdirected, whatever was shown', () => {
    for (const policy of ALL) {
      for (const of of ALL) {
        for (const certificate of [null, GOOD, PAST, BAD]) {
          const verdict = judge(policy, of, certificate);
          if (policy !== of) expect(verdict).toBe('misdirected');
          else expect(verdict).not.toBe('misdirected');
        }
      }
    }
  });

  test('equal policies are the same, also of different snapshots', () => {
    for (const policy of ALL) expect(judge(policy, structuredClone(policy), GOOD)).toBeNull();
  });

  test('what was shown counts where certificates are required', () => {
    for (const policy of [REQUIRE, OTHER, BOTH]) {
      expect(judge(policy, policy, GOOD)).toBeNull();
      expect(judge(policy, policy, null)).toBe('client-certificate-missing');
      expect(judge(policy, policy, BAD)).toBe('client-certificate-invalid');
      expect(judge(policy, policy, PAST)).toBe('client-certificate-invalid');
    }
    for (const policy of [null, STRICT, REQUEST]) {
      for (const certificate of [null, GOOD, BAD, PAST])
        expect(judge(policy, policy, certificate)).toBeNull();
    }
  });

  test('plain connections reach every site but those that require certificates', () => {
    for (const policy of [null, STRICT, REQUEST]) expect(judgeTls(policy, null, NOW)).toBeNull();
    for (const policy of [REQUIRE, OTHER, BOTH]) expect(judgeTls(policy, null, NOW)).toBe('tls-required');
  });
});

test('the origin is told of certificates that are trusted, until they run out', () => {
  const told = (clientCertificate: ClientCertificate | null) =>
    trustedCertificate({ policy: REQUEST, clientCertificate }, NOW);
  expect([told(GOOD), told(PAST), told(BAD), told(null)]).toEqual(['x', null, null, null]);
  expect(trustedCertificate(null, NOW)).toBeNull();
  const shows = (clientCertificate: ClientCertificate | null) =>
    showsCertificate({ policy: REQUEST, clientCertificate });
  expect([shows(GOOD), shows(BAD), shows(null), showsCertificate(null)]).toEqual([true, false, false, false]);
});
