/** dnsperf: query files, and one measurement with the processor time the server spent on it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode, type Packet } from 'dns-packet';
import type { Figures } from '../bench-result.ts';
import { runClient } from '../support/programs.ts';
import { NAME, type RunningNameServer } from './servers.ts';

const SUBNETS = 200_000;
/** Sockets that dnsperf sends from, and queries it leaves unanswered at once (more than a default buffer holds would be lost). */
const CLIENTS = 8;
const OUTSTANDING = 200;
/** UDP may lose a packet; more than this share and the figures mean something else. */
const LOST_SHARE_MAX = 0.01;

export interface Queries {
  readonly name: string;
  /** Arguments that make dnsperf read them. */
  readonly options: readonly string[];
}

export function writePlainQueries(directory: string): Queries {
  const file = join(directory, 'plain.txt');
  writeFileSync(file, `${NAME} A\n`);
  return { name: 'no client subnet', options: ['-d', file] };
}

/** Messages as they stand in a TCP stream, which dnsperf sends as they are (-B), each with its own subnet. */
export function writeSubnetQueries(directory: string): Queries {
  const file = join(directory, 'subnets.bin');
  const parts: Uint8Array[] = [];
  let random = 1;
  for (let count = 0; count < SUBNETS; count += 1) {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    const first = 1 + ((random >>> 24) % 222);
    const query = encodeQuery(`${first}.${(random >>> 16) & 255}.${(random >>> 8) & 255}.0`);
    parts.push(Uint8Array.of(query.length >> 8, query.length & 255), query);
  }
  writeFileSync(file, Buffer.concat(parts));
  return { name: `${SUBNETS.toLocaleString('en')} client subnets`, options: ['-B', '-d', file] };
}

export function encodeQuery(subnet: string): Uint8Array {
  const packet = {
    type: 'query',
    id: 1,
    questions: [{ type: 'A', name: NAME }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: 1232,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        options: [{ code: 'CLIENT_SUBNET', ip: subnet, sourcePrefixLength: 24 }],
      },
    ],
  };
  // dns-packet's types do not know the options it writes.
  return encode(packet as unknown as Packet);
}

/** A load of `seconds` by one thread. Throws when answers were lost or were no answers. */
export async function measureDns(
  server: RunningNameServer,
  queries: Queries,
  seconds: number,
): Promise<Figures> {
  const cpuBefore = server.program.cpuSeconds();
  const output = await runClient([
    ...['dnsperf', '-s', '127.0.0.1', '-p', String(server.port), '-l', String(seconds)],
    ...['-c', String(CLIENTS), '-T', '1', '-q', String(OUTSTANDING), ...queries.options],
  ]);
  const cpuSeconds = server.program.cpuSeconds() - cpuBefore;
  const number = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? Number.NaN);
  const completed = number(/Queries completed:\s+(\d+)/);
  const lost = number(/Queries lost:\s+(\d+)/);
  const good = number(/NOERROR (\d+)/);
  if (!(completed > 0 && good === completed && lost <= completed * LOST_SHARE_MAX)) {
    throw new Error(`${server.name}, ${queries.name}: not a run of good answers:\n${output}`);
  }
  return {
    requestsPerSecond: number(/Queries per second:\s+([\d.]+)/),
    cpuMicrosecondsPerRequest: (cpuSeconds * 1e6) / completed,
    residentMegabytes: residentMegabytesOf(server.program.pid),
  };
}

/** Of the process itself: these servers have no children. */
function residentMegabytesOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}
