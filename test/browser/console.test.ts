/** The console as people use it, in a real browser against a real CDN. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { launchChromium, openPage } from './chromium.ts';
import { type RunningCdn, startCdn } from './running-cdn.ts';

const START_MS = 60_000;
const HOST = 'www.example.com';

let browser: Browser;
let cdn: RunningCdn;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  const build = Bun.spawn([process.execPath, join(import.meta.dir, '../../console/build.ts')]);
  expect(await build.exited).toBe(0);
  [browser, cdn] = await Promise.all([launchChromium(), startCdn()]);
  ({ page, complaints } = await openPage(browser));
}, START_MS);

afterAll(async () => {
  await browser?.close();
  await cdn?.close();
}, START_MS);

/** Waits until text that matches is seen. */
async function see(text: string | RegExp): Promise<void> {
  await page.getByText(text).first().waitFor();
}

function click(role: 'button' | 'link' | 'tab' | 'menuitem' | 'radio', name: string | RegExp): Promise<void> {
  return page.getByRole(role, { name }).first().click();
}

/** The value of a key figure. */
function figure(name: string) {
  return page.getByRole('group', { name, exact: true }).locator('strong');
}

async function requestMany(popId: string, path: string, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    expect((await cdn.get(popId, HOST, path)).status).toBe(200);
  }
}

