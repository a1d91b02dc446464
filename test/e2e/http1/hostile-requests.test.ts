import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import { RequestBodyFault } from '#edge/connection/request-refusal.ts';
import type { Exchange } from '#edge/exchange.ts';
import { openRawClient, type RawResponse } from '../../support/raw-client.ts';
import { startTestListener, type TestListener } from '../../support/test-listener.ts';
import { REFUSED_CASES } from './hostile-requests.cases.ts';
import { ACCEPTED_CASES } from './unusual-requests.cases.ts';

/** What comes behind each case; it must be answered exactly when the case is accepted. */
const NEXT = 'GET /next HTTP/1.1\r\nHost: next.example\r\nConnection: close\r\n\r\n';

/** Reads the whole body and answers with what it saw of the request. */
async function echo(exchange: Exchange): Promise<void> {
  const { method, target, authority } = exchange.request;
  try {
    let length = 0;
    for (;;) {
      const part = exchange.body === null ? null : await exchange.body.read();
      if (part === null) break;
      length += part.length;
    }
    const text = `${method} ${target} ${authority} ${length}`;
    exchange.respondWhole({ status: 200, reason: '', fields: new Fields() }, Buffer.from(text, 'latin1'));
  } catch (error) {
    if (!(error instanceof RequestBodyFault)) throw error;
    exchange.respondWhole({ status: error.status, reason: '', fields: new Fields() }, null);
  }
}

let listener: TestListener;
beforeAll(async () => {
  listener = await startTestListener((exchange) => void echo(exchange), { requestBodyBytesMax: 1_000_000 });
});
afterAll(() => listener.listeners.close(0));

/** All responses to `bytes`, sent in pieces of `pieceBytes`, until the server closes. */
async function responsesTo(bytes: string, pieceBytes = bytes.length): Promise<RawResponse[]> {
  const client = await openRawClient(listener.http);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    client.write(bytes.slice(at, at + pieceBytes));
    // Each piece in a segment of its own, as far as the system goes along.
    if (pieceBytes < bytes.length) await new Promise((resolve) => setImmediate(resolve));
  }
  const responses: RawResponse[] = [];
  for (;;) {
    const response = await client.readResponse().catch(() => null);
    if (response === null) break;
    responses.push(response);
  }
  await client.closed;
  return responses;
}

test('more than 140 requests are refused, each case under a name of its own', () => {
  const names = [...REFUSED_CASES, ...ACCEPTED_CASES].map((each) => each.name);
  expect(new Set(names).size).toBe(names.length);
  expect(REFUSED_CASES.length).toBeGreaterThan(140);
});

describe('refused, the connection closed and nothing behind it answered', () => {
  for (const { name, bytes, refuse } of REFUSED_CASES) {
    test(name, async () => {
      const responses = await responsesTo(bytes + NEXT);
      expect(responses.map((response) => response.status)).toEqual([refuse]);
      expect(responses[0]?.field('connection')).toBe('close');
      expect(responses[0]?.isComplete).toBe(true);
    });
  }
});

describe('accepted, and the next request answered too', () => {
  for (const { name, bytes, accept } of ACCEPTED_CASES) {
    test(name, async () => {
      const responses = await responsesTo(bytes + NEXT);
      expect(responses.map((response) => response.text)).toEqual([...accept, 'GET /next next.example 0']);
    });
  }
});

describe('cut into pieces, each case ends as it does whole', () => {
  const short = [...REFUSED_CASES, ...ACCEPTED_CASES].filter((each) => each.bytes.length < 400);
  for (const pieceBytes of [1, 7]) {
    test(`${short.length} cases in pieces of ${pieceBytes}`, async () => {
      for (const each of short) {
        const responses = await responsesTo(each.bytes + NEXT, pieceBytes);
        const seen = `${each.name}: ${responses.map((r) => (r.status === 200 ? r.text : r.status)).join(' | ')}`;
        const due = 'refuse' in each ? [each.refuse] : [...each.accept, 'GET /next next.example 0'];
        expect(seen).toBe(`${each.name}: ${due.join(' | ')}`);
      }
    }, 60_000);
  }
});
