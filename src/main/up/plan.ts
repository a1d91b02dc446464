/**
 * From options to processes: which parts run on this machine, with what arguments, and what the control
 * plane is told about them. Pure but for paths; ports are known and sockets are open by now.
 */
import { join } from 'node:path';
import type { PopInput } from '#core/model/pop.ts';
import type { SiteInput } from '#core/model/site.ts';
import { siteFromHost } from '#core/model/site-from-host.ts';
import type { StorageOptions } from '#edge/storage/open-storage.ts';
import { defaultGeoFile } from '#nameserver/geo-package.ts';
import type { ListenAddress } from '#platform/listen-address.ts';
import { DEMO_POPS, demoPopInputs, demoSiteInput } from '../../../demo/plan.ts';
import type { ControlPartOptions } from '../parts/control.ts';
import type { EdgePartOptions } from '../parts/edge.ts';
import type { NameserverPartOptions } from '../parts/nameserver.ts';
import { CONSOLE_DIRECTORY, PARTS_DIRECTORY, ROOT_DIRECTORY } from '../paths.ts';
import type { PartPlan } from '../supervisor/part-plan.ts';
import type { UpOptions } from './options.ts';
import type { StoragePlaces } from './storage-places.ts';

const MIBIBYTE = 1 << 20;
/** Memory for stored responses of each of the demo's edges. */
const DEMO_MEMORY_BYTES = 64 * MIBIBYTE;
/** Of an edge's memory, what its workers share; the rest, in equal parts, is theirs for large responses. */
const SHARED_MEMORY_SHARE = 3 / 4;
/** The first descriptor a child inherits after its standard streams. */
const FIRST_DESCRIPTOR = 3;

/** A port held open for an edge; `descriptor` null where workers must bind by themselves. */
export interface HeldAddress {
  readonly address: string;
  readonly port: number;
  readonly descriptor: number | null;
}

/** The sockets of the name server's port, held open for it; null where it must bind by itself. */
export interface HeldDns {
  readonly listen: ListenAddress;
  readonly descriptors: { readonly tcp: number; readonly udp: number } | null;
}

/** One cache server of this machine. */
export interface EdgeSpecification {
  readonly edgeId: string;
  readonly popId: string;
  readonly workers: number;
  readonly http: HeldAddress;
  readonly https: HeldAddress;
  /** Whether HTTP/3 is served at the address of `https` over UDP. */
  readonly hasHttp3: boolean;
  readonly proxySources: readonly string[] | null;
  readonly acceptsH2c: boolean;
  readonly egressAddress: string | null;
  /** For stored responses of all its processes. */
  readonly memoryBytes: number;
  /** Where its processes share most of that, and disks beside it. */
  readonly places: StoragePlaces;
}

export interface DemoOrigin {
  readonly listen: ListenAddress;
}

/** However many processes share an edge's memory: below it no response of a few megabytes fits. */
const OWN_MEMORY_BYTES_MIN = 16 * MIBIBYTE;

const NOWHERE: StoragePlaces = { sharedMemory: null, disks: [] };
const LOCAL_POP_ID = 'local';

/** Edges to run: this machine's own, and one for each POP of the demo. Addresses are not yet held. */
export function edgeAddresses(
  options: UpOptions,
  places: StoragePlaces,
): Omit<EdgeSpecification, 'http' | 'https'>[] {
  const local = {
    edgeId: LOCAL_POP_ID,
    popId: LOCAL_POP_ID,
    workers: options.edgeWorkers,
    hasHttp3: options.hasHttp3,
    proxySources: options.proxySources,
    acceptsH2c: options.acceptsH2c,
    egressAddress: null,
    memoryBytes: options.memoryBytes,
    places,
  };
  if (!options.hasDemo) return [local];
  const demo = DEMO_POPS.map((pop) => ({
    edgeId: pop.edgeId,
    popId: pop.id,
    workers: 1,
    hasHttp3: options.hasHttp3,
    proxySources: null,
    acceptsH2c: false,
    egressAddress: pop.address,
    memoryBytes: DEMO_MEMORY_BYTES,
    places: NOWHERE,
  }));
  return [local, ...demo];
}

/** What the control plane is seeded with. `publicAddress` is what DNS answers for this machine's edge. */
export function seed(options: UpOptions, publicAddress: string, demoOrigin: DemoOrigin | null) {
  const pops: PopInput[] = [
    { id: LOCAL_POP_ID, name: 'This machine', edges: [{ id: LOCAL_POP_ID, addresses: [publicAddress] }] },
  ];
  const sites: SiteInput[] = options.sites.map(({ host, originUrl }) =>
    siteFromHost(host, originUrl, options.zoneName),
  );
  if (demoOrigin !== null) {
    pops.push(...demoPopInputs());
    sites.push(demoSiteInput(options.zoneName, demoOrigin.listen));
  }
  return { sites, pops };
}

