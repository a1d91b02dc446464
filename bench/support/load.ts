/**
 * Load generators, each run to its end on the clients' core: wrk and h2load for requests over kept connections,
 * curl for one long download. Figures are per request or per byte served, with the server's processor time.
 */
import type { Figures } from '../bench-result.ts';
import { HOST, type RunningCache } from '../caches/cache.ts';
import { runClient } from './programs.ts';
import { type BodySize, SIZES } from './static-origin.ts';

export type LoadTool = 'wrk' | 'h2load';
export type Protocol = 'http/1.1' | 'http/1.1+tls' | 'h2+tls';

export interface Load {
  readonly tool: LoadTool;
  readonly protocol: Protocol;
  /** Such as "/stored/1k". */
  readonly path: string;
  readonly connections: number;
  /** Requests under way on a connection at one time; more than one only over HTTP/2. */
  readonly streams: number;
  /** Field lines that wrk adds. */
  readonly fields?: readonly string[];
  /** A Lua file that makes wrk's requests. */
  readonly script?: string;
}

/** Where a cache answers the protocol; null when it does not. */
export function portOf(cache: RunningCache, protocol: Protocol): number | null {
  if (protocol === 'http/1.1') return cache.httpPort;
  return protocol === 'h2+tls' && !cache.hasHttp2 ? null : cache.httpsPort;
}

/** Requests answered, their rate, and what they cost the server. Null when the cache does not speak the protocol. */
export async function measureLoad(
  cache: RunningCache,
  load: Load,
  seconds: number,
): Promise<LoadOutcome | null> {
  const port = portOf(cache, load.protocol);
  if (port === null) return null;
  const url = `${load.protocol === 'http/1.1' ? 'http' : 'https'}://${HOST}:${port}${load.path}`;
  const command =
    load.tool === 'wrk' ? wrkCommand(load, url, seconds) : h2loadCommand(load, url, port, seconds);
  const cpuBefore = cache.server.cpuSeconds();
  const output = await runClient(command);
  const cpuSeconds = cache.server.cpuSeconds() - cpuBefore;
  return { ...(load.tool === 'wrk' ? readWrk(output) : readH2load(output)), cpuSeconds };
}

export interface LoadOutcome {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly cpuSeconds: number;
}

export function perRequest(outcome: LoadOutcome | null): Figures | null {
  if (outcome === null) return null;
  const { requests, requestsPerSecond, cpuSeconds } = outcome;
  return { requestsPerSecond, cpuMicrosecondsPerRequest: (cpuSeconds * 1e6) / requests };
}

export function perGibibyte(outcome: LoadOutcome | null, { bytes }: BodySize): Figures | null {
  if (outcome === null) return null;
  const { requests, requestsPerSecond, cpuSeconds } = outcome;
  return bytesFigures(requests * bytes, requestsPerSecond * bytes, cpuSeconds);
}

function bytesFigures(bytes: number, bytesPerSecond: number, cpuSeconds: number): Figures {
  return {
    megabytesPerSecond: bytesPerSecond / 1e6,
    cpuMillisecondsPerGibibyte: (cpuSeconds * 1e3 * SIZES.huge.bytes) / bytes,
  };
}

/** Downloads a body of `bytes` once over one connection. */
export async function measureDownload(
  cache: RunningCache,
  protocol: Protocol,
  path: string,
  bytes: number,
): Promise<Figures | null> {
  const port = portOf(cache, protocol);
  if (port === null) return null;
  const url = `${protocol === 'http/1.1' ? 'http' : 'https'}://${HOST}:${port}${path}`;
  const version = protocol === 'h2+tls' ? '--http2' : '--http1.1';
  const cpuBefore = cache.server.cpuSeconds();
  const output = await runClient([
    ...['curl', '--silent', '--fail', '--insecure', version, '--output', '/dev/null'],
    ...['--write-out', '%{size_download} %{time_total}', url],
  ]);
  const cpuSeconds = cache.server.cpuSeconds() - cpuBefore;
  const [received = 0, seconds = 0] = output.split(' ').map(Number);
  if (received !== bytes) throw new Error(`${received} bytes came instead of ${bytes}`);
  return bytesFigures(bytes, bytes / seconds, cpuSeconds);
}

function wrkCommand(load: Load, url: string, seconds: number): string[] {
  const scripted = load.script === undefined ? [] : ['-s', load.script];
  const fields = (load.fields ?? []).flatMap((field) => ['-H', field]);
  return ['wrk', '-t1', `-c${load.connections}`, `-d${seconds}s`, ...scripted, ...fields, url];
}

function h2loadCommand(load: Load, url: string, port: number, seconds: number): string[] {
  const protocol = load.protocol === 'h2+tls' ? [] : ['--h1'];
  const shape = ['-t1', `-c${load.connections}`, `-m${load.streams}`, '-D', String(seconds)];
  return ['h2load', ...protocol, ...shape, `--connect-to=127.0.0.1:${port}`, url];
}

function numberIn(output: string, pattern: RegExp): number {
  const match = pattern.exec(output);
  if (match === null) throw new Error(`unexpected output of the load generator:\n${output}`);
  return Number(match[1]);
}

function readWrk(output: string): { requests: number; requestsPerSecond: number } {
  if (/Non-2xx|Socket errors/.test(output)) throw new Error(`wrk saw failures:\n${output}`);
  return {
    requests: numberIn(output, /(\d+) requests in/),
    requestsPerSecond: numberIn(output, /Requests\/sec:\s+([\d.]+)/),
  };
}

function readH2load(output: string): { requests: number; requestsPerSecond: number } {
  const failed = numberIn(output, /(\d+) failed, /) + numberIn(output, /, (\d+) errored/);
  const succeeded = numberIn(output, /status codes: (\d+) 2xx/);
  if (failed > 0 || succeeded === 0) throw new Error(`h2load saw failures:\n${output}`);
  return { requests: succeeded, requestsPerSecond: numberIn(output, /, ([\d.]+) req\/s/) };
}
