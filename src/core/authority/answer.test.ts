import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { parseAddress } from '../ip/address.ts';
import type { EdgeHealth } from '../model/messages.ts';
import { popSchema } from '../model/pop.ts';
import { answerQuery, createScratch } from './answer.ts';
import {
  answerData,
  buildQuery,
  buildSnapshot,
  type Decoded,
  decodeResponse,
  POPS,
  type QueryParts,
  type SnapshotParts,
  scopeOf,
} from './authority.cases.ts';
import { compileZone } from './compiled-zone.ts';
import { explainSteering } from './explain.ts';
import { type AuthorityView, createView, withHealth } from './view.ts';

const scratch = createScratch('nameserver-1');
const LOOPBACK = parseAddress('127.0.0.1') ?? { family: 4, word0: 0, word1: 0, word2: 0, word3: 0 };

function view(parts: SnapshotParts = {}): AuthorityView {
  return createView(compileZone(buildSnapshot(parts)), null, []);
}

const WORLD = view();

interface Asking {
  readonly view?: AuthorityView | null;
  readonly isStream?: boolean;
  readonly resolver?: string;
}

/** The response's octets; null for none. */
function exchange(query: Uint8Array, asking: Asking = {}): Uint8Array | null {
  const output = new Uint8Array(asking.isStream === true ? 65_535 : 1232).fill(0xee);
  const resolver = asking.resolver === undefined ? LOOPBACK : (parseAddress(asking.resolver) ?? LOOPBACK);
  const current = asking.view === undefined ? WORLD : asking.view;
  const length = answerQuery(
    current,
    scratch,
    query,
    query.length,
    resolver,
    output,
    asking.isStream ?? false,
  );
  return length === 0 ? null : output.slice(0, length);
}

function ask(parts: QueryParts, asking: Asking = {}): Decoded {
  const octets = exchange(buildQuery(parts), asking);
  if (octets === null) throw new Error('no response');
  return decodeResponse(octets);
}

function down(...edgeIds: string[]): EdgeHealth[] {
  return edgeIds.map((edgeId) => ({
    edgeId,
    popId: edgeId.split('-')[0] ?? '',
    state: 'down',
    reason: 'no heartbeat',
    since: 0,
  }));
}

describe('steered names', () => {
  test.each([
    ['192.0.2.0', 24, '127.0.1.1', 25],
    ['192.0.2.128', 25, '127.0.1.2', 25],
    ['198.51.100.0', 24, '127.0.1.3', 24],
    ['2001:db8:1::', 48, '127.0.1.4', 48],
    ['203.0.113.0', 24, '127.0.1.5', 24],
    ['2001:db8:2::', 56, '127.0.1.6', 48],
  ])('client subnet %s/%i gets %s, scope %i', (address, source, expected, scope) => {
    const response = ask({ subnet: [address, source] });
    expect(response.rcode).toBe('NOERROR');
    expect(response.flag_aa).toBe(true);
    expect(answerData(response)).toEqual([expected]);
    expect(response.answers[0]?.ttl).toBe(30);
    expect(scopeOf(response)).toBe(scope);
  });

  test('without client subnet the resolver counts', () => {
    expect(answerData(ask({}, { resolver: '203.0.113.9' }))).toEqual(['127.0.1.5']);
  });

  test('a source length of 0 means the resolver, and scope 0', () => {
    const response = ask({ subnet: ['0.0.0.0', 0] }, { resolver: '203.0.113.9' });
    expect(answerData(response)).toEqual(['127.0.1.5']);
    expect(scopeOf(response)).toBe(0);
  });

  test.each(['shop.cdn.test', 'www.shop.example', 'deep.down.cdn.test', 'cdn.test', 'apex.cdn.test'])(
    '%s is steered',
    (name) => {
      expect(answerData(ask({ name, subnet: ['192.0.2.0', 24] }))).toEqual(['127.0.1.1']);
    },
  );

  test('the name comes back as it was written', () => {
    const response = ask({ name: 'sHoP.CDN.tesT', subnet: ['192.0.2.0', 24] });
    expect(response.questions[0]?.name).toBe('sHoP.CDN.tesT');
    expect(response.answers[0]?.name).toBe('sHoP.CDN.tesT');
  });

  test('AAAA comes from the POP that A comes from, or there is none', () => {
    expect(answerData(ask({ type: 'AAAA', subnet: ['192.0.2.128', 25] }))).toEqual(['2001:db8::f']);
    const none = ask({ type: 'AAAA', subnet: ['192.0.2.0', 25] });
    expect([none.rcode, none.answers.length, none.authorities[0]?.type]).toEqual(['NOERROR', 0, 'SOA']);
    expect(scopeOf(none)).toBe(25);
  });

  test('an edge that is down is passed over, all down are not', () => {
    const subnet = ['192.0.2.0', 24] as const;
    expect(answerData(ask({ subnet }, { view: withHealth(WORLD, down('lax-1')) }))).toEqual(['127.0.1.2']);
    const all = withHealth(WORLD, down(...POPS.map(({ id }) => `${id}-1`)));
    expect(answerData(ask({ subnet }, { view: all }))).toEqual(['127.0.1.1']);
  });

  test('no more addresses than the policy says, one of each edge first', () => {
    const edges = ['a', 'b', 'c'].map((id, index) => ({
      id,
      addresses: [`192.0.2.${index * 2 + 1}`, `192.0.2.${index * 2 + 2}`],
    }));
    const many = view({ pops: [popSchema.parse({ id: 'one', name: 'One', edges })] });
    const addresses = answerData(ask({}, { view: many }));
    expect(addresses).toHaveLength(2);
    expect(addresses.every((address) => Number(String(address).split('.')[3]) % 2 === 1)).toBe(true);
    const single = view({ pops: [popSchema.parse({ id: 'one', name: 'One', edges: edges.slice(0, 1) })] });
    expect(answerData(ask({}, { view: single }))).toEqual(['192.0.2.1', '192.0.2.2']);
  });

  test('without any POP there is no address', () => {
    const response = ask({}, { view: view({ pops: [] }) });
    expect([response.rcode, response.answers.length, response.authorities[0]?.type]).toEqual([
      'NOERROR',
      0,
      'SOA',
    ]);
  });
});

