/**
 * The field section of a request to an origin over HTTP/2 (RFC 9113 §8.3.1): pseudo-fields, then the fields
 * given without those of one connection. Throws `OriginFailure` for what may not be sent.
 */
import { encodeField, fieldBytesMax } from '../../http2/hpack/encoder.ts';
import type { OriginRequest } from '../origin-client.ts';
import { checkRequest, forwardedLines } from '../request-head.ts';

/** `scheme` is the connection's; `host` what `hostSent` said. */
export function requestBlock(request: OriginRequest, scheme: 'http' | 'https', host: string): Buffer {
  const { method, target, body } = request;
  checkRequest(request, host);
  const lines: (readonly [string, string])[] = [
    [':method', method],
    [':scheme', scheme],
    [':authority', host],
    [':path', target],
    ...forwardedLines(request),
    // Trailers are passed on; some origins, gRPC's among them, ask for it to be said (RFC 9110 §10.1.4).
    ['te', 'trailers'],
  ];
  if (body !== null && body.length !== null) lines.push(['content-length', String(body.length)]);
  const room = lines.reduce((sum, [name, value]) => sum + fieldBytesMax(name, value), 0);
  const block = Buffer.allocUnsafe(room);
  let at = 0;
  for (const [name, value] of lines) at = encodeField(block, at, name, value);
  return block.subarray(0, at);
}
