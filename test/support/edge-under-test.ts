/**
 * One edge worker as the product starts it, on ports the system chooses, with a bus, a clock that tests
 * can put forward, and a client that sends one request per connection.
 *
 *     const clock = createTestClock();
 *     const origin = await startHandlerOrigin(clock, () => ({ body: 'hello' }));
 *     await using edge = await startTestEdge({ clock, sites: [siteAt(origin.url)] });
 *     const response = await edge.request('/a.css');
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CacheExplanation, PartStatus } from '#core/model/messages.ts';
import type { Purge, PurgeTarget } from '#core/model/purge.ts';
import { type SiteInput, siteSchema } from '#core/model/site.ts';
import type { Certificate, Snapshot } from '#core/model/snapshot.ts';
import { type RunningEdge, startEdge } from '#edge/edge.ts';
import { createOriginClient } from '#edge/origin/create-origin-client.ts';
import type { OriginLimits } from '#edge/origin/limits.ts';
import type { StorageOptions } from '#edge/storage/open-storage.ts';
import type { TraceOptions } from '#edge/trace-log.ts';
import type { TunnelLimits } from '#edge/tunnels.ts';
import type { Bus } from '#platform/bus.ts';
import type { Clock } from '#platform/clock.ts';
import type { ListenAddress } from '#platform/listen-address.ts';
import { createLocalHub } from '#platform/local-bus.ts';
import { createSilentLogger } from '#platform/log.ts';
import { snapshotDigest } from '#platform/snapshot-holder.ts';
import { openRawClient, type RawClient, type RawResponse } from './raw-client.ts';

/** A clock that stands still until a test puts it forward, so that ages are exact however busy the machine is. */
export interface TestClock extends Clock {
  advance(seconds: number): void;
}

export function createTestClock(): TestClock {
  // A whole second: dates in messages lose nothing.
  let now = Math.floor(Date.now() / 1000) * 1000;
  return {
    now: () => now,
    advance(seconds) {
      now += seconds * 1000;
    },
  };
}

export interface TestEdgeOptions {
  readonly clock: TestClock;
  /** Null: no snapshot is published. */
  readonly sites: readonly SiteInput[] | null;
  readonly certificates?: readonly Certificate[];
  /** Memory of its own alone. */
  readonly memoryBytes?: number;
  /** Unless said: shared memory and a disk, where the runtime can, as the product has them. */
  readonly storage?: StorageOptions;
  readonly purgeJournal?: string;
  /** Does something with the control plane's place on the bus before the edge starts. */
  readonly prepare?: (control: Bus) => void;
  /** Serves HTTP/3, too, in the same worker. */
  readonly hasHttp3?: boolean;
  /** Where HTTP/3 is said to be. */
  readonly http3Port?: number;
  /** HTTP/2 with prior knowledge on plain connections. */
  readonly acceptsH2c?: boolean;
  readonly geoFile?: string;
  readonly trace?: TraceOptions;
  readonly originLimits?: Partial<OriginLimits>;
  readonly tunnelLimits?: Partial<TunnelLimits>;
}

export interface RequestParts {
  readonly method?: string;
  readonly host?: string;
  readonly fields?: readonly (readonly [string, string])[];
  readonly body?: string;
}

export interface TestEdge extends AsyncDisposable {
  readonly running: RunningEdge;
  readonly address: ListenAddress;
  /** The control plane's place on the bus. */
  readonly control: Bus;
  publish(sites: readonly SiteInput[]): void;
  purge(target: PurgeTarget, more?: Partial<Purge>): Promise<void>;
  status(): Promise<PartStatus>;
  explain(url: string): Promise<CacheExplanation>;
  connect(): Promise<RawClient>;
  /** Connects, and sends the request's head (and body). */
  begin(path: string, parts?: RequestParts): Promise<RawClient>;
  /** One request, its final response and nothing else on the connection. */
  request(path: string, parts?: RequestParts): Promise<RawResponse>;
}

const HOST = 'www.example.com';

/** The site `shop` of www.example.com with one origin. */
export function siteAt(url: string, more: Partial<SiteInput> = {}): SiteInput {
  return { id: 'shop', hosts: [HOST], origins: [{ url }], ...more };
}

/** A valid snapshot with these sites and nothing else of interest. */
export function makeSnapshot(
  generation: number,
  sites: readonly SiteInput[],
  certificates: readonly Certificate[] = [],
): Snapshot {
  const content = {
    format: 1 as const,
    generation,
    zone: {
      name: 'cdn.test',
      nameServers: [{ name: 'ns.cdn.test', addresses: ['192.0.2.53'] }],
      mailbox: 'hostmaster.cdn.test',
      steeringTtlSeconds: 20,
      negativeTtlSeconds: 60,
    },
    sites: sites.map((site) => siteSchema.parse(site)),
    pops: [],
    networks: [],
    certificates: [...certificates],
  };
  return { ...content, digest: snapshotDigest(content) };
}

