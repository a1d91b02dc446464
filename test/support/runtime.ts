/** The runtime a test runs on: Bun, the product's, or Node, the engines' second one (`npm run test:node`). */
import { test } from 'bun:test';

const isBun = process.versions.bun !== undefined;

/** Why a reset after a half-close goes unnoticed on Node while nothing is written. */
export const UNWATCHED = 'Node does not watch a socket whose input has ended';

/** A test that cannot run on Node; `reason` says why, in words for whoever wonders. */
export function testOnBun(reason: string, name: string, body: () => Promise<void>): void {
  if (!isBun) process.stdout.write(`skipped on Node: ${name} (${reason})\n`);
  test.skipIf(!isBun)(name, body);
}

/** To be called at the top of a file of which nothing can run on Node, before its hooks and tests. */
export function fileOnBun(reason: string): void {
  if (isBun) return;
  process.stdout.write(`skipped on Node: ${process.argv[1]} (${reason})\n`);
  process.exit(0);
}
