import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONNECTION_CASES } from './conformance-connection.cases.ts';
import { EXTENSION_CASES } from './conformance-extensions.cases.ts';
import { FRAME_CASES } from './conformance-frames.cases.ts';
import { MESSAGE_CASES } from './conformance-messages.cases.ts';
import { STREAM_CASES } from './conformance-streams.cases.ts';
import { WINDOW_CASES } from './conformance-windows.cases.ts';
import { type Http2Lab, startHttp2Lab } from './http2-lab.ts';

const CASES = [
  ...CONNECTION_CASES,
  ...STREAM_CASES,
  ...FRAME_CASES,
  ...WINDOW_CASES,
  ...MESSAGE_CASES,
  ...EXTENSION_CASES,
];

let lab: Http2Lab;
beforeAll(async () => {
  lab = await startHttp2Lab();
});
afterAll(() => lab[Symbol.asyncDispose]());

for (const { id, shows, run } of CASES) test(`${id}: ${shows}`, () => run(lab));

describe('every rule has a test, and every test a rule', () => {
  const document = readFileSync(join(import.meta.dirname, '../../../docs/spec/http2.md'), 'utf8');
  const written = [...document.matchAll(/^\| ((?:H2|WS|PR|AB)[-.\d]+[a-z]?) \|/gm)].map(([, id]) => id);
  /** Tests of the bounds are named by their ids where they stand. */
  const hostile = readdirSync(import.meta.dirname)
    .filter((name) => name.startsWith('hostile') && name.endsWith('.test.ts'))
    .flatMap((name) => [
      ...readFileSync(join(import.meta.dirname, name), 'utf8').matchAll(/\btest\(['`](AB\d+): /g),
    ])
    .map(([, id]) => id);

  test('in docs/spec/http2.md', () => {
    const shown = new Set([...CASES.map(({ id }) => id), ...hostile]);
    expect(written.length).toBeGreaterThan(100);
    expect(new Set(written).size).toBe(written.length);
    expect(written.filter((id) => !shown.has(id))).toEqual([]);
    expect([...shown].filter((id) => !written.includes(id))).toEqual([]);
  });
});
