/**
 * The configuration in force within a data plane: the last good snapshot from disk first, then each one
 * that the bus brings, validated before it replaces the former whole. A bad snapshot is refused with a
 * log line and the one in force stays: a configuration that reaches every part at once could break them all.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '#core/base/app-error.ts';
import { canonicalJson } from '#core/base/canonical-json.ts';
import { errorMessage } from '#core/base/error-message.ts';
import { type Snapshot, snapshotSchema } from '#core/model/snapshot.ts';
import { writeFileAtomically } from './atomic-file.ts';
import type { Bus } from './bus.ts';
import type { Logger } from './log.ts';

export interface SnapshotHolder {
  /** Null until the first one is known. */
  current(): Snapshot | null;
  /** Resolves when this generation or a later one is in force. Rejects with AppError `unavailable` when it is refused or does not come. */
  reached(generation: number): Promise<void>;
  close(): void;
}

/** How long `reached` waits, ms: a bus brings what is in force at once. */
const REACHED_WITHIN_MS = 10_000;

export interface SnapshotHolderOptions {
  readonly bus: Bus;
  /** Where the last good snapshot is kept (mode 0600: it holds certificate keys). */
  readonly file: string;
  readonly log: Logger;
  /** Compiles the snapshot for this plane and swaps it in; a throw refuses the snapshot. */
  readonly onSwap: (snapshot: Snapshot) => void;
}

/** SHA-256 (hex) of everything in a snapshot but format, generation and the digest itself. */
export function snapshotDigest(snapshot: Omit<Snapshot, 'digest'>): string {
  const { zone, sites, pops, networks, certificates } = snapshot;
  return createHash('sha256')
    .update(canonicalJson({ zone, sites, pops, networks, certificates }))
    .digest('hex');
}

/** Checks form and digest. Throws an Error that says what is wrong. */
export function validateSnapshot(candidate: unknown): Snapshot {
  const parsed = snapshotSchema.safeParse(candidate);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Error(`malformed at ${issue?.path.join('.') || 'its root'}: ${issue?.message ?? 'unknown'}`);
  }
  // Of what was published: one kept by a former release lacks fields that this one fills in by default.
  const digest = snapshotDigest(candidate as Snapshot);
  if (digest !== parsed.data.digest) throw new Error('its content does not match its digest');
  return parsed.data;
}

export async function holdSnapshot(options: SnapshotHolderOptions): Promise<SnapshotHolder> {
  const { bus, file, log, onSwap } = options;
  let current: Snapshot | null = null;
  /** Why the last snapshot from the bus was refused. */
  let refusal: string | null = null;
  const waiters = new Set<() => void>();

  function swap(candidate: unknown, source: 'disk' | 'bus'): boolean {
    try {
      const snapshot = validateSnapshot(candidate);
      // A restarted control plane publishes again what is in force; nothing to do then.
      if (current?.digest === snapshot.digest && current.generation === snapshot.generation) return false;
      if (current !== null && snapshot.generation < current.generation) {
        throw new Error(
          `its generation ${snapshot.generation} is older than ${current.generation}, which is in force`,
        );
      }
      onSwap(snapshot);
      current = snapshot;
      log.info({ generation: snapshot.generation, source }, 'snapshot in force');
      return true;
    } catch (error) {
      const cause = errorMessage(error);
      log.error({ source, cause }, 'snapshot refused; the former one stays in force');
      if (source === 'bus') refusal = cause;
      return false;
    }
  }

  if (existsSync(file)) {
    try {
      swap(JSON.parse(readFileSync(file, 'utf8')), 'disk');
    } catch (error) {
      log.error({ file, cause: errorMessage(error) }, 'kept snapshot cannot be read');
    }
  }
  const unsubscribe = bus.subscribe('snapshot', (message) => {
    const isSwapped = swap(message, 'bus');
    for (const look of waiters) look();
    if (!isSwapped) return;
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      writeFileAtomically(file, JSON.stringify(message), 0o600);
    } catch (error) {
      log.error({ file, cause: errorMessage(error) }, 'snapshot in force could not be kept on disk');
    }
  });

  function reached(generation: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const fail = (cause: string): void =>
      reject(new AppError('unavailable', `generation ${generation} is in force, but ${cause}`));
    const look = (): void => {
      if ((current?.generation ?? 0) >= generation) resolve();
      else if (refusal !== null) fail(`this part refused it: ${refusal}`);
    };
    const timer = setTimeout(() => fail('this part did not receive it'), REACHED_WITHIN_MS);
    waiters.add(look);
    look();
    return promise.finally(() => {
      clearTimeout(timer);
      waiters.delete(look);
    });
  }
  return { current: () => current, reached, close: unsubscribe };
}
