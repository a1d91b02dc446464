/**
 * The control plane, put together: database, authority, publisher, services and API. It is told where to
 * listen and keep its files, speaks to the other parts over the bus alone, and may be away without their
 * noticing.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '#core/base/app-error.ts';
import { errorMessage } from '#core/base/error-message.ts';
import type { PartName } from '#core/model/messages.ts';
import { hostNameSchema } from '#core/model/site.ts';
import type { Zone } from '#core/model/snapshot.ts';
import type { Bus } from '#platform/bus.ts';
import type { Clock } from '#platform/clock.ts';
import type { ListenAddress } from '#platform/listen-address.ts';
import type { Logger } from '#platform/log.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { createApp } from './api/app.ts';
import type { Services } from './api/handlers.ts';
import { type ApiServer, serveApi } from './api/serve-api.ts';
import { FailureLimit } from './auth/failure-limit.ts';
import { Tokens } from './auth/tokens.ts';
import { openAuthority } from './certificates/authority.ts';
import type { Database } from './database/schema.ts';
import { openSqlite } from './database/sqlite/open-sqlite.ts';
import { CONTROL_LIMITS } from './limits.ts';
import { CitySearch } from './places/city-search.ts';
import { Publisher } from './publish/publisher.ts';
import { createChange } from './services/change.ts';
import { Explainer } from './services/explain.ts';
import { Parts } from './services/parts.ts';
import { Pops } from './services/pops.ts';
import { Purges } from './services/purges.ts';
import { applySeed, type Seed } from './services/seed.ts';
import { Sites } from './services/sites.ts';
import { StoredResponses } from './services/stored-responses.ts';
import { SystemStatus } from './services/system-status.ts';
import { isSoundRollup } from './traffic/counters.ts';
import { LiveWindow } from './traffic/live-window.ts';
import { SiteTotals } from './traffic/site-totals.ts';
import { TrafficLog } from './traffic/traffic-log.ts';

export interface ControlOptions {
  readonly listen: ListenAddress;
  /** Holds the database, the authority and the first token; made with mode 0700 when it is not there. */
  readonly dataDirectory: string;
  readonly zoneName: string;
  /** Where resolvers reach the name server; wildcard addresses are not told to anybody. */
  readonly dnsAddress: ListenAddress;
  readonly seed: Seed;
  /** Parts that must answer for /health to be ok. */
  readonly expectedParts: readonly PartName[];
  readonly consoleDirectory: string;
  /** Names under which browsers may reach the API, beside IP addresses and localhost. */
  readonly allowedHosts?: readonly string[];
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface RunningControl {
  readonly listen: ListenAddress;
  readonly adminToken: string;
  close(): Promise<void>;
}

/** Seconds that resolvers keep steered answers, and denials. */
const STEERING_TTL_SECONDS = 30;
const NEGATIVE_TTL_SECONDS = 30;
const WILDCARD_ADDRESSES: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** Starts the control plane. Throws AppError when its directory, database, seed or address cannot be used. */
export async function startControl(options: ControlOptions): Promise<RunningControl> {
  const { dataDirectory, bus, clock, log } = options;
  const zone = makeZone(options.zoneName, options.dnsAddress);
  prepareDirectory(dataDirectory);
  const database = await openSqlite(join(dataDirectory, 'control.sqlite'));
  const cities = new CitySearch();
  const closers: (() => void | Promise<void>)[] = [() => database.destroy(), () => cities.close()];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const authority = await openAuthority(join(dataDirectory, 'ca'), clock);
    const tokens = new Tokens(database, clock);
    const adminToken = await tokens.ensureAdminToken(dataDirectory);
    await applySeed(database, zone, options.seed);
    const publisher = new Publisher({ database, authority, zone, bus, clock, log });
    const { services, totals } = createServices(options, { database, zone, publisher, tokens, cities });
    await publisher.publish();
    bus.respond('status', () => services.parts.ownStatus());
    bus.respond('purges-after', ({ position }) => services.purges.after(position));
    closers.push(bus.subscribe('rollups', countRollups(services, totals)));
    closers.push(startChores(services, publisher, log));
    const server: ApiServer = serveApi(
      options.listen,
      createApp({
        services,
        totals,
        authenticator: { tokens, failures: new FailureLimit(clock) },
        authorityPem: authority.certificatePem,
        consoleDirectory: options.consoleDirectory,
        allowedHosts: new Set((options.allowedHosts ?? []).map((host) => host.toLowerCase())),
        version: packageJson.version,
        log,
      }),
      log,
    );
    closers.push(() => server.close());
    log.info({ generation: publisher.generation, zone: zone.name }, 'control plane ready');
    return { listen: server.listen, adminToken, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function makeZone(zoneName: string, dnsAddress: ListenAddress): Zone {
  const name = hostNameSchema.safeParse(zoneName);
  if (!name.success) {
    throw new AppError(
      'invalid',
      `zone "${zoneName}": ${name.error.issues[0]?.message ?? 'is not a host name'}`,
    );
  }
  const addresses = WILDCARD_ADDRESSES.has(dnsAddress.address) ? [] : [dnsAddress.address];
  return {
    name: name.data,
    nameServers: [{ name: `ns1.${name.data}`, addresses }],
    mailbox: `hostmaster.${name.data}`,
    steeringTtlSeconds: STEERING_TTL_SECONDS,
    negativeTtlSeconds: NEGATIVE_TTL_SECONDS,
  };
}

function prepareDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const reason = errorMessage(cause);
    throw new AppError(
      'unavailable',
      `the data directory ${directory} cannot be used: ${reason}; choose another with --data`,
      { cause },
    );
  }
}

