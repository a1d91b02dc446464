/** Debian's Chromium, driven through playwright-core. It downloads no browser of its own. */
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** For everything that is waited for; a busy machine takes its time. */
const WAIT_MS = 30_000;

/** With `quic`, HTTP/3 is spoken, as the arguments say more of; else not at all. */
export function launchChromium(quic: readonly string[] | null = null): Promise<Browser> {
  if (!existsSync(CHROMIUM)) {
    throw new Error('the browser tests need Chromium, which is not installed: apt-get install chromium');
  }
  return chromium.launch({ executablePath: CHROMIUM, args: [...ARGUMENTS, ...(quic ?? ['--disable-quic'])] });
}

export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'light' | 'dark';
}

/** A page in a session of its own, and what its scripts complained about. */
export async function openPage(
  browser: Browser,
  options: PageOptions = {},
): Promise<{ readonly page: Page; readonly complaints: string[] }> {
  const { width = 1440, height = 900, colorScheme = 'light' } = options;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  return { page, complaints };
}
