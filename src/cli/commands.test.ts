/** Every command against a real control plane, whose edge and name server are played here on a local bus. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startControl } from '#control/control.ts';
import type { Snapshot } from '#core/model/snapshot.ts';
import type { Bus } from '#platform/bus.ts';
import { systemClock } from '#platform/clock.ts';
import { createLocalHub } from '#platform/local-bus.ts';
import { createSilentLogger } from '#platform/log.ts';
import { createProgram, runProgram } from './program.ts';

const EDGE = 'edge:fra-1/0';
const folder = mkdtempSync(join(tmpdir(), 'perigee-cli-'));
let control: Awaited<ReturnType<typeof startControl>>;
let [edgeAnswersPurges, generation] = [true, 0];

function playEdge(bus: Bus): void {
  bus.subscribe('snapshot', (snapshot: Snapshot) => {
    generation = snapshot.generation;
  });
  bus.respond('status', () => ({
    part: EDGE,
    generation,
    startedAt: Date.now() - 61_000,
    residentBytes: 50_000_000,
    storage: { storedResponses: 5, bodyBytes: 1000, budgetBytes: 64_000_000, problem: null, tiers: [] },
    counters: {},
  }));
  bus.respond('purge', () => {
    if (!edgeAnswersPurges) throw new Error('the log cannot be read');
    return { purgedResponses: 3 };
  });
  bus.respond('explain-cache', () => ({
    part: EDGE,
    siteId: 'shop',
    cacheKey: 'shop GET /',
    rule: null,
    decision: 'forward: uri-miss',
    stored: null,
  }));
}

function playNameserver(bus: Bus): void {
  bus.respond('explain-steering', ({ host, clientAddress, clientPlace }) => ({
    name: host,
    client: {
      address: clientAddress,
      network: `${clientAddress}/32`,
      place: clientPlace?.name ?? '',
      latitude: clientPlace?.latitude ?? null,
      longitude: clientPlace?.longitude ?? null,
      country: clientPlace?.country ?? null,
      source: 'operator' as const,
    },
    candidates: [
      {
        popId: 'fra',
        name: 'Frankfurt am Main',
        distanceKm: 12,
        costMs: 5.2,
        isUsable: true,
        reason: 'nearest',
        addresses: ['127.0.1.2'],
      },
    ],
    chosenPopId: 'fra',
  }));
}

beforeAll(async () => {
  const hub = createLocalHub();
  playEdge(hub.join(EDGE));
  playNameserver(hub.join('nameserver'));
  control = await startControl({
    listen: { address: '127.0.0.1', port: 0 },
    dataDirectory: folder,
    zoneName: 'cdn.test',
    dnsAddress: { address: '127.0.0.1', port: 8053 },
    seed: {
      sites: [],
      pops: [
        {
          id: 'fra',
          name: 'Frankfurt am Main',
          location: { latitude: 50.1109, longitude: 8.6821 },
          edges: [{ id: 'fra-1', addresses: ['127.0.1.2'] }],
        },
      ],
    },
    expectedParts: [EDGE],
    consoleDirectory: folder,
    bus: hub.join('control'),
    clock: systemClock,
    log: createSilentLogger(),
  });
}, 60_000);

afterAll(async () => {
  await control.close();
  rmSync(folder, { recursive: true });
});

beforeEach(() => {
  edgeAnswersPurges = true;
});

/** Each test begins without sites, whatever the one before came to. */
afterEach(async () => {
  const { sites } = JSON.parse(await outputOf('site', 'list', '--json')) as { sites: { id: string }[] };
  for (const { id } of sites) await outputOf('site', 'rm', id);
});

