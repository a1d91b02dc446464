/** A response as it was read of shared memory: a copy, so that it outlives whatever happens there. */
import type { StoredHead } from '#core/caching/stored-head.ts';
import type { BodySource } from '../../exchange.ts';
import { MemoryBodySource } from '../memory/memory-body-source.ts';
import type { StoredPreparedHead } from '../prepared-head.ts';
import type { StoredResponse } from '../storage.ts';

export class SharedResponse implements StoredResponse {
  readonly head: StoredHead;
  readonly prepared: StoredPreparedHead;
  readonly body: Uint8Array;
  readonly bodyLength: number;
  /** Of its record (`record.ts`). */
  readonly stamp: number;

  constructor(head: StoredHead, prepared: StoredPreparedHead, body: Uint8Array, stamp: number) {
    this.head = head;
    this.prepared = prepared;
    this.body = body;
    this.bodyLength = body.byteLength;
    this.stamp = stamp;
  }

  open(start: number, end: number): BodySource {
    return new MemoryBodySource(this.body.subarray(start, end));
  }
}
