/** What the client to origins does with a switch of protocols that was asked for. */
import { describe, expect, test } from 'bun:test';
import type { BodySource } from '#edge/exchange.ts';
import { createTestClient, failureOf, readText, requestTo } from '../../../test/support/origin-requests.ts';
import { testOnBun, UNWATCHED } from '../../../test/support/runtime.ts';
import {
  type ScriptedConnection,
  type ScriptedOriginOptions,
  startScriptedOrigin,
} from '../../../test/support/scripted-origin.ts';
import { createTestAuthority } from '../../../test/support/test-authority.ts';
import { until } from '../../../test/support/until.ts';
import type { Http1ClientOptions } from './http1-client.ts';
import type { OriginTunnel } from './origin-client.ts';

const SWITCH =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n';

/** An origin that switches, and a tunnel to it. `serve` runs behind the 101. */
async function openTunnel(
  serve: (connection: ScriptedConnection) => Promise<void> | void = () => {},
  options: Partial<Http1ClientOptions> = {},
  originOptions: ScriptedOriginOptions = {},
) {
  const connections: ScriptedConnection[] = [];
  const origin = await startScriptedOrigin(async (connection) => {
    connections.push(connection);
    const request = await connection.readRequest();
    expect([request.field('connection'), request.field('upgrade')]).toEqual(['Upgrade', 'websocket']);
    connection.write(SWITCH);
    await serve(connection);
  }, originOptions);
  const client = createTestClient(options);
  const open = async () => {
    const response = await client.fetch(requestTo(origin.url, { upgrade: 'websocket' }));
    expect([response.status, response.reason]).toEqual([101, 'Switching Protocols']);
    expect([...response.fields]).toEqual([['Sec-WebSocket-Accept', 'x']]);
    return response.tunnel as OriginTunnel;
  };
  return {
    origin,
    client,
    open,
    tunnel: await open(),
    connection: connections[0] as ScriptedConnection,
    connections,
    async [Symbol.asyncDispose]() {
      await client.close();
      await origin.close();
      expect(origin.scriptErrors).toEqual([]);
    },
  };
}

async function readNext(source: BodySource): Promise<string> {
  return Buffer.from((await source.read()) ?? []).toString('latin1');
}

