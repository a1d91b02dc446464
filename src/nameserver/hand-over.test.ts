/** A name server that takes over from another on the same sockets: no query is lost, nothing is forgotten. */
import { afterAll, describe, expect, test } from 'bun:test';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildQuery, buildSnapshot, decodeResponse } from '#core/authority/authority.cases.ts';
import { HEARTBEAT_LEASE_MS } from '#core/model/messages.ts';
import { openLibc } from '#platform/libc.ts';
import type { ListenAddress } from '#platform/listen-address.ts';
import { openListeningSocket } from '#platform/listening-socket.ts';
import { createLocalHub } from '#platform/local-bus.ts';
import { createSilentLogger } from '#platform/log.ts';
import { snapshotDigest } from '#platform/snapshot-holder.ts';
import { ensureGeoFile } from './ensure-geo-file.ts';
import { defaultGeoFile } from './geo-package.ts';
import { openUdpCalls, openUdpSocket } from './libc-udp.ts';
import { startNameserver } from './nameserver.ts';

const WAIT_MS = 20_000;
const DRAIN_MS = 60_000;
const directory = mkdtempSync(join(tmpdir(), 'perigee-hand-over-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** A port that the system chooses for UDP may be taken for TCP; another one then will do. */
const PORT_TRIES = 20;

/** Both sockets of one port, as the supervisor holds them. */
function holdPort(): { readonly port: number; inherit(): { tcp: number; udp: number } } {
  const calls = openUdpCalls();
  const libc = openLibc({ dup: { args: ['int'], returns: 'int' } });
  for (let tries = 0; tries < PORT_TRIES && calls !== null && libc !== null; tries += 1) {
    const udp = openUdpSocket(calls, '127.0.0.1', 0);
    if (typeof udp === 'string') break;
    const tcp = openListeningSocket('127.0.0.1', udp.port);
    if (tcp === null) continue;
    return { port: udp.port, inherit: () => ({ tcp: libc.dup(tcp), udp: libc.dup(udp.descriptor) }) };
  }
  throw new Error('this platform cannot hand sockets on');
}

function world() {
  const hub = createLocalHub();
  const control = hub.join('control');
  const snapshot = buildSnapshot();
  control.publish('snapshot', { ...snapshot, digest: snapshotDigest(snapshot) });
  const held = holdPort();
  const time = { now: 1_000_000 };
  let files = 0;
  async function start(name: string, generationMin: number) {
    await ensureGeoFile(defaultGeoFile());
    const { tcp, udp } = held.inherit();
    files += 1;
    return startNameserver({
      listen: { address: '127.0.0.1', port: held.port, descriptor: tcp },
      udpDescriptor: udp,
      geoFile: defaultGeoFile(),
      snapshotFile: join(directory, `${held.port}-${files}.json`),
      generationMin,
      bus: hub.join(name),
      clock: { now: () => time.now },
      log: createSilentLogger(),
    });
  }
  const listen: ListenAddress = { address: '127.0.0.1', port: held.port };
  return { hub, control, snapshot, time, start, listen };
}

/** Queries over UDP, each sent once, until `isOver`; resolves with how many were answered, and how many not. */
async function queryWithoutEnd(
  port: number,
  isOver: () => boolean,
): Promise<{ answered: number; lost: number }> {
  const socket = createSocket('udp4');
  let answered = 0;
  let lost = 0;
  while (!isOver()) {
    const reply = await new Promise<Uint8Array | null>((resolve) => {
      const late = setTimeout(() => resolve(null), WAIT_MS);
      socket.once('message', (message) => {
        clearTimeout(late);
        resolve(message);
      });
      socket.send(buildQuery({ id: answered % 65_536 }), port, '127.0.0.1');
    });
    if (reply !== null && decodeResponse(Uint8Array.from(reply)).rcode === 'NOERROR') answered += 1;
    else lost += 1;
  }
  socket.close();
  return { answered, lost };
}

function openTcp(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** One query over TCP; resolves with its answer, or null when the connection ends first. */
function askTcp(socket: Socket, id: number): Promise<number | null> {
  const query = buildQuery({ id });
  return new Promise((resolve) => {
    socket.once('data', (bytes: Buffer) => resolve(decodeResponse(Uint8Array.from(bytes.subarray(2))).id));
    // Cut before we have asked: its end has been told already.
    if (socket.destroyed) resolve(null);
    socket.once('close', () => resolve(null));
    socket.write(Buffer.concat([Buffer.of(query.length >> 8, query.length), query]));
  });
}

describe('a successor on the same sockets', () => {
  test('takes over while queries come in without end, over UDP and on open TCP connections', async () => {
    const { start, listen, snapshot } = world();
    let current = await start('nameserver', 0);
    let isOver = false;
    const queries = Array.from({ length: 8 }, () => queryWithoutEnd(listen.port, () => isOver));
    const kept = await openTcp(listen.port);
    expect(await askTcp(kept, 1)).toBe(1);
    const ends: Promise<void>[] = [];
    for (let n = 0; n < 3; n += 1) {
      const successor = await start(`nameserver~next${n}`, snapshot.generation);
      ends.push(current.handOver(DRAIN_MS));
      current = successor;
      const fresh = await openTcp(listen.port);
      expect(await askTcp(fresh, 7)).toBe(7);
      expect(await askTcp(kept, n)).toBe(n);
      fresh.destroy();
    }
    isOver = true;
    const results = await Promise.all(queries);
    expect(results.map(({ lost }) => lost)).toEqual(results.map(() => 0));
    for (const { answered } of results) expect(answered).toBeGreaterThan(0);
    kept.destroy();
    await Promise.all([...ends, current.close()]);
  });

  test('has the verdicts on the edges that the other had', async () => {
    const { hub, control, start, snapshot, time } = world();
    const first = await start('nameserver', 0);
    const [pop] = snapshot.pops;
    const edgeId = pop?.edges[0]?.id ?? '';
    hub.join('edge').publish('heartbeat', { edgeId, popId: pop?.id ?? '', worker: 0, sentAt: 0, load: 0 });
    time.now += HEARTBEAT_LEASE_MS + 1;
    const second = await start('nameserver~next', snapshot.generation);
    const tables = await control.request('health', null, { timeoutMs: WAIT_MS });
    const verdicts = tables.map(
      (reply) => reply.ok && reply.answer.find((edge) => edge.edgeId === edgeId)?.state,
    );
    expect(verdicts).toEqual(['down', 'down']);
    await Promise.all([first.close(), second.close()]);
  });

  test('does not begin without the configuration in force', async () => {
    const { start, snapshot, control, listen } = world();
    const first = await start('nameserver', 0);
    const refused = start('nameserver~next', snapshot.generation + 1).then(
      () => 'started',
      (error: Error) => error.message,
    );
    control.publish('snapshot', { ...snapshot, generation: snapshot.generation + 1, digest: 'f'.repeat(64) });
    expect(await refused).toContain('this part refused it');
    let asked = 0;
    const { lost } = await queryWithoutEnd(listen.port, () => ++asked > 20);
    expect(lost).toBe(0);
    await first.close();
  });

  test('a TCP connection that stays busy is cut when the time is up', async () => {
    const { start, listen } = world();
    const server = await start('nameserver', 0);
    const kept = await openTcp(listen.port);
    expect(await askTcp(kept, 1)).toBe(1);
    await server.handOver(50);
    expect(await askTcp(kept, 2)).toBeNull();
  });
});
