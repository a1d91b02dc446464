/**
 * One process of a storage fuzz: does random things to a storage that others do random things to, and looks at every
 * octet it gets. Ends by itself when enough is done; may be killed at any moment before.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { openStorage } from '#edge/storage/open-storage.ts';
import { readAll } from '#edge/storage/storage.cases.ts';
import type { Storage, StorageWriter, StoredResponse } from '#edge/storage/storage.ts';
import { createSilentLogger } from '#platform/log.ts';
import { Random } from '../fuzz/random.ts';
import { faultyCalls, harm } from './faulty-calls.ts';
import type { WorkerTask } from './fuzz.ts';
import { KEYS, Ledger } from './ledger.ts';
import { bodyLengthOf, bodyOf, faultOf, headOf } from './response-of.ts';

const VARIANTS = 3;
/** Fills that a worker leaves open for a while. */
const OPEN_FILLS_MAX = 8;
/** How long a disk that failed is left alone, ms: often enough it is not. */
const RETRY_MS = 5;
const STEPS_PER_TURN = 8;
/** After one operation in so many a segment is harmed. */
const HARM_ONE_IN = 2_000;

interface OpenFill {
  readonly writer: StorageWriter;
  readonly body: Uint8Array;
  written: number;
}

class StorageFuzzer {
  readonly #storage: Storage;
  readonly #ledger: Ledger;
  readonly #random: Random;
  readonly #bytesMax: number;
  readonly #hasFaults: boolean;
  readonly #open: OpenFill[] = [];

  constructor(storage: Storage, ledger: Ledger, random: Random, bytesMax: number, hasFaults: boolean) {
    this.#hasFaults = hasFaults;
    this.#storage = storage;
    this.#ledger = ledger;
    this.#random = random;
    this.#bytesMax = bytesMax;
  }

  async step(): Promise<void> {
    const what = this.#random.below(100);
    // Some keys are much more popular than others; some are of a URL's kinds.
    const number = Math.floor(KEYS * (this.#random.below(1_000) / 1_000) ** 2);
    const key = `http://a.example/${number}${number % 4 === 0 ? ' c.kind=1' : ''}`;
    if (what < 70) await this.#look(key, number);
    else if (what < 72) this.#remove(key, number);
    else if (what < 80) this.#advanceFill();
    else if (what < 82) this.#freshen(key);
    else this.#fill(key);
    this.#ledger.countOperation();
  }

  async #look(key: string, number: number): Promise<void> {
    const floor = this.#ledger.floorOf(number);
    const found = await this.#find(key);
    if (found.length === 0) {
      this.#fill(key);
      return;
    }
    this.#ledger.countHit();
    for (const stored of found) {
      const whole = await this.#read(stored);
      if (whole === null) continue;
      const fault = faultOf(key, stored.head, stored.prepared.lines, whole, floor);
      if (fault !== null) throw new Error(`${key}: ${fault}`);
    }
  }

  async #find(key: string): Promise<readonly StoredResponse[]> {
    const found = this.#random.below(2) === 0 ? this.#storage.lookup(key) : this.#storage.lookupAtOnce(key);
    if (!(found instanceof Promise)) return found;
    await found;
    return this.#storage.lookup(key);
  }

  /** Null: it broke off, as it may where disks fail. */
  async #read(stored: StoredResponse): Promise<Uint8Array | null> {
    try {
      return await readAll(stored.open(0, stored.bodyLength));
    } catch (error) {
      if (!this.#hasFaults) throw error;
      this.#ledger.countBrokenOff();
      return null;
    }
  }

  #fill(key: string): void {
    const { sequence } = this.#storage.invalidations;
    const fetch = this.#ledger.beginFetch();
    const body = bodyOf(key, fetch, bodyLengthOf(fetch, this.#bytesMax));
    const head = headOf(key, fetch, this.#random.below(VARIANTS), sequence);
    const isAnnounced = this.#random.below(2) === 0;
    const writer = this.#storage.admit(key, head, isAnnounced ? body.byteLength : null);
    if (writer === null) return;
    const fill = { writer, body, written: 0 };
    if (this.#random.below(4) === 0 && this.#open.length < OPEN_FILLS_MAX) this.#open.push(fill);
    else while (!this.#write(fill));
  }

  /** One that was begun before, or an end to it. */
  #advanceFill(): void {
    const fill = this.#open[this.#random.below(this.#open.length || 1)];
    if (fill === undefined) return;
    const isAbandoned = this.#random.below(20) === 0;
    if (isAbandoned) fill.writer.abandon();
    if (isAbandoned || this.#write(fill)) this.#open.splice(this.#open.indexOf(fill), 1);
  }

  /** Some of it; whether it has come to its end. */
  #write(fill: OpenFill): boolean {
    const { writer, body } = fill;
    const end = Math.min(body.byteLength, fill.written + 1 + this.#random.below(body.byteLength || 1));
    if (end > fill.written && !writer.write(body.slice(fill.written, end))) return true;
    fill.written = end;
    if (end < body.byteLength) return false;
    writer.finish();
    return true;
  }

  #remove(key: string, number: number): void {
    const before = this.#ledger.fetches;
    this.#storage.remove(key.split(' ')[0] as string);
    this.#ledger.raiseFloor(number, before);
  }

  #freshen(key: string): void {
    const [stored] = this.#storage.peek(key);
    if (stored === undefined) return;
    this.#storage.freshen(key, stored, { ...stored.head, respondedAt: stored.head.respondedAt + 1 });
  }
}

const {
  ledger: ledgerFile,
  seed,
  stream,
  operations,
  storage: options,
  bodyBytesMax,
  hasFaults,
} = JSON.parse(process.argv[2] as string) as WorkerTask;
const random = new Random(seed, stream);
const { disks = [] } = options;
const faulty = disks.map((disk) => ({ ...disk, calls: faultyCalls(random), retryMs: RETRY_MS }));
const { storage } = openStorage(hasFaults ? { ...options, disks: faulty } : options, createSilentLogger());
const ledger = new Ledger(ledgerFile);
const fuzzer = new StorageFuzzer(storage, ledger, random, bodyBytesMax, hasFaults);
while (ledger.operations < operations) {
  await fuzzer.step();
  // What is written to a disk is written in others' turns.
  if (random.below(STEPS_PER_TURN) === 0) await nextTurn();
  const disk = hasFaults && random.below(HARM_ONE_IN) === 0 ? disks[random.below(disks.length)] : undefined;
  if (disk !== undefined) harm(random, disk.folder);
}
await storage.close();
