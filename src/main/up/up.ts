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
import { openUdpCalls, openUdpSocket } from '#nameserver/libc-udp.ts';
import { formatListenAddress, type ListenAddress } from '#platform/listen-address.ts';
import { openListeningSocket } from '#platform/listening-socket.ts';
import type { Logger } from '#platform/log.ts';
import { DEMO_POPS } from '../../../demo/plan.ts';
import type { PartPlan } from '../supervisor/part-plan.ts';
import { Supervisor } from '../supervisor/supervisor.ts';
import { type CommandSocket, serveCommands } from './command-socket.ts';
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
  type HeldDns,
  http3Plans,
  nameserverPlan,
  seed,
} from './plan.ts';
import { claimTcpAndUdpPort, claimTcpPort, prepareDataDirectory } from './preflight.ts';
import { Reloads } from './reloads.ts';
import { removeMemory, type StoragePlaces, storagePlaces } from './storage-places.ts';
import { beginTrace } from './trace-options.ts';

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
  readonly reloads: Reloads;
  stop(): Promise<void>;
}

interface Claimed {
  readonly dns: HeldDns;
  readonly api: ListenAddress;
  readonly edges: readonly EdgeSpecification[];
  readonly demoOrigin: DemoOrigin | null;
}

/** Starts everything, or throws AppError with nothing left running. */
export async function up(options: UpOptions, log: Logger): Promise<RunningCdn> {
  prepareDataDirectory(options.dataDirectory);
  const unlock = lockDataDirectory(options.dataDirectory);
  const supervisor = new Supervisor(log);
  const plans: Record<'origin' | 'data' | 'http3' | 'control', PartPlan[]> = {
    origin: [],
    data: [],
    http3: [],
    control: [],
  };
  const held: number[] = [];
  const places = storagePlaces(options);
  let commands: CommandSocket | null = null;
  const namesOf = (group: readonly PartPlan[]) => group.map(({ name }) => name);
  async function stop(): Promise<void> {
    commands?.close();
    // Held for workers that start again; with the workers' own closed, new connections are refused.
    for (const descriptor of held.splice(0)) closeSync(descriptor);
    const { data, http3, control, origin } = plans;
    await supervisor.stop([data, http3, control, origin].map(namesOf));
    removeMemory(places);
    unlock();
  }
  try {
    if (options.trace !== null) beginTrace(options.trace);
    const claimed = await claimPorts(options, places);
    held.push(...heldDescriptors(claimed));
    const local = claimed.edges[0];
    if (local === undefined) throw new AppError('internal', 'no edge to run');
    if (claimed.demoOrigin !== null) plans.origin.push(demoOriginPlan(claimed.demoOrigin));
    for (const edge of claimed.edges) {
      plans.data.push(...edgePlans(options, edge));
      plans.http3.push(...http3Plans(options, edge));
    }
    plans.data.push(nameserverPlan(options, claimed.dns));
    plans.control.push(
      controlPlan(options, {
        listen: claimed.api,
        dnsAddress: { ...claimed.dns.listen, address: publicAddress(claimed.dns.listen.address) },
        seed: seed(options, publicAddress(options.http.address), claimed.demoOrigin),
        expectedParts: ['control', ...namesOf(plans.data), ...namesOf(plans.http3)],
      }),
    );
    await Promise.all(
      Object.values(plans)
        .flat()
        .map((plan) => supervisor.start(plan)),
    );
    const { api } = claimed;
    const generation = await allHealthy(api);
    const reloads = new Reloads({
      supervisor,
      order: [...plans.data, ...plans.http3, ...plans.control],
      drainMs: options.drainMs,
      allHealthy: () => allHealthy(api),
      log,
    });
    commands = await serveCommands(options.dataDirectory, reloads);
    const addresses = {
      api,
      dns: claimed.dns.listen,
      http: placeOf(local.http),
      https: placeOf(local.https),
    };
    return { ...addresses, generation, supervisor, reloads, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Claims every port in turn, so that the first one that is taken is named. */
async function claimPorts(options: UpOptions, storage: StoragePlaces): Promise<Claimed> {
  const api = await claimTcpPort(options.api, '--api');
  const dns = holdDns(await claimTcpAndUdpPort(options.dns, '--dns'));
  const edges: EdgeSpecification[] = [];
  let http = options.http;
  let https = options.https;
  for (const edge of edgeAddresses(options, storage)) {
    // DNS answers carry no port: the demo's edges listen on the same ports at addresses of their own.
    const demoAddress = DEMO_POPS.find(({ id }) => id === edge.popId)?.address;
    http = await claimTcpPort({ address: demoAddress ?? http.address, port: http.port }, '--http');
    const wanted = { address: demoAddress ?? https.address, port: https.port };
    https = await (edge.hasHttp3 ? claimTcpAndUdpPort : claimTcpPort)(wanted, '--https');
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

/** Both sockets of the name server's port, or neither. */
function holdDns(listen: ListenAddress): HeldDns {
  const calls = openUdpCalls();
  const tcp = calls === null ? null : openListeningSocket(listen.address, listen.port);
  if (calls === null || tcp === null) return { listen, descriptors: null };
  const udp = openUdpSocket(calls, listen.address, listen.port);
  if (typeof udp !== 'string') return { listen, descriptors: { tcp, udp: udp.descriptor } };
  closeSync(tcp);
  return { listen, descriptors: null };
}

function heldDescriptors({ dns, edges }: Claimed): number[] {
  const ofEdges = edges.flatMap(({ http, https }) => [http.descriptor, https.descriptor]);
  return [...ofEdges, dns.descriptors?.tcp ?? null, dns.descriptors?.udp ?? null].filter(
    (descriptor) => descriptor !== null,
  );
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
