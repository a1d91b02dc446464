/** One rule of `docs/spec/http2.md`, shown on a real connection. */
import { expect } from 'bun:test';
import { PROTOCOL_ERROR } from '#edge/http2/frame.ts';
import type { FieldLines, Http2TestClient } from '../../support/http2-client.ts';
import { expectConnectionError, expectStreamError, type Http2Lab } from './http2-lab.ts';

export interface ConformanceCase {
  /** The rule's id. */
  readonly id: string;
  readonly shows: string;
  run(lab: Http2Lab): Promise<void>;
}

/** A case of one mistake that ends the connection. Stream 1 is open both ways when `make` is called. */
export function ending(
  id: string,
  shows: string,
  code: number,
  reason: string,
  make: (client: Http2TestClient) => void,
): ConformanceCase {
  return {
    id,
    shows,
    async run(lab: Http2Lab) {
      const client = await lab.connect();
      client.request(1, '/silent', { method: 'POST', endsStream: false });
      make(client);
      await expectConnectionError(client, code, reason);
    },
  };
}

let made = 0;

/** A path that the handler has never seen. */
export function newPath(): string {
  made += 1;
  return `/malformed-${made}`;
}

/** Requests that are malformed: the stream ends, the handler does not see them, the connection lives. */
export function malformed(
  id: string,
  shows: string,
  make: (pseudo: [string, string][]) => FieldLines,
  endsStream = true,
): ConformanceCase {
  return {
    id,
    shows,
    async run(lab) {
      const client = await lab.connect();
      const path = newPath();
      client.headers(1, make(client.pseudoFields(path)), endsStream);
      await expectStreamError(client, 1, PROTOCOL_ERROR);
      expect(lab.served).not.toContain(path);
      client.destroy();
    },
  };
}
