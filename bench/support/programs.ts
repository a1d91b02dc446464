/** Starting, pinning, measuring and ending the programs of a bench. Every process is ended by its own id. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { cpus } from 'node:os';

/** Servers run on one core, load generators on another; with a single core they share it. */
export const SERVER_CORE = 0;
export const CLIENT_CORE = cpus().length > 1 ? 1 : 0;

const START_MS = 30_000;
const END_MS = 10_000;
/** What /proc counts in; USER_HZ is 100 on every Linux. */
const TICKS_PER_SECOND = 100;

/** Throws, with how to install it, unless every program is there. */
export function requirePrograms(programs: readonly string[], howToInstall: string): void {
  const missing = programs.filter((program) => Bun.which(program, { PATH: searchPath() }) === null);
  if (missing.length > 0) throw new Error(`${missing.join(', ')} missing; install with: ${howToInstall}`);
}

/** Servers are often installed where only the administrator's path leads. */
function searchPath(): string {
  return `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;
}

/** The first line a program prints of its version that matches. */
export function versionOf(program: string, argument: string, pattern: RegExp): string {
  const { stdout, stderr } = spawnSync(program, [argument], {
    encoding: 'utf8',
    env: { ...process.env, PATH: searchPath() },
  });
  return pattern.exec(`${stdout}${stderr}`)?.[1] ?? 'unknown';
}

export interface Program {
  readonly pid: number;
  /** Seconds of processor time that it and all its descendants have used. */
  cpuSeconds(): number;
  /** Memory that it and all its descendants hold; what they share is counted once. */
  residentBytes(): number;
  /** Ends it and waits until it is gone. */
  stop(): Promise<void>;
  /** Has it and all its descendants end at once, as a crash would (SIGKILL), and waits until they are gone. */
  kill(): Promise<void>;
}

/** Starts a server, on the servers' core unless another is named, and waits until `isReady`. */
export async function startServer(
  command: readonly string[],
  isReady: () => Promise<boolean>,
  core: number = SERVER_CORE,
): Promise<Program> {
  const child = spawn('taskset', ['-c', String(core), ...command], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PATH: searchPath() },
  });
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-4_096);
  });
  const until = Date.now() + START_MS;
  while (!(await isReady().catch(() => false))) {
    if (child.exitCode !== null || Date.now() > until) {
      await stop(child);
      throw new Error(`${command.join(' ')} did not start: ${complaints.trim() || 'no word from it'}`);
    }
    await Bun.sleep(50);
  }
  const pid = child.pid as number;
  return {
    pid,
    cpuSeconds: () => sumOver(pid, ({ ticks }) => ticks) / TICKS_PER_SECOND,
    residentBytes: () => sumOver(pid, ({ pid: member }) => proportionalBytes(member)),
    stop: () => stop(child),
    kill: () => killAll(child, pid),
  };
}

async function killAll(child: ChildProcess, root: number): Promise<void> {
  const members: number[] = [];
  sumOver(root, ({ pid }) => members.push(pid));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  // The first one first: it would start the others again.
  for (const pid of members.sort((a, b) => Number(b === root) - Number(a === root))) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
  }
  await ended;
  while (members.some((pid) => existsSync(`/proc/${pid}`))) await Bun.sleep(1);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), END_MS);
  await ended;
  clearTimeout(late);
}

interface ProcessLine {
  readonly pid: number;
  readonly parent: number;
  readonly ticks: number;
}

/** proc(5), fields 4 (ppid), 14 (utime) and 15 (stime) after the name in parentheses. */
function readProcess(pid: number): ProcessLine | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { pid, parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    // It ended meanwhile.
    return null;
  }
}

/** The process's share of the memory it has in use (proc(5), smaps_rollup). */
function proportionalBytes(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1]) * 1024;
}

/** Over a process and all its descendants. */
function sumOver(root: number, amountOf: (line: ProcessLine) => number): number {
  const lines = new Map<number, ProcessLine>();
  for (const entry of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(entry)) continue;
    const line = readProcess(Number(entry));
    if (line !== null) lines.set(line.pid, line);
  }
  let sum = 0;
  for (const line of lines.values()) {
    let ancestor: number | undefined = line.pid;
    while (ancestor !== undefined && ancestor !== root) ancestor = lines.get(ancestor)?.parent;
    if (ancestor === root) sum += amountOf(line);
  }
  return sum;
}

/** Runs a load generator on the clients' core to its end; returns what it prints. */
export async function runClient(command: readonly string[]): Promise<string> {
  const child = Bun.spawn(['taskset', '-c', String(CLIENT_CORE), ...command], {
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [out, complaints, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`${command.join(' ')} failed: ${complaints.trim() || out.trim()}`);
  return out;
}

/** Puts this process, too, on the clients' core: it must not take time from the server. */
export function pinSelf(): void {
  execFileSync('taskset', ['-a', '-p', '-c', String(CLIENT_CORE), String(process.pid)], { stdio: 'ignore' });
}

/** Ports of 127.0.0.1 that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            resolve(typeof address === 'object' && address !== null ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
