import { describe, expect, test } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import { originAt } from '../../../test/support/origin-requests.ts';
import { destinationOf, hostSent } from './destination.ts';

describe('destinationOf', () => {
  test.each([
    ['http://192.0.2.1:8080', '192.0.2.1', 8080],
    ['http://Origin.Example.com', 'origin.example.com', 80],
    ['http://[2001:DB8::1]:81/', '2001:db8::1', 81],
    ['http://origin.example.com:80', 'origin.example.com', 80],
  ])('%s', (url, host, port) => {
    expect(destinationOf(originAt(url), 'www.example.com')).toMatchObject({ host, port, tls: null });
  });

  test.each([
    ['www.example.com', 'www.example.com'],
    ['www.example.com:8443', 'www.example.com'],
    ['[2001:db8::1]:8443', '2001:db8::1'],
    ['192.0.2.1', '192.0.2.1'],
  ])('the server name for Host %s', (host, serverName) => {
    const destination = destinationOf(originAt('https://origin.example.com'), host);
    expect(destination).toMatchObject({
      host: 'origin.example.com',
      port: 443,
      tls: { serverName, verifies: true },
    });
  });

  test('connections are shared only where nothing they depend on differs', () => {
    const plain = originAt('http://origin.example.com');
    const tls = originAt('https://origin.example.com');
    const unverified = originAt('https://origin.example.com', { verifyCertificate: false });
    const keys = [
      destinationOf(plain, 'a.example.com'),
      destinationOf(tls, 'a.example.com'),
      destinationOf(tls, 'b.example.com'),
      destinationOf(unverified, 'a.example.com'),
      destinationOf(originAt('http://origin.example.com:81'), 'a.example.com'),
    ].map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
    expect(destinationOf(originAt('http://origin.example.com/'), 'b.example.com').key).toBe(keys[0] ?? '');
  });

  test('what is no address fails the request, not the process', () => {
    expect(() => destinationOf(originAt('http://'), 'www.example.com')).toThrow('no origin address');
  });
});

describe('hostSent', () => {
  const fields = Fields.of([['Host', 'www.example.com']]);
  test("the origin's setting, else the request's, else the address", () => {
    expect(hostSent(originAt('http://o.example.com', { hostHeader: 'set.example.com' }), fields)).toBe(
      'set.example.com',
    );
    expect(hostSent(originAt('http://o.example.com'), fields)).toBe('www.example.com');
    expect(hostSent(originAt('http://o.example.com:81'), new Fields())).toBe('o.example.com:81');
  });
});
