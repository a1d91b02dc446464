/**
 * What `perigee up` was asked to do: its command-line options, read and checked before anything starts.
 * Every error is one line that names the option and says how it should look.
 */
import { resolve } from 'node:path';
import { AppError } from '#core/base/app-error.ts';
import { parsePrefix } from '#core/ip/prefix.ts';
import { hostNameSchema, originUrlSchema } from '#core/model/site.ts';
import { formatListenAddress, type ListenAddress, parseListenAddress } from '#platform/listen-address.ts';
import {
  type DiskOption,
  readDisk,
  readDiskWrites,
  readMemoryBytes,
  readMemoryFile,
} from './storage-options.ts';
import { readTraceOptions, type TraceOption } from './trace-options.ts';

/** Options as the command line gives them. */
export interface UpArguments {
  readonly data: string;
  readonly http: string;
  readonly https: string;
  readonly dns: string;
  readonly api: string;
  readonly apiHost?: readonly string[];
  readonly zone: string;
  readonly site?: readonly string[];
  readonly edges: string;
  readonly memory: string;
  readonly memoryFile?: string;
  readonly disk?: readonly string[];
  readonly diskWrites?: string;
  readonly trace?: string;
  readonly traceShare?: string;
  readonly http3?: boolean;
  readonly drainSeconds: string;
  readonly proxyProtocol?: readonly string[];
  readonly h2c?: boolean;
  readonly demo: boolean;
}

export interface UpOptions {
  readonly dataDirectory: string;
  readonly http: ListenAddress;
  readonly https: ListenAddress;
  readonly dns: ListenAddress;
  readonly api: ListenAddress;
  /** Names, beside addresses and localhost, under which browsers may reach the API. */
  readonly apiHosts: readonly string[];
  readonly zoneName: string;
  readonly sites: readonly { readonly host: string; readonly originUrl: string }[];
  /** Worker processes of this machine's edge, sharing its ports. */
  readonly edgeWorkers: number;
  /** For stored responses of this machine's edge in all, bytes. */
  readonly memoryBytes: number;
  /** Where its workers' shared memory is made; null: each has its own; undefined: in the system's place for that. */
  readonly memoryFile: string | null | undefined;
  /** What this machine's edge keeps responses on beside memory. */
  readonly disks: readonly DiskOption[];
  /** What may be written to each of them in a second, bytes; null: as much as comes. */
  readonly diskWriteBytesPerSecond: number | null;
  /** Where lookups of this machine's edge are written down; null: nowhere. */
  readonly trace: TraceOption | null;
  /** Whether each edge also serves HTTP/3, at the port of HTTPS over UDP. */
  readonly hasHttp3: boolean;
  /** How long answers under way may take when a reload replaces the process that gives them. */
  readonly drainMs: number;
  /** Networks of the load balancers before this machine's edge; null: users connect to it themselves. */
  readonly proxySources: readonly string[] | null;
  /** Whether plain connections may speak HTTP/2 with prior knowledge. */
  readonly acceptsH2c: boolean;
  readonly hasDemo: boolean;
}

const EDGE_WORKERS_MAX = 256;
/** A day: longer than any download that anybody waits for, and each keeps the memory of a process. */
const DRAIN_SECONDS_MAX = 86_400;

/** Throws AppError `invalid`. */
export function readUpOptions(given: UpArguments): UpOptions {
  const http = parseListenAddress(given.http, '--http');
  const https = parseListenAddress(given.https, '--https');
  const dns = parseListenAddress(given.dns, '--dns');
  const api = parseListenAddress(given.api, '--api');
  refuseSharedPorts({ '--http': http, '--https': https, '--dns': dns, '--api': api });
  return {
    dataDirectory: resolve(given.data),
    http,
    https,
    dns,
    api,
    apiHosts: (given.apiHost ?? []).map(readApiHost),
    zoneName: readZone(given.zone),
    sites: (given.site ?? []).map(readSite),
    edgeWorkers: readWorkers(given.edges),
    memoryBytes: readMemoryBytes(given.memory),
    memoryFile: readMemoryFile(given.memoryFile),
    disks: readDisks(given),
    diskWriteBytesPerSecond: readDiskWrites(given.diskWrites),
    trace: readTraceOptions(given.trace, given.traceShare),
    hasHttp3: readHttp3(given),
    drainMs: readDrainSeconds(given.drainSeconds) * 1000,
    proxySources: readProxySources(given.proxyProtocol ?? []),
    acceptsH2c: given.h2c ?? false,
    hasDemo: given.demo,
  };
}

