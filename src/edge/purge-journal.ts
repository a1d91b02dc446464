/**
 * Purges on disk, for what is stored for longer than a process lives: each worker of an edge appends those it has
 * applied to a file of its own before it confirms them, and begins with those of all. A line is a purge, or
 * `{"before":N}`: purges before the position N are not known singly, and count as one of everything.
 */
import { appendFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { errorMessage } from '#core/base/error-message.ts';
import { type Purge, purgeTargetSchema } from '#core/model/purge.ts';
import { siteIdSchema } from '#core/model/site.ts';
import { writeFileAtomically } from '#platform/atomic-file.ts';
import type { Logger } from '#platform/log.ts';
import { ROAD_LIMITS } from './limits.ts';

const lineSchema = z.union([
  z.object({ before: z.int().min(0) }),
  z.object({
    position: z.int().min(0),
    siteId: siteIdSchema,
    target: purgeTargetSchema,
    soft: z.boolean(),
    requestedAt: z.number(),
  }),
]);

export interface JournalReader {
  apply(purge: Purge): void;
  forgetBefore(position: number): void;
}

export class PurgeJournal {
  readonly #file: string | null;
  #lines = 0;

  /** `file`: this worker's own, beside those of the other workers of its edge; null: nothing is kept. */
  constructor(file: string | null) {
    this.#file = file;
  }

  /** Tells `reader` what all workers of the edge have noted. */
  read(reader: JournalReader, log: Logger): void {
    if (this.#file === null) return;
    mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
    for (const name of readdirSync(dirname(this.#file))) {
      if (!name.endsWith('.jsonl')) continue;
      const lines = readFileSync(join(dirname(this.#file), name), 'utf8').split('\n');
      if (name === basename(this.#file)) this.#lines = lines.length;
      // What follows the last line end was cut by a crash, before its purge was confirmed.
      for (const line of lines.slice(0, -1)) readLine(line, reader, name, log);
    }
  }

  /** Throws when it cannot be written: then the purge must not be confirmed. */
  append(purge: Purge): void {
    if (this.#file === null) return;
    appendFileSync(this.#file, `${JSON.stringify(purge)}\n`, { mode: 0o600 });
    this.#lines++;
    if (this.#lines >= 2 * ROAD_LIMITS.purgesJournaledMax) this.#shorten(this.#file);
  }

  /** Leaves the newer half, and says up to where it left something out. */
  #shorten(file: string): void {
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    const kept = lines.slice(-ROAD_LIMITS.purgesJournaledMax);
    const left = lines.slice(0, -kept.length).map((line) => lineSchema.safeParse(JSON.parse(line)));
    const positions = left.flatMap(({ data }) => {
      if (data === undefined) return [];
      return 'before' in data ? [data.before] : [data.position];
    });
    // Not spread: there are a hundred thousand of them.
    const before = positions.reduce((most, position) => Math.max(most, position), 0);
    writeFileAtomically(file, [JSON.stringify({ before }), ...kept, ''].join('\n'), 0o600);
    this.#lines = kept.length + 1;
  }
}

function readLine(line: string, reader: JournalReader, name: string, log: Logger): void {
  try {
    const read = lineSchema.parse(JSON.parse(line));
    if ('before' in read) reader.forgetBefore(read.before);
    else reader.apply(read);
  } catch (error) {
    log.error({ journal: name, cause: errorMessage(error) }, 'a purge in the journal cannot be read');
  }
}
