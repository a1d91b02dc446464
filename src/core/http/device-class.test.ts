import { expect, test } from 'bun:test';
import { type DeviceClass, deviceClassOf } from './device-class.ts';
import { Fields } from './fields.ts';

const ANDROID = 'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/130.0.0.0';

test.each<[userAgent: string, expected: DeviceClass]>([
  ['', 'desktop'],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0', 'desktop'],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.5 Safari/605.1.15',
    'desktop',
  ],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148', 'phone'],
  [`${ANDROID} Mobile Safari/537.36`, 'phone'],
  [`${ANDROID} Safari/537.36`, 'tablet'],
  ['Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148', 'tablet'],
])('"%s" is a %s', (userAgent, expected) => {
  expect(deviceClassOf(Fields.of(userAgent === '' ? [] : [['User-Agent', userAgent]]))).toBe(expected);
});

test('a client hint says phone', () => {
  expect(deviceClassOf(Fields.of([['Sec-CH-UA-Mobile', '?1']]))).toBe('phone');
  expect(deviceClassOf(Fields.of([['Sec-CH-UA-Mobile', '?0']]))).toBe('desktop');
});
