/**
 * `perigee up`: the whole CDN of one machine. Checks first that everything can start, then starts control
 * plane, name server and edges under a supervisor, waits until all of them answer, and says where things
 * are. Ends with 0 after SIGTERM or Ctrl-C, when everything under way has finished.
 */
import { closeSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { AppError } from '#core/base/app-error.ts';
import { errorMessage } from '#core/base/error-message.ts';
import { formatListenAddress, type ListenAddress } from '#platform/listen-address.ts';
import { openListeningSocket } from '#platform/listening-socket.ts';
import type { Logger } from '#platform/log.ts';
import { DEMO_POPS } from '../../../demo/plan.ts';
import { type PartPlan, Supervisor } from '../supervisor/supervisor.ts';
import { lockDataDirectory } from './data-lock.ts';
import type { UpOptions } from './options.ts';
import {
  controlPlan,
  type DemoOrigin,
  demoOriginPlan,
  type EdgeSpecification,
  edgeAddresses,
  edgePlans,
  type HeldAddress,
  nameserverPlan,
  seed,
} from './plan.ts';
import { claimDnsPort, claimTcpPort, prepareDataDirectory } from './preflight.ts';

/** Every part must have the current configuration within this time after all have started. */
const HEALTHY_DEADLINE_MS = 60_000;
const HEALTH_POLL_MS = 50;

/** What runs, for the summary on the terminal. */
export interface RunningCdn {
  readonly api: ListenAddress;
  readonly dns: ListenAddress;
  readonly http: ListenAddress;
  readonly https: ListenAddress;
  readonly generation: number;
  readonly supervisor: Supervisor;
  stop(): Promise<void>;
}

interface Claimed {
  readonly dns: ListenAddress;
  readonly api: ListenAddress;
  readonly edges: readonly EdgeSpecification[];
  readonly demoOrigin: DemoOrigin | null;
}

/** Starts everything, or throws AppError with nothing left running. */
export async function up(options: UpOptions, log: Logger): Promise<RunningCdn> {
  prepareDataDirectory(options.dataDirectory);
  const unlock = lockDataDirectory(options.dataDirectory);
  const supervisor = new Supervisor(log);
  const plans: { origin: PartPlan[]; data: PartPlan[]; control: PartPlan[] } = {
    origin: [],
    data: [],
    control: [],
  };
  const held: number[] = [];
  const namesOf = (group: readonly PartPlan[]) => group.map(({ name }) => name);
  async function stop(): Promise<void> {
    // Held for workers that start again; with the workers' own closed, new connections are refused.
    for (const descriptor of held.splice(0)) closeSync(descriptor);
    await supervisor.stop([namesOf(plans.data), namesOf(plans.control), namesOf(plans.origin)]);
    unlock();
  }
  try {
    const claimed = await claimPorts(options);
    for (const { http, https } of claimed.edges) {
      for (const { descriptor } of [http, https]) if (descriptor !== null) held.push(descriptor);
    }
    const local = claimed.edges[0];
    if (local === undefined) throw new AppError('internal', 'no edge to run');
    if (claimed.demoOrigin !== null) plans.origin.push(demoOriginPlan(claimed.demoOrigin));
    plans.data.push(nameserverPlan(options, claimed.dns));
    for (const edge of claimed.edges) plans.data.push(...edgePlans(options, edge));
    plans.control.push(
      controlPlan(options, {
        listen: claimed.api,
        dnsAddress: { ...claimed.dns, address: publicAddress(claimed.dns.address) },
        seed: seed(options, publicAddress(options.http.address), claimed.demoOrigin),
        expectedParts: ['control', ...namesOf(plans.data)],
      }),
    );
    await Promise.all(
      [...plans.origin, ...plans.data, ...plans.control].map((plan) => supervisor.start(plan)),
    );
    const generation = await allHealthy(claimed.api);
    const { api, dns } = claimed;
    return { api, dns, http: placeOf(local.http), https: placeOf(local.https), generation, supervisor, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Claims every port in turn, so that the first one that is taken is named. */
async function claimPorts(options: UpOptions): Promise<Claimed> {
  const api = await claimTcpPort(options.api, '--api');
  const dns = await claimDnsPort(options.dns, '--dns');
  const edges: EdgeSpecification[] = [];
  let http = options.http;
  let https = options.https;
  for (const edge of edgeAddresses(options)) {
    // DNS answers carry no port: the demo's edges listen on the same ports at addresses of their own.
    const demoAddress = DEMO_POPS.find(({ id }) => id === edge.popId)?.address;
    http = await claimTcpPort({ address: demoAddress ?? http.address, port: http.port }, '--http');
    https = await claimTcpPort({ address: demoAddress ?? https.address, port: https.port }, '--https');
    edges.push({ ...edge, http: hold(http), https: hold(https) });
  }
  const demoOrigin = options.hasDemo
    ? { listen: await claimTcpPort({ address: '127.0.0.1', port: 0 }, 'demo origin') }
    : null;
  return { api, dns, edges, demoOrigin };
}

function hold({ address, port }: ListenAddress): HeldAddress {
  return { address, port, descriptor: openListeningSocket(address, port) };
}

function placeOf({ address, port }: HeldAddress): ListenAddress {
  return { address, port };
}

/** What DNS should answer for an edge listening at `address`: a listener on all addresses has the machine's own. */
function publicAddress(address: string): string {
  if (address !== '0.0.0.0' && address !== '::') return address;
  const family = address === '::' ? 'IPv6' : 'IPv4';
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const outward = own.find((candidate) => candidate.family === family && !candidate.internal);
  return outward?.address ?? (family === 'IPv6' ? '::1' : '127.0.0.1');
}

/** Waits until the control plane reports every part with the current configuration; returns its generation. */
async function allHealthy(api: ListenAddress): Promise<number> {
  const deadline = Date.now() + HEALTHY_DEADLINE_MS;
  let last = 'no answer';
  while (Date.now() < deadline) {
    try {
      const response = await fetch(`http://${formatListenAddress(reachable(api))}/health`);
      last = await response.text();
      if (response.status === 200) return (JSON.parse(last) as { generation: number }).generation;
    } catch (error) {
      last = errorMessage(error);
    }
    await Bun.sleep(HEALTH_POLL_MS);
  }
  throw new AppError(
    'unavailable',
    `not every part answered within ${HEALTHY_DEADLINE_MS / 1000} s: ${last.trim()}`,
  );
}

/** An address to connect to: a listener on all addresses is reached over loopback. */
export function reachable({ address, port }: ListenAddress): ListenAddress {
  if (address === '0.0.0.0') return { address: '127.0.0.1', port };
  return { address: address === '::' ? '::1' : address, port };
}

/** Where the first admin token lies. */
export function adminTokenFile(options: UpOptions): string {
  return join(options.dataDirectory, 'admin-token');
}
