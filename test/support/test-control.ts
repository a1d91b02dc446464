/**
 * A control plane on real sockets in a temporary directory, with parts that are real members of its bus:
 * they hold the snapshot, answer `status` and, as edges, take purges.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startControl } from '#control/control.ts';
import { type ApiClient, createApiClient } from '#core/contract/client.ts';
import type { CacheExplanation, PartName, Requests } from '#core/model/messages.ts';
import type { Purge } from '#core/model/purge.ts';
import type { Snapshot } from '#core/model/snapshot.ts';
import type { Bus } from '#platform/bus.ts';
import { systemClock } from '#platform/clock.ts';
import { createLocalHub, type LocalHub } from '#platform/local-bus.ts';
import { createSilentLogger } from '#platform/log.ts';
import { validateSnapshot } from '#platform/snapshot-holder.ts';

type ControlOptions = Parameters<typeof startControl>[0];

export interface TestControl {
  readonly url: string;
  readonly hub: LocalHub;
  readonly directory: string;
  readonly adminToken: string;
  readonly client: ApiClient;
  /** A request with the first token, unless `headers` has another. */
  request(path: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

export function makeDataDirectory(): { readonly directory: string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'perigee-control-'));
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

/** Starts one on a port of the system's choice; `directory` is the caller's to remove. */
export async function startTestControl(
  given: Partial<ControlOptions> & { readonly dataDirectory: string; readonly hub?: LocalHub },
): Promise<TestControl> {
  const { hub = createLocalHub(), ...options } = given;
  const bus = hub.join('control');
  const control = await startControl({
    listen: { address: '127.0.0.1', port: 0 },
    zoneName: 'cdn.test',
    dnsAddress: { address: '127.0.0.1', port: 8053 },
    seed: { sites: [], pops: [] },
    expectedParts: ['control'],
    consoleDirectory: join(given.dataDirectory, 'no-console'),
    bus,
    clock: systemClock,
    log: createSilentLogger(),
    ...options,
  });
  const url = `http://127.0.0.1:${control.listen.port}`;
  const send = async (request: { method: string; url: string; headers: object; body: string | null }) => {
    const response = await fetch(request.url, {
      method: request.method,
      headers: { ...request.headers },
      body: request.body,
    });
    return { status: response.status, body: await response.text() };
  };
  return {
    url,
    hub,
    directory: given.dataDirectory,
    adminToken: control.adminToken,
    client: createApiClient({ baseUrl: url, token: control.adminToken, send }),
    request: (path, init = {}) =>
      fetch(url + path, {
        ...init,
        headers: { authorization: `Bearer ${control.adminToken}`, ...(init.headers as object) },
      }),
    async close() {
      await control.close();
      bus.close();
    },
  };
}

export interface TestPart {
  readonly bus: Bus;
  readonly snapshots: Snapshot[];
  readonly purges: Purge[];
  close(): void;
}

export interface TestPartBehaviour {
  /** What it does with a purge; by default it takes it. */
  readonly onPurge?: (purge: Purge) => Promise<Requests['purge'][1]> | Requests['purge'][1];
  readonly explainCache?: (url: string) => CacheExplanation;
  /** A generation to report instead of the one in force. */
  readonly generation?: () => number;
  readonly counters?: Record<string, number>;
}

/** Joins the bus as a part that behaves. */
export function joinTestPart(hub: LocalHub, name: PartName, behaviour: TestPartBehaviour = {}): TestPart {
  const bus = hub.join(name);
  const snapshots: Snapshot[] = [];
  const purges: Purge[] = [];
  bus.subscribe('snapshot', (message) => void snapshots.push(validateSnapshot(message)));
  bus.respond('status', () => ({
    part: name,
    generation: behaviour.generation?.() ?? snapshots.at(-1)?.generation ?? 0,
    startedAt: 1_000,
    residentBytes: 2_000,
    storage: name.startsWith('edge:')
      ? { storedResponses: 3, bodyBytes: 4, budgetBytes: 5, problem: null, tiers: [] }
      : null,
    counters: behaviour.counters ?? {},
  }));
  if (name.startsWith('edge:')) {
    bus.respond('purge', async (purge) => {
      const answer = (await behaviour.onPurge?.(purge)) ?? { purgedResponses: 1 };
      purges.push(purge);
      return answer;
    });
  }
  const { explainCache } = behaviour;
  if (explainCache !== undefined) bus.respond('explain-cache', ({ url }) => explainCache(url));
  return { bus, snapshots, purges, close: () => bus.close() };
}

/** What a call of the client was refused with; code `none` when it was not. */
export function refusalOf(
  work: Promise<unknown>,
): Promise<{ readonly code: string; readonly message: string; readonly details?: unknown }> {
  return work.then(
    () => ({ code: 'none', message: 'was not refused' }),
    ({ code, message, details }) => ({ code, message, details }),
  );
}