describe('static answers', () => {
  test('SOA carries the generation as its serial', () => {
    const response = ask({ name: 'cdn.test', type: 'SOA', subnet: ['192.0.2.0', 24] });
    expect(response.answers[0]?.data).toMatchObject({ mname: 'ns1.cdn.test', serial: 7, minimum: 20 });
    expect(scopeOf(response)).toBe(0);
  });

  test('NS comes with the addresses of those in the zone', () => {
    const response = ask({ name: 'cdn.test', type: 'NS' });
    expect(answerData(response)).toEqual(['ns1.cdn.test', 'ns2.example.net']);
    expect(response.additionals.map(({ name, data }) => [name, data])).toEqual([
      ['ns1.cdn.test', '127.0.0.1'],
      ['ns1.cdn.test', '2001:db8::53'],
    ]);
  });

  test('name servers have their own addresses', () => {
    expect(answerData(ask({ name: 'ns1.cdn.test', type: 'A' }))).toEqual(['127.0.0.1']);
    expect(answerData(ask({ name: 'ns1.cdn.test', type: 'AAAA' }))).toEqual(['2001:db8::53']);
  });

  test.each([
    ['shop.cdn.test', 'TXT', 'NOERROR'],
    ['shop.cdn.test', 'HTTPS', 'NOERROR'],
    ['shop.cdn.test', 'CNAME', 'NOERROR'],
    ['down.cdn.test', 'A', 'NOERROR'],
    ['down.cdn.test', 'ANY', 'NOERROR'],
    ['nothing.cdn.test', 'A', 'NXDOMAIN'],
    ['www.nothing.cdn.test', 'ANY', 'NXDOMAIN'],
    ['below.shop.cdn.test', 'A', 'NXDOMAIN'],
    ['ns1.cdn.test', 'TXT', 'NOERROR'],
    ['www.shop.example', 'SOA', 'NOERROR'],
    ['www.shop.example', 'NS', 'NOERROR'],
  ])('%s %s: %s with the SOA, scope 0', (name, type, rcode) => {
    const response = ask({ name, type, subnet: ['192.0.2.0', 24] });
    expect([response.rcode, response.flag_aa, response.answers.length]).toEqual([rcode, true, 0]);
    const [soa] = response.authorities;
    expect([soa?.type, soa?.name, soa?.ttl]).toEqual(['SOA', 'cdn.test', 20]);
    expect(scopeOf(response)).toBe(0);
  });

  test('ANY gets HINFO (RFC 8482)', () => {
    for (const name of ['cdn.test', 'shop.cdn.test', 'www.shop.example']) {
      expect(ask({ name, type: 'ANY' }).answers.map(({ type, data }) => [type, data])).toEqual([
        ['HINFO', { cpu: 'RFC8482', os: '' }],
      ]);
    }
  });

  test.each([
    ['other.example', 'A', 'IN'],
    ['shop.example', 'A', 'IN'],
    ['x.www.shop.example', 'A', 'IN'],
    ['xcdn.test', 'A', 'IN'],
    ['test', 'NS', 'IN'],
    ['.', 'NS', 'IN'],
    ['cdn.test', 'AXFR', 'IN'],
    ['cdn.test', 'IXFR', 'IN'],
    ['cdn.test', 'A', 'HS'],
    ['cdn.test', 'A', 'CH'],
  ])('%s %s %s is refused', (name, type, dnsClass) => {
    const response = ask({ name, type, class: dnsClass });
    expect([response.rcode, response.flag_aa, response.answers.length, response.authorities.length]).toEqual([
      'REFUSED',
      false,
      0,
      0,
    ]);
  });

  test('version and identity are told in class CH', () => {
    const texts = (name: string): unknown => ask({ name, type: 'TXT', class: 'CH' }).answers[0]?.data;
    expect(String((texts('version.bind') as Uint8Array[])[0])).toBe('Perigee');
    expect(String((texts('ID.Server') as Uint8Array[])[0])).toBe('nameserver-1');
  });

  test('before the first configuration: SERVFAIL', () => {
    expect(ask({}, { view: null }).rcode).toBe('SERVFAIL');
  });
});

