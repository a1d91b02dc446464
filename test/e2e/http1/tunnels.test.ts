/** Switching protocols on the listener's side: what a client sees whose request asks for it. */
import { describe, expect, test } from 'bun:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fields } from '#core/http/fields.ts';
import type { BodySource, Exchange, Tunnel } from '#edge/exchange.ts';
import { openRawClient } from '../../support/raw-client.ts';
import { testOnBun, UNWATCHED } from '../../support/runtime.ts';
import { createTestAuthority } from '../../support/test-authority.ts';
import { startTestListener } from '../../support/test-listener.ts';
import { until } from '../../support/until.ts';
import { pattern } from './pattern.ts';

const UPGRADE =
  'GET /chat HTTP/1.1\r\nHost: example.com\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n';
const GET = 'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n';

function answer(exchange: Exchange, status: number): void {
  exchange.respondWhole({ status, reason: '', fields: new Fields() }, Buffer.from('no'));
}

async function copy({ source, sink }: Tunnel): Promise<void> {
  for (;;) {
    const part = await source.read();
    if (part === null) return sink.end();
    await sink.write(part);
  }
}

async function readText(source: BodySource): Promise<string> {
  let text = '';
  for (;;) {
    const part = await source.read();
    if (part === null) return text;
    text += Buffer.from(part).toString('latin1');
  }
}

/** A listener that accepts every switch asked for; `tunnels` has them in order. */
async function startTunnelListener(limits: Parameters<typeof startTestListener>[1] = {}) {
  const tunnels: Tunnel[] = [];
  const gone: boolean[] = [];
  const listener = await startTestListener((x) => {
    const place = tunnels.length;
    gone[place] = false;
    x.onGone(() => {
      gone[place] = true;
    });
    tunnels.push(x.acceptTunnel(Fields.of([['Sec-WebSocket-Accept', 'x']])));
  }, limits);
  const open = async (bytes = UPGRADE) => {
    const client = await openRawClient(listener.http);
    client.write(bytes);
    const response = await client.readResponse();
    return { client, response, tunnel: tunnels.at(-1) as Tunnel };
  };
  return { listener, tunnels, gone, open, [Symbol.asyncDispose]: () => listener.listeners.close(0) };
}

