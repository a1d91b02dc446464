import { expect, test } from 'bun:test';
import type { SiteView } from '#core/contract/sites.ts';
import { siteSchema } from '#core/model/site.ts';
import { fieldOfSetting, settingsErrors, toPatch, toValues } from './settings-values.ts';

const SITE: SiteView = {
  ...siteSchema.parse({
    id: 'shop',
    hosts: ['shop.example.com'],
    origins: [
      {
        url: 'http://192.0.2.1',
        hostHeader: null,
        verifyCertificate: true,
        http2: false,
        timeouts: { connectSeconds: 3, firstByteSeconds: null, betweenBytesSeconds: null, totalSeconds: 60 },
      },
    ],
    rules: [],
    staleWhileRevalidateSeconds: 30,
    staleIfErrorSeconds: 86_400,
    webSockets: true,
    minTlsVersion: '1.3',
    clientCertificates: { mode: 'request', authoritiesPem: '-----BEGIN CERTIFICATE-----\n' },
  }),
  cname: 'shop.cdn.test',
};

test('what is shown, saved unchanged, changes nothing', () => {
  expect(SITE).toMatchObject(toPatch(toValues(SITE)));
  expect(settingsErrors(toValues(SITE))).toEqual({});
  const plain = { ...SITE, minTlsVersion: '1.2', clientCertificates: null } as const;
  expect(toPatch(toValues(plain))).toMatchObject({ minTlsVersion: '1.2', clientCertificates: null });
});

test('what is wrong is said beside its field', () => {
  const values = {
    hosts: ['shop.example.com', 'not a host'],
    origins: [
      { url: 'http://192.0.2.1', hostHeader: '', verifyCertificate: true, http2: false, timeouts: null },
      { url: 'ftp://x', hostHeader: 'a b', verifyCertificate: true, http2: false, timeouts: null },
    ],
    staleWhileRevalidate: 'soon',
    staleIfError: '9999d',
    webSockets: true,
    isTls13Only: false,
    clientCertificates: 'require' as const,
    clientAuthorities: 'none',
  };
  expect(Object.keys(settingsErrors(values)).sort()).toEqual([
    'clientAuthorities',
    'hosts',
    'origins.1.hostHeader',
    'origins.1.url',
    'staleIfError',
    'staleWhileRevalidate',
  ]);
  expect(fieldOfSetting('rules[0]')).toBeNull();
});
