/**
 * `npm run demo:measure`: six users in six cities open the demo's shop, straight from its origin and
 * through the CDN that `npm start` runs; prints a table. Each resolves the shop's name through Perigee's
 * own DNS with their own client subnet, and all bytes travel over wires as long as the distances.
 *
 *   npm run demo:measure [-- --dns ADDR:PORT] [--http-port N] [--api URL] [--data DIR] [--runs N] [--json FILE]
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { connect } from '#cli/connection.ts';
import { APP_ERROR_CODES, AppError } from '#core/base/app-error.ts';
import { errorMessage } from '#core/base/error-message.ts';
import { parseListenAddress } from '#platform/listen-address.ts';
import { type Measurement, measureUser, type Setting } from './measurement.ts';
import { DEMO_SITE_ID, DEMO_USERS, demoHost } from './plan.ts';
import { renderMeasurements, summarise } from './report.ts';

const RUNS_MAX = 100;

function readNumber(text: string, option: string, max: number): number {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > max)
    throw new AppError('invalid', `${option} ${text}: must be a number from 1 to ${max}`);
  return value;
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        dns: { type: 'string', default: '127.0.0.1:8053' },
        'http-port': { type: 'string', default: '8080' },
        api: { type: 'string' },
        token: { type: 'string' },
        data: { type: 'string' },
        runs: { type: 'string', default: '3' },
        json: { type: 'string' },
      },
    }).values;
  } catch (cause) {
    throw new AppError('invalid', errorMessage(cause), { cause });
  }
}

/** Finds the demo in the running CDN. Throws AppError when it is not there. */
async function readSetting(given: ReturnType<typeof readArguments>): Promise<Setting> {
  const edgePort = readNumber(given['http-port'], '--http-port', 65_535);
  const runs = readNumber(given.runs, '--runs', RUNS_MAX);
  const dns = parseListenAddress(given.dns, '--dns');
  const api = connect(given, { environment: process.env });
  const { zone } = await api.getHealth();
  const site = await api.getSite({ params: { id: DEMO_SITE_ID } }).catch((error: unknown) => {
    if (!(error instanceof AppError) || error.code !== 'not-found') throw error;
    throw new AppError('not-found', 'the demo is not running: start it with "npm start", without --no-demo', {
      cause: error,
    });
  });
  const host = demoHost(zone);
  const originUrl = site.origins[0]?.url;
  if (originUrl === undefined || !site.hosts.includes(host)) {
    throw new AppError('not-found', `site ${DEMO_SITE_ID} is not the demo's shop at ${host}`);
  }
  return {
    host,
    dns,
    origin: parseListenAddress(new URL(originUrl).host, `origin of site ${DEMO_SITE_ID}`),
    edgePort,
    runs,
    purgeEverything: async () => {
      await api.createPurge({ body: { kind: 'everything', siteId: DEMO_SITE_ID } });
    },
  };
}

async function main(): Promise<void> {
  const given = readArguments();
  const setting = await readSetting(given);
  const measurements: Measurement[] = [];
  // One after another: users who load at once would measure each other.
  for (const user of DEMO_USERS) {
    process.stderr.write(`${user.city}…\n`);
    measurements.push(await measureUser(user, setting));
  }
  process.stdout.write(`\n${renderMeasurements(measurements)}\n${summarise(measurements)}`);
  if (given.json !== undefined) writeFileSync(given.json, `${JSON.stringify({ measurements }, null, 2)}\n`);
}

if (import.meta.main) {
  try {
    await main();
    process.exit(0);
  } catch (error) {
    process.stderr.write(`demo:measure: ${errorMessage(error)}\n`);
    process.exit(error instanceof AppError ? APP_ERROR_CODES[error.code].exitCode : 1);
  }
}
