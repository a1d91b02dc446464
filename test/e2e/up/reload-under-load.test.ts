/**
 * Reloads while users come and go over TLS as fast as this machine can make them: nobody notices. Counts are
 * asserted, never times.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { systemClock } from '#platform/clock.ts';
import { ask } from '../../support/dns-query.ts';
import { startHandlerOrigin } from '../../support/handler-origin.ts';
import { type PerigeeProcess, startPerigee } from '../../support/perigee-process.ts';
import { openRawClient } from '../../support/raw-client.ts';
import {
  beginDownload,
  connectAnew,
  reuseConnections,
  reuseHttp2,
  type SecureUsers,
  secureUsers,
  sha256,
  Tally,
  type Users,
} from '../../support/restart-load.ts';
import type { ScriptedOrigin } from '../../support/scripted-origin.ts';
import { until } from '../../support/until.ts';
import { pattern } from '../http1/pattern.ts';

const HOST = 'www.example.com';
const RELOADS = 3;
const CONNECTIONS_MIN = 3_000;
/** More than the kernel keeps for a connection, so that the edge has to stay for it. */
const LARGE = pattern(32 * 1024 * 1024);
let origin: ScriptedOrigin;
let perigee: PerigeeProcess;
let users: SecureUsers;
let plainUsers: Users;

beforeAll(async () => {
  origin = await startHandlerOrigin(systemClock, ({ method, target, body }) => {
    if (method === 'POST')
      return { body: target === '/echo' ? `echo ${body.toString('latin1')}` : sha256(body) };
    const fields = [['Cache-Control', target === '/pass' ? 'no-store' : 'max-age=600']] as const;
    return { fields, body: target === '/small' ? 'small' : LARGE };
  });
  perigee = await startPerigee('--no-demo', '--edges', '2', '--site', `${HOST}=${origin.url}`);
  const ca = await (await fetch(`http://${perigee.api}/ca.pem`)).text();
  const place = (text: string) => {
    const [address = '', port = ''] = text.split(':');
    return { address, port: Number(port) };
  };
  users = secureUsers(place(perigee.https), HOST, ca);
  plainUsers = { options: place(perigee.http), host: HOST };
});

afterAll(async () => {
  expect(await perigee.stop()).toBe(0);
  await origin.close();
});

test(`${RELOADS} reloads under ${CONNECTIONS_MIN} new TLS connections and more: nothing fails`, async () => {
  const tally = new Tally();
  const plainTally = new Tally();
  let isOver = false;
  const wrongAnswers: unknown[] = [];
  const downloads = await Promise.all(
    [users, plainUsers].flatMap((who) =>
      ['/stored', '/pass'].map((path) => beginDownload(who, path, LARGE.length)),
    ),
  );
  const upload = await openRawClient(users.options);
  upload.write(`POST /sum HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: ${LARGE.length}\r\n\r\n`);
  const [half, rest] = [LARGE.subarray(0, LARGE.length / 2), LARGE.subarray(LARGE.length / 2)];
  upload.write(half);

  const load = [
    ...Array.from({ length: 24 }, () => connectAnew(users, tally, () => isOver)),
    ...Array.from({ length: 2 }, () => connectAnew(plainUsers, plainTally, () => isOver)),
    ...Array.from({ length: 4 }, (_, n) => reuseConnections(plainUsers, plainTally, () => isOver, 5 + n)),
    ...Array.from({ length: 12 }, (_, n) => reuseConnections(users, tally, () => isOver, 5 + n)),
    ...Array.from({ length: 4 }, (_, n) => reuseHttp2(users, tally, () => isOver, 5 + n)),
    (async () => {
      while (!isOver) {
        const { answers } = await ask(perigee.dns, { name: HOST, type: 'A' });
        if (answers?.length !== 1) wrongAnswers.push(answers);
        await Bun.sleep(2);
      }
    })(),
  ];
  for (let reload = 1; reload <= RELOADS; reload += 1) {
    const enough = (CONNECTIONS_MIN * reload) / (RELOADS + 1);
    await until(`${enough} connections`, () => tally.connections >= enough);
    const { exitCode, err } = await perigee.reload();
    expect([exitCode, err]).toEqual([0, '']);
  }
  await until('enough connections', () => tally.connections >= CONNECTIONS_MIN);
  isOver = true;
  await Promise.all(load);

  for (const download of downloads) expect(download.receivedBytes()).toBeLessThan(LARGE.length);
  const digests = await Promise.all(downloads.map((download) => download.finish()));
  expect(new Set(digests)).toEqual(new Set([sha256(LARGE)]));
  upload.write(rest);
  expect((await upload.readResponse()).text).toBe(sha256(LARGE));
  upload.destroy();

  expect([...tally.failures, ...plainTally.failures]).toEqual([]);
  expect(wrongAnswers).toEqual([]);
  // Those who reuse connections have seen workers go, and were told in time.
  for (const { announcedEnds, reused } of [tally, plainTally]) {
    expect(announcedEnds).toBeGreaterThan(0);
    expect(reused).toBeGreaterThan(0);
  }
  // Every request is counted once, whichever process answered it and whichever counted.
  const requests = tally.responses + plainTally.responses + downloads.length + 1;
  await until('all requests are counted', async () => (await countedRequests()) >= requests);
  expect(await countedRequests()).toBe(requests);
}, 120_000);

async function countedRequests(): Promise<number> {
  const { out } = await perigee.cli('stats', '--json');
  return (JSON.parse(out) as { totals: { requests: number } }).totals.requests;
}
