/** `perigee reload`: new code comes in, whatever goes wrong harms nobody, and the command tells how it went. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '#platform/clock.ts';
import { startHandlerOrigin } from '../../support/handler-origin.ts';
import {
  type PerigeeProcess,
  partProcess,
  partProcesses,
  runPerigee,
  startPerigeeOf,
} from '../../support/perigee-process.ts';
import { copyProduct, type ProductCopy } from '../../support/product-copy.ts';
import { openRawClient, type RawClient } from '../../support/raw-client.ts';
import type { ScriptedOrigin } from '../../support/scripted-origin.ts';
import { until } from '../../support/until.ts';

const HOST = 'www.example.com';
const PARTS = ['edge:local/0', 'nameserver', 'control'];
const EDGE_PART = 'src/main/parts/edge.ts';
/** Where a part's own code begins to run. */
const EDGE_START = 'if (import.meta.main) {';
const VIA = "VIA_PSEUDONYM = 'perigee'";
const NAMES = 'src/edge/names.ts';

let origin: ScriptedOrigin;
let content = 'first';
let copy: ProductCopy;

beforeAll(async () => {
  origin = await startHandlerOrigin(systemClock, ({ target }) => {
    const body = target === '/large' ? new Uint8Array(32 * 1024 * 1024) : content;
    return { fields: [['Cache-Control', 'max-age=600']], body };
  });
  copy = copyProduct();
});

afterAll(async () => {
  await origin.close();
  copy.remove();
});

afterEach(() => {
  for (const file of [EDGE_PART, NAMES, 'src/main/parts/control.ts']) copy.restore(file);
});

function start(): Promise<PerigeeProcess> {
  return startPerigeeOf(copy.root, '--no-demo', '--site', `${HOST}=${origin.url}`);
}

function connectTo({ http }: PerigeeProcess): Promise<RawClient> {
  const [address = '', port = ''] = http.split(':');
  return openRawClient({ address, port: Number(port) });
}

async function ask(client: RawClient, path = '/page', host = HOST) {
  client.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  return client.readResponse();
}

/** One request on a connection of its own. */
async function askOnce(perigee: PerigeeProcess, path?: string) {
  const client = await connectTo(perigee);
  const response = await ask(client, path);
  client.destroy();
  return response;
}

const processesOf = (perigee: PerigeeProcess) => PARTS.map((part) => partProcess(perigee, part));
const via = async (perigee: PerigeeProcess) => (await askOnce(perigee)).field('via');

async function healthOf(perigee: PerigeeProcess): Promise<unknown> {
  return (await fetch(`http://${perigee.api}/health`)).json();
}

