/** A whole Perigee, started by its own command as a user would, on ports of its own. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

export interface PerigeeProcess {
  readonly api: string;
  readonly http: string;
  readonly https: string;
  /** Null unless started with `--http3`. */
  readonly http3: string | null;
  readonly dns: string;
  readonly dataDirectory: string;
  readonly adminToken: string;
  readonly pid: number;
  /** Runs a command of the CLI against it; rejects never, says how it ended. */
  cli(...words: string[]): Promise<{ exitCode: number; out: string; err: string }>;
  /** Runs `perigee reload` on it. */
  reload(): Promise<{ exitCode: number; out: string; err: string }>;
  /** Asks it to end; resolves with its exit code. */
  stop(): Promise<number>;
}

/** Runs `perigee` with these words until it ends. */
export async function runPerigee(
  words: readonly string[],
): Promise<{ exitCode: number; out: string; err: string }> {
  const child = Bun.spawn([process.execPath, join(ROOT, 'src/main/perigee.ts'), ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PERIGEE_TOKEN: undefined,
      PERIGEE_API: undefined,
      PERIGEE_DATA: undefined,
      NO_COLOR: '1',
    },
  });
  const [out, err, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exitCode, out, err };
}

/** Starts `perigee up` with free ports and a fresh data directory; resolves when everything answers. */
export function startPerigee(...words: string[]): Promise<PerigeeProcess> {
  return startPerigeeOf(ROOT, ...words);
}

/** The same of the product in another place, such as a copy whose code a test changes. */
export async function startPerigeeOf(root: string, ...words: string[]): Promise<PerigeeProcess> {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'perigee-up-'));
  const perigee = await startPerigeeIn(dataDirectory, root, ...words);
  return {
    ...perigee,
    async stop() {
      const exitCode = await perigee.stop();
      rmSync(dataDirectory, { recursive: true, force: true });
      return exitCode;
    },
  };
}

/** The same with a data directory that is there before and afterwards. */
export async function startPerigeeIn(
  dataDirectory: string,
  root = ROOT,
  ...words: string[]
): Promise<PerigeeProcess> {
  const free = ['--http', '--https', '--dns', '--api'].flatMap((option) => [option, '127.0.0.1:0']);
  const child = Bun.spawn(
    [
      process.execPath,
      join(root, 'src/main/perigee.ts'),
      'up',
      '--json',
      '--data',
      dataDirectory,
      ...free,
      // One that a test kills leaves it behind: with the rest of its directory.
      ...['--memory', '32MiB', '--memory-file', join(dataDirectory, 'memory')],
      ...words,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const line = await firstLine(child.stdout);
  if (line === null) throw new Error(`perigee up ended with ${await child.exited} before it was up`);
  const places = JSON.parse(line) as Record<'api' | 'http' | 'https' | 'dns' | 'adminTokenFile', string> & {
    readonly http3: string | null;
  };
  return {
    ...places,
    dataDirectory,
    adminToken: readFileSync(places.adminTokenFile, 'utf8').trim(),
    pid: child.pid,
    cli: (...command) => runPerigee([...command, '--api', `http://${places.api}`, '--data', dataDirectory]),
    reload: () => runPerigee(['reload', '--data', dataDirectory, '--json']),
    async stop() {
      child.kill('SIGTERM');
      return await child.exited;
    },
  };
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string | null> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of stream) {
    text += decoder.decode(bytes, { stream: true });
    const end = text.indexOf('\n');
    if (end >= 0) return text.slice(0, end);
  }
  return null;
}

/** Process id of a part of a running Perigee, such as `control` or `edge:local/0`; null when it is not there. */
export function partProcess(perigee: PerigeeProcess, part: string): number | null {
  return partProcesses(perigee, part)[0] ?? null;
}

/** All processes of a part, the oldest first: while it is replaced there are several. */
export function partProcesses(perigee: PerigeeProcess, part: string): number[] {
  const children = readFileSync(`/proc/${perigee.pid}/task/${perigee.pid}/children`, 'utf8')
    .trim()
    .split(' ');
  // A child that ends while we look is simply not the one.
  return children
    .filter((pid) => pid !== '' && tryRead(`/proc/${pid}/cmdline`).includes(`"name":"${part}"`))
    .map(Number);
}

function tryRead(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