describe('EDNS', () => {
  const opt = (response: Decoded) => response.additionals.find(({ type }) => type === 'OPT');

  test('is answered when asked with, and only then', () => {
    expect(opt(ask({}))).toBeUndefined();
    expect(opt(ask({ edns: {} }))).toMatchObject({ udpPayloadSize: 1232, ednsVersion: 0, extendedRcode: 0 });
  });

  test('an unknown version gets BADVERS and our version', () => {
    const response = ask({ edns: { version: 1 } });
    expect(opt(response)).toMatchObject({ extendedRcode: 1, ednsVersion: 0 });
    expect([response.rcode, response.answers.length]).toEqual(['NOERROR', 0]);
  });

  test('unknown options are passed over, DO is copied', () => {
    const response = ask({ edns: { options: [{ code: 65_001, data: Buffer.from('x') }], dnssec: true } });
    expect(response.rcode).toBe('NOERROR');
    expect(opt(response)).toMatchObject({ flag_do: true, options: [] });
  });

  test('NSID names the server', () => {
    const response = ask({ edns: { options: [{ code: 3, data: Buffer.alloc(0) }] } });
    const nsid = opt(response)?.options?.find(({ code }) => code === 3);
    expect(String(nsid?.data)).toBe('nameserver-1');
  });

  // Family, source, scope, address.
  test.each([
    ['too short', [0, 1, 24]],
    ['unknown family', [0, 3, 24, 0, 1, 2, 3]],
    ['source too long', [0, 1, 33, 0, 1, 2, 3, 4, 5]],
    ['scope set', [0, 1, 24, 1, 1, 2, 3]],
    ['too few octets', [0, 1, 24, 0, 1, 2]],
    ['too many octets', [0, 1, 24, 0, 1, 2, 3, 4]],
    ['bits behind the source', [0, 1, 23, 0, 1, 2, 3]],
    ['an address without a family', [0, 0, 8, 0, 1]],
  ])('a client subnet with %s is a format error', (_what, data) => {
    const response = ask({ edns: { options: [{ code: 10_008, data: Buffer.from(data) }] } });
    expect(response.rcode).toBe('NOERROR');
    const query = buildQuery({ edns: { options: [{ code: 10_008, data: Buffer.from(data) }] } });
    // The option's code, put in place by hand: dns-packet would write its own content.
    const at = query.length - data.length - 4;
    query[at] = 0;
    query[at + 1] = 8;
    const octets = exchange(query);
    expect(octets === null ? null : decodeResponse(octets).rcode).toBe('FORMERR');
  });

  test('a client subnet of no family and no address is allowed', () => {
    const query = buildQuery({ edns: { options: [{ code: 10_008, data: Buffer.alloc(4) }] } });
    query[query.length - 8] = 0;
    query[query.length - 7] = 8;
    const octets = exchange(query);
    expect(octets === null ? null : decodeResponse(octets).rcode).toBe('NOERROR');
  });
});

