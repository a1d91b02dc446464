/** Every page in light and dark, wide and narrow: nothing sticks out, and everybody can use it. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { until } from '../support/until.ts';
import { launchChromium, openPage } from './chromium.ts';
import { type RunningCdn, startCdn } from './running-cdn.ts';

const START_MS = 60_000;
const HOST = 'www.example.com';
const AXE_SOURCE = readFileSync(join(import.meta.dir, '../../node_modules/axe-core/axe.min.js'), 'utf8');

/** Each page with something that is seen once it is complete. */
const PAGES = [
  ['/', 'Frankfurt'],
  ['/sites', 'Bytes saved'],
  ['/sites?add', 'The name your users type'],
  ['/sites/shop', 'From the origin'],
  ['/sites/shop?tab=rules', 'Kept 7 days'],
  ['/sites/shop?tab=purge', 'One URL in all its variants'],
  ['/sites/shop?tab=settings', 'Verify its certificate'],
  ['/pops', 'Actions for Frankfurt'],
  [`/explain?url=http://${HOST}/&from=50,8`, 'Cache key'],
  ['/status', 'Health of the edges'],
  ['/nowhere', 'There is no such page'],
] as const;

const SCREENS = [
  { width: 1440, height: 900, colorScheme: 'light' },
  { width: 1440, height: 900, colorScheme: 'dark' },
  { width: 390, height: 844, colorScheme: 'light' },
] as const;

let browser: Browser;
let cdn: RunningCdn;

beforeAll(async () => {
  const build = Bun.spawn([process.execPath, join(import.meta.dir, '../../console/build.ts')]);
  expect(await build.exited).toBe(0);
  [browser, cdn] = await Promise.all([launchChromium(), startCdn()]);
  const added = await fetch(`${cdn.url}/api/v1/sites`, {
    method: 'POST',
    headers: { authorization: `Bearer ${cdn.adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      id: 'shop',
      hosts: [HOST, 'static.example.com'],
      origins: [{ url: cdn.originUrl }],
      rules: [{ path: '/images/*', mode: 'override-origin', edgeTtlSeconds: 604_800 }],
    }),
  });
  expect(added.status).toBe(201);
  for (const popId of ['fra', 'hkg', 'fra']) expect((await cdn.get(popId, HOST, '/')).status).toBe(200);
}, START_MS);

afterAll(async () => {
  await browser?.close();
  await cdn?.close();
}, START_MS);

/** What sticks out of the screen sideways, by element. Run in the page. */
const FIND_OVERFLOW = `(() => {
  const { clientWidth, scrollWidth } = document.documentElement;
  if (scrollWidth <= clientWidth) return [];
  return [...document.querySelectorAll('body *')]
    .filter((element) => element.getBoundingClientRect().right > clientWidth + 1)
    .map((element) => element.tagName + '.' + element.getAttribute('class'));
})()`;

/** Whether everything has come to rest: half faded in, a dialog's contrast is not its own. Run in the page. */
const IS_STILL = `document.getAnimations().every(
  (animation) => animation.playState !== 'running' || animation.effect.getTiming().iterations === Infinity,
)`;

/** What people with a screen reader, a keyboard or weak eyes would stumble over. */
async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(AXE_SOURCE);
  const { violations } = await page.evaluate<AxeResults>('axe.run()');
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.target.join(' ')}: ${node.any[0]?.message ?? node.html}`),
  );
}

describe.each(SCREENS)('at $width pixels, $colorScheme', (screen) => {
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    ({ page, complaints } = await openPage(browser, screen));
    await page.goto(`${cdn.url}/status#token=${cdn.adminToken}`);
    await page.getByRole('heading', { name: 'Status' }).waitFor();
  });

  test.each(PAGES)('%s', async (path, sight) => {
    await page.goto(cdn.url + path);
    const seen = page.getByText(sight).or(page.getByLabel(sight)).first();
    await seen.waitFor({ state: 'attached' });
    await until('the page is still', () => page.evaluate<boolean>(IS_STILL));
    expect(await page.evaluate<string[]>(FIND_OVERFLOW)).toEqual([]);
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });
});
