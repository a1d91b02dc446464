/** The state of the whole system in one answer: parts, health of the edges, and how much is configured. */
import type { Status } from '#core/contract/status.ts';
import type { ListenAddress } from '#platform/listen-address.ts';
import { formatListenAddress } from '#platform/listen-address.ts';
import { countRows } from '../database/model-store.ts';
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
    const { database } = this.#options;
    return {
      sites: await countRows(database, 'sites'),
      pops: await countRows(database, 'pops'),
      edges: await countRows(database, 'pop_edges'),
      networks: await countRows(database, 'networks'),
      purges: await countRows(database, 'purges'),
    };
  }
}
