/** How a site is cached, said in the console: a rule's options and the site's own, saved, shown, and there again. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { launchChromium, openPage } from './chromium.ts';
import { type RunningCdn, startCdn } from './running-cdn.ts';

const START_MS = 60_000;
let browser: Browser;
let cdn: RunningCdn;
let page: Page;
let complaints: string[];

const api = async (method: string, path: string, body?: object): Promise<Record<string, unknown>> => {
  const answer = await fetch(`${cdn.url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${cdn.adminToken}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await answer.json()) as Record<string, unknown>;
};

beforeAll(async () => {
  const build = Bun.spawn([process.execPath, join(import.meta.dir, '../../console/build.ts')]);
  expect(await build.exited).toBe(0);
  [browser, cdn] = await Promise.all([launchChromium(), startCdn()]);
  await api('POST', '/sites', { id: 'shop', hosts: ['www.example.com'], origins: [{ url: cdn.originUrl }] });
  ({ page, complaints } = await openPage(browser));
  await page.goto(`${cdn.url}/sites/shop?tab=rules#token=${cdn.adminToken}`);
}, START_MS);

afterAll(async () => {
  await browser?.close();
  await cdn?.close();
}, START_MS);

const choose = async (label: string, option: string): Promise<void> => {
  await page.getByRole('combobox', { name: label, exact: true }).click();
  await page.getByRole('option', { name: option, exact: true }).click();
};

const tag = async (label: string, text: string): Promise<void> => {
  const field = page.getByRole('combobox', { name: label, exact: true });
  await field.fill(text);
  await field.press('Enter');
};

test('a rule with a key of its own and TTLs by status', async () => {
  await page.getByRole('button', { name: 'Add a rule' }).click();
  await page.getByLabel('Path').fill('/api/*');
  await choose('What to do', 'Respect the origin');
  await page.getByText('More about these responses').click();
  await tag('Answers by status', '404');
  await page.getByRole('button', { name: 'Save rule' }).click();
  await page.getByText('must be a status and a duration, such as 404=30s').waitFor();
  await page.getByRole('combobox', { name: 'Answers by status' }).press('Backspace');
  await tag('Answers by status', '404=1m');
  await page.getByRole('switch', { name: 'A cache key of its own' }).check();
  await choose('Parameters of the query', 'All but some');
  await tag('Their names', 'utm_*');
  await tag('Request headers', 'X-Tenant');
  await choose('Responses that set cookies', 'Without the cookie');
  await page.getByRole('button', { name: 'Save rule' }).click();
  const words = '404 for 1 minute; key: query except utm_*; header x-tenant; Set-Cookie: strip';
  await page.getByText(words).waitFor();
  await page.reload();
  await page.getByText(words).waitFor();
  await page.getByRole('button', { name: 'Change rule 1' }).click();
  await page.getByText('utm_*', { exact: true }).waitFor();
  expect(await api('GET', '/sites/shop')).toMatchObject({
    rules: [
      {
        path: '/api/*',
        statusTtls: [{ status: '404', seconds: 60 }],
        cacheKey: { query: { include: 'except', names: ['utm_*'] }, headers: ['x-tenant'] },
        setCookie: 'strip',
        slices: null,
      },
    ],
  });
}, 60_000);

test('a rule about a media type says that requests are decided before', async () => {
  await page.getByLabel('Media type').fill('image/*');
  await page.getByText('decided before the type of a response is known').waitFor();
  await page.getByRole('button', { name: 'Save rule' }).click();
  await page.getByText('/api/*, type image/*').waitFor();
  expect(await api('GET', '/sites/shop')).toMatchObject({
    rules: [{ contentType: 'image/*', cacheKey: null }],
  });
}, 60_000);

test('the site’s own', async () => {
  await page.goto(`${cdn.url}/sites/shop?tab=settings`);
  await tag('Who has a cookie', 'session*');
  await choose('Requests for something fresher', 'Are answered as others');
  await choose('Request headers for the origin', 'The usual ones and these');
  await tag('These', 'X-Tenant');
  await page.getByRole('button', { name: 'Save caching' }).click();
  await page.getByRole('button', { name: 'Save caching', disabled: true }).waitFor();
  expect(await api('GET', '/sites/shop')).toMatchObject({
    bypassWhen: { cookies: ['session*'] },
    requestDirectives: 'ignore',
    requestFields: ['x-tenant'],
    setCookie: 'explicit',
  });
  expect(complaints).toEqual([]);
}, 60_000);
