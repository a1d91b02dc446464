import { expect, test } from 'bun:test';
import type { SiteView } from '#core/contract/sites.ts';
import { fieldOfSetting, settingsErrors, toPatch, toValues } from './settings-values.ts';

const SITE: SiteView = {
  id: 'shop',
  hosts: ['shop.example.com'],
  origins: [{ url: 'http://192.0.2.1', hostHeader: null, verifyCertificate: true, http2: false }],
  rules: [],
  staleWhileRevalidateSeconds: 30,
  staleIfErrorSeconds: 86_400,
  webSockets: true,
  cname: 'shop.cdn.test',
};

test('what is shown, saved unchanged, changes nothing', () => {
  const { hosts, origins, staleWhileRevalidateSeconds, staleIfErrorSeconds, webSockets } = SITE;
  expect(toPatch(toValues(SITE))).toEqual({
    hosts,
    origins,
    staleWhileRevalidateSeconds,
    staleIfErrorSeconds,
    webSockets,
  });
  expect(settingsErrors(toValues(SITE))).toEqual({});
});

test('what is wrong is said beside its field', () => {
  const values = {
    hosts: ['shop.example.com', 'not a host'],
    origins: [
      { url: 'http://192.0.2.1', hostHeader: '', verifyCertificate: true, http2: false },
      { url: 'ftp://x', hostHeader: 'a b', verifyCertificate: true, http2: false },
    ],
    staleWhileRevalidate: 'soon',
    staleIfError: '9999d',
    webSockets: true,
  };
  expect(Object.keys(settingsErrors(values)).sort()).toEqual([
    'hosts',
    'origins.1.hostHeader',
    'origins.1.url',
    'staleIfError',
    'staleWhileRevalidate',
  ]);
  expect(fieldOfSetting('rules[0]')).toBeNull();
});