describe('sizes', () => {
  const nameServers = Array.from({ length: 30 }, (_, index) => ({
    name: `name-server-number-${index}.cdn.test`,
    addresses: [`127.0.2.${index}`],
  }));
  const large = view({ nameServers });

  test.each([
    ['plain UDP', undefined, false, true],
    ['EDNS with little room', { udpOctets: 100 }, false, true],
    ['EDNS with much room', { udpOctets: 65_535 }, false, true],
    ['TCP', undefined, true, false],
  ])('%s: truncated %p', (_what, edns, isStream, isTruncated) => {
    const query = buildQuery({ name: 'cdn.test', type: 'NS', ...(edns === undefined ? {} : { edns }) });
    const octets = exchange(query, { view: large, isStream });
    if (octets === null) throw new Error('no response');
    const response = decodeResponse(octets);
    expect(response.flag_tc).toBe(isTruncated);
    expect(response.answers.length).toBe(isTruncated ? 0 : 30);
    if (!isStream) expect(octets.length).toBeLessThanOrEqual(512);
  });

  test('additional records that do not fit are left out', () => {
    const some = view({ nameServers: nameServers.slice(0, 10) });
    const octets = exchange(buildQuery({ name: 'cdn.test', type: 'NS' }), { view: some });
    if (octets === null) throw new Error('no response');
    const response = decodeResponse(octets);
    expect([response.flag_tc, response.answers.length]).toEqual([false, 10]);
    expect(response.additionals.length).toBeLessThan(10);
    expect(octets.length).toBeLessThanOrEqual(512);
  });
});

describe('broken packets', () => {
  const good = buildQuery({ subnet: ['192.0.2.0', 24] });
  const changed = (...changes: readonly (readonly [number, number])[]): Uint8Array => {
    const copy = good.slice();
    for (const [at, octet] of changes) copy[at] = octet;
    return copy;
  };
  const rcodeOf = (query: Uint8Array): string | null => {
    const octets = exchange(query);
    return octets === null ? null : decodeResponse(octets).rcode;
  };

  test.each([
    ['nothing', new Uint8Array(0), null],
    ['less than a header', good.subarray(0, 11), null],
    ['a response', changed([2, 0x81]), null],
    ['an update', changed([2, 0x28]), 'NOTIMP'],
    ['a notify', changed([2, 0x20]), 'NOTIMP'],
    ['a header alone', good.subarray(0, 12), 'FORMERR'],
    ['no question', changed([5, 0]), 'FORMERR'],
    ['two questions', changed([5, 2]), 'FORMERR'],
    ['a cut question', good.subarray(0, 20), 'FORMERR'],
    ['a compressed question', changed([12, 0xc0]), 'FORMERR'],
    ['an unknown label type', changed([12, 0x44]), 'FORMERR'],
    ['more additionals than there are', changed([11, 2]), 'FORMERR'],
    ['fewer additionals than there are', changed([11, 0]), 'FORMERR'],
    ['an OPT among the answers', changed([7, 1], [11, 0]), 'FORMERR'],
    ['thousands of records', changed([10, 0xff]), 'FORMERR'],
    ['octets left over', Uint8Array.from([...good, 0]), 'FORMERR'],
    ['two OPTs', Uint8Array.from([...changed([11, 2]), ...good.subarray(good.length - 22)]), 'FORMERR'],
  ])('%s: %p', (_what, query, rcode) => {
    expect(rcodeOf(query)).toBe(rcode);
  });

  test('a name of 255 octets is read, a longer one is not', () => {
    const label = 'a'.repeat(63);
    const longest = `${label}.${label}.${label}.${'a'.repeat(61)}`;
    expect(ask({ name: longest }).rcode).toBe('REFUSED');
    const query = buildQuery({ name: `${label}.${label}.${label}.${'a'.repeat(62)}` });
    expect(rcodeOf(query)).toBe('FORMERR');
  });

  test('a record behind the question with a compressed name is passed over', () => {
    const query = buildQuery({});
    const tsigLike = [0xc0, 12, 0, 250, 0, 255, 0, 0, 0, 0, 0, 3, 1, 2, 3];
    const signed = Uint8Array.from([...query, ...tsigLike]);
    signed[11] = 1;
    expect(rcodeOf(signed)).toBe('NOERROR');
  });

  test('mutated queries give a valid answer of lawful size, a format error or nothing; never a fault', () => {
    const seeds = [
      buildQuery({}),
      good,
      buildQuery({ name: 'cdn.test', type: 'NS', edns: { options: [{ code: 3, data: Buffer.alloc(0) }] } }),
      buildQuery({ name: 'nothing.cdn.test', type: 'ANY', edns: { dnssec: true } }),
      buildQuery({ name: 'version.bind', type: 'TXT', class: 'CH' }),
    ];
    const mutation = fc.oneof(
      fc.record({ kind: fc.constant('set' as const), at: fc.nat(120), octet: fc.nat(255) }),
      fc.record({ kind: fc.constant('cut' as const), at: fc.nat(120), octet: fc.constant(0) }),
      fc.record({ kind: fc.constant('insert' as const), at: fc.nat(120), octet: fc.nat(255) }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...seeds), fc.array(mutation, { maxLength: 8 }), (seed, mutations) => {
        let query = [...seed];
        for (const { kind, at, octet } of mutations) {
          if (kind === 'set') query[at % Math.max(1, query.length)] = octet;
          else if (kind === 'cut') query = query.slice(0, at);
          else query.splice(at % (query.length + 1), 0, octet);
        }
        checkResponse(Uint8Array.from(query));
      }),
      { numRuns: 5_000 },
    );
  });

  test('octets of any kind give a valid answer, a format error or nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (query) => checkResponse(query)),
      { numRuns: 3_000 },
    );
  });

  function checkResponse(query: Uint8Array): void {
    for (const isStream of [false, true]) {
      const octets = exchange(query, { isStream });
      if (octets === null) {
        expect(query.length < 12 || ((query[2] ?? 0) & 0x80) !== 0).toBe(true);
        continue;
      }
      expect(octets.slice(0, 2)).toEqual(query.slice(0, 2));
      expect(((octets[2] ?? 0) & 0x80) !== 0).toBe(true);
      if (!isStream) expect(octets.length).toBeLessThanOrEqual(1232);
      // A label may hold any octets; dns-packet reads all but the ones its own text form cannot hold.
      const response = decodeResponse(octets);
      expect(response.flag_ra).toBe(false);
    }
  }
});

