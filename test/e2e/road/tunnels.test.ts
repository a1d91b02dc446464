/** Switching protocols through a whole edge, byte by byte: raw sockets at both ends. */
import { describe, expect, test } from 'bun:test';
import type { SiteInput } from '#core/model/site.ts';
import type { TunnelLimits } from '#edge/tunnels.ts';
import { webSocketAccept } from '#edge/websocket-handshake.ts';
import { createTestClock, siteAt, startTestEdge } from '../../support/edge-under-test.ts';
import type { RawClient, RawResponse } from '../../support/raw-client.ts';
import { testOnBun, UNWATCHED } from '../../support/runtime.ts';
import {
  createBarrier,
  type RecordedRequest,
  type ScriptedConnection,
  startScriptedOrigin,
} from '../../support/scripted-origin.ts';
import { until } from '../../support/until.ts';
import { pattern } from '../http1/pattern.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const HANDSHAKE =
  'GET /chat?a HTTP/1.1\r\nHost: www.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  `Sec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: x\r\n\r\n`;
const GET = 'GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n';

/** The example of RFC 6455 §1.3. */
const SWITCH =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';

type Side = 'client' | 'origin';

interface Setting {
  readonly site?: Partial<SiteInput>;
  readonly limits?: Partial<TunnelLimits>;
  /** What the origin does with the request; by default it switches. */
  readonly answer?: (connection: ScriptedConnection, request: RecordedRequest) => Promise<void> | void;
}

async function start(setting: Setting = {}) {
  const connections: ScriptedConnection[] = [];
  const { answer = (connection) => connection.write(SWITCH) } = setting;
  const origin = await startScriptedOrigin(async (connection) => {
    connections.push(connection);
    await answer(connection, await connection.readRequest());
  });
  const edge = await startTestEdge({
    clock: createTestClock(),
    sites: [siteAt(origin.url, setting.site)],
    tunnelLimits: setting.limits ?? {},
  });
  const open = async (bytes = HANDSHAKE): Promise<{ client: RawClient; response: RawResponse }> => {
    const client = await edge.connect();
    client.write(bytes);
    return { client, response: await client.readResponse() };
  };
  const counter = async (name: string): Promise<number> =>
    (await edge.status()).counters[`perigee_edge_${name}`] ?? 0;
  return {
    origin,
    edge,
    connections,
    open,
    counter,
    /** A tunnel with its end at the origin. */
    async openTunnel() {
      const { client, response } = await open();
      expect(response.status).toBe(101);
      return { client, atOrigin: connections.at(-1) as ScriptedConnection };
    },
    async allEnded() {
      await until('no tunnel is open', async () => (await counter('tunnels_open')) === 0);
    },
    async [Symbol.asyncDispose]() {
      await edge[Symbol.asyncDispose]();
      await origin.close();
      expect(origin.scriptErrors).toEqual([]);
    },
  };
}

/** What two receive buffers (tcp_rmem: up to 32 MiB), two send buffers and the edge's two bounded ones may hold. */
const HELD_BYTES_MAX = 85_000_000;

/** Waits until a figure has stood still for a while, and returns it. */
async function whenStill(what: string, figure: () => number): Promise<number> {
  let seen = -1;
  let still = 0;
  await until(what, () => {
    const now = figure();
    still = now > 0 && now === seen ? still + 1 : 0;
    seen = now;
    return still > 20;
  });
  return seen;
}

