/**
 * Many responses of one size, told apart by their queries: put into a cache one after another, and asked for at random.
 * wrk makes the requests by a script.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOST, type RunningCache } from '../caches/cache.ts';
import { type Load, type Protocol, portOf } from '../support/load.ts';
import { runClient } from '../support/programs.ts';
import { type BodySize, SIZES, type StaticOrigin } from '../support/static-origin.ts';

export interface WorkingSet {
  readonly size: BodySize;
  readonly count: number;
  /** Connections that ask for it, and by which it is stored: of large ones at once some caches take few. */
  readonly connections: number;
  readonly fillConnections: number;
}

/** Far more than fits the memory of those that have one beside their disk. */
export const WORKING_SETS: readonly WorkingSet[] = [
  { size: SIZES.small, count: 120_000, connections: 64, fillConnections: 16 },
  { size: SIZES.medium, count: 20_000, connections: 64, fillConnections: 16 },
  { size: SIZES.large, count: 2_000, connections: 64, fillConnections: 4 },
  { size: SIZES.chunks, count: 64, connections: 4, fillConnections: 1 },
];

export const PROTOCOLS: readonly Protocol[] = ['http/1.1', 'http/1.1+tls'];

/** How often all of a set is asked for until nothing goes to the origin any more. */
const PASSES_MAX = 6;
const PASS_SECONDS_MAX = 300;

export function pathOf({ size }: WorkingSet, i: number): string {
  return `/stored/${size.file}?${i}`;
}

export class Scripts {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** A load on a set, each request for one by chance. */
  atRandom(set: WorkingSet, protocol: Protocol): Load {
    const script = this.#write(
      `random-${set.size.file}`,
      `math.randomseed(tonumber(tostring({}):match("0x(%x+)"), 16) + os.time())
function request()
  return wrk.format(nil, wrk.path .. "?" .. math.random(0, ${set.count - 1}))
end
`,
    );
    const { connections } = set;
    const path = `/stored/${set.size.file}`;
    return { tool: 'wrk', protocol, path, connections, streams: 1, script };
  }

  /** Asks for each of a set until the cache has them all. */
  async fill(cache: RunningCache, origin: StaticOrigin, set: WorkingSet, protocol: Protocol): Promise<void> {
    let asked = 0;
    for (let pass = 0; pass < PASSES_MAX; pass++) {
      const before = await origin.requests();
      await this.#askForAll(cache, set, protocol);
      asked = (await origin.requests()) - before;
      if (asked === 0) return;
    }
    throw new Error(
      `${cache.name} does not keep ${set.count} of ${set.size.label}, ${protocol}: of the last ${PASSES_MAX} times that all were asked for it went to the origin for ${asked}`,
    );
  }

  async #askForAll(cache: RunningCache, set: WorkingSet, protocol: Protocol): Promise<void> {
    const { fillConnections: connections } = set;
    // wrk itself goes on for as long as it was told, whatever its threads do.
    const script = this.#write(
      `all-${set.size.file}`,
      `local asked, answered = -1, 0
function request()
  asked = asked + 1
  return wrk.format(nil, wrk.path .. "?" .. asked % ${set.count})
end
function response(status)
  if status ~= 200 then os.exit(1) end
  answered = answered + 1
  if answered == ${set.count + connections} then os.exit(0) end
end
`,
    );
    const scheme = protocol === 'http/1.1' ? 'http' : 'https';
    const url = `${scheme}://${HOST}:${portOf(cache, protocol)}/stored/${set.size.file}`;
    await runClient(['wrk', '-t1', `-c${connections}`, `-d${PASS_SECONDS_MAX}s`, '-s', script, url]);
  }

  #write(name: string, text: string): string {
    const file = join(this.#directory, `${name}.lua`);
    writeFileSync(file, text);
    return file;
  }
}
