import { afterAll, describe, expect, test } from 'bun:test';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  answerData,
  buildQuery,
  buildSnapshot,
  type Decoded,
  decodeResponse,
  type QueryParts,
  type SnapshotParts,
  scopeOf,
} from '#core/authority/authority.cases.ts';
import { HEARTBEAT_LEASE_MS } from '#core/model/messages.ts';
import type { Snapshot } from '#core/model/snapshot.ts';
import type { Bus } from '#platform/bus.ts';
import type { Clock } from '#platform/clock.ts';
import type { ListenAddress } from '#platform/listen-address.ts';
import { createLocalHub } from '#platform/local-bus.ts';
import { createSilentLogger } from '#platform/log.ts';
import { snapshotDigest } from '#platform/snapshot-holder.ts';
import { createCounterBlock } from './counters.ts';
import { ensureGeoFile } from './ensure-geo-file.ts';
import { defaultGeoFile } from './geo-package.ts';
import { LiveAnswerer } from './live-answerer.ts';
import { type RunningNameserver, startNameserver } from './nameserver.ts';
import { listenTcp } from './tcp-listener.ts';

const LOOPBACK: ListenAddress = { address: '127.0.0.1', port: 0 };
const WAIT_MS = 20_000;
const directory = mkdtempSync(join(tmpdir(), 'perigee-nameserver-'));
const closers: (() => Promise<void>)[] = [];
let files = 0;

afterAll(async () => {
  await Promise.all(closers.map((close) => close()));
  rmSync(directory, { recursive: true });
});

function sealed(parts: SnapshotParts = {}): Snapshot {
  const snapshot = buildSnapshot(parts);
  return { ...snapshot, digest: snapshotDigest(snapshot) };
}

interface Running {
  readonly server: RunningNameserver;
  readonly control: Bus;
  readonly time: { now: number };
  readonly snapshotFile: string;
}

interface Starting {
  readonly udpKind?: 'batch' | 'socket';
  readonly snapshot?: Snapshot | null;
  readonly snapshotFile?: string;
  readonly listen?: ListenAddress;
  readonly geoFile?: string;
}

async function start(starting: Starting = {}): Promise<Running> {
  const hub = createLocalHub();
  const control = hub.join('control');
  if (starting.snapshot !== null) control.publish('snapshot', starting.snapshot ?? sealed());
  files += 1;
  const snapshotFile = starting.snapshotFile ?? join(directory, `snapshot-${files}.json`);
  const time = { now: 1_000_000 };
  const clock: Clock = { now: () => time.now };
  await ensureGeoFile(defaultGeoFile());
  const server = await startNameserver({
    listen: starting.listen ?? LOOPBACK,
    geoFile: starting.geoFile ?? defaultGeoFile(),
    snapshotFile,
    bus: hub.join('nameserver'),
    clock,
    log: createSilentLogger(),
    udpKind: starting.udpKind ?? 'socket',
  });
  closers.push(() => server.close());
  return { server, control, time, snapshotFile };
}

/** One query over UDP, sent again while no answer comes. */
async function askUdp({ port }: ListenAddress, query: Uint8Array): Promise<Uint8Array> {
  const socket = createSocket('udp4');
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const send = (): void => socket.send(query, port, '127.0.0.1');
  const again = setInterval(send, 500);
  const late = setTimeout(() => reject(new Error('no answer by UDP')), WAIT_MS);
  socket.on('message', resolve);
  send();
  try {
    return Uint8Array.from(await promise);
  } finally {
    clearInterval(again);
    clearTimeout(late);
    socket.close();
  }
}

async function resolve(server: RunningNameserver, parts: QueryParts): Promise<Decoded> {
  return decodeResponse(await askUdp(server.udp, buildQuery(parts)));
}

/** Everything the server sends on one connection until `count` messages have come or it is closed. */
async function askTcp(
  { port }: ListenAddress,
  count: number,
  write: (socket: Socket) => void,
): Promise<Uint8Array[]> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const { promise, resolve: done } = Promise.withResolvers<void>();
  const late = setTimeout(done, WAIT_MS);
  const messages: Uint8Array[] = [];
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const end = 2 + rest.readUInt16BE(0);
      messages.push(Uint8Array.from(rest.subarray(2, end)));
      rest = rest.subarray(end);
    }
    if (messages.length >= count) done();
  });
  socket.on('error', () => done());
  socket.on('end', () => done());
  socket.on('connect', () => write(socket));
  await promise;
  clearTimeout(late);
  socket.destroy();
  return messages;
}

