/** Plays one user of the demo: where DNS sends them, and how long the page takes with and without the CDN. */
import { AppError } from '#core/base/app-error.ts';
import type { ListenAddress } from '#platform/listen-address.ts';
import { startDelayRelay } from './delay-relay.ts';
import { greatCircleKm, type Place, roundTripMs } from './distance.ts';
import { loadPage, type PageLoad } from './page-load.ts';
import { DEMO_ORIGIN_PLACE, type DemoUser, demoPopAt } from './plan.ts';
import { resolveFor } from './resolve.ts';

/** What is measured against. */
export interface Setting {
  readonly host: string;
  readonly dns: ListenAddress;
  /** The shop's own address; no POP lies between. */
  readonly origin: ListenAddress;
  readonly edgePort: number;
  /** Loads of each kind per user, of which the median counts. */
  readonly runs: number;
  /** Empties every cache of the site. */
  readonly purgeEverything: () => Promise<void>;
}

export interface Measurement {
  readonly city: string;
  readonly popId: string;
  readonly popName: string;
  readonly originKm: number;
  readonly popKm: number;
  readonly originRoundTripMs: number;
  readonly popRoundTripMs: number;
  /** Straight from the origin; through the CDN with nothing stored; through the CDN once it has the page. */
  readonly direct: PageLoad;
  readonly cold: PageLoad;
  readonly warm: PageLoad;
}

/** One first visit over a fresh wire of the given length, so that no connection is left from before. */
async function loadOverDistance(server: ListenAddress, wireMs: number, host: string): Promise<PageLoad> {
  const relay = await startDelayRelay({
    listen: { address: '127.0.0.1', port: 0 },
    target: server,
    roundTripMs: () => wireMs,
  });
  try {
    return await loadPage({ address: relay.address, port: relay.port, host, path: '/' });
  } finally {
    await relay.close();
  }
}

/** The load whose page time is the median of `runs`. */
async function medianLoad(runs: number, load: () => Promise<PageLoad>): Promise<PageLoad> {
  const loads: PageLoad[] = [];
  for (let run = 0; run < runs; run += 1) loads.push(await load());
  const sorted = loads.sort((one, other) => one.pageMs - other.pageMs);
  const median = sorted[Math.floor((sorted.length - 1) / 2)];
  if (median === undefined) throw new AppError('invalid', 'runs must be at least 1');
  return median;
}

/** Measures one user; throws AppError `unavailable` when DNS sends them to no POP of the demo. */
export async function measureUser(user: DemoUser, setting: Setting): Promise<Measurement> {
  const { host, dns, origin, edgePort, runs } = setting;
  const addresses = await resolveFor(dns, host, user.clientAddress);
  const pop = demoPopAt(addresses[0] ?? '');
  if (pop === null) {
    throw new AppError(
      'unavailable',
      `DNS sends ${user.city} to ${addresses.join(', ')}, which is no POP of the demo`,
    );
  }
  const far = (place: Place) => ({ km: greatCircleKm(user, place), wireMs: roundTripMs(user, place) });
  const toOrigin = far(DEMO_ORIGIN_PLACE);
  const toPop = far(pop);
  const edge = { address: pop.address, port: edgePort };
  const direct = await medianLoad(runs, () => loadOverDistance(origin, toOrigin.wireMs, host));
  await setting.purgeEverything();
  const cold = await loadOverDistance(edge, toPop.wireMs, host);
  const warm = await medianLoad(runs, () => loadOverDistance(edge, toPop.wireMs, host));
  if (warm.bodyBytes !== direct.bodyBytes || cold.bodyBytes !== direct.bodyBytes) {
    throw new AppError('internal', `${user.city} got another page through the CDN than from the origin`);
  }
  return {
    city: user.city,
    popId: pop.id,
    popName: pop.name,
    originKm: toOrigin.km,
    popKm: toPop.km,
    originRoundTripMs: toOrigin.wireMs,
    popRoundTripMs: toPop.wireMs,
    direct,
    cold,
    warm,
  };
}
