/** Connections: kept, bounded, expired, tried again; and interim responses. */
import { afterEach, describe, expect, test } from 'bun:test';
import {
  bodyOf,
  createTestClient,
  failureOf,
  readText,
  requestTo,
} from '../../../test/support/origin-requests.ts';
import {
  createBarrier,
  type Script,
  type ScriptedOrigin,
  startScriptedOrigin,
} from '../../../test/support/scripted-origin.ts';
import { until } from '../../../test/support/until.ts';
import type { Http1Client, Http1ClientOptions } from './http1-client.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const answering: Script = async (connection) => {
  for (;;) {
    await connection.readRequest();
    connection.write(OK);
  }
};

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function startOrigin(script: Script): Promise<ScriptedOrigin> {
  const origin = await startScriptedOrigin(script);
  cleanups.push(async () => {
    await origin.close();
    expect(origin.scriptErrors).toEqual([]);
  });
  return origin;
}

function startClient(options: Partial<Http1ClientOptions> = {}): Http1Client {
  const client = createTestClient(options);
  cleanups.push(() => client.close());
  return client;
}

async function get(client: Http1Client, origin: ScriptedOrigin, method = 'GET'): Promise<string> {
  const response = await client.fetch(requestTo(origin.url, { method }));
  return readText(response.body);
}

describe('idle connections', () => {
  test('are used again', async () => {
    const origin = await startOrigin(answering);
    const client = startClient();
    for (let i = 0; i < 5; i += 1) await get(client, origin);
    expect(origin.connections).toBe(1);
    expect(client.connections()).toEqual({ open: 1, idle: 1 });
  });

  test('last in, first out', async () => {
    const both = createBarrier();
    const origin = await startOrigin(async (connection) => {
      await connection.readRequest();
      if (connection.number === 2) both.open();
      await both.opened;
      connection.write(OK);
      for (;;) {
        await connection.readRequest();
        connection.write(`HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${connection.number}`);
      }
    });
    const client = startClient();
    const [first, second] = await Promise.all([0, 1].map(() => client.fetch(requestTo(origin.url))));
    expect(await readText((first as NonNullable<typeof first>).body)).toBe('ok');
    expect(await readText((second as NonNullable<typeof second>).body)).toBe('ok');
    const used = await get(client, origin);
    for (let i = 0; i < 4; i += 1) expect(await get(client, origin)).toBe(used);
  });

  test('are closed after their time', async () => {
    const origin = await startOrigin(answering);
    const client = startClient({ limits: { idleConnectionMs: 60 } });
    await get(client, origin);
    await until('the idle connection is closed', () => client.connections().open === 0);
    await get(client, origin);
    expect(origin.connections).toBe(2);
  });

  test('are closed before the origin says it will', async () => {
    const origin = await startOrigin(async (connection) => {
      await connection.readRequest();
      connection.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nKeep-Alive: max=5, timeout=1\r\n\r\n');
      await connection.closed;
    });
    const client = startClient();
    await get(client, origin);
    expect(client.connections().open).toBe(0);
  });

  test('on which bytes arrive are dropped', async () => {
    const isIdle = createBarrier();
    const origin = await startOrigin(async (connection) => {
      await connection.readRequest();
      connection.write(OK);
      if (connection.number > 1) return;
      await isIdle.opened;
      connection.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
      await connection.closed;
    });
    const client = startClient();
    await get(client, origin);
    expect(client.connections().idle).toBe(1);
    isIdle.open();
    await until('the connection is dropped', () => client.connections().open === 0);
    expect(await get(client, origin)).toBe('ok');
    expect(origin.connections).toBe(2);
  });

  test('that the origin closes are dropped', async () => {
    const origin = await startOrigin(async (connection) => {
      await connection.readRequest();
      connection.write(OK);
      connection.end();
    });
    const client = startClient();
    await get(client, origin);
    await until('the connection is dropped', () => client.connections().open === 0);
    expect(await get(client, origin)).toBe('ok');
  });
});

