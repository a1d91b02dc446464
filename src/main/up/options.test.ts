import { describe, expect, test } from 'bun:test';
import { AppError } from '#core/base/app-error.ts';
import { readUpOptions, type UpArguments } from './options.ts';

const DEFAULTS: UpArguments = {
  data: './.perigee',
  http: '127.0.0.1:8080',
  https: '127.0.0.1:8443',
  dns: '127.0.0.1:8053',
  api: '127.0.0.1:8000',
  apiHost: [],
  zone: 'cdn.test',
  site: [],
  edges: '1',
  memory: '256MiB',
  drainSeconds: '300',
  demo: true,
};

describe('options of perigee up', () => {
  test('are read', () => {
    const options = readUpOptions({
      ...DEFAULTS,
      http: '[::1]:80',
      site: ['www.example.com=http://192.0.2.1:8080'],
    });
    expect(options.http).toEqual({ address: '::1', port: 80 });
    expect(options.sites).toEqual([{ host: 'www.example.com', originUrl: 'http://192.0.2.1:8080' }]);
    expect(options.dataDirectory.startsWith('/')).toBe(true);
    expect(options.proxySources).toBeNull();
    expect(options.acceptsH2c).toBe(false);
    expect(readUpOptions({ ...DEFAULTS, h2c: true }).acceptsH2c).toBe(true);
    expect(options.trace).toBeNull();
    expect(readUpOptions({ ...DEFAULTS, trace: '/t', traceShare: '1/64' }).trace).toEqual({
      path: '/t',
      share: 1 / 64,
    });
    expect(() => readUpOptions({ ...DEFAULTS, traceShare: '5%' })).toThrow(
      '--trace-share: needs --trace FILE',
    );
    expect(() => readUpOptions({ ...DEFAULTS, trace: ' ' })).toThrow('--trace: must be a file');
    expect(options.hasHttp3).toBe(false);
    expect(readUpOptions({ ...DEFAULTS, http3: true }).hasHttp3).toBe(true);
    expect(options.memoryBytes).toBe(256 * 1024 * 1024);
    expect(options.memoryFile).toBeUndefined();
    expect(readUpOptions({ ...DEFAULTS, memory: '4GiB' }).memoryBytes).toBe(4 * 1024 ** 3);
    expect(readUpOptions({ ...DEFAULTS, memoryFile: 'none' }).memoryFile).toBeNull();
    expect(readUpOptions({ ...DEFAULTS, memoryFile: '/mnt/shm/x' }).memoryFile).toBe('/mnt/shm/x');
    const proxyProtocol = ['192.0.2.0/24', '2001:db8::/32'];
    expect(readUpOptions({ ...DEFAULTS, proxyProtocol }).proxySources).toEqual(proxyProtocol);
  });

  test('ports chosen by the system, and one port at two addresses, are no conflict', () => {
    const free = '127.0.0.1:0';
    readUpOptions({ ...DEFAULTS, http: free, https: free, dns: free, api: free });
    readUpOptions({ ...DEFAULTS, http: '127.0.0.1:80', https: '127.0.0.2:80', dns: '[::]:80' });
  });

  test.each<[string, Partial<UpArguments>]>([
    ['--http', { http: 'localhost:80' }],
    ['--http', { http: '127.0.0.1:70000' }],
    ['--dns', { dns: '127.0.0.1' }],
    ['--https', { https: '127.0.0.1:8080' }],
    ['--dns', { dns: '0.0.0.0:8443' }],
    ['--api', { http: '[::]:80', api: '[::1]:80' }],
    ['--zone', { zone: 'not a zone' }],
    ['--api-host', { apiHost: ['http://cdn.example.com'] }],
    ['--edges', { edges: '0' }],
    ['--edges', { edges: 'many' }],
    ['--memory', { memory: '15MiB' }],
    ['--memory', { memory: '1TiB' }],
    ['--memory', { memory: '256MB' }],
    ['--memory', { memory: '' }],
    ['--memory-file', { memoryFile: ' ' }],
    ['--drain-seconds', { drainSeconds: '-1' }],
    ['--drain-seconds', { drainSeconds: '' }],
    ['--drain-seconds', { drainSeconds: '86401' }],
    ['--proxy-protocol', { proxyProtocol: ['192.0.2.1'] }],
    ['--http3', { http3: true, proxyProtocol: ['192.0.2.0/24'] }],
    ['--proxy-protocol', { proxyProtocol: ['192.0.2.0/24', 'everybody'] }],
    ['--site', { site: ['www.example.com'] }],
    ['--site', { site: ['www.example.com=ftp://192.0.2.1'] }],
    ['--site', { site: ['www.example.com=http://192.0.2.1/path'] }],
    ['--site', { site: ['bad_host=http://192.0.2.1'] }],
    ['--site', { site: ['=http://192.0.2.1'] }],
  ])('a wrong %s is named in one line', (option, wrong) => {
    const read = () => readUpOptions({ ...DEFAULTS, ...wrong });
    expect(read).toThrow(AppError);
    try {
      read();
    } catch (error) {
      const { code, message } = error as AppError;
      expect(code).toBe('invalid');
      expect(message).toStartWith(option);
      expect(message).not.toContain('\n');
    }
  });
});
