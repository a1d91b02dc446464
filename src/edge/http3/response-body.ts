/**
 * Bodies as Bun takes them. Bun copies bytes into each response, so large ones go as a Blob that all responses
 * share, or in parts; it gives bytes without a Content-Type one of its own making, so those go in parts, too.
 * Only bytes and Blobs get a Content-Length.
 */
import type { Http3Limits } from './limits.ts';

/** Where a streamed body comes from. */
export interface PartSource {
  /** The next part, or null at the end. One that never settles leaves the body unfinished. */
  next(): Promise<Uint8Array | null>;
  /** The client does not want the rest. */
  cancel(): void;
}

type WholeBody = Uint8Array<ArrayBuffer> | Blob | ReadableStream<Uint8Array> | null;

/** Copies of large stored bodies, made at their first use and kept as long as these: twice the memory, but no more. */
const SHARED = new WeakMap<Uint8Array, Blob>();

/** `isStored`: it lies in the cache and will be asked for again. */
export function wholeBody(
  bytes: Uint8Array,
  isStored: boolean,
  hasType: boolean,
  limits: Http3Limits,
): WholeBody {
  if (bytes.byteLength === 0) return null;
  if (!hasType) return streamOf(partsOf(bytes, limits.streamPartBytes));
  if (bytes.byteLength <= limits.copiedBytesMax) return asArrayBufferView(bytes);
  if (!isStored) return streamOf(partsOf(bytes, limits.streamPartBytes));
  let blob = SHARED.get(bytes);
  if (blob === undefined) {
    blob = new Blob([asArrayBufferView(bytes)]);
    SHARED.set(bytes, blob);
  }
  return blob;
}

/** A body that Bun pulls part by part, as the client reads. */
export function streamOf(source: PartSource): ReadableStream<Uint8Array> {
  let isCancelled = false;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const part = await source.next();
        // Parts that come in one turn stall Bun's streams over HTTP/2; over HTTP/3 they would starve other requests.
        await nextTurn();
        if (isCancelled) return;
        if (part === null) controller.close();
        else controller.enqueue(part);
      },
      cancel() {
        isCancelled = true;
        source.cancel();
      },
    },
    { highWaterMark: 0 },
  );
}

function partsOf(bytes: Uint8Array, partBytes: number): PartSource {
  let at = 0;
  return {
    next() {
      if (at >= bytes.byteLength) return Promise.resolve(null);
      const part = bytes.subarray(at, at + partBytes);
      at += part.byteLength;
      return Promise.resolve(part);
    },
    cancel() {},
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Bun takes shared memory, too; only the types of the standard library do not. */
function asArrayBufferView(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}