describe('a switch that was asked for', () => {
  test('hands over the connection: bytes with the 101, after it, and ours', async () => {
    await using there = await openTunnel(async (connection) => {
      connection.write('after');
      connection.write((await connection.readBytes(4)).toString().toUpperCase());
    });
    const { source, sink } = there.tunnel;
    await sink.write(Buffer.from('ping'));
    let text = '';
    while (text.length < 9) text += await readNext(source);
    expect(text).toBe('afterPING');
  });

  test('the origin may end first, or we; the other direction goes on', async () => {
    await using there = await openTunnel();
    there.connection.write('goodbye');
    there.connection.end();
    expect(await readText(there.tunnel.source)).toBe('goodbye');
    await there.tunnel.sink.write(Buffer.from('still '));
    await there.tunnel.sink.write(Buffer.from('here'));
    await there.tunnel.sink.end();
    expect((await there.connection.readToEnd()).toString()).toBe('still here');

    const second = await there.open();
    const other = there.connections[1] as ScriptedConnection;
    await second.sink.write(Buffer.from('last words'));
    await second.sink.end();
    expect((await other.readToEnd()).toString()).toBe('last words');
    other.write('an answer');
    other.end();
    expect(await readText(second.source)).toBe('an answer');
    await Promise.all([there.connection.closed, other.closed]);
  });

  test('half-closes pass over TLS too', async () => {
    const authority = await createTestAuthority();
    const tls = await authority.issue(['www.example.com']);
    const options = { extraCertificateAuthorities: [authority.certificate] };
    await using there = await openTunnel(() => {}, options, { tls });
    there.connection.write('goodbye');
    there.connection.end();
    expect(await readText(there.tunnel.source)).toBe('goodbye');
    await there.tunnel.sink.write(Buffer.from('still here'));
    await there.tunnel.sink.end();
    expect((await there.connection.readToEnd()).toString()).toBe('still here');
  });

  async function expectLoss(endsFirst: boolean): Promise<void> {
    await using there = await openTunnel();
    const { tunnel, connection } = there;
    let isLost = false;
    tunnel.whenLost(() => {
      isLost = true;
    });
    if (endsFirst) {
      connection.end();
      expect(await tunnel.source.read()).toBeNull();
    }
    const reading = endsFirst ? null : failureOf(tunnel.source.read());
    connection.reset();
    await until('it is told', () => isLost);
    if (reading !== null) expect((await reading).type).toBe('connection_terminated');
    expect((await failureOf(tunnel.sink.write(Buffer.from('x')))).type).toBe('connection_terminated');
    let isToldLate = false;
    tunnel.whenLost(() => {
      isToldLate = true;
    });
    expect(isToldLate).toBe(true);
  }

  test('an origin that resets fails both directions and is told of', () => expectLoss(false));

  testOnBun(UNWATCHED, 'an origin that resets after its half-close is told of', () => expectLoss(true));

  test('giving it up resets the origin', async () => {
    await using there = await openTunnel();
    let isTold = false;
    there.tunnel.whenLost(() => {
      isTold = true;
    });
    const reading = failureOf(there.tunnel.source.read());
    there.tunnel.sink.abort('the client has gone');
    await reading;
    await there.connection.closed;
    const second = await there.open();
    second.source.cancel('the client has gone');
    await (there.connections[1] as ScriptedConnection).closed;
    expect(isTold).toBe(false);
  });

  test('an origin that does not read stalls the writer; one that is not read is stalled', async () => {
    await using there = await openTunnel((connection) => connection.stopReading());
    const { source, sink } = there.tunnel;
    const part = new Uint8Array(65_536);
    let written = 0;
    const writing = (async () => {
      for (;;) {
        await sink.write(part);
        written += part.length;
      }
    })();
    const sending = (async () => {
      for (let i = 0; i < 1600; i += 1) await there.connection.writeThrough(part);
    })();
    let seen = '';
    let still = 0;
    await until('both wait', () => {
      const now = `${written} ${there.connection.sentBytes}`;
      still = now === seen ? still + 1 : 0;
      seen = now;
      return still > 20;
    });
    expect(written).toBeLessThan(40_000_000);
    expect(there.connection.sentBytes).toBeLessThan(40_000_000);
    for (let read = 0; read < 1600 * part.length; ) {
      read += ((await source.read()) as Uint8Array).length;
    }
    await sending;
    sink.abort('enough');
    expect((await failureOf(writing)).type).toBe('connection_terminated');
  }, 60_000);

  test('takes no room from requests, and ends with the client', async () => {
    await using there = await openTunnel(() => {}, {
      limits: { connectionsPerOriginMax: 1, connectionsMax: 1 },
    });
    const second = await there.open();
    const third = await there.open();
    expect(there.client.connections()).toEqual({ open: 0, idle: 0 });
    const readings = [there.tunnel, second, third].map(({ source }) => failureOf(source.read()));
    await there.client.close();
    for (const reading of readings) expect((await reading).type).toBe('connection_terminated');
  });

  test('giving up the request afterwards does not touch the tunnel', async () => {
    await using there = await openTunnel();
    const given = new AbortController();
    const request = requestTo(there.origin.url, { upgrade: 'websocket' });
    const { tunnel } = await there.client.fetch(request, given.signal);
    given.abort();
    (there.connections[1] as ScriptedConnection).write('hello');
    expect(await readNext((tunnel as OriginTunnel).source)).toBe('hello');
  });

  test('an origin that neither ends nor reads after both ends were said is cut', async () => {
    await using there = await openTunnel((connection) => connection.stopReading(), {
      limits: { requestIdleMs: 200 },
    });
    const part = new Uint8Array(1024 * 1024);
    for (let i = 0; i < 64; i += 1) void there.tunnel.sink.write(part).catch(() => {});
    await there.tunnel.sink.end();
    there.connection.end();
    expect(await there.tunnel.source.read()).toBeNull();
    there.connection.startReading();
    await there.connection.closed;
  });
});

describe('a switch that is not made', () => {
  test('is an ordinary response, and its connection is used again', async () => {
    const origin = await startScriptedOrigin(async (connection) => {
      for (;;) {
        await connection.readRequest();
        connection.write('HTTP/1.1 426 Upgrade Required\r\nUpgrade: other\r\nContent-Length: 2\r\n\r\nno');
      }
    });
    const client = createTestClient();
    for (let i = 0; i < 2; i += 1) {
      const response = await client.fetch(requestTo(origin.url, { upgrade: 'websocket' }));
      expect([response.status, response.tunnel]).toEqual([426, undefined]);
      expect(await readText(response.body)).toBe('no');
    }
    expect(origin.connections).toBe(1);
    await client.close();
    await origin.close();
  });

  test('to a protocol not asked for is a fault', async () => {
    const origin = await startScriptedOrigin(async (connection) => {
      await connection.readRequest();
      connection.write(SWITCH.replace('websocket', 'h2c'));
    });
    const client = createTestClient();
    const failure = await failureOf(client.fetch(requestTo(origin.url, { upgrade: 'websocket' })));
    expect([failure.type, failure.message]).toEqual([
      'http_protocol_error',
      `127.0.0.1:${origin.port}: 101 to another protocol than was asked for`,
    ]);
    await client.close();
    await origin.close();
  });
});
