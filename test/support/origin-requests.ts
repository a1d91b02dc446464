/** For tests of the origin client: requests with everything left at its simplest, and whole bodies. */
import { Fields } from '#core/http/fields.ts';
import type { Origin } from '#core/model/site.ts';
import type { BodySource } from '#edge/exchange.ts';
import { createHttp1Client, type Http1Client, type Http1ClientOptions } from '#edge/origin/http1-client.ts';
import { OriginFailure, type OriginRequest } from '#edge/origin/origin-client.ts';
import { systemClock } from '#platform/clock.ts';

export function createTestClient(options: Partial<Http1ClientOptions> = {}): Http1Client {
  return createHttp1Client({ egressAddress: null, clock: systemClock, ...options });
}

export function originAt(url: string, settings: Partial<Origin> = {}): Origin {
  return { url, hostHeader: null, verifyCertificate: true, timeouts: null, http2: false, ...settings };
}

type RequestParts = Partial<Omit<OriginRequest, 'origin' | 'fields'>> & {
  readonly origin?: Partial<Origin>;
  readonly fields?: readonly (readonly [string, string])[];
};

/** GET / of www.example.com at the origin, unless said otherwise. */
export function requestTo(url: string, parts: RequestParts = {}): OriginRequest {
  const { origin, fields = [], ...rest } = parts;
  return {
    method: 'GET',
    target: '/',
    body: null,
    ...rest,
    origin: originAt(url, origin),
    fields: Fields.of([['Host', 'www.example.com'], ...fields]),
  };
}

export async function readAll(body: BodySource): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const part = await body.read();
    if (part === null) return Buffer.concat(parts);
    parts.push(part);
  }
}

export async function readText(body: BodySource): Promise<string> {
  return (await readAll(body)).toString('latin1');
}

/** The failure a promise must reject with. */
export async function failureOf(promise: Promise<unknown>): Promise<OriginFailure> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof OriginFailure) return error;
    throw error;
  }
  throw new Error('expected a failure, but it succeeded');
}

export interface TestBody extends BodySource {
  readonly cancelled: readonly string[];
  readonly reads: number;
}

/** A body of parts; an Error among them is a read that rejects, a promise one that waits. */
export function bodyOf(
  parts: readonly (string | Uint8Array | Error | Promise<void>)[],
  length: number | null,
  trailers: Fields | null = null,
): TestBody {
  const cancelled: string[] = [];
  let reads = 0;
  let at = 0;
  return {
    length,
    cancelled,
    get reads() {
      return reads;
    },
    async read() {
      reads += 1;
      for (;;) {
        const part = parts[at];
        at += 1;
        if (part === undefined) return null;
        if (part instanceof Error) throw part;
        if (part instanceof Promise) await part;
        else return typeof part === 'string' ? Buffer.from(part, 'latin1') : part;
      }
    },
    trailers: () => trailers,
    cancel(reason) {
      cancelled.push(reason);
    },
  };
}