describe('explaining', () => {
  test('the first candidate is what a query gets, for every client and health', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(
          '192.0.2.1',
          '192.0.2.200',
          '198.51.100.1',
          '203.0.113.1',
          '2001:db8:1::1',
          '10.0.0.1',
        ),
        fc.subarray(POPS.map(({ id }) => `${id}-1`)),
        (client, edges) => {
          const current = withHealth(WORLD, down(...edges));
          const explained = explainSteering(current, { host: 'www.shop.example', clientAddress: client });
          const answered = answerData(ask({ name: 'www.shop.example' }, { view: current, resolver: client }));
          expect(explained.candidates[0]?.popId).toBe(explained.chosenPopId ?? '');
          expect(explained.candidates[0]?.addresses.filter((address) => !address.includes(':'))).toEqual(
            answered as string[],
          );
          expect(explained.candidates).toHaveLength(POPS.length);
        },
      ),
    );
  });

  test('says where the client is, by whose word, and why each POP is in its place', () => {
    const pops = POPS.map((pop) => (pop.id === 'gru' ? { ...pop, state: 'drained' as const } : pop));
    const current = withHealth(view({ pops }), down('hkg-1'));
    const explained = explainSteering(current, { host: 'shop.cdn.test', clientAddress: '192.0.2.5' });
    expect(explained.client).toMatchObject({
      address: '192.0.2.5',
      network: '192.0.2.0/25',
      source: 'operator',
      country: 'US',
    });
    expect(explained.candidates.map(({ popId, isUsable }) => [popId, isUsable])).toEqual([
      ['lax', true],
      ['fra', true],
      ['los', true],
      ['bom', true],
      ['hkg', false],
      ['gru', false],
    ]);
    const reasons = explained.candidates.map(({ reason }) => reason);
    expect(reasons[0]).toContain('least cost');
    expect(reasons[1]).toMatch(/costs \d+ ms more/);
    expect(reasons[4]).toBe('all of its edges are down');
    expect(reasons[5]).toContain('drained');
  });

  test.each([
    ['unknown.example', '192.0.2.1', 'not-found'],
    ['ns1.cdn.test', '192.0.2.1', 'not-found'],
    ['shop.cdn.test', 'Frankfurt', 'invalid'],
  ])('%s for %s: %s', (host, clientAddress, code) => {
    expect(() => explainSteering(WORLD, { host, clientAddress })).toThrow(expect.objectContaining({ code }));
  });
});
