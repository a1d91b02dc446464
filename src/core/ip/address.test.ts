import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { addressOctets, formatAddress, type IpAddress, parseAddress } from './address.ts';
import { formatPrefix, parsePrefix } from './prefix.ts';

describe('addresses', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ])('%s reads as %s', (text, canonical) => {
    const address = parseAddress(text);
    expect(address === null ? null : formatAddress(address)).toBe(canonical);
  });

  test.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.256',
    '1.2.3.-4',
    ' 1.2.3.4',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8:9',
    '12345::',
    'g::',
    'fe80::1%eth0',
    '::1.2.3',
    '1.2.3.4::',
    '1:'.repeat(30),
  ])('%p is no address', (text) => {
    expect(parseAddress(text)).toBeNull();
  });

  test('every IPv6 address survives its text form', () => {
    const word = fc.oneof(
      fc.constant(0),
      fc.integer({ min: 0, max: 0xffffffff }),
      fc.constantFrom(1, 0xffff, 0x10000),
    );
    fc.assert(
      fc.property(word, word, word, word, (word0, word1, word2, word3) => {
        fc.pre(word0 !== 0 || word1 !== 0 || word2 !== 0xffff);
        const address: IpAddress = { family: 6, word0, word1, word2, word3 };
        expect(parseAddress(formatAddress(address))).toEqual(address);
      }),
    );
  });

  test('octets stand in network order', () => {
    const octets = addressOctets(parseAddress('2001:db8::ff00:42:8329') as IpAddress);
    expect(Array.from(octets)).toEqual([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0xff, 0, 0, 0x42, 0x83, 0x29]);
  });
});

describe('networks', () => {
  test.each([
    ['192.0.2.77/24', '192.0.2.0/24'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['192.0.2.1/32', '192.0.2.1/32'],
    ['2001:db8:ffff::/33', '2001:db8:8000::/33'],
    ['::/0', '::/0'],
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
  ])('%s reads as %s', (text, canonical) => {
    const prefix = parsePrefix(text);
    expect(prefix === null ? null : formatPrefix(prefix)).toBe(canonical);
  });

  test.each([
    '192.0.2.0',
    '192.0.2.0/33',
    '192.0.2.0/',
    '::/129',
    '/8',
    '192.0.2.0/08',
    '::ffff:10.0.0.0/95',
  ])('%p is no network', (text) => {
    expect(parsePrefix(text)).toBeNull();
  });
});
