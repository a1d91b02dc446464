/** Copies a body to a client, no faster than it reads. */
import { forwardedTrailers } from '#core/http/trailers.ts';
import { releaseBytes } from '#platform/release-bytes.ts';
import type { BodySink, BodySource, FileSink } from './exchange.ts';

export interface Relayed {
  readonly bytes: number;
  /** Null when the body went out whole. */
  readonly error: unknown;
}

/** Never rejects. What could not be delivered whole is ended so that the client can tell. */
export async function relay(source: BodySource, sink: BodySink): Promise<Relayed> {
  // What lies in a file goes out as it lies there, where the client's connection can do that.
  const files = sink.files ?? null;
  let bytes = 0;
  try {
    for (;;) {
      const part = await (files === null ? source.read() : (source.readFile?.() ?? source.read()));
      if (part === null) break;
      // Released below, it would be empty.
      const { byteLength } = part;
      if (part instanceof Uint8Array) await sink.write(part);
      else await (files as FileSink).writeFile(part);
      bytes += byteLength;
      if (part instanceof Uint8Array && source.isSole === true && sink.hasLeft === true) releaseBytes(part);
    }
    const trailers = source.trailers();
    await sink.end(trailers === null ? undefined : forwardedTrailers(trailers));
    return { bytes, error: null };
  } catch (error) {
    source.cancel('it could not be passed on');
    sink.abort('the body did not arrive whole');
    return { bytes, error };
  }
}
