/** Responses whose end is open to doubt are passed on, and never kept for others. */
import { afterAll, expect, test } from 'bun:test';
import { createTestClock, siteAt, startTestEdge } from '../../support/edge-under-test.ts';
import { startScriptedOrigin } from '../../support/scripted-origin.ts';
import { createTestAuthority } from '../../support/test-authority.ts';

const HEAD = 'HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\n';
const CHUNKS = '2\r\nhi\r\n0\r\n\r\n';

/** What the origin sends for each target; `until the end` closes behind it. */
const RESPONSES: Record<string, string> = {
  '/both': `${HEAD}Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`,
  '/both-other-order': `${HEAD}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n${CHUNKS}`,
  '/twice': `${HEAD}Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi`,
  '/list': `${HEAD}Content-Length: 2, 2\r\n\r\nhi`,
  '/until-end': `${HEAD}\r\nhi`,
  '/length': `${HEAD}Content-Length: 2\r\n\r\nhi`,
  '/chunked': `${HEAD}Transfer-Encoding: chunked\r\n\r\n${CHUNKS}`,
};

const authority = await createTestAuthority();
const tls = await authority.issue(['www.example.com']);
const start = async (options: Parameters<typeof startScriptedOrigin>[1]) => {
  const origin = await startScriptedOrigin(async (connection) => {
    for (;;) {
      const { target } = await connection.readRequest();
      connection.write(RESPONSES[target] ?? '');
      if (target === '/until-end') connection.end();
    }
  }, options);
  const origins = [{ url: origin.url, verifyCertificate: false }];
  const edge = await startTestEdge({ clock: createTestClock(), sites: [siteAt(origin.url, { origins })] });
  return { origin, edge };
};
const plain = await start({});
const secure = await start({ tls });

afterAll(async () => {
  for (const { origin, edge } of [plain, secure]) {
    await edge[Symbol.asyncDispose]();
    await origin.close();
  }
});

const cases: [string, 'plain' | 'TLS', boolean][] = [
  ['/both', 'plain', false],
  ['/both-other-order', 'plain', false],
  ['/twice', 'plain', false],
  ['/list', 'plain', false],
  ['/until-end', 'TLS', false],
  ['/until-end', 'plain', true],
  ['/length', 'TLS', true],
  ['/chunked', 'TLS', true],
];
test.each(cases)('%s over %s: kept %p', async (target, kind, isKept) => {
  const { origin, edge } = kind === 'plain' ? plain : secure;
  for (let i = 0; i < 2; i += 1) {
    const response = await edge.request(target);
    expect([response.status, response.text]).toEqual([200, 'hi']);
    const why = isKept ? (i === 0 ? 'stored' : 'hit') : 'detail=doubtful-end';
    expect(response.field('cache-status')).toContain(why);
  }
  expect(origin.requests.filter((request) => request.target === target).length).toBe(isKept ? 1 : 2);
});
