import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { Fields } from '#core/http/fields.ts';
import type { BodySink, ResponseHead } from '#edge/exchange.ts';
import { openRawClient } from '../../support/raw-client.ts';
import { startTestListener } from '../../support/test-listener.ts';
import { until } from '../../support/until.ts';
import { pattern } from './pattern.ts';

const GET = 'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n';

function head(status: number, ...lines: [string, string][]): ResponseHead {
  return { status, reason: '', fields: Fields.of(lines) };
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('backpressure', () => {
  test('a client that does not read stops the producer, and later gets everything', async () => {
    const part = pattern(65_536);
    const parts = 1600;
    const produced = createHash('sha256');
    let written = 0;
    let isWaiting = false;
    const produce = async (sink: BodySink) => {
      for (let i = 0; i < parts; i += 1) {
        produced.update(part);
        written += part.length;
        isWaiting = true;
        const ready = sink.write(part);
        await ready;
        isWaiting = false;
      }
      await sink.end();
    };
    await using listener = await startTestListener((x) => void produce(x.respondStream(head(200), null)));
    const client = await openRawClient(listener.http);
    client.write(GET);
    await client.readHead();
    client.stopReading();
    let seen = -1;
    let still = 0;
    await until('the producer waits', () => {
      still = isWaiting && written === seen ? still + 1 : 0;
      seen = written;
      return still > 20;
    });
    // What two kernels buffer, and not the 100 MB of the whole.
    expect(written).toBeLessThan(40_000_000);
    client.startReading();
    const received = createHash('sha256');
    for (let i = 0; i < parts; i += 1) {
      const size = '10000\r\n';
      expect((await client.readBytes(size.length)).toString()).toBe(size);
      received.update(await client.readBytes(part.length));
      await client.readBytes(2);
    }
    expect(received.digest('hex')).toBe(produced.digest('hex'));
    client.destroy();
  }, 60_000);

  test('a large whole body reaches a slow reader whole, and the next response follows', async () => {
    const body = pattern(24_000_000);
    await using listener = await startTestListener((x) => {
      if (x.id === 1)
        x.respondPrepared({ status: 200, reason: '', lines: 'Date: x\r\n' }, '', body, body.length);
      else x.respondWhole(head(200), Buffer.from('next'));
    });
    const client = await openRawClient(listener.http);
    client.write(GET + GET);
    const large = await client.readHead();
    client.stopReading();
    await until('the response has begun', () => client.receivedBytes > 0);
    client.startReading();
    const received = await client.readBytes(Number(large.field('content-length')));
    expect(digest(received)).toBe(digest(body));
    expect((await client.readResponse()).text).toBe('next');
    client.destroy();
  }, 60_000);

  test('a small request does not wait until many large responses are written', async () => {
    const part = new Uint8Array(65_536);
    const [clients, parts] = [100, 32];
    let written = 0;
    let writtenBefore = -1;
    const produce = async (sink: BodySink) => {
      for (let i = 0; i < parts; i += 1) {
        written += part.length;
        await sink.write(part);
      }
      await sink.end();
    };
    await using listener = await startTestListener((x) => {
      if (x.request.target === '/small') writtenBefore = written;
      if (x.request.target === '/small') x.respondWhole(head(200), Buffer.from('small'));
      else produce(x.respondStream(head(200), null)).catch(() => {});
    });
    const large = await Promise.all(Array.from({ length: clients }, () => openRawClient(listener.http)));
    const small = await openRawClient(listener.http);
    await until('all are accepted', () => listener.listeners.statistics().http?.open === clients + 1);
    for (const client of large) {
      // The kernel takes all of it: nobody is held up by a reader.
      client.stopReading();
      client.write(GET);
    }
    small.write(GET.replace('/ ', '/small '));
    expect((await small.readResponse()).text).toBe('small');
    expect(writtenBefore).toBeLessThan((clients * parts * part.length) / 4);
    for (const client of [...large, small]) client.destroy();
  });

  test('a client that takes nothing for too long is cut', async () => {
    let failure: unknown;
    await using listener = await startTestListener(
      (x) => {
        const sink = x.respondStream(head(200), null);
        const produce = async () => {
          for (;;) await sink.write(new Uint8Array(65_536));
        };
        produce().catch((error: unknown) => {
          failure = error;
        });
      },
      { writeProgressMs: 200, tickMs: 50 },
    );
    const client = await openRawClient(listener.http);
    client.stopReading();
    client.write(GET);
    await until('the producer is told', () => failure !== undefined);
    expect(String(failure)).toContain('the client is gone');
    expect(listener.listeners.statistics().refusals).toEqual({ 'response-too-slow': 1 });
    client.destroy();
  }, 60_000);

  test('a road that looks after nothing is no danger when the client goes', async () => {
    let isGone = false;
    await using listener = await startTestListener((x) => {
      x.onGone(() => {
        isGone = true;
      });
      void x.body?.read();
      const sink = x.respondStream(head(200), null);
      for (let i = 0; i < 100; i += 1) void sink.write(new Uint8Array(100_000));
    });
    const client = await openRawClient(listener.http);
    client.write('POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 5\r\n\r\n');
    await client.readHead();
    client.reset();
    await until('it is noticed', () => isGone);
    const next = await openRawClient(listener.http);
    next.write(GET);
    expect((await next.readHead()).status).toBe(200);
    next.reset();
  });

  test('a client that goes is noticed', async () => {
    let isGone = false;
    let failure: unknown;
    await using listener = await startTestListener((x) => {
      x.onGone(() => {
        isGone = x.isGone;
      });
      const sink = x.respondStream(head(200), null);
      const produce = async () => {
        for (;;) {
          await sink.write(new Uint8Array(1024));
          await new Promise((resolve) => setImmediate(resolve));
        }
      };
      produce().catch((error: unknown) => {
        failure = error;
      });
    });
    const client = await openRawClient(listener.http);
    client.write(GET);
    await client.readHead();
    client.reset();
    await until('both are told', () => isGone && failure !== undefined);
    await until('the connection is let go', () => listener.listeners.statistics().http?.open === 0);
  });
});
