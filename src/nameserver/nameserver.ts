/**
 * The name server: listeners around core/authority, kept up to date by the bus. Snapshots bring the zone,
 * heartbeats the health of edges; it answers on from what it has when nothing comes any more.
 *
 *   bus ── snapshot, heartbeat ──▶ news ──▶ answerer of this thread (TCP, explain)
 *                                     └───▶ answerer of the UDP thread
 */
import { compileZone } from '#core/authority/compiled-zone.ts';
import { explainSteering } from '#core/authority/explain.ts';
import { AppError } from '#core/base/app-error.ts';
import { errorMessage } from '#core/base/error-message.ts';
import type { PartStatus } from '#core/model/messages.ts';
import { LeaseTable } from '#health/lease-table.ts';
import type { Bus } from '#platform/bus.ts';
import type { Clock } from '#platform/clock.ts';
import type { ListenAddress } from '#platform/listen-address.ts';
import type { Logger } from '#platform/log.ts';
import { holdSnapshot } from '#platform/snapshot-holder.ts';
import { createCounterBlock, sumCounters } from './counters.ts';
import { ensureGeoFile, openGeoFile } from './geo-file.ts';
import { NAMESERVER_LIMITS } from './limits.ts';
import { listenUdp } from './listen-udp.ts';
import { type AnswererNews, LiveAnswerer } from './live-answerer.ts';
import { listenTcp, type TcpListener } from './tcp-listener.ts';
import type { UdpListener, UdpListenerOptions } from './udp-listener.ts';

/** Tries to find a port that is free for both UDP and TCP when the system chooses it. */
const PORT_TRIES = 20;

export interface NameserverOptions {
  /** One port for UDP and TCP. */
  readonly listen: ListenAddress;
  /** The compiled geography database; made in the background when it is not there. */
  readonly geoFile: string;
  readonly snapshotFile: string;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Logger;
  /** How UDP is listened for; `batch` where the platform can. */
  readonly udpKind?: UdpListener['kind'];
}

export interface RunningNameserver {
  readonly udp: ListenAddress;
  readonly tcp: ListenAddress;
  close(): Promise<void>;
}

/** Throws AppError `conflict` when the port is in use. */
export async function startNameserver(options: NameserverOptions): Promise<RunningNameserver> {
  const { bus, clock, log } = options;
  const startedAt = clock.now();
  const counters = createCounterBlock();
  const answerer = new LiveAnswerer(bus.self, counters);
  const { udp, tcp } = await listen(options, answerer);
  const tell = (news: AnswererNews): void => {
    answerer.receive(news);
    udp.tell(news);
  };
  const health = followHealth(options, tell);
  void bringGeography(options, tell);
  const holder = await holdSnapshot({
    bus,
    file: options.snapshotFile,
    log,
    onSwap(snapshot) {
      // Compiled before anything changes: a snapshot that cannot be compiled is refused whole.
      const zone = compileZone(snapshot);
      health.leases.follow(snapshot.pops, clock.now());
      tell({ kind: 'zone', zone });
      tell({ kind: 'health', health: health.leases.list() });
    },
  });
  bus.respond('status', async (): Promise<PartStatus> => {
    const generation = holder.current()?.generation ?? 0;
    // A generation is in force when every thread answers from it.
    await udp.settled();
    return {
      part: bus.self,
      generation,
      startedAt,
      residentBytes: process.memoryUsage.rss(),
      storage: null,
      counters: sumCounters([counters, ...udp.counters]),
    };
  });
  bus.respond('explain-steering', (question) => {
    if (answerer.view === null) {
      throw new AppError('unavailable', 'The name server has no configuration yet.');
    }
    return explainSteering(answerer.view, question);
  });
  await udp.settled();
  log.info({ port: udp.address.port, udp: udp.kind }, 'answering DNS');
  return {
    udp: udp.address,
    tcp: tcp.address,
    async close() {
      holder.close();
      health.close();
      await Promise.all([udp.close(), tcp.close()]);
    },
  };
}

/** Opens UDP and TCP at one port, or neither. */
async function listen(
  options: NameserverOptions,
  answerer: LiveAnswerer,
): Promise<{ readonly udp: UdpListener; readonly tcp: TcpListener }> {
  const { bus, clock, log } = options;
  for (let tries = 1; ; tries += 1) {
    const udpOptions: UdpListenerOptions = { listen: options.listen, answerer, identity: bus.self, log };
    const udp = await listenUdp(udpOptions, options.udpKind ?? 'batch');
    try {
      return { udp, tcp: await listenTcp({ listen: udp.address, answerer, clock }) };
    } catch (error) {
      await udp.close();
      const mayTryAnother = options.listen.port === 0 && tries < PORT_TRIES;
      if (!mayTryAnother || !(error instanceof AppError) || error.code !== 'conflict') throw error;
    }
  }
}

/** Keeps the leases of edges and passes every change on. */
function followHealth(
  { bus, clock, log }: NameserverOptions,
  tell: (news: AnswererNews) => void,
): { readonly leases: LeaseTable; close(): void } {
  const leases = new LeaseTable();
  const passOn = (): void => {
    const health = leases.list();
    const down = health.filter((edge) => edge.state === 'down').map((edge) => `${edge.popId}/${edge.edgeId}`);
    log.info({ edges: health.length, down }, 'health of edges changed');
    tell({ kind: 'health', health });
  };
  const unsubscribe = bus.subscribe('heartbeat', (heartbeat) => {
    if (leases.receive(heartbeat, clock.now())) passOn();
  });
  const timer = setInterval(() => {
    if (leases.expire(clock.now())) passOn();
  }, NAMESERVER_LIMITS.healthCheckMs);
  bus.respond('health', () => {
    if (leases.expire(clock.now())) passOn();
    return leases.list();
  });
  return {
    leases,
    close() {
      clearInterval(timer);
      unsubscribe();
    },
  };
}

/** Brings the geography in: at once when it is compiled, else as soon as it is. Without it places are unknown. */
async function bringGeography(
  { geoFile, log }: NameserverOptions,
  tell: (news: AnswererNews) => void,
): Promise<void> {
  try {
    await ensureGeoFile(geoFile);
    const { attribution, placeCount } = openGeoFile(geoFile, true);
    tell({ kind: 'geo', path: geoFile });
    log.info({ places: placeCount, attribution }, 'geography in force');
  } catch (error) {
    const cause = errorMessage(error);
    log.error({ cause }, 'no geography: clients whose network no operator has placed are steered by hash');
  }
}