interface Ran {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `perigee` with these arguments, as in the directory of the running one. */
async function perigee(...given: string[]): Promise<Ran> {
  let out = '';
  let err = '';
  const io = {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
    environment: { PERIGEE_API: `127.0.0.1:${control.listen.port}`, PERIGEE_DATA: folder },
    isTerminal: false,
  };
  const exitCode = await runProgram(createProgram(io), ['bun', 'perigee', ...given], io);
  return { exitCode, out, err };
}

/** Standard output of a command that must succeed without a word on standard error. */
async function outputOf(...given: string[]): Promise<string> {
  const { exitCode, out, err } = await perigee(...given);
  expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' });
  return out;
}

async function addShop(): Promise<void> {
  await outputOf('site', 'add', 'www.example.com', '--origin', 'http://192.0.2.1:8080');
}

describe('site', () => {
  test('none yet', async () => {
    expect(await outputOf('site', 'list')).toBe(
      'No sites yet. Add one: perigee site add HOST --origin URL\n',
    );
  });

  test('add, list, show, set and rm', async () => {
    expect(
      await outputOf(
        'site',
        'add',
        'WWW.example.com',
        '--origin',
        'http://192.0.2.1:8080',
        '--alias',
        'example.com',
      ),
    ).toBe(
      'Added site www-example-com.\nPoint www.example.com, example.com at it with a CNAME record: www-example-com.cdn.test\n',
    );
    expect(await outputOf('site', 'list')).toBe(
      'ID               HOSTS                         ORIGINS                RULES\n' +
        'www-example-com  www.example.com, example.com  http://192.0.2.1:8080      0\n',
    );
    expect(
      await outputOf(
        'site',
        'set',
        'example.com',
        '--host-header',
        'inner.example',
        '--stale-if-error',
        '2h',
        '--websockets',
        'off',
        '--first-byte-timeout',
        '2m',
      ),
    ).toContain('Changed site www-example-com.\n');
    expect(await outputOf('site', 'set', 'example.com', '--connect-timeout', '3s')).toContain(
      '(Host: inner.example, connects within 3s, answers within 2m)',
    );
    const shown = `www-example-com
Hosts                   www.example.com, example.com
CNAME target            www-example-com.cdn.test
Origins                 http://192.0.2.1:8080 (Host: inner.example, connects within 3s, answers within 2m)
Stale if error          2h
Stale while revalidate  0s
Caching                 as by default
WebSockets              off
TLS                     1.2 or later
Client certificates     not asked for
Rules                   none: the origin's Cache-Control decides
`;
    for (const name of ['www-example-com', 'example.com', 'www-example-com.cdn.test.']) {
      expect(await outputOf('site', 'show', name)).toBe(shown);
    }
    expect(JSON.parse(await outputOf('site', 'show', 'example.com', '--json'))).toMatchObject({
      id: 'www-example-com',
      origins: [
        {
          url: 'http://192.0.2.1:8080',
          hostHeader: 'inner.example',
          verifyCertificate: true,
          http2: false,
          timeouts: {
            connectSeconds: 3,
            firstByteSeconds: 120,
            betweenBytesSeconds: null,
            totalSeconds: null,
          },
        },
      ],
      staleIfErrorSeconds: 7200,
    });
    expect(await outputOf('site', 'rm', 'example.com')).toBe(
      'Removed site www-example-com (www.example.com, example.com).\n',
    );
  });

  test('a host inside the zone lends its label, and needs no CNAME', async () => {
    expect(await outputOf('site', 'add', 'shop.cdn.test', '--origin', 'http://192.0.2.1')).toBe(
      'Added site shop.\nIt is served at shop.cdn.test.\n',
    );
    expect(await outputOf('site', 'rm', 'shop', '--json')).toBe('{\n  "removed": "shop"\n}\n');
  });

  test.each([
    [['site', 'add', 'www.example.com'], 2, 'say where the content comes from: --origin URL'],
    [
      ['site', 'add', 'http://www.example.com', '--origin', 'http://192.0.2.1'],
      2,
      'perigee: host http://www.example.com: must be a host name',
    ],
    [['site', 'add', 'www.example.com', '--origin', 'http://192.0.2.1/path'], 2, 'must be an address'],
    [['site', 'add', 'www.example.com', '--origin', 'ftp://192.0.2.1'], 2, 'must be an address'],
    [['site', 'add', 'www.example.com', '--origin', 'http://x', '--id', 'A B'], 2, 'DNS label'],
    [['site', 'set', 'x', '--connect-timeout', 'soon'], 1, 'no site has the id or host "x"'],
    [['site', 'show', 'nobody'], 1, 'no site has the id or host "nobody"'],
    [['site', 'rm', 'nobody.example'], 1, 'no site has the id or host "nobody.example"'],
    [['site', 'frobnicate'], 2, "unknown command 'frobnicate'"],
  ])('%j is refused in one line', async (given, exitCode, words) => {
    const ran = await perigee(...given);
    expect(ran).toMatchObject({ exitCode, out: '' });
    expect(ran.err).toStartWith('perigee: ');
    expect(ran.err).toContain(words);
  });

  test('one host cannot have two sites', async () => {
    await addShop();
    const again = await perigee(
      'site',
      'add',
      'www.example.com',
      '--id',
      'other',
      '--origin',
      'http://192.0.2.2',
    );
    expect(again.exitCode).toBe(1);
    expect(again.err).toContain('www.example.com');
    const nothing = await perigee('site', 'set', 'www.example.com');
    expect(nothing).toMatchObject({ exitCode: 2, out: '' });
  });
});

describe('site rule', () => {
  test('add in order, list and rm by number', async () => {
    await addShop();
    const rule = (...given: string[]) => outputOf('site', 'rule', ...given);
    expect(await rule('list', 'www.example.com')).toBe(
      "Site www-example-com has no rules: the origin's Cache-Control decides.\n",
    );
    await rule('add', 'www.example.com', '--type', 'image/*', '--edge-ttl', '7d');
    await rule('add', 'www.example.com', '--path', '/account/*', '--mode', 'bypass', '--at', '1');
    await rule(
      'add',
      'www-example-com',
      '--path',
      '/a',
      '--mode',
      'override-origin',
      '--edge-ttl',
      '90',
      '--browser-ttl',
      '0',
    );
    expect(await rule('list', 'www.example.com')).toBe(
      `#  PATH        TYPE     MODE             EDGE TTL  BROWSER TTL
1  /account/*  any      bypass                  –       origin
2  any         image/*  respect-origin         7d       origin
3  /a          any      override-origin    1m 30s           0s
`,
    );
    for (const number of ['0', '4', 'x']) {
      const ran = await perigee('site', 'rule', 'rm', 'www.example.com', number);
      expect(ran).toMatchObject({
        exitCode: 2,
        err: `perigee: rule ${number}: must be a number from 1 to 3\n`,
      });
    }
    expect(await rule('rm', 'www.example.com', '2')).toBe(
      'Removed rule 2 (type image/*) from site www-example-com.\n',
    );
    const { rules } = JSON.parse(await rule('list', 'www.example.com', '--json')) as {
      rules: { path: string }[];
    };
    expect(rules.map(({ path }) => path)).toEqual(['/account/*', '/a']);
  });

  test.each([
    [['--type', 'images'], '--type: must be a media type'],
    [['--path', 'assets/'], '--path: must begin with "/"'],
    [['--mode', 'always'], 'Allowed choices are respect-origin, override-origin, bypass'],
    [['--mode', 'override-origin'], 'needs --edge-ttl'],
    [['--edge-ttl', '5y'], '--edge-ttl 5y: must be a duration'],
    [['--edge-ttl', '400d'], '--edge-ttl: '],
  ])('%j is refused before anything is asked', async (given, words) => {
    const ran = await perigee('site', 'rule', 'add', 'nobody', ...given);
    expect(ran).toMatchObject({ exitCode: 2, out: '' });
    expect(ran.err).toContain(words);
  });
});

describe('purge', () => {
  test('by URL, prefix, tag and everything', async () => {
    await addShop();
    expect(await outputOf('purge', 'http://www.example.com/a', 'http://www.example.com/b')).toMatch(
      /^Purged http:\/\/www\.example\.com\/a \(number \d+\): in force on 1 edge worker, 3 stored responses dropped\nPurged http:\/\/www\.example\.com\/b /,
    );
    const of = (...given: string[]) => outputOf('purge', '--site', 'www.example.com', ...given);
    expect(await of('--prefix', '/img/')).toStartWith('Purged /img/* of site www-example-com ');
    expect(await of('--tag', 'news')).toStartWith('Purged tag news of site www-example-com ');
    expect(await of('--host', 'www.example.com', '--soft')).toStartWith('Purged softly everything under ');
    const { purges } = JSON.parse(await of('--everything', '--json')) as { purges: unknown[] };
    expect(purges).toMatchObject([{ target: { kind: 'everything', siteId: 'www-example-com' } }]);
  });

  test('what was purged before a URL was refused is told', async () => {
    await addShop();
    const ran = await perigee('purge', 'http://www.example.com/a', 'http://nobody.example/');
    expect(ran.exitCode).toBe(2);
    expect(ran.out).toStartWith('Purged http://www.example.com/a ');
    expect(ran.err).toContain('nobody.example');
  });

  test('an edge that did not apply it is named, and the exit code tells', async () => {
    await addShop();
    edgeAnswersPurges = false;
    const ran = await perigee('purge', 'http://www.example.com/a');
    expect(ran.exitCode).toBe(1);
    expect(ran.err).toContain(EDGE);
  });

  test.each([
    [[], 2, 'give one of: URLs, --prefix PATH, --tag TAG, --host HOST, --everything'],
    [['http://a/', '--everything'], 2, 'give one of'],
    [['--everything'], 2, 'name the site'],
    [['--everything', '--site', 'nobody'], 1, 'no site has the id or host'],
    [['http://nobody.example/'], 2, 'nobody.example'],
    [['no url'], 2, 'no url'],
  ])('%j is refused', async (given, exitCode, words) => {
    const ran = await perigee('purge', ...given);
    expect(ran).toMatchObject({ exitCode, out: '' });
    expect(ran.err).toContain(words);
  });
});

describe('pop', () => {
  test('add by city and by coordinates, list, drain, undrain and rm', async () => {
    expect(await outputOf('pop', 'add', 'los', '--at', 'Lagos', '--address', '127.0.1.6')).toMatch(
      /^Added POP los: Lagos.* at 6\.\d\d°N 3\.\d\d°E, 127\.0\.1\.6\.\n$/,
    );
    await outputOf(
      'pop',
      'add',
      'lab',
      '--at',
      '-23.55,-46.63',
      '--name',
      'São Paulo lab',
      '--address',
      '192.0.2.20',
      '--address',
      '2001:db8::20',
    );
    await outputOf('pop', 'add', 'spare', '--address', '192.0.2.30');
    expect(await outputOf('pop', 'drain', 'lab')).toBe('POP lab (São Paulo lab) is now drained.\n');
    const rows = (await outputOf('pop', 'list')).split('\n');
    expect(rows[0]).toMatch(/^ID +NAME +LOCATION +STATE +EDGES +ADDRESSES$/);
    expect(rows.map((row) => row.replace(/ {2,}/g, ' | '))).toEqual(
      expect.arrayContaining([
        'fra | Frankfurt am Main | 50.11°N 8.68°E | active | 1 | 127.0.1.2',
        'lab | São Paulo lab | 23.55°S 46.63°W | drained | 1 | 192.0.2.20, 2001:db8::20',
        'spare | spare | – | active | 1 | 192.0.2.30',
      ]),
    );
    expect(await outputOf('pop', 'undrain', 'lab')).toBe('POP lab (São Paulo lab) is now active.\n');
    for (const id of ['los', 'lab', 'spare'])
      expect(await outputOf('pop', 'rm', id)).toBe(`Removed POP ${id}.\n`);
    const { pops } = JSON.parse(await outputOf('pop', 'list', '--json')) as { pops: { id: string }[] };
    expect(pops.map(({ id }) => id)).toEqual(['fra']);
  });

  test.each([
    [['add', 'x'], 2, '--address IP'],
    [['add', 'x', '--address', 'localhost'], 2, 'IPv4 or IPv6'],
    [['add', 'x', '--address', '192.0.2.1', '--at', 'Nowhereville Zzz'], 2, 'Nowhereville Zzz'],
    [['add', 'x', '--address', '192.0.2.1', '--at', '95,0'], 2, '95'],
    [['add', 'fra', '--address', '192.0.2.1'], 1, 'fra'],
    [['rm', 'nobody'], 1, 'nobody'],
    [['drain', 'nobody'], 1, 'nobody'],
  ])('%j is refused', async (given, exitCode, words) => {
    const ran = await perigee('pop', ...given);
    expect(ran).toMatchObject({ exitCode, out: '' });
    expect(ran.err).toContain(words);
  });
});

describe('status, stats, explain and tokens', () => {
  test('status names every part', async () => {
    const text = await outputOf('status');
    expect(text).toContain('zone cdn.test');
    expect(text).toMatch(/edge:fra-1\/0 +ready +\d+ +1m \d+s +50\.0 MB +5 +1\.00 kB of 64\.0 MB\n/);
    expect(JSON.parse(await outputOf('status', '--json'))).toMatchObject({ zone: 'cdn.test', missing: [] });
  });

  test('stats of a quiet hour', async () => {
    expect(await outputOf('stats', '--over', '10m')).toContain('The last 10m:\n\nSITE  REQUESTS');
    for (const over of ['8d', '0', 'x']) expect((await perigee('stats', '--over', over)).exitCode).toBe(2);
  });

  test('explain shows the way and the cache', async () => {
    await outputOf('site', 'add', 'shop.cdn.test', '--origin', 'http://192.0.2.1');
    const text = await outputOf('explain', 'http://shop.cdn.test/', '--from', 'Lagos, NG');
    expect(text).toContain('Site shop, which is reached at shop.cdn.test.');
    expect(text).toContain('→  fra  Frankfurt am Main     12 km        5 ms  yes     nearest');
    expect(text).toContain('Cache of edge:fra-1/0\nKey       shop GET /\n');
    expect(JSON.parse(await outputOf('explain', 'http://shop.cdn.test/', '--json'))).toMatchObject({
      site: { id: 'shop' },
      steering: { chosenPopId: 'fra' },
    });
    expect(await outputOf('explain', 'http://nobody.example/')).toContain('nobody.example');
    expect((await perigee('explain', 'no url')).exitCode).toBe(2);
  });

  test('a token is made, shown once, works, and is revoked', async () => {
    const made = JSON.parse(await outputOf('token', 'add', 'ci', '--json')) as { id: string; token: string };
    expect(await outputOf('site', 'list', '--token', made.token)).toContain('No sites yet');
    const listed = await outputOf('token', 'list');
    expect(listed).toContain('ci');
    expect(listed).not.toContain(made.token);
    expect(await outputOf('token', 'rm', made.id)).toBe(`Revoked token ${made.id}.\n`);
    const refused = await perigee('site', 'list', '--token', made.token);
    expect(refused.exitCode).toBe(1);
    expect(refused.err).toStartWith('perigee: ');
  });
});

describe('the program', () => {
  test('help is for everyone, and names every command', async () => {
    const help = await outputOf('--help');
    for (const name of ['site', 'purge', 'pop', 'status', 'stats', 'cache', 'explain', 'token'])
      expect(help).toContain(`\n  ${name}`);
    expect(await outputOf('help', 'purge')).toContain('--everything');
    expect(await outputOf('help', 'site', 'rule', 'add')).toContain('--edge-ttl');
    const unknown = await perigee('help', 'site', 'nonsense');
    expect(unknown).toEqual({
      exitCode: 2,
      out: '',
      err: `perigee: unknown command 'site nonsense'; "perigee help" lists them\n`,
    });
    expect(await outputOf('--version')).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test('nothing to do: help, and a code that says so', async () => {
    const ran = await perigee();
    expect(ran.exitCode).toBe(2);
    expect(ran.err).toStartWith('Usage: perigee');
  });

  test('no API: one line', async () => {
    expect(await perigee('status', '--api', 'http://127.0.0.1:1')).toEqual({
      exitCode: 1,
      out: '',
      err: 'perigee: cannot reach the API at http://127.0.0.1:1: is "perigee up" running? (--api URL or PERIGEE_API names another address)\n',
    });
  });
});