describe('a kept connection that dies under a request', () => {
  /** The first connection answers once, and cuts the second request off; later ones answer. */
  const stale: Script = async (connection) => {
    await connection.readRequest();
    connection.write(OK);
    await connection.readRequest();
    if (connection.number === 1) connection.end();
    else connection.write(OK);
  };

  test.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])('%s is sent once more', async (method) => {
    const origin = await startOrigin(stale);
    const client = startClient();
    await get(client, origin);
    expect((await client.fetch(requestTo(origin.url, { method }))).status).toBe(200);
    expect(origin.requests.map((request) => [request.connection, request.method])).toEqual([
      [1, 'GET'],
      [1, method],
      [2, method],
    ]);
  });

  test.each(['POST', 'PATCH', 'PURGE'])('%s is not', async (method) => {
    const origin = await startOrigin(stale);
    const client = startClient();
    await get(client, origin);
    const failure = await failureOf(client.fetch(requestTo(origin.url, { method })));
    expect(failure.type).toBe('connection_terminated');
    expect(failure.mayHaveBeenProcessed).toBe(true);
    expect(origin.connections).toBe(1);
  });

  test('nor is a request with a body', async () => {
    const origin = await startOrigin(stale);
    const client = startClient();
    await get(client, origin);
    const request = requestTo(origin.url, { method: 'PUT', body: bodyOf(['x'], 1) });
    expect((await failureOf(client.fetch(request))).type).toBe('connection_terminated');
    expect(origin.connections).toBe(1);
  });

  test('nothing is sent a third time', async () => {
    const origin = await startOrigin(async (connection) => {
      await connection.readRequest();
      if (connection.number === 1) {
        connection.write(OK);
        await connection.readRequest();
      }
      connection.end();
    });
    const client = startClient();
    await get(client, origin);
    const failure = await failureOf(client.fetch(requestTo(origin.url)));
    expect(failure.type).toBe('connection_terminated');
    expect(failure.mayHaveBeenProcessed).toBe(true);
    expect(origin.requests.length).toBe(3);
  });

  test('a fresh connection that dies is not tried again', async () => {
    const origin = await startOrigin(async (connection) => {
      await connection.readRequest();
      connection.end();
    });
    const client = startClient();
    expect((await failureOf(client.fetch(requestTo(origin.url)))).type).toBe('connection_terminated');
    expect(origin.connections).toBe(1);
  });

  test('after a byte of a response nothing is tried again', async () => {
    const origin = await startOrigin(async (connection) => {
      await connection.readRequest();
      connection.write(OK);
      await connection.readRequest();
      await connection.writeThrough('H');
      connection.end();
    });
    const client = startClient();
    await get(client, origin);
    expect((await failureOf(client.fetch(requestTo(origin.url)))).type).toBe('http_response_incomplete');
    expect(origin.connections).toBe(1);
  });
});