function framed(...queries: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(queries.flatMap((query) => [query.length >> 8, query.length & 255, ...query]));
}

async function eventually(check: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error('it did not come about');
    await new Promise((next) => setTimeout(next, 10));
  }
}

describe.each(['batch', 'socket'] as const)('over UDP by %s', (udpKind) => {
  test('steers by client subnet, and by the resolver without', async () => {
    const { server } = await start({ udpKind });
    const near = await resolve(server, { subnet: ['203.0.113.0', 24], name: 'WWW.shop.EXAMPLE' });
    expect([near.rcode, near.flag_aa, near.questions[0]?.name]).toEqual([
      'NOERROR',
      true,
      'WWW.shop.EXAMPLE',
    ]);
    expect(answerData(near)).toEqual(['127.0.1.5']);
    expect(scopeOf(near)).toBe(24);
    expect(answerData(await resolve(server, {}))).toHaveLength(1);
  });

  test('networks of six regions get six POPs from the real geography', async () => {
    const { server } = await start({ udpKind });
    const regions: readonly (readonly [string, number, string])[] = [
      ['128.97.0.0', 24, '127.0.1.1'],
      ['141.2.0.0', 24, '127.0.1.2'],
      ['158.144.1.0', 24, '127.0.1.3'],
      ['147.8.0.0', 24, '127.0.1.4'],
      ['143.107.1.0', 24, '127.0.1.5'],
      ['41.58.0.0', 24, '127.0.1.6'],
      ['2607:f010::', 48, '127.0.1.1'],
    ];
    for (const [address, source, expected] of regions) {
      const response = await resolve(server, { subnet: [address, source] });
      expect([address, ...answerData(response)]).toEqual([address, expected]);
      expect(scopeOf(response)).toBeGreaterThanOrEqual(16);
    }
  });

  test('many clients at once each get their own answer', async () => {
    const { server } = await start({ udpKind });
    const socket = createSocket('udp4');
    const answers = new Map<number, string>();
    const expected = ['127.0.1.1', '127.0.1.3', '127.0.1.5'];
    const subnets = ['192.0.2.0', '198.51.100.0', '203.0.113.0'];
    socket.on('message', (octets) => {
      const response = decodeResponse(octets);
      answers.set(response.id, String(answerData(response)[0]));
    });
    const send = (id: number): void =>
      socket.send(buildQuery({ id, subnet: [subnets[id % 3] ?? '', 24] }), server.udp.port, '127.0.0.1');
    await eventually(async () => {
      for (let id = 0; id < 300; id += 1) if (!answers.has(id)) send(id);
      return answers.size === 300;
    });
    socket.close();
    for (const [id, address] of answers) expect(address).toBe(expected[id % 3] ?? '');
  });

  test('broken packets and responses do not disturb it', async () => {
    const { server } = await start({ udpKind });
    const socket = createSocket('udp4');
    const response = buildQuery({});
    response[2] = 0x81;
    for (const packet of [
      new Uint8Array(1),
      response,
      new Uint8Array(60_000),
      new Uint8Array(5_000).fill(255),
    ]) {
      socket.send(packet, server.udp.port, '127.0.0.1');
    }
    expect(decodeResponse(await askUdp(server.udp, buildQuery({}).subarray(0, 20))).rcode).toBe('FORMERR');
    expect((await resolve(server, {})).rcode).toBe('NOERROR');
    socket.close();
  });

  test('a new snapshot is in force once the status says its generation', async () => {
    const { server, control } = await start({ udpKind });
    control.publish('snapshot', sealed({ generation: 8, zone: 'other.test' }));
    await eventually(async () => {
      const [reply] = await control.request('status', null, { timeoutMs: WAIT_MS });
      return reply?.ok === true && reply.answer.generation === 8;
    });
    expect((await resolve(server, { name: 'shop.other.test' })).rcode).toBe('NOERROR');
    expect((await resolve(server, { name: 'shop.cdn.test' })).rcode).toBe('REFUSED');
  });

  test('an edge that falls silent is left out, and is back after three heartbeats', async () => {
    const { server, control, time } = await start({ udpKind });
    const beat = (): void =>
      control.publish('heartbeat', { edgeId: 'gru-1', popId: 'gru', worker: 0, sentAt: 0, load: 0 });
    const isAnswered = (address: string) => async (): Promise<boolean> =>
      answerData(await resolve(server, { subnet: ['203.0.113.0', 24] }))[0] === address;
    beat();
    expect(await isAnswered('127.0.1.5')()).toBe(true);
    time.now += HEARTBEAT_LEASE_MS + 1;
    // From São Paulo, Lagos is the next.
    await eventually(isAnswered('127.0.1.6'));
    const [health] = await control.request('health', null, { timeoutMs: WAIT_MS });
    expect(health?.ok === true ? health.answer.find(({ popId }) => popId === 'gru') : null).toMatchObject({
      state: 'down',
      since: time.now,
    });
    for (let count = 0; count < 3; count += 1) beat();
    await eventually(isAnswered('127.0.1.5'));
  });

  test('a port in use is one clear error, and nothing stays open', async () => {
    const { server } = await start({ udpKind });
    const again = start({ udpKind, listen: server.udp });
    await expect(again).rejects.toThrow(expect.objectContaining({ code: 'conflict' }));
    await expect(start({ udpKind, listen: server.udp })).rejects.toThrow(/the port is in use/);
  });

  test('counts queries by transport and answers by code', async () => {
    const { server, control } = await start({ udpKind });
    await resolve(server, {});
    await resolve(server, { name: 'missing.cdn.test' });
    await askTcp(server.tcp, 1, (socket) => socket.write(framed(buildQuery({}))));
    const [reply] = await control.request('status', null, { timeoutMs: WAIT_MS });
    const counters = reply?.ok === true ? reply.answer.counters : {};
    expect(counters.perigee_dns_queries_udp_total).toBeGreaterThanOrEqual(2);
    expect(counters.perigee_dns_queries_tcp_total).toBe(1);
    expect(counters.perigee_dns_answers_nxdomain_total).toBeGreaterThanOrEqual(1);
  });
});

