/** Copies a body to a client, no faster than it reads. */
import { forwardedTrailers } from '#core/http/trailers.ts';
import { releaseBytes } from '#platform/release-bytes.ts';
import type { BodySink, BodySource, FilePart } from './exchange.ts';

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
      const part = await nextPart(source, sink);
      if (part === null) break;
      if (!(part instanceof Uint8Array)) {
        await sink.writeFile?.(part);
        bytes += part.byteLength;
        continue;
      }
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

/** What lies in a file goes out as it lies there, where the client's connection can do that. */
function nextPart(source: BodySource, sink: BodySink): Promise<FilePart | Uint8Array | null> {
  return source.readFile !== undefined && sink.writeFile != null ? source.readFile() : source.read();
}