export function edgePlans(options: UpOptions, edge: EdgeSpecification): PartPlan[] {
  return Array.from({ length: edge.workers }, (_, worker) => {
    const descriptors: number[] = [];
    const inherit = ({ address, port, descriptor }: HeldAddress): ListenAddress => {
      if (descriptor === null) return { address, port };
      descriptors.push(descriptor);
      return { address, port, descriptor: FIRST_DESCRIPTOR + descriptors.length - 1 };
    };
    const name = `edge:${edge.edgeId}/${worker}`;
    const own: EdgePartOptions = {
      name,
      edgeId: edge.edgeId,
      popId: edge.popId,
      worker,
      http: inherit(edge.http),
      https: inherit(edge.https),
      http3Port: edge.hasHttp3 ? edge.https.port : null,
      proxySources: edge.proxySources,
      acceptsH2c: edge.acceptsH2c,
      egressAddress: edge.egressAddress,
      storage: storageOf(options, edge),
      trace: traceOf(options, edge),
      purgeJournal: purgeJournal(options, edge, String(worker)),
      geoFile: defaultGeoFile(),
      snapshotFile: join(options.dataDirectory, 'snapshots', `edge-${edge.edgeId}-${worker}.json`),
    };
    return {
      name,
      command: [join(PARTS_DIRECTORY, 'edge.ts')],
      options: own,
      descriptors,
      // Where nothing is held, workers share the port by SO_REUSEPORT.
      replacement: 'overlapping',
    };
  });
}

/**
 * The process that serves an edge's HTTP/3: one, whatever the number of workers, because what comes in for a
 * connection over UDP must reach the process that knows it.
 */
export function http3Plans(options: UpOptions, edge: EdgeSpecification): PartPlan[] {
  if (!edge.hasHttp3) return [];
  const { address, port } = edge.https;
  const own: EdgePartOptions = {
    name: `edge:${edge.edgeId}/http3`,
    edgeId: edge.edgeId,
    popId: edge.popId,
    worker: edge.workers,
    http: null,
    https: null,
    http3: { address, port },
    egressAddress: edge.egressAddress,
    storage: storageOf(options, edge),
    trace: traceOf(options, edge),
    purgeJournal: purgeJournal(options, edge, 'http3'),
    geoFile: defaultGeoFile(),
    snapshotFile: join(options.dataDirectory, 'snapshots', `edge-${edge.edgeId}-http3.json`),
  };
  return [
    {
      name: own.name,
      command: [join(PARTS_DIRECTORY, 'edge.ts')],
      options: own,
      descriptors: [],
      replacement: 'in-turn',
    },
  ];
}

/** Each process has the same part of what is not shared; where nothing is, of all. */
function storageOf(options: UpOptions, edge: EdgeSpecification): StorageOptions {
  const { memoryBytes, places, workers, hasHttp3 } = edge;
  const { sharedMemory } = places;
  const processes = workers + (hasHttp3 ? 1 : 0);
  const byteLength = sharedMemory === null ? 0 : memoryBytes * SHARED_MEMORY_SHARE;
  const ownBytes = Math.max((memoryBytes - byteLength) / processes, OWN_MEMORY_BYTES_MIN);
  if (sharedMemory === null) return { ownBytes, shared: null };
  const insteadBytes = byteLength / processes;
  const { diskWriteBytesPerSecond: rate } = options;
  const writeBytesPerSecond = rate === null ? null : rate / processes;
  const disks = places.disks.map((disk) => ({ ...disk, writeBytesPerSecond }));
  return { ownBytes, shared: { path: sharedMemory, byteLength, insteadBytes }, disks };
}

/** One cache is traced: this machine's own. */
function traceOf({ trace }: UpOptions, { edgeId }: EdgeSpecification): UpOptions['trace'] {
  return edgeId === LOCAL_POP_ID ? trace : null;
}

function purgeJournal({ dataDirectory }: UpOptions, { edgeId }: EdgeSpecification, name: string): string {
  return join(dataDirectory, 'purges', edgeId, `${name}.jsonl`);
}

export function nameserverPlan(options: UpOptions, { listen, descriptors }: HeldDns): PartPlan {
  const common = {
    name: 'nameserver',
    geoFile: defaultGeoFile(),
    snapshotFile: join(options.dataDirectory, 'snapshots', 'nameserver.json'),
  };
  const own: NameserverPartOptions =
    descriptors === null
      ? { ...common, listen }
      : {
          ...common,
          listen: { ...listen, descriptor: FIRST_DESCRIPTOR },
          udpDescriptor: FIRST_DESCRIPTOR + 1,
        };
  return {
    name: own.name,
    command: [join(PARTS_DIRECTORY, 'nameserver.ts')],
    options: own,
    descriptors: descriptors === null ? [] : [descriptors.tcp, descriptors.udp],
    replacement: descriptors === null ? 'in-turn' : 'overlapping',
  };
}

export function controlPlan(
  options: UpOptions,
  given: Pick<ControlPartOptions, 'listen' | 'dnsAddress' | 'seed' | 'expectedParts'>,
): PartPlan {
  const own: ControlPartOptions = {
    ...given,
    name: 'control',
    dataDirectory: options.dataDirectory,
    zoneName: options.zoneName,
    allowedHosts: options.apiHosts,
    consoleDirectory: CONSOLE_DIRECTORY,
  };
  return {
    name: own.name,
    command: [join(PARTS_DIRECTORY, 'control.ts')],
    options: own,
    descriptors: [],
    // Its database has one writer, and what edges report is counted once.
    replacement: 'in-turn',
  };
}

/** The demo's shop: an origin like any other, in a process of its own. */
export function demoOriginPlan({ listen }: DemoOrigin): PartPlan {
  const file = join(ROOT_DIRECTORY, 'demo/shop-origin.ts');
  return {
    name: 'demo-origin',
    command: [file, '--listen', `${listen.address}:${listen.port}`],
    options: null,
    descriptors: [],
    replacement: 'never',
  };
}