describe('over TCP', () => {
  test('shares its port with UDP, and gives whole what UDP truncates', async () => {
    const nameServers = Array.from({ length: 30 }, (_, index) => ({
      name: `name-server-number-${index}.cdn.test`,
      addresses: [`127.0.2.${index}`],
    }));
    const { server } = await start({ snapshot: sealed({ nameServers }) });
    expect(server.tcp.port).toBe(server.udp.port);
    const query = buildQuery({ name: 'cdn.test', type: 'NS' });
    const short = decodeResponse(await askUdp(server.udp, query));
    expect([short.flag_tc, short.answers.length]).toEqual([true, 0]);
    const [whole] = await askTcp(server.tcp, 1, (socket) => socket.write(framed(query)));
    const response = decodeResponse(whole ?? new Uint8Array(0));
    expect([response.flag_tc, response.answers.length]).toEqual([false, 30]);
  });

  test('a query is put together wherever it is cut', async () => {
    const { server } = await start();
    const stream = framed(buildQuery({ id: 1, subnet: ['203.0.113.0', 24] }), buildQuery({ id: 2 }));
    for (let cut = 1; cut < stream.length; cut += 5) {
      const messages = await askTcp(server.tcp, 2, (socket) => {
        socket.setNoDelay(true);
        socket.write(stream.subarray(0, cut), () => setImmediate(() => socket.write(stream.subarray(cut))));
      });
      expect(messages.map((message) => decodeResponse(message).id)).toEqual([1, 2]);
    }
  });

  test('pipelined queries are answered in order, also behind the end of the stream', async () => {
    const { server } = await start();
    const queries = Array.from({ length: 2_000 }, (_, id) => buildQuery({ id }));
    const messages = await askTcp(server.tcp, 2_000, (socket) => socket.end(framed(...queries)));
    expect(messages.map((message) => decodeResponse(message).id)).toEqual(queries.map((_, id) => id));
  });

  test('a client that does not read is not read from, and goes when idle', async () => {
    const counters = createCounterBlock();
    const answerer = new LiveAnswerer('test', counters);
    const clock: Clock = { now: () => Date.now() };
    const server = await listenTcp({ listen: LOOPBACK, answerer, clock, limits: { idleMs: 300 } });
    const socket = connect({ port: server.address.port, host: '127.0.0.1' });
    const isClosed = new Promise<void>((done) => socket.on('close', () => done()));
    socket.on('error', () => {});
    socket.pause();
    const burst = framed(...Array.from({ length: 2_000 }, (_, id) => buildQuery({ id })));
    let written = 0;
    const pump = (): void => {
      while (written < 400 && !socket.destroyed && socket.write(burst)) written += 1;
    };
    socket.on('drain', pump);
    pump();
    await isClosed;
    await server.close();
    expect(counters[1]).toBeLessThan(800_000);
  });

  test('an idle connection is closed, one that drips octets as well', async () => {
    const answerer = new LiveAnswerer('test', createCounterBlock());
    const server = await listenTcp({
      listen: LOOPBACK,
      answerer,
      clock: { now: () => Date.now() },
      limits: { idleMs: 200 },
    });
    let drip: ReturnType<typeof setInterval> | undefined;
    const messages = await askTcp(server.address, 1, (socket) => {
      drip = setInterval(() => socket.write(new Uint8Array(1).fill(1)), 20);
    });
    clearInterval(drip);
    expect(messages).toEqual([]);
    await server.close();
  });

  test('a message longer than any query closes the connection', async () => {
    const { server } = await start();
    expect(await askTcp(server.tcp, 1, (socket) => socket.write(Uint8Array.of(0xff, 0xff, 0)))).toEqual([]);
  });

  test('one client cannot hold more than its connections; when all are taken, the idlest makes room', async () => {
    const answerer = new LiveAnswerer('test', createCounterBlock());
    const time = { now: 0 };
    const server = await listenTcp({
      listen: LOOPBACK,
      answerer,
      clock: { now: () => time.now },
      limits: { connectionsMax: 3, connectionsPerClientMax: 2 },
    });
    const open = (localAddress: string): Promise<{ socket: Socket; closed: Promise<void> }> =>
      new Promise((done) => {
        const socket = connect({ port: server.address.port, host: '127.0.0.1', localAddress });
        const closed = new Promise<void>((gone) => socket.on('close', () => gone()));
        socket.on('error', () => {});
        socket.resume();
        socket.on('connect', () => done({ socket, closed }));
      });
    const first = await open('127.0.0.1');
    const second = await open('127.0.0.1');
    const third = await open('127.0.0.1');
    await third.closed;
    const other = await open('127.0.0.2');
    time.now = 5;
    const last = await open('127.0.0.2');
    await Promise.race([first.closed, second.closed, other.closed]);
    expect(last.socket.destroyed).toBe(false);
    await server.close();
  });
});

