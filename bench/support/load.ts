/** wrk and h2load: one measurement each, with the processor time the server spent on it. */
import { type Program, runClient } from './programs.ts';

export interface LoadTarget {
  /** Such as "http://localhost:8080/1k"; the name is looked up by the load generator. */
  readonly url: string;
  /** Where h2load connects to, such as "127.0.0.1:8080". */
  readonly address: string;
  readonly server: Program;
}

export type LoadFigures = {
  readonly requestsPerSecond: number;
  readonly cpuMicrosecondsPerRequest: number;
};

/** Figure by figure. */
export function mediansOf(rounds: readonly LoadFigures[]): LoadFigures {
  const median = (name: keyof LoadFigures): number => {
    const values = rounds.map((figures) => figures[name] as number).sort((a, b) => a - b);
    return values[Math.floor(values.length / 2)] ?? Number.NaN;
  };
  return {
    requestsPerSecond: median('requestsPerSecond'),
    cpuMicrosecondsPerRequest: median('cpuMicrosecondsPerRequest'),
  };
}

export type LoadTool = 'wrk' | 'h2load';

export const CONNECTIONS = 64;

/** A load of `seconds` by one thread over keep-alive connections. Throws when any answer was not a success. */
export async function measureLoad(
  tool: LoadTool,
  target: LoadTarget,
  seconds: number,
  script: string | null = null,
): Promise<LoadFigures> {
  const command = tool === 'wrk' ? wrkCommand(target, seconds, script) : h2loadCommand(target, seconds);
  const cpuBefore = target.server.cpuSeconds();
  const output = await runClient(command);
  const cpuSeconds = target.server.cpuSeconds() - cpuBefore;
  const { requests, requestsPerSecond } = tool === 'wrk' ? readWrk(output) : readH2load(output);
  return { requestsPerSecond, cpuMicrosecondsPerRequest: (cpuSeconds * 1e6) / requests };
}

function wrkCommand(target: LoadTarget, seconds: number, script: string | null): string[] {
  const scripted = script === null ? [] : ['-s', script];
  return ['wrk', '-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, ...scripted, target.url];
}

function h2loadCommand(target: LoadTarget, seconds: number): string[] {
  const connect = `--connect-to=${target.address}`;
  return ['h2load', '--h1', '-t1', `-c${CONNECTIONS}`, '-D', String(seconds), connect, target.url];
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
