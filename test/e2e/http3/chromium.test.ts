/** The listener with Chromium as its client: what only a client with flow control and a parser of its own can show. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createHash, X509Certificate } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { Fields } from '#core/http/fields.ts';
import type { Exchange } from '#edge/exchange.ts';
import { launchChromium, openPage } from '../../browser/chromium.ts';
import {
  startTestHttp3Listener,
  type TestHttp3Listener,
  testCertificate,
} from '../../support/http3-listener.ts';
import { until } from '../../support/until.ts';

const HOST = 'www.example.com';
const MIB = 1024 * 1024;
const START_MS = 60_000;

let listener: TestHttp3Listener;
let browser: Browser;
let page: Page;
/** What is done with requests for a path. */
const handlers = new Map<string, (exchange: Exchange) => void>();

const headOf = (...fields: [string, string][]) => ({
  status: 200,
  reason: '',
  fields: Fields.of([['Content-Type', 'text/html'], ...fields]),
});

beforeAll(async () => {
  const limits = { gatherMs: 20, tickMs: 20, writeProgressMs: 500, forcedRenewalIntervalMs: 100 };
  listener = await startTestHttp3Listener(
    (exchange) => {
      const handler = handlers.get(exchange.request.target.split('?')[0] ?? '');
      if (handler === undefined) exchange.respondWhole(headOf(), Buffer.from('<!doctype html>'));
      else handler(exchange);
    },
    { limits },
  );
  const { port } = listener.address;
  const { certificatePem } = await testCertificate();
  const key = new X509Certificate(certificatePem).publicKey.export({ type: 'spki', format: 'der' });
  browser = await launchChromium([
    '--enable-quic',
    `--origin-to-force-quic-on=${HOST}:${port}`,
    `--ignore-certificate-errors-spki-list=${createHash('sha256').update(key).digest('base64')}`,
    `--host-resolver-rules=MAP ${HOST} 127.0.0.1`,
    '--no-proxy-server',
  ]);
  ({ page } = await openPage(browser));
  await page.goto(`https://${HOST}:${port}/`);
}, START_MS);

afterAll(async () => {
  await browser?.close();
  await listener[Symbol.asyncDispose]();
}, START_MS);

test('bytes above 127 in fields pass as they are, both ways', async () => {
  const sent: (string | null)[] = [];
  handlers.set('/latin', (exchange) => {
    sent.push(exchange.request.fields.get('x-sent'));
    exchange.respondWhole(headOf(['X-Latin', 'caf\xe9'], ['X-Utf8', 'caf\xc3\xa9']), Buffer.from('x'));
  });
  const values = await page.evaluate<string[]>(`(async () => {
    const { headers } = await fetch('/latin', { headers: { 'X-Sent': 'caf\\xe9' } });
    return [headers.get('x-latin'), headers.get('x-utf8')];
  })()`);
  expect(values).toEqual(['caf\xe9', 'caf\xc3\xa9']);
  expect(sent).toEqual(['caf\xe9']);
});

test('a page that does not read holds up the source, and is given up after the time', async () => {
  const { promise: outcome, resolve } = Promise.withResolvers<{ written: number; error: unknown }>();
  handlers.set('/endless', async (exchange) => {
    const sink = exchange.respondStream(headOf(), null);
    let written = 0;
    try {
      for (;;) {
        await sink.write(new Uint8Array(65_536));
        written += 65_536;
      }
    } catch (error) {
      resolve({ written, error });
    }
  });
  const before = process.memoryUsage.rss();
  await page.evaluate(`fetch('/endless').then((response) => { globalThis.kept = response; })`);
  const { written, error } = await outcome;
  expect(String(error)).toContain('the client is gone');
  // What Chromium itself takes into its windows without reading; of that, nothing is kept here.
  expect(written).toBeLessThan(128 * MIB);
  expect(process.memoryUsage.rss() - before).toBeLessThan(32 * MIB);
  expect(listener.listener.statistics().refusals['response-too-slow']).toBe(1);
  // The page is not told that it has the whole: it learns that the connection is gone.
  const read = await page.evaluate<string>(`kept.text().then(() => 'whole', () => 'broken off')`);
  expect(read).toBe('broken off');
});

test('a body that breaks off is never taken for whole', async () => {
  handlers.set('/broken', (exchange) => {
    const sink = exchange.respondStream(headOf(), null);
    sink.write(new Uint8Array(2 * MIB)).then(
      () => sink.abort('the origin broke off'),
      () => {},
    );
  });
  const read = await page.evaluate<string>(
    `fetch('/broken').then((response) => response.text()).then(() => 'whole', () => 'broken off')`,
  );
  expect(read).toBe('broken off');
});

test('many readers that stall share one copy of a large body', async () => {
  const body = new Uint8Array(24 * MIB).fill(65);
  const head = { status: 200, reason: '', lines: 'Content-Type: text/plain\r\n' };
  handlers.set('/large', (exchange) => exchange.respondPrepared(head, '', body, body.length));
  const before = process.memoryUsage.rss();
  await page.evaluate(`(async () => {
    globalThis.stalled = await Promise.all(Array.from({ length: 16 }, (_, n) => fetch('/large?' + n)));
  })()`);
  await until('all are under way', () => listener.listener.statistics().pending === 16);
  // A copy for each would be 384 MiB.
  expect(process.memoryUsage.rss() - before).toBeLessThan(128 * MIB);
  await page.evaluate(`Promise.all(stalled.map((response) => response.body.cancel()))`);
  await until('all are given up', () => listener.listener.statistics().pending === 0);
});

test('an upload slower than the time without packets arrives whole', async () => {
  const { promise: bytes, resolve } = Promise.withResolvers<number>();
  handlers.set('/slow-upload', async (exchange) => {
    let sum = 0;
    for (;;) {
      const part = (await exchange.body?.read()) ?? null;
      if (part === null) break;
      sum += part.length;
    }
    resolve(sum);
    exchange.respondWhole(headOf(), Buffer.from(String(sum)));
  });
  const answer = await page.evaluate<string>(`(async () => {
    const body = new ReadableStream({
      async pull(controller) {
        this.parts = (this.parts ?? 0) + 1;
        if (this.parts > 5) return controller.close();
        await new Promise((resolve) => setTimeout(resolve, 50));
        controller.enqueue(new Uint8Array(1000));
      },
    });
    const response = await fetch('/slow-upload', { method: 'POST', body, duplex: 'half' });
    return response.text();
  })()`);
  expect(answer).toBe('5000');
  expect(await bytes).toBe(5000);
});
