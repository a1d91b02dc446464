/** A real browser loads a page with many parts from the edge over HTTP/2. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { Browser } from 'playwright-core';
import { createTestClock, siteAt, startTestEdge, type TestEdge } from '../support/edge-under-test.ts';
import { type ScriptedOrigin, startScriptedOrigin } from '../support/scripted-origin.ts';
import { createTestAuthority } from '../support/test-authority.ts';
import { launchChromium } from './chromium.ts';

const PICTURES = 60;
const PICTURE = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>');
const PAGE = `<!doctype html><title>parts</title><link rel="stylesheet" href="/style.css"><script src="/script.js" defer></script>
${Array.from({ length: PICTURES }, (_, i) => `<img src="/picture-${i}.svg" alt="">`).join('\n')}`;

const FILES: Readonly<Record<string, readonly [string, Buffer]>> = {
  '/': ['text/html', Buffer.from(PAGE)],
  '/style.css': ['text/css', Buffer.from(`body{color:green}${' '.repeat(200_000)}`)],
  '/script.js': ['text/javascript', Buffer.from(`window.ran = true;${' '.repeat(400_000)}`)],
};

/** Runs in the page. */
const LOOK = `(async () => {
  const upload = await fetch('/upload', { method: 'POST', body: new Uint8Array(3_000_000) });
  const answer = await upload.text();
  // A response that has been read is not yet one that has been noted down.
  const isNoted = () => performance.getEntriesByName(upload.url).length > 0;
  for (let waits = 0; waits < 500 && !isNoted(); waits++) await new Promise((resolve) => setTimeout(resolve, 20));
  // The browser asks for an icon of its own accord, and sooner or later.
  const timed = performance
    .getEntries()
    .filter(({ name, nextHopProtocol }) => nextHopProtocol !== undefined && !name.endsWith('/favicon.ico'));
  return {
    protocols: [...new Set(timed.map(({ nextHopProtocol }) => nextHopProtocol))],
    count: timed.length,
    upload: answer,
    color: getComputedStyle(document.body).color,
    hasRun: window.ran === true,
    pictures: [...document.images].filter(({ complete, naturalWidth }) => complete && naturalWidth > 0).length,
  };
})()`;

let origin: ScriptedOrigin;
let edge: TestEdge;
let browser: Browser;

beforeAll(async () => {
  origin = await startScriptedOrigin(async (connection) => {
    for (;;) {
      const { method, target, body } = await connection.readRequest();
      const [type, content] = FILES[target] ?? ['image/svg+xml', PICTURE];
      const answer = method === 'POST' ? Buffer.from(String(body.length)) : content;
      connection.write(
        `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nCache-Control: max-age=60\r\nContent-Length: ${answer.length}\r\n\r\n`,
      );
      connection.write(answer);
    }
  });
  const authority = await createTestAuthority();
  const { key, cert } = await authority.issue(['localhost']);
  edge = await startTestEdge({
    clock: createTestClock(),
    sites: [siteAt(origin.url, { hosts: ['localhost'] })],
    certificates: [{ hosts: ['localhost'], certificatePem: cert, privateKeyPem: key }],
  });
  browser = await launchChromium();
});
afterAll(async () => {
  await browser.close();
  await edge[Symbol.asyncDispose]();
  await origin.close();
});

test('a page and all its parts come over HTTP/2, and an upload goes', async () => {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  await page.goto(`https://localhost:${edge.running.https?.port}/`, { waitUntil: 'load' });
  const seen = await page.evaluate(LOOK);
  expect(seen).toEqual({
    protocols: ['h2'],
    // The page, style, script, pictures and the upload.
    count: PICTURES + 4,
    upload: '3000000',
    color: 'rgb(0, 128, 0)',
    hasRun: true,
    pictures: PICTURES,
  });
  await context.close();
});