interface Foundations {
  readonly database: Database;
  readonly zone: Zone;
  readonly publisher: Publisher;
  readonly tokens: Tokens;
  readonly cities: CitySearch;
}

function createServices(
  { bus, clock, log, expectedParts, dnsAddress }: ControlOptions,
  { database, zone, publisher, tokens, cities }: Foundations,
): { services: Services; totals: SiteTotals } {
  const change = createChange({ database, publisher, bus });
  const zoneName = zone.name;
  const parts = new Parts({ bus, clock, publisher, zoneName, expectedParts, log });
  const services: Services = {
    sites: new Sites({ database, change, zone, clock }),
    pops: new Pops({ database, change, cities }),
    purges: new Purges({ database, bus, clock, zoneName }),
    tokens,
    cities,
    parts,
    systemStatus: new SystemStatus({ database, parts, dnsAddress, version: packageJson.version }),
    explainer: new Explainer({ database, bus, cities, zoneName }),
    storedResponses: new StoredResponses(bus),
    traffic: new TrafficLog({ database, clock, log }),
    live: new LiveWindow(clock),
  };
  return { services, totals: new SiteTotals() };
}

function countRollups({ traffic, live }: Services, totals: SiteTotals) {
  return (rollups: readonly Parameters<TrafficLog['add']>[0][]) => {
    for (const rollup of rollups.slice(0, CONTROL_LIMITS.rollupsPerMessageMax)) {
      if (!isSoundRollup(rollup)) continue;
      traffic.add(rollup);
      live.add(rollup);
      totals.add(rollup);
    }
  };
}

/** Regular work: writing and pruning traffic, renewing certificates. Returns the function that ends it. */
function startChores({ traffic, parts }: Services, publisher: Publisher, log: Logger): () => Promise<void> {
  const attempt = (name: string, work: () => Promise<unknown>) => () => {
    work().catch((error: unknown) =>
      log.error({ cause: String(error) }, `${name} failed; it is tried again`),
    );
  };
  const timers = [
    setInterval(
      attempt('writing traffic', () => traffic.flush()),
      CONTROL_LIMITS.trafficFlushMs,
    ),
    setInterval(
      attempt('pruning traffic', () => traffic.prune()),
      CONTROL_LIMITS.trafficPruneMs,
    ),
    // Parts may hold a later generation than a database from a backup: the look tells, and publishes above it.
    setInterval(
      attempt('looking at the parts', () => parts.take()),
      CONTROL_LIMITS.partsLookMs,
    ),
    // Publishing renews what is near its end, and takes a new generation when something was.
    setInterval(
      attempt('renewing certificates', () => publisher.publish()),
      CONTROL_LIMITS.certificateCheckMs,
    ),
  ];
  return async () => {
    for (const timer of timers) clearInterval(timer);
    await traffic.flush();
  };
}
