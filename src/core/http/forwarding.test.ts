import { describe, expect, test } from 'bun:test';
import { Fields } from './fields.ts';
import { countLoops, forwardedRequestFields, responseFields } from './forwarding.ts';

function forward(
  entries: [string, string][],
  method = 'GET',
  clientCertificate: string | null = null,
): Fields {
  return forwardedRequestFields({
    method,
    fields: Fields.of(entries),
    clientAddress: '192.0.2.1',
    scheme: 'https',
    authority: 'www.example.com',
    httpVersion: '1.1',
    clientCertificate,
    hostToSend: 'origin.example.com',
    via: 'perigee',
    cdnLoopName: 'perigee',
    surrogateCapability: 'perigee="Surrogate/1.0"',
    listed: null,
    keyHeaders: [],
    keyFields: [],
  });
}

describe('requests to origins', () => {
  test('FW1 hop-by-hop fields and those Connection names stay behind', () => {
    const sent = forward([
      ['Connection', 'keep-alive, X-Secret'],
      ['Keep-Alive', 'timeout=5'],
      ['X-Secret', '1'],
      ['TE', 'trailers'],
      ['Upgrade', 'websocket'],
      ['Transfer-Encoding', 'chunked'],
      ['Proxy-Authorization', 'x'],
      ['Content-Length', '5'],
      ['Expect', '100-continue'],
      ['Accept', 'a'],
      ['accept', 'b'],
      ['Cookie', 'c=d'],
    ]);
    expect([...sent].slice(0, 4)).toEqual([
      ['Host', 'origin.example.com'],
      ['Accept', 'a'],
      ['accept', 'b'],
      ['Cookie', 'c=d'],
    ]);
  });

  test('FW1 Connection cannot take away what caching rests on', () => {
    const sent = forward([
      ['Connection', 'authorization, cache-control'],
      ['Authorization', 'Basic x'],
      ['Cache-Control', 'no-cache'],
    ]);
    expect(sent.get('authorization')).toBe('Basic x');
    expect(sent.get('cache-control')).toBe('no-cache');
  });

  test('FW6 Max-Forwards counts down where it means something', () => {
    expect(forward([['Max-Forwards', '7']], 'OPTIONS').get('max-forwards')).toBe('6');
    expect(forward([['Max-Forwards', '0']], 'OPTIONS').get('max-forwards')).toBe('0');
    expect(forward([['Max-Forwards', '7']], 'GET').get('max-forwards')).toBe('7');
    expect(forward([['Max-Forwards', '-1']], 'OPTIONS').get('max-forwards')).toBe('-1');
    expect(forward([], 'OPTIONS').get('max-forwards')).toBeNull();
  });

  test('FW4 a GET stays a GET, other methods may name the one they mean', () => {
    const override: [string, string][] = [['X-HTTP-Method-Override', 'DELETE']];
    expect(forward(override).get('x-http-method-override')).toBeNull();
    expect(forward(override, 'HEAD').get('x-http-method-override')).toBeNull();
    expect(forward(override, 'POST').get('x-http-method-override')).toBe('DELETE');
  });

  test('FW2 claims about where the request comes from are replaced', () => {
    const sent = forward([
      ['Host', 'evil.example'],
      ['X-Forwarded-For', '127.0.0.1'],
      ['X-Forwarded-Host', 'evil.example'],
      ['X-Forwarded-Scheme', 'evil'],
      ['Forwarded', 'for=127.0.0.1'],
      ['X-Original-URL', '/admin'],
      ['X-Real-IP', '127.0.0.1'],
      ['Surrogate-Capability', 'evil="ESI/1.0"'],
      ['Perigee-Country', 'DE'],
    ]);
    expect([...sent]).toEqual([
      ['Host', 'origin.example.com'],
      ['X-Forwarded-For', '192.0.2.1'],
      ['X-Forwarded-Proto', 'https'],
      ['X-Forwarded-Host', 'www.example.com'],
      ['Surrogate-Capability', 'perigee="Surrogate/1.0"'],
      ['Via', '1.1 perigee'],
      ['CDN-Loop', 'perigee'],
    ]);
  });

  test('FW8 of a list, what is listed, keyed or usual, and nothing else', () => {
    const options = {
      method: 'GET',
      fields: Fields.of([
        ['X-Listed', '1'],
        ['X-Keyed', '2'],
        ['ACCEPT', '3'],
        ['X-Other', '4'],
        ['X-Real-IP', '5'],
        ['Connection', 'close'],
      ]),
      clientAddress: '192.0.2.1',
      scheme: 'https',
      authority: 'www.example.com',
      httpVersion: '1.1',
      clientCertificate: null,
      hostToSend: 'origin.example.com',
      via: 'perigee',
      cdnLoopName: 'perigee',
      surrogateCapability: 'perigee="Surrogate/1.0"',
      listed: new Set(['x-listed', 'x-real-ip']),
      keyHeaders: ['x-keyed'],
      keyFields: ['Perigee-Device', 'phone'],
    } as const;
    const names = [...forwardedRequestFields(options)].map(([name]) => name);
    expect(names.slice(1, 5)).toEqual(['X-Listed', 'X-Keyed', 'ACCEPT', 'Perigee-Device']);
    expect(names.includes('X-Other') || names.includes('X-Real-IP')).toBe(false);
  });

  test('FW3 Via names the version that each request came with', () => {
    for (const httpVersion of [
      '1.1',
      '2',
      '3',
      '1.0',
      ...Array.from({ length: 20 }, (_, i) => `9.${i}`),
      '1.1',
    ]) {
      for (const via of ['perigee', 'other']) {
        const fields = responseFields({ fields: Fields.of([['Via', '1.0 a']]), httpVersion, via });
        expect(fields.get('via')).toBe(`1.0 a, ${httpVersion} ${via}`);
      }
    }
  });

  test('FW2 nor may a claim be spelt as CGI would read it', () => {
    const names = ['X_Forwarded_For', 'x_real-ip', 'Client_Cert', 'CDN_Loop', 'Via_', 'X_Kept'];
    const sent = forward(names.map((name) => [name, 'forged']));
    expect([...sent].filter(([, value]) => value === 'forged').map(([name]) => name)).toEqual([
      'Via_',
      'X_Kept',
    ]);
  });

  test('FW2 certificates of clients are what we say they are', () => {
    const forged: [string, string][] = [
      ['Client-Cert', ':Zm9yZ2Vk:'],
      ['Client-Cert-Chain', ':Zm9yZ2Vk:'],
      ['X-Client-Cert', 'forged'],
      ['SSL-Client-Verify', 'SUCCESS'],
      ['X-SSL-Client-S-DN', 'CN=forged'],
    ];
    const certificates = (sent: Fields) => [...sent].filter(([name]) => /client|ssl/i.test(name));
    expect(certificates(forward(forged))).toEqual([]);
    expect(certificates(forward(forged, 'GET', 'c2hvd24='))).toEqual([['Client-Cert', ':c2hvd24=:']]);
  });

  test('FW3 Via and CDN-Loop are added to', () => {
    const sent = forward([
      ['Via', '1.0 a'],
      ['CDN-Loop', 'other; x=1'],
    ]);
    expect(sent.get('via')).toBe('1.0 a, 1.1 perigee');
    expect(sent.get('cdn-loop')).toBe('other; x=1, perigee');
  });

  test('FW3 loops are counted', () => {
    expect(countLoops(new Fields(), 'perigee')).toBe(0);
    expect(countLoops(Fields.of([['CDN-Loop', 'other, Perigee;a="x, perigee" , perigee']]), 'perigee')).toBe(
      2,
    );
  });
});

test('FW1 responses to users', () => {
  const fields = Fields.of([
    ['Connection', 'a, b'],
    ['a', '1'],
    ['b', '2'],
    ['c', '3'],
    ['Content-Length', '9'],
    ['Proxy-Authenticate', 'x'],
    ['Via', '1.1 origin'],
    ['Set-Cookie', 'x=1'],
    ['Set-Cookie', 'y=2'],
    // The origin's own ways in are not the edge's.
    ['Alt-Svc', 'h3=":443"'],
  ]);
  expect([...responseFields({ fields, httpVersion: '1.1', via: 'perigee' })]).toEqual([
    ['c', '3'],
    ['Set-Cookie', 'x=1'],
    ['Set-Cookie', 'y=2'],
    ['Via', '1.1 origin, 1.1 perigee'],
  ]);
});