describe('bounds', () => {
  test('connections per origin: later requests wait their turn', async () => {
    const gate = createBarrier();
    const origin = await startOrigin(async (connection) => {
      for (;;) {
        await connection.readRequest();
        await gate.opened;
        connection.write(OK);
      }
    });
    const client = startClient({ limits: { connectionsPerOriginMax: 3 } });
    const fetched = Array.from({ length: 20 }, () => get(client, origin));
    await until('three requests arrive', () => origin.requests.length === 3);
    expect(client.connections().open).toBe(3);
    gate.open();
    expect(await Promise.all(fetched)).toEqual(Array.from({ length: 20 }, () => 'ok'));
    expect(origin.connections).toBe(3);
  });

  test('requests waiting: the next is refused', async () => {
    const arrived = createBarrier();
    const origin = await startOrigin(async (connection) => {
      await connection.readRequest();
      arrived.open();
      await connection.closed;
    });
    const client = startClient({ limits: { connectionsPerOriginMax: 1, queuePerOriginMax: 1 } });
    const first = failureOf(client.fetch(requestTo(origin.url)));
    await arrived.opened;
    const second = failureOf(client.fetch(requestTo(origin.url)));
    const third = await failureOf(client.fetch(requestTo(origin.url)));
    expect(third.type).toBe('connection_limit_reached');
    expect(third.mayHaveBeenProcessed).toBe(false);
    await client.close();
    expect((await first).type).toBe('connection_terminated');
    expect((await second).type).toBe('proxy_internal_error');
  });

  test('the wait has a deadline', async () => {
    const origin = await startOrigin(async (connection) => {
      await connection.readRequest();
      await connection.closed;
    });
    const client = startClient({ limits: { connectionsPerOriginMax: 1, queueMs: 50 } });
    const held = failureOf(client.fetch(requestTo(origin.url)));
    expect((await failureOf(client.fetch(requestTo(origin.url)))).type).toBe('connection_limit_reached');
    await client.close();
    await held;
  });

  test('connections in all: an idle one of another origin makes room', async () => {
    const one = await startOrigin(answering);
    const other = await startOrigin(answering);
    const client = startClient({ limits: { connectionsMax: 1 } });
    for (const origin of [one, other, one]) expect(await get(client, origin)).toBe('ok');
    expect(client.connections().open).toBe(1);
    expect([one.connections, other.connections]).toEqual([2, 1]);
  });

  test('connections in all: origins take turns', async () => {
    const one = await startOrigin(answering);
    const other = await startOrigin(answering);
    const client = startClient({ limits: { connectionsMax: 1 } });
    const origins = [one, one, other, one, other, other];
    expect(await Promise.all(origins.map((origin) => get(client, origin)))).toEqual(origins.map(() => 'ok'));
  });

  test('a request given up while it waits is forgotten', async () => {
    const gate = createBarrier();
    const origin = await startOrigin(async (connection) => {
      for (;;) {
        await connection.readRequest();
        await gate.opened;
        connection.write(OK);
      }
    });
    const client = startClient({ limits: { connectionsPerOriginMax: 1 } });
    const first = get(client, origin);
    await until('it arrives', () => origin.requests.length === 1);
    const aborter = new AbortController();
    const second = failureOf(client.fetch(requestTo(origin.url, { target: '/second' }), aborter.signal));
    const third = get(client, origin);
    aborter.abort();
    expect((await second).mayHaveBeenProcessed).toBe(false);
    gate.open();
    expect([await first, await third]).toEqual(['ok', 'ok']);
    expect(origin.requests.map((request) => request.target)).toEqual(['/', '/']);
  });
});

describe('interim responses', () => {
  test('are passed on as they come, before the final one', async () => {
    const seen = createBarrier();
    const origin = await startOrigin(async (connection) => {
      await connection.readRequest();
      connection.write('HTTP/1.1 100 Continue\r\n\r\n');
      connection.write('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n');
      await seen.opened;
      connection.write(OK);
    });
    const informs: [number, [string, string][]][] = [];
    const client = startClient();
    const response = await client.fetch(
      requestTo(origin.url, {
        onInform(status, fields) {
          informs.push([status, [...fields]]);
          if (status === 103) seen.open();
        },
      }),
    );
    expect(response.status).toBe(200);
    expect(informs).toEqual([
      [100, []],
      [103, [['Link', '</a.css>']]],
    ]);
  });
});

describe('fields of responses', () => {
  test('about the connection alone, and those it lists, stay here', async () => {
    const origin = await startOrigin(async (connection) => {
      await connection.readRequest();
      connection.write(
        'HTTP/1.1 200 OK\r\nServer: x\r\nConnection: keep-alive, X-Listed\r\nX-Listed: 1\r\nKeep-Alive: timeout=5\r\n' +
          'Proxy-Connection: a\r\nTE: b\r\nUpgrade: c\r\nTrailer: d\r\nX-High: \xe9\r\nContent-Length: 2\r\n\r\nok',
      );
    });
    const response = await startClient().fetch(requestTo(origin.url));
    expect([...response.fields]).toEqual([
      ['Server', 'x'],
      ['X-High', '\xe9'],
      ['Content-Length', '2'],
    ]);
  });

  test('trailers come after the body', async () => {
    const origin = await startOrigin(async (connection) => {
      await connection.readRequest();
      connection.write(
        'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n',
      );
    });
    const response = await startClient().fetch(requestTo(origin.url));
    expect([...response.fields]).toEqual([['Trailer', 'X-Sum']]);
    expect(response.body.length).toBeNull();
    expect(await readText(response.body)).toBe('ok');
    expect([...(response.body.trailers() ?? [])]).toEqual([['X-Sum', '7']]);
  });
});
