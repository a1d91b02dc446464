/**
 * From the database to the planes: compile the model, give it a generation and a digest, publish it. The
 * generation rises exactly when the content differs from what was published last, and is written down
 * before anything is published, so that a restart goes on where it was.
 *
 * Changes that come while one is being compiled share the next round.
 */
import { AppError } from '#core/base/app-error.ts';
import { compile } from '#core/model/compile.ts';
import type { Snapshot, Zone } from '#core/model/snapshot.ts';
import type { Bus } from '#platform/bus.ts';
import type { Clock } from '#platform/clock.ts';
import type { Logger } from '#platform/log.ts';
import { snapshotDigest } from '#platform/snapshot-holder.ts';
import type { Authority } from '../certificates/authority.ts';
import { ensureLeaves } from '../certificates/leaves.ts';
import { readNetworks, readPops, readSetting, readSites, writeSetting } from '../database/model-store.ts';
import type { Database } from '../database/schema.ts';
import { CONTROL_LIMITS } from '../limits.ts';

export interface PublisherOptions {
  readonly database: Database;
  readonly authority: Authority;
  readonly zone: Zone;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Logger;
}

const GENERATION = 'generation';
const DIGEST = 'digest';

export class Publisher {
  readonly #options: PublisherOptions;
  #current: Snapshot | null = null;
  /** The least generation to take; raised when a part holds a later one than the database knows of. */
  #generationFloor = 0;
  #running: Promise<number> | null = null;
  /** True while the round under way has not yet read the database: later changes are still in it. */
  #isGathering = false;
  #next: Promise<number> | null = null;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** The generation published last; 0 before the first. */
  get generation(): number {
    return this.#current?.generation ?? 0;
  }

  /**
   * Publishes the model as the database has it now and resolves with its generation. Rejects with AppError
   * `invalid` when the model does not compile; the former snapshot stays in force then.
   */
  publish(): Promise<number> {
    if (this.#running === null) {
      this.#running = this.#round().finally(() => {
        this.#running = null;
      });
      return this.#running;
    }
    if (this.#isGathering) return this.#running;
    // The round under way may have read the database before this change: one more is needed, and is enough
    // for everybody who asks meanwhile.
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = null;
        return this.publish();
      });
    return this.#next;
  }

  /** A part reported this generation. If it is later than ours (a database from a backup), ours is raised above. */
  async noticeGeneration(generation: number): Promise<void> {
    if (generation <= this.generation || generation < this.#generationFloor) return;
    this.#options.log.warn(
      { generation: this.generation, reported: generation },
      'a part has a later generation than the database; publishing above it',
    );
    this.#generationFloor = generation + 1;
    await this.publish();
  }

  async #round(): Promise<number> {
    const { database, authority, zone, bus, clock, log } = this.#options;
    this.#isGathering = true;
    await new Promise((resolve) => setTimeout(resolve, CONTROL_LIMITS.publishGatherMs));
    this.#isGathering = false;
    const [sites, pops, networks] = [
      await readSites(database),
      await readPops(database),
      await readNetworks(database),
    ];
    const certificates = await ensureLeaves({ database, authority, clock }, sites, zone.name);
    const lastGeneration = Number((await readSetting(database, GENERATION)) ?? 0);
    const compiled = compile({ zone, sites, pops, networks, certificates }, Math.max(1, lastGeneration));
    if (!compiled.ok) {
      const [problem] = compiled.problems;
      throw new AppError(
        'invalid',
        `the configuration cannot be used: ${problem?.path}: ${problem?.message}`,
      );
    }
    const digest = snapshotDigest(compiled.content);
    const isSame =
      digest === (await readSetting(database, DIGEST)) && lastGeneration >= this.#generationFloor;
    const generation = isSame ? lastGeneration : Math.max(lastGeneration + 1, this.#generationFloor);
    if (!isSame) {
      await database.transaction().execute(async (transaction) => {
        await writeSetting(transaction, GENERATION, String(generation));
        await writeSetting(transaction, DIGEST, digest);
      });
    }
    if (!isSame || this.#current === null) {
      this.#current = { ...compiled.content, generation, digest };
      bus.publish('snapshot', this.#current);
      log.info({ generation, sites: sites.length, pops: pops.length }, 'snapshot published');
    }
    return generation;
  }
}