describe('which requests ask for a switch', () => {
  const asked: [string, string, string | null][] = [
    ['websocket', 'Connection: Upgrade\r\nUpgrade: websocket\r\n', 'websocket'],
    ['any case', 'connection: UPGRADE\r\nupgrade: WebSocket\r\n', 'websocket'],
    ['among other options', 'Connection: keep-alive, upgrade\r\nUpgrade: websocket\r\n', 'websocket'],
    ['another protocol', 'Connection: Upgrade\r\nUpgrade: foo/2\r\n', 'foo/2'],
    ['an empty body announced', 'Connection: Upgrade\r\nUpgrade: foo\r\nContent-Length: 0\r\n', 'foo'],
    ['Upgrade alone', 'Upgrade: websocket\r\n', null],
    ['the option alone', 'Connection: Upgrade\r\n', null],
    ['h2c', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n', null],
    ['another HTTP', 'Connection: Upgrade\r\nUpgrade: HTTP/2.0\r\n', null],
    ['TLS', 'Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n', null],
    ['several offers', 'Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n', null],
    ['offers in two lines', 'Connection: Upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket\r\n', null],
    ['no protocol', 'Connection: Upgrade\r\nUpgrade:\r\n', null],
    ['no token', 'Connection: Upgrade\r\nUpgrade: web socket\r\n', null],
    ['two versions', 'Connection: Upgrade\r\nUpgrade: foo/1/2\r\n', null],
  ];
  for (const [name, lines, due] of asked) {
    test(`${name}: ${due}`, async () => {
      let seen: string | null | undefined;
      await using listener = await startTestListener((x) => {
        seen = x.request.upgrade;
        answer(x, 200);
      });
      const client = await openRawClient(listener.http);
      client.write(`GET / HTTP/1.1\r\nHost: example.com\r\n${lines}\r\n${GET}`);
      const response = await client.readResponse();
      expect([seen, response.field('connection')]).toEqual([due, due === null ? null : 'close']);
      client.destroy();
    });
  }

  test('not those of HTTP/1.0, of other methods, or with a body before the switch', async () => {
    const seen: (string | null)[] = [];
    await using listener = await startTestListener((x) => {
      seen.push(x.request.upgrade);
      answer(x, 200);
    });
    for (const bytes of [
      UPGRADE.replace('/chat HTTP/1.1', '/ HTTP/1.0'),
      UPGRADE.replace('GET', 'POST'),
      UPGRADE.replace('\r\n\r\n', '\r\nContent-Length: 2\r\n\r\nhi'),
      UPGRADE.replace('\r\n\r\n', '\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
    ]) {
      const client = await openRawClient(listener.http);
      client.write(bytes);
      expect((await client.readResponse()).status).toBe(200);
      client.destroy();
    }
    expect(seen).toEqual([null, null, null, null]);
  });
});

describe('an accepted switch', () => {
  test('is a 101 with the fields given, and bytes then go both ways as they are', async () => {
    await using edge = await startTunnelListener();
    const { client, response, tunnel } = await edge.open();
    expect([response.status, response.reason]).toEqual([101, 'Switching Protocols']);
    expect(response.fields).toEqual([
      ['sec-websocket-accept', 'x'],
      ['connection', 'Upgrade'],
      ['upgrade', 'websocket'],
    ]);
    const copying = copy(tunnel);
    const bytes = pattern(300_000);
    client.write(bytes);
    expect((await client.readBytes(bytes.length)).equals(bytes)).toBe(true);
    client.write(GET);
    expect((await client.readBytes(GET.length)).toString()).toBe(GET);
    expect(edge.listener.listeners.statistics().exchanges).toBe(1);
    client.end();
    await copying;
    expect((await client.readToEnd()).length).toBe(0);
  });

  test('begins with what the client sent before it, wherever that was cut', async () => {
    const early = `early bytes ${GET}`;
    const message = UPGRADE + early;
    for (let cut = 1; cut < message.length; cut += 1) {
      await using edge = await startTunnelListener();
      const client = await openRawClient(edge.listener.http);
      client.write(message.slice(0, cut));
      await new Promise((resolve) => setImmediate(resolve));
      client.write(message.slice(cut));
      client.end();
      expect((await client.readResponse()).status).toBe(101);
      expect(await readText((edge.tunnels[0] as Tunnel).source)).toBe(early);
      client.destroy();
    }
  }, 60_000);

  test('what the client sends before it is held within a bound', async () => {
    const waiting: Exchange[] = [];
    await using listener = await startTestListener((x) => void waiting.push(x));
    const client = await openRawClient(listener.http);
    client.write(UPGRADE);
    const early = pattern(64 * 1024 * 1024);
    let isSent = false;
    client.socket.write(early, () => {
      isSent = true;
    });
    let seen = -1;
    let still = 0;
    await until('the client waits', () => {
      const pending = client.socket.writableLength;
      still = waiting.length === 1 && pending === seen ? still + 1 : 0;
      seen = pending;
      return still > 20;
    });
    expect(isSent).toBe(false);
    const tunnel = (waiting[0] as Exchange).acceptTunnel(new Fields());
    let at = 0;
    while (at < early.length) {
      const part = (await tunnel.source.read()) as Uint8Array;
      if (!Buffer.from(part).equals(early.subarray(at, at + part.length)))
        throw new Error(`mixed up at ${at}`);
      at += part.length;
    }
    client.destroy();
  }, 60_000);

  test('the client may end its side first, or we ours; the other direction goes on', async () => {
    await using edge = await startTunnelListener();
    const first = await edge.open();
    first.client.write('last words');
    first.client.end();
    expect(await readText(first.tunnel.source)).toBe('last words');
    for (const word of ['still ', 'heard']) await first.tunnel.sink.write(Buffer.from(word));
    await first.tunnel.sink.end();
    expect((await first.client.readToEnd()).toString()).toBe('still heard');

    const second = await edge.open();
    await second.tunnel.sink.write(Buffer.from('goodbye'));
    await second.tunnel.sink.end();
    await expect(second.tunnel.sink.write(Buffer.from('more'))).rejects.toThrow('the tunnel has ended');
    // The test's client ends its side once it has seen ours end.
    second.client.write('an answer');
    expect((await second.client.readToEnd()).toString()).toBe('goodbye');
    expect(await readText(second.tunnel.source)).toBe('an answer');
    await until('both are let go', () => edge.listener.listeners.statistics().http?.open === 0);
    // What ended whole in both directions did not go away.
    expect(edge.gone).toEqual([false, false]);
  });

  test('a client that resets fails both directions and is told', async () => {
    await using edge = await startTunnelListener();
    const { client, tunnel } = await edge.open();
    const reading = tunnel.source.read();
    client.reset();
    await expect(reading).rejects.toThrow();
    await until('it is told', () => edge.gone[0] === true);
    await expect(tunnel.sink.write(Buffer.from('x'))).rejects.toThrow('the client is gone');
  });

  testOnBun(UNWATCHED, 'a client that resets after its half-close is noticed without a write', async () => {
    await using edge = await startTunnelListener();
    const { client, tunnel } = await edge.open();
    client.end();
    expect(await tunnel.source.read()).toBeNull();
    client.reset();
    await until('it is told', () => edge.gone[0] === true);
  });

  test('giving it up resets the client, also after our half-close', async () => {
    await using edge = await startTunnelListener();
    for (const endsFirst of [false, true]) {
      const { client, tunnel } = await edge.open();
      if (endsFirst) await tunnel.sink.end();
      client.socket.pause();
      let code: string | undefined;
      client.socket.on('error', (error: NodeJS.ErrnoException) => {
        code = error.code;
      });
      tunnel.sink.abort('the origin has gone');
      client.write('x');
      client.socket.resume();
      await client.closed;
      if (!endsFirst) expect(code).toBe('ECONNRESET');
    }
    await until('both are let go', () => edge.listener.listeners.statistics().http?.open === 0);
    expect(edge.gone).toEqual([false, false]);
  });

  test('a client that does not read stalls the writer within what kernels buffer', async () => {
    await using edge = await startTunnelListener();
    const { client, tunnel } = await edge.open();
    client.stopReading();
    const part = pattern(65_536);
    let written = 0;
    const produce = async () => {
      for (let i = 0; i < 1600; i += 1) {
        await tunnel.sink.write(part);
        written += part.length;
      }
      await tunnel.sink.end();
    };
    const producing = produce();
    let seen = -1;
    let still = 0;
    await until('the writer waits', () => {
      still = written === seen ? still + 1 : 0;
      seen = written;
      return still > 20;
    });
    expect(written).toBeLessThan(40_000_000);
    client.startReading();
    for (let i = 0; i < 1600; i += 1) {
      if (!(await client.readBytes(part.length)).equals(part)) throw new Error('mixed up');
    }
    await producing;
    expect((await client.readToEnd()).length).toBe(0);
  }, 60_000);

  test('a road that does not read stalls the client, and nothing is lost', async () => {
    await using edge = await startTunnelListener();
    const { client, tunnel } = await edge.open();
    const bytes = pattern(64 * 1024 * 1024);
    client.write(bytes);
    client.end();
    let seen = -1;
    let still = 0;
    await until('the client waits', () => {
      const pending = client.socket.writableLength;
      still = pending === seen ? still + 1 : 0;
      seen = pending;
      return still > 20;
    });
    expect(client.socket.writableLength).toBeGreaterThan(0);
    let at = 0;
    for (;;) {
      const part = await tunnel.source.read();
      if (part === null) break;
      if (!Buffer.from(part).equals(bytes.subarray(at, at + part.length)))
        throw new Error(`mixed up at ${at}`);
      at += part.length;
    }
    expect(at).toBe(bytes.length);
    client.destroy();
  }, 60_000);

  test('no deadline of requests ends a quiet one, and draining waits for it', async () => {
    const limits = { headMs: 40, idleMs: 40, bodyProgressMs: 40, writeProgressMs: 40, tickMs: 10 };
    await using edge = await startTunnelListener(limits);
    const { client, tunnel } = await edge.open();
    const reading = readText(tunnel.source);
    await sleep(300);
    client.write('alive');
    const closing = edge.listener.listeners.close(20_000);
    await tunnel.sink.write(Buffer.from('still here'));
    expect((await client.readBytes(10)).toString()).toBe('still here');
    client.end();
    expect(await reading).toBe('alive');
    await tunnel.sink.end();
    await closing;
    expect(edge.gone).toEqual([false]);
  });

  test('what is open when draining ends is cut', async () => {
    await using edge = await startTunnelListener();
    const { client, tunnel } = await edge.open();
    const reading = tunnel.source.read();
    await edge.listener.listeners.close(50);
    await expect(reading).rejects.toThrow();
    expect(edge.gone).toEqual([true]);
    await client.closed;
  });

  test('works over TLS, half-closes included', async () => {
    const authority = await createTestAuthority();
    const { key, cert } = await authority.issue(['example.com']);
    const certificate = { hosts: ['example.com'], certificatePem: cert, privateKeyPem: key };
    await using listener = await startTestListener((x) => void copy(x.acceptTunnel(new Fields())), {}, [
      certificate,
    ]);
    const client = await openRawClient({ ...listener.https, tls: { serverName: 'example.com' } });
    client.write(UPGRADE);
    expect((await client.readResponse()).status).toBe(101);
    const bytes = pattern(2_000_000);
    client.write(bytes);
    client.end();
    expect((await client.readToEnd()).equals(bytes)).toBe(true);
    await until('it is let go', () => listener.listeners.statistics().https?.open === 0);
  });
});

describe('a switch that is refused', () => {
  test('is answered as any request is; the connection closes and what came behind is no request', async () => {
    await using listener = await startTestListener((x) => answer(x, 403));
    const client = await openRawClient(listener.http);
    client.write(UPGRADE + GET);
    const response = await client.readResponse();
    expect([response.status, response.text, response.field('connection')]).toEqual([403, 'no', 'close']);
    expect((await client.readToEnd()).length).toBe(0);
    expect(listener.listeners.statistics().exchanges).toBe(1);
  });

  test('a client that has gone by then is given a tunnel that is lost', async () => {
    const waiting: Exchange[] = [];
    await using listener = await startTestListener((x) => void waiting.push(x));
    const client = await openRawClient(listener.http);
    client.write(UPGRADE);
    await until('the request arrives', () => waiting.length === 1);
    client.reset();
    await until('it is gone', () => waiting[0]?.isGone === true);
    const { source, sink } = (waiting[0] as Exchange).acceptTunnel(new Fields());
    await expect(source.read()).rejects.toThrow('the client is gone');
    await expect(sink.write(Buffer.from('x'))).rejects.toThrow('the client is gone');
  });
});