describe('a tunnel', () => {
  test('carries the handshake as it is, with what an intermediary says of itself', async () => {
    await using there = await start();
    const { client, response } = await there.open();
    const [request] = there.origin.requests;
    expect([request?.method, request?.target]).toEqual(['GET', '/chat?a']);
    const sent = [
      'connection',
      'upgrade',
      'sec-websocket-key',
      'sec-websocket-version',
      'sec-websocket-extensions',
    ];
    expect(sent.map((name) => request?.field(name))).toEqual(['Upgrade', 'websocket', KEY, '13', 'x']);
    expect(request?.field('via')).toBe('1.1 perigee');
    expect(request?.field('x-forwarded-for')).toBe('127.0.0.1');
    expect(request?.field('cdn-loop')).toBe('cdn.test');
    expect([response.status, response.field('upgrade'), response.field('connection')]).toEqual([
      101,
      'websocket',
      'Upgrade',
    ]);
    expect(response.field('sec-websocket-accept')).toBe(webSocketAccept(KEY));
    expect(response.field('via')).toBe('1.1 perigee');
    expect(response.field('cache-status')).toBe('Perigee; fwd=bypass');
    client.reset();
    await there.allEnded();
  });

  test('loses nothing sent early: by the client before the 101, by the origin behind it', async () => {
    const barrier = createBarrier();
    await using there = await start({
      async answer(connection) {
        await barrier.opened;
        connection.write(`${SWITCH}welcome`);
        expect((await connection.readBytes(5)).toString()).toBe('early');
        connection.end();
      },
    });
    const client = await there.edge.connect();
    client.write(`${HANDSHAKE}early`);
    await until('the request is at the origin', () => there.origin.requests.length === 1);
    // The request alone went there: nothing of what follows may be read as part of HTTP.
    expect(there.origin.requests[0]?.body.length).toBe(0);
    barrier.open();
    expect((await client.readResponse()).status).toBe(101);
    expect((await client.readToEnd()).toString()).toBe('welcome');
    await there.allEnded();
  });

  test('is counted, by bytes each way and by how it ended', async () => {
    await using there = await start();
    const { client, atOrigin } = await there.openTunnel();
    expect(await there.counter('tunnels_open')).toBe(1);
    client.write('12345');
    await atOrigin.readBytes(5);
    atOrigin.write('1234567');
    await client.readBytes(7);
    client.end();
    await atOrigin.readToEnd();
    atOrigin.end();
    await client.readToEnd();
    await there.allEnded();
    const names = ['tunnels_whole_total', 'tunnel_bytes_from_clients_total', 'tunnel_bytes_to_clients_total'];
    expect(await Promise.all(names.map(there.counter))).toEqual([1, 5, 7]);
    expect(await there.counter('requests_bypass_total')).toBe(1);
  });

  test('either end may end its side first; the other goes on until it does', async () => {
    await using there = await start();
    for (const clientFirst of [true, false]) {
      const { client, atOrigin } = await there.openTunnel();
      if (clientFirst) {
        client.write('last words');
        client.end();
        expect((await atOrigin.readToEnd()).toString()).toBe('last words');
        atOrigin.write('still ');
        expect((await client.readBytes(6)).toString()).toBe('still ');
        atOrigin.write('here');
        atOrigin.end();
        expect((await client.readToEnd()).toString()).toBe('here');
      } else {
        client.socket.removeAllListeners('end');
        const ended = new Promise((resolve) => client.socket.once('end', resolve));
        atOrigin.write('last words');
        atOrigin.end();
        expect((await client.readBytes(10)).toString()).toBe('last words');
        await ended;
        client.write('still ');
        expect((await atOrigin.readBytes(6)).toString()).toBe('still ');
        client.write('here');
        client.end();
        expect((await atOrigin.readToEnd()).toString()).toBe('here');
      }
    }
    await there.allEnded();
    expect(await there.counter('tunnels_whole_total')).toBe(2);
  });

  /** One tunnel for each case: who resets it, and whose side has ended before. */
  async function resetTunnels(cases: readonly (readonly [Side, Side | null])[]): Promise<void> {
    await using there = await start();
    for (const [whoResets, whoEnds] of cases) {
      const { client, atOrigin } = await there.openTunnel();
      client.socket.removeAllListeners('end');
      if (whoEnds === 'client') {
        client.end();
        await atOrigin.readToEnd();
      } else if (whoEnds === 'origin') {
        const ended = new Promise((resolve) => client.socket.once('end', resolve));
        atOrigin.end();
        await ended;
      }
      if (whoResets === 'client') {
        client.reset();
        await atOrigin.closed;
      } else {
        atOrigin.reset();
        await client.closed;
      }
      await there.allEnded();
    }
    expect(await there.counter('tunnels_cut_total')).toBe(cases.length);
  }

  test('a reset at either end resets the other, also after the other’s half-close', () =>
    resetTunnels([
      ['client', null],
      ['origin', null],
      ['client', 'origin'],
      ['origin', 'client'],
    ]));

  testOnBun(UNWATCHED, 'a reset at either end resets the other, also after its own half-close', () =>
    resetTunnels([
      ['client', 'client'],
      ['origin', 'origin'],
    ]),
  );

  test('a client that reads slowly stalls the origin, and gets everything', async () => {
    const parts = 1600;
    const part = pattern(65_536);
    await using there = await start({
      async answer(connection) {
        connection.write(SWITCH);
        for (let i = 0; i < parts; i += 1) await connection.writeThrough(part);
        connection.end();
      },
    });
    const client = await there.edge.connect();
    client.write(HANDSHAKE);
    await client.readHead();
    client.stopReading();
    const sent = await whenStill('the origin waits', () => there.connections[0]?.sentBytes ?? 0);
    // Of 105 MB.
    expect(sent).toBeLessThan(HELD_BYTES_MAX);
    client.startReading();
    for (let i = 0; i < parts; i += 1) {
      if (!(await client.readBytes(part.length)).equals(part)) throw new Error(`part ${i} is mixed up`);
    }
    client.end();
    await there.allEnded();
  }, 60_000);

  test('an origin that reads slowly stalls the client, and gets everything', async () => {
    const bytes = pattern(105_000_000);
    await using there = await start({
      answer(connection) {
        connection.stopReading();
        connection.write(SWITCH);
      },
    });
    const { client, atOrigin } = await there.openTunnel();
    let sent = 0;
    const send = async () => {
      for (let at = 0; at < bytes.length; at += 65_536) {
        await new Promise<void>((resolve) =>
          client.socket.write(bytes.subarray(at, at + 65_536), () => resolve()),
        );
        sent = at;
      }
      client.end();
    };
    const sending = send();
    expect(await whenStill('the client waits', () => sent)).toBeLessThan(HELD_BYTES_MAX);
    atOrigin.startReading();
    await sending;
    expect((await atOrigin.readToEnd()).equals(bytes)).toBe(true);
    atOrigin.end();
    await there.allEnded();
  }, 60_000);

  test('one through which nothing passes is ended at its deadline, not one through which something does', async () => {
    await using there = await start({ limits: { tunnelIdleMs: 600, tickMs: 20 } });
    const quiet = await there.openTunnel();
    const busy = await there.openTunnel();
    let answers = 0;
    const talk = setInterval(() => {
      // One direction is enough, now this and now that.
      if (answers++ % 2 === 0) busy.client.write('.');
      else busy.atOrigin.write('.');
    }, 50);
    await Promise.all([quiet.client.closed, quiet.atOrigin.closed]);
    await until('time passes', () => answers > 30);
    clearInterval(talk);
    expect(await there.counter('tunnels_open')).toBe(1);
    expect(await there.counter('tunnels_idle_total')).toBe(1);
    busy.client.reset();
    await there.allEnded();
  });

  test('the next origin is asked when the first cannot be reached', async () => {
    await using there = await start();
    there.edge.publish([
      siteAt('http://127.0.0.1:9', { origins: [{ url: 'http://127.0.0.1:9' }, { url: there.origin.url }] }),
    ]);
    const { client } = await there.openTunnel();
    client.reset();
    await there.allEnded();
  });

  test('other protocols pass as well', async () => {
    await using there = await start({
      answer: (connection) =>
        connection.write('HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: Foo/2\r\n\r\nfoo speaking'),
    });
    const { client, response } = await there.open(HANDSHAKE.replace('websocket', 'Foo/2'));
    expect([response.status, response.field('upgrade')]).toEqual([101, 'foo/2']);
    expect((await client.readBytes(12)).toString()).toBe('foo speaking');
    client.reset();
    await there.allEnded();
  });
});

