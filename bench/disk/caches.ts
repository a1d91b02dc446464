/**
 * Who takes part where responses lie on a disk: each with a disk that holds all of the bench, and where it also has a
 * memory for what is asked for often, one of the same small size, so that nearly everything comes from the disk.
 */
import { join } from 'node:path';
import type { Contestants } from '../caches/fleet.ts';
import { nginxWith } from '../caches/nginx.ts';
import { perigeeOf } from '../caches/perigee.ts';
import { trafficServerWith } from '../caches/traffic-server.ts';
import { varnishWith } from '../caches/varnish.ts';

export const MEMORY_MEBIBYTES = 16;
const DISK_GIBIBYTES = 8;

export const ON_DISKS: Contestants = {
  perigeeOf: (directory, name) =>
    perigeeOf(directory, name, (home) => [
      ...['--memory', `${MEMORY_MEBIBYTES}MiB`, '--disk', `${join(home, 'disk')}=${DISK_GIBIBYTES}GiB`],
    ]),
  peers: [
    nginxWith({ keysMebibytes: 128, diskGibibytes: DISK_GIBIBYTES }),
    varnishWith('varnish-file', (home) => `file,${join(home, 'storage')},${DISK_GIBIBYTES}g`),
    varnishWith('varnish-malloc', () => `malloc,${DISK_GIBIBYTES}g`),
    trafficServerWith({
      memoryMebibytes: MEMORY_MEBIBYTES,
      // Of larger ones it would only keep two.
      memoryObjectMebibytes: MEMORY_MEBIBYTES / 8,
      diskMebibytes: DISK_GIBIBYTES * 1_024,
    }),
  ],
};