/** All four listen for TCP connections, so no two can have the same place. */
function refuseSharedPorts(places: Readonly<Record<string, ListenAddress>>): void {
  const named = Object.entries(places);
  for (const [index, [option, place]] of named.entries()) {
    const other = named.slice(0, index).find(([, earlier]) => isSamePlace(earlier, place));
    if (other === undefined) continue;
    throw new AppError(
      'invalid',
      `${option} ${formatListenAddress(place)}: ${other[0]} has this port already; choose another`,
    );
  }
}

function isSamePlace(one: ListenAddress, other: ListenAddress): boolean {
  if (one.port !== other.port || one.port === 0) return false;
  const isIpv6 = one.address.includes(':');
  if (isIpv6 !== other.address.includes(':')) return false;
  const all = isIpv6 ? '::' : '0.0.0.0';
  return one.address === other.address || one.address === all || other.address === all;
}

function readZone(text: string): string {
  const parsed = hostNameSchema.safeParse(text.replace(/\.$/, ''));
  if (!parsed.success)
    throw new AppError('invalid', `--zone ${text}: must be a domain name such as cdn.example.com`);
  return parsed.data;
}

function readApiHost(text: string): string {
  const parsed = hostNameSchema.safeParse(text);
  if (!parsed.success)
    throw new AppError('invalid', `--api-host ${text}: must be a host name such as cdn.example.com`);
  return parsed.data;
}

function readWorkers(text: string): number {
  const workers = Number(text);
  if (!Number.isInteger(workers) || workers < 1 || workers > EDGE_WORKERS_MAX) {
    throw new AppError('invalid', `--edges ${text}: must be a whole number from 1 to ${EDGE_WORKERS_MAX}`);
  }
  return workers;
}

function readDisks({ disk = [], memoryFile }: UpArguments): DiskOption[] {
  const disks = disk.map(readDisk);
  if (disks.length > 0 && memoryFile === 'none') {
    throw new AppError(
      'invalid',
      '--disk: needs the memory that workers share; leave out --memory-file none',
    );
  }
  const paths = disks.map(({ path }) => path);
  const twice = paths.find((path, index) => paths.indexOf(path) !== index);
  if (twice !== undefined) throw new AppError('invalid', `--disk ${twice}: is given twice`);
  return disks;
}

function readDrainSeconds(text: string): number {
  const seconds = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > DRAIN_SECONDS_MAX) {
    throw new AppError(
      'invalid',
      `--drain-seconds ${text}: must be a whole number from 0 to ${DRAIN_SECONDS_MAX}`,
    );
  }
  return seconds;
}

/** Behind load balancers that name their clients, nobody would name those of HTTP/3: there is no such header for UDP. */
function readHttp3(given: UpArguments): boolean {
  if (given.http3 !== true) return false;
  if ((given.proxyProtocol ?? []).length > 0) {
    throw new AppError(
      'invalid',
      '--http3: cannot be served together with --proxy-protocol; leave out one of them',
    );
  }
  return true;
}

function readProxySources(texts: readonly string[]): readonly string[] | null {
  const wrong = texts.find((text) => parsePrefix(text) === null);
  if (wrong !== undefined) {
    throw new AppError(
      'invalid',
      `--proxy-protocol ${wrong}: must be the network of your load balancers, such as 192.0.2.0/24`,
    );
  }
  return texts.length === 0 ? null : texts;
}

function readSite(text: string): { host: string; originUrl: string } {
  const equals = text.indexOf('=');
  const host = hostNameSchema.safeParse(text.slice(0, Math.max(0, equals)));
  if (equals < 0 || !host.success) {
    throw new AppError(
      'invalid',
      `--site ${text}: must be HOST=ORIGIN_URL, such as www.example.com=http://192.0.2.1:8080`,
    );
  }
  const originUrl = originUrlSchema.safeParse(text.slice(equals + 1));
  if (!originUrl.success) {
    const problem = originUrl.error.issues[0]?.message ?? 'is not valid';
    throw new AppError('invalid', `--site ${text}: the origin ${problem}`);
  }
  return { host: host.data, originUrl: originUrl.data };
}