describe('a running CDN', () => {
  let perigee: PerigeeProcess;
  beforeAll(async () => {
    perigee = await start();
  });
  afterAll(async () => {
    expect(await perigee.stop()).toBe(0);
  });

  test('runs the code on disk after a reload, and says what was replaced', async () => {
    const before = processesOf(perigee);
    expect(await via(perigee)).toBe('1.1 perigee');
    copy.change(NAMES, VIA, "VIA_PSEUDONYM = 'second'");
    const { exitCode, out, err } = await perigee.reload();
    expect([exitCode, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toEqual({
      reload: 1,
      replaced: PARTS,
      kept: [],
      failure: null,
      generation: 1,
      formers: expect.any(Number),
      drainSeconds: 300,
    });
    expect(await via(perigee)).toBe('1.1 second');
    await until('the former processes have ended', () =>
      PARTS.every((part) => partProcesses(perigee, part).length === 1),
    );
    const after = processesOf(perigee);
    for (const [n, pid] of after.entries()) expect(before).not.toContain(pid ?? before[n] ?? null);
    expect(await healthOf(perigee)).toEqual({ status: 'ok', zone: 'cdn.test', generation: 1 });
  });

  test('reloads on SIGHUP, and for people in words', async () => {
    copy.change(NAMES, VIA, "VIA_PSEUDONYM = 'third'");
    process.kill(perigee.pid, 'SIGHUP');
    await until('the new code answers', async () => (await via(perigee)) === '1.1 third');
    const { exitCode, out } = await runPerigee(['reload', '--data', perigee.dataDirectory]);
    expect(out).toStartWith('Replaced: edge:local/0, nameserver, control. Generation 1.\n');
    expect(exitCode).toBe(0);
  });

  test('makes one more reload for all that are asked for while one is under way', async () => {
    const reports = await Promise.all([perigee.reload(), perigee.reload(), perigee.reload()]);
    const numbers = reports.map(({ out }) => (JSON.parse(out) as { reload: number }).reload).sort();
    const [first = 0] = numbers;
    expect(numbers).toEqual([first, first + 1, first + 1]);
  });

  test.each([
    [
      'cannot be read',
      (file: string) => copy.change(file, 'import', 'this is no import'),
      'ended at its start (1)',
    ],
    [
      'does not start',
      (file: string) => copy.change(file, EDGE_START, `${EDGE_START} throw new Error('broken');`),
      'ended at its start (1)',
    ],
  ])('goes on as it was when the new code %s', async (_, breakIt, cause) => {
    const before = processesOf(perigee);
    breakIt(EDGE_PART);
    const { exitCode, out, err } = await perigee.reload();
    expect(exitCode).toBe(1);
    expect(err).toBe(
      `perigee: reload failed: the new edge:local/0 does not start: edge:local/0 ${cause} ` +
        '(nothing was replaced; as it was: edge:local/0, nameserver, control)\n',
    );
    expect(JSON.parse(out)).toMatchObject({ replaced: [], kept: PARTS });
    expect(processesOf(perigee)).toEqual(before);
    expect((await askOnce(perigee)).status).toBe(200);
  });

  test('goes on as it was when the new code refuses the configuration in force', async () => {
    const before = processesOf(perigee);
    copy.change(
      'src/edge/configuration.ts',
      'constructor(snapshot: Snapshot) {',
      "constructor(snapshot: Snapshot) { throw new Error('too old for me');",
    );
    const { exitCode, err } = await perigee.reload();
    copy.restore('src/edge/configuration.ts');
    expect(exitCode).toBe(1);
    expect(err).toContain('generation 1 is in force, but this part refused it: too old for me');
    expect(processesOf(perigee)).toEqual(before);
    expect((await askOnce(perigee)).status).toBe(200);
  });

  test('keeps its control plane when the code of the new one cannot be read; the parts before are new', async () => {
    const before = processesOf(perigee);
    copy.change('src/main/parts/control.ts', 'import', 'this is no import');
    const { exitCode, err } = await perigee.reload();
    expect(exitCode).toBe(1);
    expect(err).toContain('(replaced before: edge:local/0, nameserver; as it was: control)');
    const after = await until('the former processes have ended', () => {
      const all = PARTS.map((part) => partProcesses(perigee, part));
      return all.every(({ length }) => length === 1) && all.flat();
    });
    expect(after[2]).toBe(before[2] ?? 0);
    expect(after[0]).not.toBe(before[0] ?? 0);
    expect(await healthOf(perigee)).toMatchObject({ status: 'ok' });
  });

  test('is not kept from it by a worker that is killed meanwhile', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'perigee-go-'));
    const go = join(directory, 'go');
    copy.change(
      EDGE_PART,
      EDGE_START,
      `while (!(await Bun.file(${JSON.stringify(go)}).exists())) await Bun.sleep(5);\n${EDGE_START}`,
    );
    const [before = 0] = partProcesses(perigee, 'edge:local/0');
    const reload = perigee.reload();
    await until('the successor is starting', () => partProcesses(perigee, 'edge:local/0').length === 2);
    process.kill(before, 'SIGKILL');
    await until('the worker is gone', () => !partProcesses(perigee, 'edge:local/0').includes(before));
    // Nobody accepts now: it waits in the socket's queue.
    const waiting = askOnce(perigee);
    writeFileSync(go, '');
    expect((await waiting).status).toBe(200);
    expect((await reload).exitCode).toBe(0);
    expect(partProcesses(perigee, 'edge:local/0')).toHaveLength(1);
    rmSync(directory, { recursive: true });
  });
});

