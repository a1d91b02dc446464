import { describe, expect, test } from 'bun:test';
import { resolve } from 'node:path';
import type { UpOptions } from './options.ts';
import { summary } from './summary.ts';
import type { RunningCdn } from './up.ts';

const at = (port: number) => ({ address: '127.0.0.1', port });

function told(
  ports: { api: number; dns: number; http: number },
  dataDirectory: string,
  hasDemo: boolean,
): string {
  const options = { zoneName: 'cdn.test', dataDirectory, hasDemo };
  const cdn = {
    generation: 1,
    api: at(ports.api),
    dns: at(ports.dns),
    http: at(ports.http),
    https: at(8443),
  };
  return summary(options as UpOptions, cdn as RunningCdn, 'token');
}

describe('the commands that are suggested', () => {
  test('need no options where everything is at its default', () => {
    const text = told({ api: 8000, dns: 8053, http: 8080 }, resolve('.perigee'), true);
    expect(text).toContain('  npm run perigee -- explain http://shop.cdn.test/ --from Berlin\n');
    expect(text).toContain('  npm run demo:measure\n');
  });

  test('name what is elsewhere, so that they can be pasted', () => {
    const elsewhere = { api: 18000, dns: 18053, http: 18080 };
    const demo = told(elsewhere, "/tmp/it's here", true);
    const common = `--api http://127.0.0.1:18000 --data '/tmp/it'\\''s here'`;
    expect(demo).toContain(`  npm run perigee -- explain http://shop.cdn.test/ --from Berlin ${common}\n`);
    expect(demo).toContain(`  npm run demo:measure -- ${common} --dns 127.0.0.1:18053 --http-port 18080\n`);
    expect(told(elsewhere, "/tmp/it's here", false)).toContain(
      `npm run perigee -- site add www.example.com --origin http://192.0.2.1 ${common}\n`,
    );
  });
});
