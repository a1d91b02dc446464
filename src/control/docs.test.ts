import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { API_ROUTES } from '#core/contract/api.ts';
import { API_PREFIX, type ApiRoute } from '#core/contract/route.ts';
import { makeDataDirectory, startTestControl, type TestControl } from '../../test/support/test-control.ts';

const guide = readFileSync(join(import.meta.dir, '../../docs/api.md'), 'utf8');
const data = makeDataDirectory();
let control: TestControl;

beforeAll(async () => {
  control = await startTestControl({ dataDirectory: data.directory });
});
afterAll(async () => {
  await control.close();
  data.remove();
});

describe('docs/api.md', () => {
  test('names every operation', () => {
    const rows = [...guide.matchAll(/^\| (`.*`) \|/gm)].map((match) => match[1] ?? '').join('\n');
    for (const route of Object.values(API_ROUTES) as ApiRoute[]) {
      const path = route.path.replace(API_PREFIX, '');
      if (path === '/health') continue;
      const pattern = new RegExp(
        `${route.method.toUpperCase()}[A-Z ]* ${path.replace(/[{}]/g, '\\$&')}(?![/\\w])`,
      );
      expect([path, route.method, pattern.test(rows)]).toEqual([path, route.method, true]);
    }
  });

  test('its commands work as written', async () => {
    const blocks = [...guide.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
    const commands = blocks
      .join('\n')
      .replaceAll('\\\n', ' ')
      .split('\n')
      .filter((line) => line.startsWith('curl '));
    expect(commands.length).toBeGreaterThanOrEqual(5);
    const answers: string[] = [];
    for (const command of commands) {
      const response = await runCurl(command);
      answers.push(await response.text());
      expect([command, response.ok]).toEqual([command, true]);
    }
    const all = answers.join('\n');
    for (const piece of ['"edgeTtlSeconds":86400', '"id":"frankfurt"', '"tag":"sale"'])
      expect(all).toContain(piece);
  });
});

/** Does what this command of the guide would do: the few options that it uses, with the token in place. */
function runCurl(command: string): Promise<Response> {
  const words = [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? '',
  );
  const headers = new Headers();
  let method: string | null = null;
  let body: string | null = null;
  let url = '';
  for (let i = 1; i < words.length; i++) {
    const word = words[i] ?? '';
    const value = words[i + 1] ?? '';
    if (word === '-H')
      headers.append(...(value.replace('$TOKEN', control.adminToken).split(': ') as [string, string]));
    else if (word === '-d') body = value;
    else if (word === '-X') method = value;
    else url = word;
    if (word.startsWith('-')) i++;
  }
  return fetch(url.replace('http://127.0.0.1:8000', control.url), {
    method: method ?? (body === null ? 'GET' : 'POST'),
    headers,
    body,
  });
}
