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
import { openGeoFile } from '#platform/geo-file.ts';
import type { ListenAddress } from '#platform/listen-address.ts';
import type { Logger } from '#platform/log.ts';
import { holdSnapshot, type SnapshotHolder } from '#platform/snapshot-holder.ts';
import { type CounterBlock, createCounterBlock, sumCounters } from './counters.ts';
import { ensureGeoFile } from './ensure-geo-file.ts';
import { NAMESERVER_LIMITS } from './limits.ts';
import { listenUdp } from './listen-udp.ts';
import { type AnswererNews, LiveAnswerer } from './live-answerer.ts';
import { listenTcp, type TcpListener } from './tcp-listener.ts';
import type { UdpListener, UdpListenerOptions } from './udp-listener.ts';

/** Tries to find a port that is free for both UDP and TCP when the system chooses it. */
const PORT_TRIES = 20;

export interface NameserverOptions {
  /** One port for UDP and TCP. A descriptor is that of the TCP socket. */
  readonly listen: ListenAddress;
  /** An inherited UDP socket, bound to the same port. */
  readonly udpDescriptor?: number;
  /** The compiled geography database; made in the background when it is not there. */
  readonly geoFile: string;
  readonly snapshotFile: string;
  /**
   * Takes over from a name server that answers: does not begin before it has a snapshot of this generation
   * or a later one, the geography, and the other's verdicts on the edges. 0 unless said.
   */
  readonly generationMin?: number;
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
  /** The same, but losing nothing to a successor that takes from the same sockets. */
  handOver(withinMs: number): Promise<void>;
}

/** Throws AppError `conflict` when the port is in use, `unavailable` when the generation asked for does not come. */
export async function startNameserver(options: NameserverOptions): Promise<RunningNameserver> {
  const { bus, clock, log } = options;
  const startedAt = clock.now();
  const counters = createCounterBlock();
  const answerer = new LiveAnswerer(bus.self, counters);
  const desk = new NewsDesk(answerer);
  const health = followHealth(options, (news) => desk.tell(news));
  const geography = bringGeography(options, (news) => desk.tell(news));
  const holder = await holdSnapshot({
    bus,
    file: options.snapshotFile,
    log,
    onSwap(snapshot) {
      // Compiled before anything changes: a snapshot that cannot be compiled is refused whole.
      const zone = compileZone(snapshot);
      health.leases.follow(snapshot.pops, clock.now());
      desk.tell({ kind: 'zone', zone });
      desk.tell({ kind: 'health', health: health.leases.list() });
    },
  });
  function unfollow(): void {
    holder.close();
    health.close();
  }
  try {
    const { generationMin = 0 } = options;
    if (generationMin > 0) {
      await Promise.all([holder.reached(generationMin), geography]);
      await health.adopt();
    }
    const { udp, tcp } = await listen(options, answerer, desk);
    answerBus(options, { answerer, udp, holder, startedAt, counters });
    await udp.settled();
    log.info({ port: udp.address.port, udp: udp.kind }, 'answering DNS');
    const end = async (tcpEnd: Promise<void>): Promise<void> => {
      await Promise.all([udp.close(), tcpEnd]);
      unfollow();
    };
    return {
      udp: udp.address,
      tcp: tcp.address,
      close: () => end(tcp.close()),
      handOver: (withinMs) => end(tcp.handOver(withinMs)),
    };
  } catch (error) {
    unfollow();
    throw error;
  }
}

/** Gives news to every thread that answers; a thread that comes later starts with the last of each kind. */
class NewsDesk {
  readonly #answerer: LiveAnswerer;
  readonly #last = new Map<AnswererNews['kind'], AnswererNews>();
  #udp: UdpListener | null = null;

  constructor(answerer: LiveAnswerer) {
    this.#answerer = answerer;
  }

  tell(news: AnswererNews): void {
    this.#answerer.receive(news);
    this.#last.set(news.kind, news);
    this.#udp?.tell(news);
  }

  last(): AnswererNews[] {
    return [...this.#last.values()];
  }

  /** `known` is what this listener was started with. */
  serve(udp: UdpListener, known: readonly AnswererNews[]): void {
    this.#udp = udp;
    for (const news of this.#last.values()) if (!known.includes(news)) udp.tell(news);
  }
}

interface Answering {
  readonly answerer: LiveAnswerer;
  readonly udp: UdpListener;
  readonly holder: SnapshotHolder;
  readonly startedAt: number;
  readonly counters: CounterBlock;
}

function answerBus({ bus }: NameserverOptions, answering: Answering): void {
  const { answerer, udp, holder, startedAt, counters } = answering;
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
}

/** Opens UDP and TCP at one port, or neither. */
async function listen(
  options: NameserverOptions,
  answerer: LiveAnswerer,
  desk: NewsDesk,
): Promise<{ readonly udp: UdpListener; readonly tcp: TcpListener }> {
  const { bus, clock, log, udpDescriptor } = options;
  for (let tries = 1; ; tries += 1) {
    const news = desk.last();
    const common = { listen: options.listen, news, answerer, identity: bus.self, log };
    const udpOptions: UdpListenerOptions =
      udpDescriptor === undefined ? common : { ...common, descriptor: udpDescriptor };
    const udp = await listenUdp(udpOptions, options.udpKind ?? 'batch');
    desk.serve(udp, news);
    try {
      const tcpListen = udpDescriptor === undefined ? udp.address : options.listen;
      return { udp, tcp: await listenTcp({ listen: tcpListen, answerer, clock }) };
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
): { readonly leases: LeaseTable; adopt(): Promise<void>; close(): void } {
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
    /** Takes over the verdicts of the name server that serves, so that no edge that is down counts as unknown. */
    async adopt() {
      for (const reply of await bus.request('health', null, { timeoutMs: NAMESERVER_LIMITS.adoptMs })) {
        if (reply.ok && leases.adopt(reply.answer, clock.now())) passOn();
      }
    },
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
