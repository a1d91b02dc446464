/** A writer that hands everything on to another one: for those that add something to it. */
import type { StorageWriter, StoredResponse } from './storage.ts';

export abstract class WriterAround implements StorageWriter {
  protected inner: StorageWriter;

  constructor(inner: StorageWriter) {
    this.inner = inner;
  }

  write(bytes: Uint8Array, isGiven = false): boolean {
    return this.inner.write(bytes, isGiven);
  }

  view(offset: number): Uint8Array {
    return this.inner.view(offset);
  }

  readBack(offset: number): Promise<Uint8Array> | null {
    return this.inner.readBack?.(offset) ?? null;
  }

  ready(): Promise<void> | null {
    return this.inner.ready?.() ?? null;
  }

  finish(): StoredResponse | null {
    return this.inner.finish();
  }

  abandon(): void {
    this.inner.abandon();
  }
}
