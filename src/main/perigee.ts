/** The `perigee` command: the CLI's commands, which are clients of the API, and `up` and `reload`, which run the CDN. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { DEFAULT_DATA_DIRECTORY } from '#cli/connection.ts';
import { createProgram, runProgram } from '#cli/program.ts';
import { collect } from '#cli/repeated-option.ts';
import { createLogger } from '#platform/log.ts';
import { type SimulateArguments, simulateCache } from './cache-simulate.ts';
import { verifyCache, verifyText } from './cache-verify.ts';
import { simulationText } from './simulate/simulation-text.ts';
import { askReload } from './up/command-socket.ts';
import { readUpOptions, type UpArguments } from './up/options.ts';
import { refuseFailed, reloadText } from './up/reload-text.ts';
import { jsonSummary, summary } from './up/summary.ts';
import { adminTokenFile, type RunningCdn, up } from './up/up.ts';

/** What shells report for a program that an interrupt ended: 128 and the signal's number. */
const EXIT_CODE_INTERRUPTED = 130;
const ENDING_TEXT = '\nEnding when the answers under way have gone out. Ctrl-C again ends at once.\n';

const io = {
  out: (text: string) => process.stdout.write(text),
  err: (text: string) => process.stderr.write(text),
  environment: process.env,
  isTerminal: process.stdout.isTTY === true,
};
// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
const program = createProgram(io);

program
  .command('up')
  .description('run a whole CDN on this machine: control plane, name server and edges')
  .option('--data <dir>', 'where everything is kept', DEFAULT_DATA_DIRECTORY)
  .option('--http <addr:port>', 'where the edge serves HTTP', '127.0.0.1:8080')
  .option('--https <addr:port>', 'where the edge serves HTTPS', '127.0.0.1:8443')
  .option('--dns <addr:port>', 'where the name server answers, UDP and TCP', '127.0.0.1:8053')
  .option('--api <addr:port>', 'where the API and the console are', '127.0.0.1:8000')
  .option(
    '--api-host <name>',
    'a name under which browsers may reach the API; may be given several times',
    collect,
  )
  .option('--zone <name>', "the CDN's own zone", 'cdn.test')
  .option('--site <host=origin-url>', 'serve this site; may be given several times', collect)
  .option('--edges <n>', 'worker processes of this edge, sharing its ports', '1')
  .option('--memory <size>', 'memory for stored responses of this edge, such as 512MiB or 4GiB', '256MiB')
  .option(
    '--memory-file <path>',
    'where the workers of this edge share that memory, or none: each has its own (default: in /dev/shm)',
  )
  .option(
    '--disk <path=size>',
    'keep responses on this disk, too, such as /var/cache/perigee=200GiB; may be given several times',
    collect,
  )
  .option('--disk-writes <size>', 'what may be written to each disk in a second, such as 20MiB')
  .option('--trace <file>', 'write down what is looked up, anonymised, for perigee cache simulate')
  .option('--trace-share <share>', 'of all keys, those that are: 5% or 1/64 (default: all)')
  .option('--http3', 'serve HTTP/3 too, at the port of --https over UDP (experimental)')
  .option('--drain-seconds <n>', 'how long answers under way may take after a reload', '300')
  .option(
    '--proxy-protocol <network>',
    'this edge stands behind load balancers in this network, which send PROXY protocol version 2; may be given several times',
    collect,
  )
  .option('--h2c', 'take HTTP/2 with prior knowledge on plain connections of this edge, beside HTTP/1.1')
  .option('--no-demo', 'without the demo shop and its six POPs')
  .option('--json', 'say where things are as one line of JSON')
  .action(runUp);

program
  .command('reload')
  .description('replace the parts of a running CDN by ones with the code now on disk; nothing is interrupted')
  .option(
    '--data <dir>',
    'the directory of the running CDN',
    process.env.PERIGEE_DATA ?? DEFAULT_DATA_DIRECTORY,
  )
  .option('--json', 'print the report as JSON')
  .action(async ({ data, json }: { readonly data: string; readonly json?: boolean }) => {
    const report = await askReload(resolve(data));
    if (json) {
      io.out(`${JSON.stringify(report)}\n`);
      refuseFailed(report);
    } else {
      io.out(reloadText(report));
    }
  });

const cache = program.commands.find((command) => command.name() === 'cache') ?? program;
cache
  .command('verify')
  .description('read all that an edge keeps on a disk of this machine, and say what is damaged')
  .argument('<path>', 'as given to --disk')
  .option('--json', 'print the report as JSON')
  .action(async (path: string, { json }: { readonly json?: boolean }) => {
    const report = await verifyCache(path);
    io.out(json ? `${JSON.stringify(report)}\n` : verifyText(report));
    if (report.damagedRecords > 0) process.exitCode = 1;
  });

cache
  .command('simulate')
  .description('what caches of other sizes and policies would have made of the requests in a trace')
  .argument('<trace>', 'a file written by perigee up --trace, or lines of "time,key,bytes"')
  .option(
    '--size <size>',
    'of the cache, such as 4GiB; may be given several times (default: shares of all there is)',
    collect,
  )
  .option('--share <share>', 'of all keys, those in the trace, where it does not say: 5% or 1/64')
  .option('--warm-up <percent>', 'leave out of the count so much of the beginning', '0')
  .option('--plot <file.svg>', 'draw the hit ratios into this file')
  .option('--json', 'print the report as JSON')
  .action(async (trace: string, given: SimulateArguments & { readonly json?: boolean }) => {
    const report = await simulateCache(trace, given);
    io.out(given.json ? `${JSON.stringify(report)}\n` : simulationText(report));
  });

const exitCode = await runProgram(program, process.argv, io);
// Only after a failure: what is on its way to a pipe must not be cut off.
if (exitCode !== 0) process.exit(exitCode);

async function runUp(given: UpArguments & { readonly json?: boolean }): Promise<void> {
  // Parts speak up when something is wrong; the terminal belongs to the summary.
  process.env.PERIGEE_LOG ??= 'warn';
  const log = createLogger('supervisor');
  const options = readUpOptions(given);
  let requested = false;
  let cdn: RunningCdn | null = null;
  const stopRequested = new Promise<void>((resolve) => {
    const request = () => {
      requested = true;
      resolve();
    };
    process.on('SIGTERM', request);
    process.on('SIGHUP', () => {
      // From a terminal it means that the terminal is gone. A service manager means a reload.
      if (process.stdout.isTTY) request();
      else void cdn?.reloads.request();
    });
    // Who presses Ctrl-C twice does not want to wait.
    let interrupts = 0;
    process.on('SIGINT', () => {
      request();
      interrupts += 1;
      if (interrupts > 1) {
        cdn?.supervisor.kill();
        process.exit(EXIT_CODE_INTERRUPTED);
      }
      if (process.stderr.isTTY) process.stderr.write(ENDING_TEXT);
    });
  });
  cdn = await up(options, log);
  if (!requested) {
    const token = readFileSync(adminTokenFile(options), 'utf8').trim();
    process.stdout.write(given.json ? jsonSummary(options, cdn) : summary(options, cdn, token));
  }
  await stopRequested;
  await cdn.stop();
  process.exit(0);
}