describe('no tunnel', () => {
  const refusals: [number, string][] = [
    [403, 'HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno'],
    [426, 'HTTP/1.1 426 Wrong Version\r\nSec-WebSocket-Version: 7\r\nContent-Length: 2\r\n\r\nno'],
    [
      200,
      'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n',
    ],
  ];
  test.each(refusals)(
    'when the origin answers %d: that is passed on, kept by nobody, and ends the connection',
    async (status, wire) => {
      await using there = await start({
        async answer(connection) {
          connection.write(wire);
          // Such a connection is good for another request.
          await connection.readRequest();
          connection.write(wire);
        },
      });
      for (let i = 0; i < 2; i += 1) {
        const { client, response } = await there.open(`${HANDSHAKE}early bytes${GET}`);
        expect([response.status, response.text, response.field('connection')]).toEqual([
          status,
          'no',
          'close',
        ]);
        expect(response.field('cache-status')).toBe('Perigee; fwd=bypass');
        expect((await client.readToEnd()).length).toBe(0);
      }
      // Asked each time, and nothing of what the client sent behind was ever taken for a request.
      await until('both were asked for', () => there.origin.requests.length === 2);
      expect(there.origin.requests.map(({ target }) => target)).toEqual(['/chat?a', '/chat?a']);
      expect(await there.counter('exchanges_total')).toBe(2);
      await there.allEnded();
    },
  );

  const lies: [string, string][] = [
    ['that answers another key', SWITCH.replace('s3pPL', 'AAAAA')],
    ['that answers no key', SWITCH.replace(/Sec-WebSocket-Accept.*\r\n/, '')],
    ['to another protocol', SWITCH.replace('websocket', 'h2c')],
    ['without a word on the connection', SWITCH.replace('Connection: Upgrade\r\n', '')],
  ];
  test.each(lies)('when the origin sends a 101 %s', async (_, wire) => {
    await using there = await start({ answer: (connection) => connection.write(`${wire}secrets`) });
    const { client, response } = await there.open();
    expect([response.status, response.field('proxy-status')]).toEqual([
      502,
      'Perigee; error=http_protocol_error',
    ]);
    expect(response.text).not.toContain('secrets');
    expect((await client.readToEnd()).length).toBe(0);
    await (there.connections[0] as ScriptedConnection).readToEnd();
    await there.allEnded();
  });

  test('when the origin sends a 101 that nobody asked for', async () => {
    await using there = await start();
    const response = await there.edge.request('/');
    expect([response.status, response.field('proxy-status')]).toEqual([
      502,
      'Perigee; error=http_protocol_error',
    ]);
  });

  test('where the site has switched them off', async () => {
    await using there = await start({ site: { webSockets: false } });
    const { response } = await there.open();
    expect([response.status, response.field('cache-status'), response.field('connection')]).toEqual([
      403,
      'Perigee; detail=websockets_off',
      'close',
    ]);
    expect(response.text).toContain('WebSockets are switched off');
    expect(there.origin.connections).toBe(0);
    expect(await there.counter('refusals_websockets_off_total')).toBe(1);
  });

  test('beyond the bound; one that ended makes room', async () => {
    await using there = await start({ limits: { tunnelsMax: 1 } });
    const first = await there.openTunnel();
    expect((await there.open()).response.status).toBe(503);
    first.client.reset();
    await there.allEnded();
    const { client } = await there.openTunnel();
    client.reset();
    await there.allEnded();
  });

  test('for a request that came through here before', async () => {
    await using there = await start();
    const { response } = await there.open(HANDSHAKE.replace('\r\n\r\n', '\r\nCDN-Loop: cdn.test\r\n\r\n'));
    expect(response.status).toBe(508);
  });

  test('when the client goes before the origin has answered: the origin is let go', async () => {
    await using there = await start({ answer: () => {} });
    const client = await there.edge.connect();
    client.write(HANDSHAKE);
    await until('the request is at the origin', () => there.origin.requests.length === 1);
    client.reset();
    await (there.connections[0] as ScriptedConnection).readToEnd();
    await there.allEnded();
  });
});
