import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { type ProxyHeaderParts, proxyHeader } from '../../../test/support/proxy-header.ts';
import { PROXY_HEADER_BYTES_MAX, readProxyHeader } from './proxy-protocol.ts';

const REST = Buffer.from('GET / HTTP/1.1\r\n');
const NOOP = 0x04;

/** The verdict of the whole, which every cut must come to as well. */
function verdictOf(header: Buffer): unknown {
  const bytes = Buffer.concat([header, REST]);
  const whole = readProxyHeader(bytes);
  for (let cut = 0; cut < bytes.length; cut += 1) {
    const early = readProxyHeader(bytes.subarray(0, cut));
    if (early !== 'incomplete') expect<unknown>({ cut, verdict: early }).toEqual({ cut, verdict: whole });
    else expect(cut).toBeLessThan(typeof whole === 'string' ? bytes.length : header.length);
  }
  return whole;
}

const IPV4_ENDS = {
  clientAddress: '203.0.113.7',
  clientPort: 56_324,
  localAddress: '192.0.2.1',
  localPort: 443,
};

describe('headers that are taken', () => {
  const taken: [string, ProxyHeaderParts, object | null][] = [
    ['IPv4', {}, IPV4_ENDS],
    [
      'IPv6',
      { client: '2001:db8::7', local: '2001:db8:1::' },
      { ...IPV4_ENDS, clientAddress: '2001:db8::7', localAddress: '2001:db8:1::' },
    ],
    [
      'IPv4 written as IPv6',
      {
        family: 0x21,
        block: Buffer.from('00000000000000000000ffffcb00710700000000000000000000ffffc0000201dc0401bb', 'hex'),
      },
      IPV4_ENDS,
    ],
    ['LOCAL', { versionAndCommand: 0x20, family: 0, block: Buffer.alloc(0) }, null],
    ['LOCAL with addresses, which say nothing', { versionAndCommand: 0x20 }, null],
    ['no known family', { family: 0, block: Buffer.alloc(0) }, null],
    ['no known family, and bytes to skip', { family: 0, block: Buffer.alloc(300, 0xff) }, null],
    [
      'fields that are skipped',
      {
        fields: [
          [0x01, Buffer.from('h2')],
          [0xea, Buffer.alloc(50)],
        ],
      },
      IPV4_ENDS,
    ],
    ['an empty field at the end', { fields: [[NOOP, Buffer.alloc(0)]] }, IPV4_ENDS],
    ['a checksum', { withChecksum: true }, IPV4_ENDS],
    ['a checksum behind other fields', { fields: [[NOOP, Buffer.alloc(9)]], withChecksum: true }, IPV4_ENDS],
    ['all that may be', { fields: [[NOOP, Buffer.alloc(PROXY_HEADER_BYTES_MAX - 28 - 3)]] }, IPV4_ENDS],
  ];
  test.each(taken)('%s', (_, parts, ends) => {
    const header = proxyHeader(parts);
    expect(verdictOf(header)).toEqual({ length: header.length, ends });
  });
});

describe('headers that are refused', () => {
  const signature = proxyHeader().subarray(0, 12);
  const withChecksum = proxyHeader({ withChecksum: true });
  const damaged = Buffer.from(withChecksum);
  damaged[16] = 1;
  const refused: [string, Buffer, string][] = [
    ['none', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'proxy-header-missing'],
    ['none, but TLS', Buffer.from([0x16, 3, 1, 2, 0]), 'proxy-header-missing'],
    ['the beginning of one', Buffer.from('\r\n\r\n\0\r\nQUIX'), 'proxy-header-missing'],
    ['version 1', Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n'), 'proxy-version-1'],
    ['another version', Buffer.concat([signature, Buffer.from([0x31, 0x11, 0, 0])]), 'proxy-version-unknown'],
    ['another command', proxyHeader({ versionAndCommand: 0x22 }), 'proxy-command-unknown'],
    ['UDP over IPv4', proxyHeader({ family: 0x12 }), 'proxy-family-unknown'],
    ['UDP over IPv6', proxyHeader({ family: 0x22 }), 'proxy-family-unknown'],
    ['a Unix socket', proxyHeader({ family: 0x31, block: Buffer.alloc(216) }), 'proxy-family-unknown'],
    ['another family', proxyHeader({ family: 0x41 }), 'proxy-family-unknown'],
    ['too long', proxyHeader({ block: Buffer.alloc(PROXY_HEADER_BYTES_MAX - 15) }), 'proxy-header-too-long'],
    ['longest', Buffer.concat([signature, Buffer.from([0x21, 0x11, 0xff, 0xff])]), 'proxy-header-too-long'],
    ['IPv4 addresses cut', proxyHeader({ block: Buffer.alloc(11) }), 'proxy-addresses-cut'],
    ['no addresses', proxyHeader({ block: Buffer.alloc(0) }), 'proxy-addresses-cut'],
    ['IPv6 addresses cut', proxyHeader({ family: 0x21, block: Buffer.alloc(35) }), 'proxy-addresses-cut'],
    ['the head of a field cut', proxyHeader({ block: Buffer.alloc(14) }), 'proxy-field-cut'],
    [
      'a field over the end',
      proxyHeader({ block: Buffer.from(`${'00'.repeat(12)}0400010`, 'hex') }),
      'proxy-field-cut',
    ],
    ['damage under a checksum', damaged, 'proxy-checksum-wrong'],
    ['a checksum of no length', proxyHeader({ fields: [[3, Buffer.alloc(0)]] }), 'proxy-checksum-wrong'],
    ['a checksum of zero', proxyHeader({ fields: [[3, Buffer.alloc(4)]] }), 'proxy-checksum-wrong'],
  ];
  test.each(refused)('%s', (_, header, fault) => {
    expect(verdictOf(header)).toBe(fault);
  });
});

test('whatever comes is judged, and never read beyond its bounds', () => {
  const start = fc.constantFrom(
    Buffer.alloc(0),
    proxyHeader().subarray(0, 12),
    proxyHeader().subarray(0, 14),
    proxyHeader({ client: '2001:db8::1', local: '2001:db8::2' }).subarray(0, 20),
  );
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 80 }), (begin, junk) => {
      const verdict = readProxyHeader(Buffer.concat([begin, junk]));
      if (typeof verdict === 'object') {
        expect(verdict.length).toBeGreaterThanOrEqual(16);
        expect(verdict.length).toBeLessThanOrEqual(begin.length + junk.length);
      }
    }),
    { numRuns: 3000 },
  );
});
