/** The state of the whole system in one answer: parts, health of the edges, and how much is configured. */
import type { Status } from '#core/contract/status.ts';
import type { ListenAddress } from '#platform/listen-address.ts';
import { formatListenAddress } from '#platform/listen-address.ts';
import type { Database } from '../database/schema.ts';
import type { Parts } from './parts.ts';

export interface SystemStatusOptions {
  readonly database: Database;
  readonly parts: Parts;
  readonly dnsAddress: ListenAddress;
  readonly version: string;
}

export class SystemStatus {
  readonly #options: SystemStatusOptions;

  constructor(options: SystemStatusOptions) {
    this.#options = options;
  }

  async view(): Promise<Status> {
    const { parts, dnsAddress, version } = this.#options;
    const [status, totals] = [await parts.status(), await this.#totals()];
    return { ...status, version, dnsAddress: formatListenAddress(dnsAddress), totals };
  }

  async #totals(): Promise<Status['totals']> {
    const count = async (table: 'sites' | 'pops' | 'pop_edges' | 'networks' | 'purges') => {
      const row = await this.#options.database
        .selectFrom(table)
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow();
      return Number(row.count);
    };
    return {
      sites: await count('sites'),
      pops: await count('pops'),
      edges: await count('pop_edges'),
      networks: await count('networks'),
      purges: await count('purges'),
    };
  }
}