export async function startTestEdge(options: TestEdgeOptions): Promise<TestEdge> {
  const folder = mkdtempSync(join(tmpdir(), 'perigee-edge-'));
  const hub = createLocalHub();
  const control = hub.join('control');
  const { clock } = options;
  let generation = 0;
  let published: readonly SiteInput[] = [];
  let position = 0;
  const publish = (sites: readonly SiteInput[]): void => {
    generation++;
    published = sites;
    control.publish('snapshot', makeSnapshot(generation, sites, options.certificates));
  };
  if (options.sites !== null) publish(options.sites);
  options.prepare?.(control);
  const anyPort = { address: '127.0.0.1', port: 0 };
  const running = await startEdge({
    edgeId: 'a',
    popId: 'here',
    worker: 0,
    http: anyPort,
    https: anyPort,
    acceptsH2c: options.acceptsH2c ?? false,
    http3: options.hasHttp3 === true ? anyPort : null,
    http3Port: options.http3Port ?? null,
    egressAddress: null,
    storage: storageOf(options, folder),
    purgeJournal: options.purgeJournal ?? null,
    geoFile: options.geoFile ?? null,
    trace: options.trace ?? null,
    snapshotFile: join(folder, 'snapshot.json'),
    bus: hub.join('edge:a/0'),
    clock,
    log: createSilentLogger(),
    originClient: createOriginClient({ egressAddress: null, clock, limits: options.originLimits ?? {} }),
    tunnelLimits: options.tunnelLimits ?? {},
  });
  const address = running.http as ListenAddress;
  const connect = (): Promise<RawClient> => openRawClient(address);
  const begin = async (path: string, parts: RequestParts = {}): Promise<RawClient> => {
    const client = await connect();
    client.write(requestText(path, parts));
    return client;
  };
  return {
    running,
    address,
    control,
    publish,
    async purge(target, more = {}) {
      position++;
      const siteId = target.kind === 'url' ? siteIdOf(published, target.url) : target.siteId;
      const purge = { position, siteId, target, soft: false, requestedAt: clock.now(), ...more };
      const replies = await control.request('purge', purge, { timeoutMs: 5_000 });
      for (const reply of replies) if (!reply.ok) throw new Error(reply.error);
    },
    status: () => askFirst(control.request('status', null, { timeoutMs: 5_000 })),
    explain: (url) => askFirst(control.request('explain-cache', { url }, { timeoutMs: 5_000 })),
    connect,
    begin,
    async request(path, parts = {}) {
      const client = await begin(path, parts);
      try {
        let response = await client.readResponse(parts.method);
        while (response.status < 200) response = await client.readResponse(parts.method);
        return response;
      } finally {
        client.destroy();
      }
    },
    async [Symbol.asyncDispose]() {
      await running.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function storageOf({ storage, memoryBytes }: TestEdgeOptions, folder: string): StorageOptions {
  if (memoryBytes !== undefined) return { ownBytes: memoryBytes, shared: null };
  const byteLength = 4 * 1024 * 1024;
  const shared = { path: join(folder, 'memory'), byteLength, insteadBytes: byteLength };
  const disk = {
    folder: join(folder, 'disk'),
    byteLength: 64 * 1024 * 1024,
    indexPath: join(folder, 'index'),
  };
  return storage ?? { ownBytes: 28 * 1024 * 1024, shared, disks: [{ ...disk, writeBytesPerSecond: null }] };
}

/** As the control plane finds it. */
function siteIdOf(sites: readonly SiteInput[], url: string): string {
  const { hostname } = new URL(url);
  return sites.find(({ hosts }) => hosts.includes(hostname))?.id ?? 'none';
}

function requestText(path: string, parts: RequestParts): string {
  const { method = 'GET', host = HOST, fields = [], body } = parts;
  let text = `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n`;
  for (const [name, value] of fields) text += `${name}: ${value}\r\n`;
  if (body !== undefined) text += `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  return `${text}\r\n${body ?? ''}`;
}

async function askFirst<Answer>(
  replies: Promise<readonly ({ ok: true; answer: Answer } | { ok: false; error: string })[]>,
): Promise<Answer> {
  const [reply] = await replies;
  if (reply === undefined) throw new Error('nobody answered');
  if (!reply.ok) throw new Error(reply.error);
  return reply.answer;
}
