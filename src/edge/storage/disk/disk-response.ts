/** A response that lies on a disk: its head is here, its body too when it is small or has not been written yet. */
import type { StoredHead } from '#core/caching/stored-head.ts';
import type { BodySource } from '../../exchange.ts';
import { MemoryBodySource } from '../memory/memory-body-source.ts';
import { prepareHead, type StoredPreparedHead } from '../prepared-head.ts';
import type { StoredResponse } from '../storage.ts';
import { variantHashOf } from '../variant-hash.ts';
import type { ChunkedBody } from './chunked-body.ts';
import { DiskBodySource } from './disk-body-source.ts';

export class DiskResponse implements StoredResponse {
  readonly head: StoredHead;
  readonly prepared: StoredPreparedHead;
  readonly bodyLength: number;
  readonly body: Uint8Array | null;
  /** By which those that replace one another are known. */
  readonly variant: number;
  /** Null where the body is in memory. Another one when chunks have moved: who reads already goes by what was. */
  onDisk: ChunkedBody | null;

  constructor(head: StoredHead, body: Uint8Array | ChunkedBody, bodyLength: number) {
    this.head = head;
    this.prepared = prepareHead(head);
    this.bodyLength = bodyLength;
    this.variant = variantHashOf(head);
    this.body = body instanceof Uint8Array ? body : null;
    this.onDisk = body instanceof Uint8Array ? null : body;
  }

  open(start: number, end: number): BodySource {
    const { body, onDisk } = this;
    if (onDisk === null) return new MemoryBodySource((body as Uint8Array).subarray(start, end));
    return new DiskBodySource(onDisk, start, end);
  }
}