// One visit from signing in to losing the control plane: each test goes on where the one before stopped.
describe('the console', () => {
  test('asks for a token, and says when it is wrong', async () => {
    await page.goto(cdn.url);
    await page.getByLabel('Token').first().fill('perigee_wrong');
    await click('button', 'Sign in');
    await see('This token is not valid');
    complaints.splice(0);
  });

  test('signs in by the printed link, and keeps the token out of the address', async () => {
    await page.goto(`${cdn.url}/#token=${cdn.adminToken}`);
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    expect(page.url()).toBe(`${cdn.url}/`);
    await page.reload();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
  });

  test('shows the POPs on the map with their health', async () => {
    for (const name of ['Frankfurt', 'Hong Kong', 'São Paulo']) {
      await page.getByRole('button', { name: `${name}: Healthy` }).waitFor();
    }
    await page.getByRole('button', { name: 'Frankfurt: Healthy' }).focus();
    await page.getByRole('status').getByText('Its edge is up.').waitFor();
  });

  test('teaches the first step while there are no sites', async () => {
    await see('No sites yet');
    await click('link', 'Add a site');
    await page.getByRole('dialog', { name: 'Add a site' }).waitFor();
  });

  test('says beside the field what is wrong with a new site, and then adds it', async () => {
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Host name').fill('https://www.example.com/shop');
    await dialog.getByLabel('Origin').fill('the machine in the corner');
    await dialog.getByRole('button', { name: 'Add site' }).click();
    await see(/must be a host name such as/);
    await see(/must be an address such as/);
    await dialog.getByLabel('Host name').fill(HOST);
    await dialog.getByLabel('Origin').fill(cdn.originUrl);
    await dialog.getByRole('button', { name: 'Add site' }).click();
    await see('point your CNAME to Perigee');
    await see(`${HOST}. CNAME www-example-com.cdn.test.`);
  });

  test('refuses a host that is taken, in the words of the control plane', async () => {
    await page.goto(`${cdn.url}/sites?add`);
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Host name').fill(HOST);
    await dialog.getByLabel('Origin').fill(cdn.originUrl);
    await dialog.getByLabel('Id').fill('another');
    await dialog.getByRole('button', { name: 'Add site' }).click();
    await see(/www-example-com/);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    complaints.splice(0);
  });

  test('shows traffic as it happens', async () => {
    await page.goto(cdn.url);
    await page.getByText('1 min', { exact: true }).click();
    await requestMany('fra', '/style.css', 30);
    await requestMany('hkg', '/style.css', 10);
    expect(cdn.originRequests('/style.css')).toBe(2);
    await see('40 in the time shown');
    expect(await figure('Hit ratio').textContent()).toBe('95%');
    expect(Number(await figure('Requests per second').textContent())).toBeGreaterThan(0);
    await page.getByRole('button', { name: /^Frankfurt: Healthy, [1-9<]/ }).waitFor();
  });

  test('lists the site with its figures', async () => {
    await click('link', 'Sites');
    const row = page.getByRole('row', { name: new RegExp(HOST) });
    await row.getByText('95%').waitFor();
    await row.getByText('www-example-com.cdn.test').waitFor();
    await click('link', HOST);
    await page.getByRole('heading', { name: HOST }).waitFor();
  });

  test('adds a cache rule and shows it in words', async () => {
    await click('tab', 'Cache rules');
    await click('button', 'Add a rule');
    await page.getByLabel('Path').fill('no-slash');
    await page.getByLabel('Edges keep it').fill('soon');
    await click('button', 'Save rule');
    await see('must begin with "/"');
    await see('must be a duration such as 10m, 1h or 7d');
    await page.getByLabel('Path').fill('/images/*');
    await page.getByLabel('Edges keep it').fill('7d');
    await click('button', 'Save rule');
    await see('Kept 7 days, whatever the origin says');
  });

  test('explains where a user goes and what the cache there has', async () => {
    await click('link', 'Explain a URL');
    await page.getByLabel('URL').fill(`http://${HOST}/style.css`);
    await page.getByRole('combobox', { name: 'For a user in' }).fill('Berlin');
    await page
      .getByRole('option', { name: /Berlin/ })
      .first()
      .click();
    await page.getByRole('button', { name: 'Explain', exact: true }).click();
    const story = page.getByRole('region', { name: 'What happens' });
    await story.getByText(/Frankfurt/).waitFor();
    await story.getByText('Fresh', { exact: true }).waitFor();
    await story.getByText(/old of a lifetime of 10 m/).waitFor();
    await page.getByRole('row', { name: /Frankfurt 4\d\d km .*Chosen/ }).waitFor();
  });

  test('purges a URL everywhere, with receipts', async () => {
    await page.goto(`${cdn.url}/sites/www-example-com?tab=purge`);
    await page.getByLabel('URL', { exact: true }).last().fill('/style.css');
    await page.getByRole('button', { name: 'Purge', exact: true }).click();
    await see('applied by 3 of 3');
    await requestMany('fra', '/style.css', 1);
    expect(cdn.originRequests('/style.css')).toBe(3);
  });

  test('asks before it purges everything', async () => {
    await page.getByText('Everything', { exact: true }).first().click();
    await click('button', 'Purge everything…');
    await page.getByRole('dialog').getByRole('button', { name: 'Purge everything' }).click();
    await page.getByRole('cell', { name: 'Everything', exact: true }).waitFor();
    await requestMany('hkg', '/style.css', 1);
    expect(cdn.originRequests('/style.css')).toBe(4);
  });

  test('drains a POP, adds one by its city, and deletes it', async () => {
    await click('link', 'POPs');
    await click('button', 'Actions for Frankfurt');
    await click('menuitem', 'Drain: send no new users');
    await page.getByRole('row', { name: /Frankfurt.*Drained/ }).waitFor();
    await click('button', 'Add a POP');
    await page.getByRole('combobox', { name: 'City' }).fill('Johannesb');
    await page
      .getByRole('option', { name: /Johannesburg/ })
      .first()
      .click();
    const addresses = page.getByRole('combobox', { name: 'Addresses' });
    await addresses.fill('not an address');
    await click('button', 'Add POP');
    await see('must be an IPv4 or IPv6 address');
    await addresses.press('Backspace');
    await addresses.fill('192.0.2.4');
    await click('button', 'Add POP');
    await page.getByRole('row', { name: /Johannesburg.*192\.0\.2\.4/ }).waitFor();
    await click('button', 'Actions for Johannesburg');
    await click('menuitem', 'Delete…');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete POP' }).click();
    await page.getByRole('row', { name: /Johannesburg/ }).waitFor({ state: 'detached' });
  });

  test('shows the parts of the system', async () => {
    await click('link', 'Status');
    await see('All parts ready');
    await page.getByRole('row', { name: /Edge fra-1, worker 0 Ready/ }).waitFor();
    await page.getByRole('row', { name: /Name server Ready/ }).waitFor();
  });

  test('nothing went wrong in the page so far', () => {
    expect(complaints).toEqual([]);
  });

  test('keeps the last figures when the control plane is gone, and says so', async () => {
    await click('link', 'Overview');
    await page.getByText('24 hours', { exact: true }).click();
    await see(/in the time shown/);
    await cdn.closeControl();
    await page
      .getByRole('alert')
      .getByText(/No answer from the control plane since/)
      .waitFor();
    await page.getByRole('button', { name: /^Hong Kong: Healthy/ }).waitFor();
    expect(await figure('Hit ratio').textContent()).toMatch(/%$/);
  });
});