describe('a former worker with connections of its own', () => {
  let perigee: PerigeeProcess;
  let kept: RawClient[];
  beforeAll(async () => {
    perigee = await start();
    kept = await Promise.all([connectTo(perigee), connectTo(perigee)]);
    for (const client of kept) expect((await ask(client)).text).toBe('first');
    expect((await perigee.reload()).exitCode).toBe(0);
  });
  afterAll(async () => {
    expect(await perigee.stop()).toBe(0);
  });

  async function partsShown(): Promise<Record<string, string>> {
    const { out } = await perigee.cli('status', '--json');
    const { parts } = JSON.parse(out) as { parts: { part: string; state: string }[] };
    return Object.fromEntries(parts.map(({ part, state }) => [part, state]));
  }

  test('is shown under a name of its own, and health does not depend on it', async () => {
    expect(await partsShown()).toEqual({
      'edge:local/0': 'ready',
      'edge:local/0~former1': 'ready',
      nameserver: 'ready',
      control: 'ready',
    });
    const metrics = await (await fetch(`http://${perigee.api}/metrics`)).text();
    expect(metrics).toMatch(/perigee_edge_requests_hit_total\{part="edge:local\/0~former1"\} [1-9]/);
    expect(metrics).toMatch(/perigee_edge_requests_hit_total\{part="edge:local\/0"\} 0/);
  });

  test('purges what it has stored before the purge is confirmed', async () => {
    content = 'second';
    const { exitCode, err } = await perigee.cli('purge', `http://${HOST}/page`);
    expect([exitCode, err]).toEqual([0, '']);
    const [client] = kept;
    if (client === undefined) throw new Error('no connection is left');
    const response = await ask(client);
    expect([response.text, response.field('connection')]).toEqual(['second', 'close']);
    client.destroy();
  });

  test('follows changes of the configuration', async () => {
    expect((await perigee.cli('site', 'add', 'new.example.com', '--origin', origin.url)).exitCode).toBe(0);
    const client = kept.at(1);
    if (client === undefined) throw new Error('no connection is left');
    const response = await ask(client, '/page', 'new.example.com');
    expect([response.status, response.field('connection')]).toEqual([200, 'close']);
    client.destroy();
  });

  test('ends with its last connection', async () => {
    await until('it has ended', () => partProcesses(perigee, 'edge:local/0').length === 1);
    // The supervisor learns of it a moment later.
    await until('it is not shown any more', async () => !('edge:local/0~former1' in (await partsShown())));
  });
});

test('SIGTERM during a reload ends everything in order: what former workers have under way finishes', async () => {
  const perigee = await start();
  const client = await connectTo(perigee);
  client.write(`GET /large HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
  const head = await client.readHead();
  client.stopReading();
  expect((await perigee.reload()).exitCode).toBe(0);
  copy.change(EDGE_PART, EDGE_START, `await new Promise(() => {});\n${EDGE_START}`);
  const reload = perigee.reload();
  await until(
    'a former, a current and a new worker are there',
    () => partProcesses(perigee, 'edge:local/0').length === 3,
  );
  const all = partProcesses(perigee, 'edge:local/0');
  const ended = perigee.stop();
  await until('new connections are refused', () =>
    connectTo(perigee).then(
      (late) => {
        late.destroy();
        return false;
      },
      () => true,
    ),
  );
  client.startReading();
  expect((await client.readBytes(Number(head.field('content-length')))).length).toBe(32 * 1024 * 1024);
  client.destroy();
  expect(await ended).toBe(0);
  expect(await reload).toMatchObject({
    exitCode: 1,
    err: expect.stringContaining('Perigee ended before the reload did'),
  });
  for (const pid of all) expect(() => process.kill(pid, 0)).toThrow();
});

test('a supervisor that is killed leaves nothing behind, former workers neither', async () => {
  const perigee = await start();
  const client = await connectTo(perigee);
  await ask(client);
  expect((await perigee.reload()).exitCode).toBe(0);
  const all = PARTS.flatMap((part) => partProcesses(perigee, part));
  expect(all).toHaveLength(4);
  process.kill(perigee.pid, 'SIGKILL');
  expect((await client.readToEnd()).length).toBe(0);
  client.destroy();
  for (const pid of all) {
    await until(`process ${pid} has ended`, () => {
      try {
        process.kill(pid, 0);
        return false;
      } catch {
        return true;
      }
    });
  }
  await perigee.stop();
});

test('without a Perigee there is nothing to reload', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'perigee-none-'));
  const { exitCode, err } = await runPerigee(['reload', '--data', directory]);
  expect([exitCode, err]).toEqual([1, `perigee: --data ${directory}: no Perigee runs there\n`]);
  // A socket that a dead one left is no Perigee either.
  const left = Bun.listen({ unix: join(directory, 'perigee.sock'), socket: { data() {} } });
  left.stop(true);
  expect((await runPerigee(['reload', '--data', directory])).exitCode).toBe(1);
  rmSync(directory, { recursive: true });
});
