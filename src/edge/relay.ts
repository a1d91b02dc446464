/** Copies a body to a client, no faster than it reads. */
import { forwardedTrailers } from '#core/http/trailers.ts';
import { releaseBytes } from '#platform/release-bytes.ts';
import type { BodySink, BodySource } from './exchange.ts';

export interface Relayed {
  readonly bytes: number;
  /** Null when the body went out whole. */
  readonly error: unknown;
}

/** Never rejects. What could not be delivered whole is ended so that the client can tell. */
export async function relay(source: BodySource, sink: BodySink): Promise<Relayed> {
  let bytes = 0;
  try {
    for (;;) {
      const part = await source.read();
      if (part === null) break;
      // Released below, it would be empty.
      const { byteLength } = part;
      await sink.write(part);
      bytes += byteLength;
      if (source.isSole === true && sink.hasLeft === true) releaseBytes(part);
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
