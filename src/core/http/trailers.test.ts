import { expect, test } from 'bun:test';
import { Fields } from './fields.ts';
import { forwardedTrailers } from './trailers.ts';

test('FW7 trailers go on, but for those that belong into a head', () => {
  const trailers = Fields.of([
    ['grpc-status', '0'],
    ['Content-Length', '5'],
    ['transfer-encoding', 'chunked'],
    ['Host', 'evil.example'],
    ['AUTHORIZATION', 'Basic x'],
    ['Set-Cookie', 'a=b'],
    ['Cache-Control', 'max-age=1'],
    ['Content-Type', 'text/html'],
    ['X-Forwarded-For', '192.0.2.1'],
    ['Digest', 'sha-256=x'],
    ['X-Checksum', '1'],
    ['X-Checksum', '2'],
  ]);
  expect([...forwardedTrailers(trailers)]).toEqual([
    ['grpc-status', '0'],
    ['Digest', 'sha-256=x'],
    ['X-Checksum', '1'],
    ['X-Checksum', '2'],
  ]);
});
