/** Perigee's name server alone, for the DNS bench: `perigee-server.ts PORT batch|socket DIRECTORY`. */
import { join } from 'node:path';
import { defaultGeoFile } from '#nameserver/geo-package.ts';
import { startNameserver } from '#nameserver/nameserver.ts';
import { systemClock } from '#platform/clock.ts';
import { createLocalHub } from '#platform/local-bus.ts';
import { createSilentLogger } from '#platform/log.ts';
import { buildSnapshot } from './world.ts';

const [port, udpKind, directory] = process.argv.slice(2);
if (udpKind !== 'batch' && udpKind !== 'socket') throw new Error('batch or socket');
const hub = createLocalHub();
hub.join('control').publish('snapshot', buildSnapshot());
const server = await startNameserver({
  listen: { address: '127.0.0.1', port: Number(port) },
  geoFile: defaultGeoFile(),
  snapshotFile: join(directory ?? '.', `snapshot-${udpKind}.json`),
  bus: hub.join('nameserver'),
  clock: systemClock,
  log: createSilentLogger(),
  udpKind,
});
process.on('SIGTERM', () => void server.close().then(() => process.exit(0)));