describe('the life of a name server', () => {
  test('before any snapshot it says SERVFAIL; the last one is kept over a restart', async () => {
    const empty = await start({ snapshot: null });
    expect((await resolve(empty.server, {})).rcode).toBe('SERVFAIL');
    const first = await start();
    await first.server.close();
    const second = await start({ snapshot: null, snapshotFile: first.snapshotFile });
    expect((await resolve(second.server, {})).rcode).toBe('NOERROR');
  });

  test('without a geography file it answers at once, and compiles one behind its answers', async () => {
    const geoFile = join(directory, 'made', 'geo.bin');
    const { server } = await start({ geoFile });
    expect((await resolve(server, { subnet: ['141.2.0.0', 24] })).rcode).toBe('NOERROR');
    await eventually(async () => {
      const response = await resolve(server, { subnet: ['141.2.0.0', 24] });
      return answerData(response)[0] === '127.0.1.2' && (scopeOf(response) ?? 0) >= 16;
    });
  }, 60_000);

  test('explains what it would answer', async () => {
    const { control } = await start();
    const question = { host: 'shop.cdn.test', clientAddress: '128.97.3.4' };
    const [reply] = await control.request('explain-steering', question, { timeoutMs: WAIT_MS });
    const explained = reply?.ok === true ? reply.answer : null;
    expect(explained?.client).toMatchObject({ place: 'Los Angeles, US', source: 'geo-database' });
    expect(explained?.chosenPopId).toBe('lax');
    const [unknown] = await control.request(
      'explain-steering',
      { host: 'unknown.example', clientAddress: '128.97.3.4' },
      { timeoutMs: WAIT_MS },
    );
    expect(unknown?.ok === false ? unknown.error : '').toContain('steers no host');
  });
});
