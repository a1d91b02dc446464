/** Response bodies: backpressure, giving up, deadlines. */
import { afterEach, describe, expect, test } from 'bun:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createTestClient,
  failureOf,
  readAll,
  readText,
  requestTo,
} from '../../../test/support/origin-requests.ts';
import { createBarrier, type Script, startScriptedOrigin } from '../../../test/support/scripted-origin.ts';
import { until } from '../../../test/support/until.ts';
import type { OriginLimits } from './limits.ts';

const MEBIBYTE = 1_048_576;
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function setUp(script: Script, limits: Partial<OriginLimits> = {}) {
  const origin = await startScriptedOrigin(script);
  const client = createTestClient({ limits });
  cleanups.push(async () => {
    await client.close();
    await origin.close();
    expect(origin.scriptErrors).toEqual([]);
  });
  return { origin, client };
}

/** Waits until `look` gives the same number twice, 100 ms apart: something has come to rest. */
async function settled(what: string, look: () => number): Promise<number> {
  let last = -1;
  return until(what, async () => {
    const before = last;
    last = look();
    await sleep(100);
    return last > 0 && last === before ? last : null;
  });
}

describe('a body taken whole', () => {
  const answering = async (response: string) => {
    const { origin, client } = await setUp(async (connection) => {
      await connection.readRequest();
      connection.write(response);
      if (!response.includes('Content-Length') && !response.includes('chunked')) connection.end();
    });
    return (await client.fetch(requestTo(origin.url))).body;
  };

  test('is all of it, once, when it came with its head', async () => {
    const body = await answering(OK);
    expect(Buffer.from(body.takeWhole?.(2) ?? []).toString()).toBe('ok');
    expect(body.takeWhole?.(2)).toBeNull();
    expect(await body.read()).toBeNull();
    const empty = await answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    expect(empty.takeWhole?.(0)).toHaveLength(0);
  });

  test.each([
    ['is too large', OK, 1],
    [
      'comes in pieces',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n',
      9,
    ],
    [
      'has trailers',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n',
      9,
    ],
    ['has not all arrived', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok', 9],
  ])('is left to be read when it %s', async (_, response, bytesMax) => {
    const body = await answering(response);
    expect(body.takeWhole?.(bytesMax)).toBeNull();
    expect(Buffer.from((await body.read()) ?? []).toString()).toBe('ok');
    expect(body.takeWhole?.(bytesMax)).toBeNull();
    body.cancel('seen enough');
  });
});

describe('backpressure', () => {
  const part = Buffer.alloc(MEBIBYTE / 4, 'x');
  const parts = 512;

  async function sendLarge(kind: 'length' | 'chunked' | 'until-close') {
    const progress = { sentBytes: 0 };
    const { origin, client } = await setUp(async (connection) => {
      await connection.readRequest();
      const framing = {
        length: `Content-Length: ${parts * part.length}\r\n`,
        chunked: 'Transfer-Encoding: chunked\r\n',
        'until-close': '',
      }[kind];
      connection.write(`HTTP/1.1 200 OK\r\n${framing}\r\n`);
      for (let i = 0; i < parts; i += 1) {
        if (kind === 'chunked') connection.write(`${part.length.toString(16)}\r\n`);
        await connection.writeThrough(part);
        if (kind === 'chunked') connection.write('\r\n');
        progress.sentBytes += part.length;
      }
      if (kind === 'chunked') connection.write('0\r\n\r\n');
      if (kind === 'until-close') connection.end();
    });
    return { origin, client, progress };
  }

  test.each(['length', 'chunked', 'until-close'] as const)(
    '128 MiB (%s) wait in the origin until they are read',
    async (kind) => {
      const { origin, client, progress } = await sendLarge(kind);
      const { body } = await client.fetch(requestTo(origin.url));
      const stalledAt = await settled('the origin stalls', () => progress.sentBytes);
      // What the kernel's socket buffers and ours hold; far below what there is to send.
      expect(stalledAt).toBeLessThan(16 * MEBIBYTE);
      let readBytes = 0;
      while (readBytes < 8 * MEBIBYTE) readBytes += (await body.read())?.length ?? 0;
      const stalledAgainAt = await settled('the origin stalls again', () => progress.sentBytes);
      expect(stalledAgainAt - readBytes).toBeLessThan(16 * MEBIBYTE);
      for (;;) {
        const next = await body.read();
        if (next === null) break;
        readBytes += next.length;
      }
      expect(readBytes).toBe(parts * part.length);
    },
    30_000,
  );

  test('a connection is usable after a body that was paused', async () => {
    const { origin, client } = await setUp(
      async (connection) => {
        for (;;) {
          await connection.readRequest();
          await connection.writeThrough(`HTTP/1.1 200 OK\r\nContent-Length: ${MEBIBYTE}\r\n\r\n`);
          await connection.writeThrough(Buffer.alloc(MEBIBYTE));
        }
      },
      { bodyBufferBytesMax: 4_096 },
    );
    for (let i = 0; i < 5; i += 1) {
      const { body } = await client.fetch(requestTo(origin.url));
      expect((await readAll(body)).length).toBe(MEBIBYTE);
    }
    expect(origin.connections).toBe(1);
  });

  test('many tiny chunks are bounded too, and joined', async () => {
    const chunks = 200_000;
    const { origin, client } = await setUp(async (connection) => {
      await connection.readRequest();
      connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      await connection.writeThrough('1\r\nx\r\n'.repeat(chunks));
      connection.write('0\r\n\r\n');
    });
    const { body } = await client.fetch(requestTo(origin.url));
    let reads = 0;
    let bytes = 0;
    for (;;) {
      const next = await body.read();
      if (next === null) break;
      reads += 1;
      bytes += next.length;
    }
    expect(bytes).toBe(chunks);
    expect(reads).toBeLessThan(chunks / 10);
  });
});

describe('a body that is not wanted', () => {
  test('is cut off when much of it is left', async () => {
    const { origin, client } = await setUp(async (connection) => {
      await connection.readRequest();
      connection.write('HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\nabc');
      await connection.closed;
    });
    const { body } = await client.fetch(requestTo(origin.url));
    await body.read();
    body.cancel('enough');
    expect(client.connections().open).toBe(0);
    expect((await failureOf(body.read())).type).toBe('http_response_incomplete');
    body.cancel('again');
  });

  test('is read away when little is left, and the connection kept', async () => {
    const given = createBarrier();
    const { origin, client } = await setUp(async (connection) => {
      await connection.readRequest();
      connection.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc');
      await given.opened;
      connection.write('def');
      await connection.readRequest();
      connection.write(OK);
    });
    const { body } = await client.fetch(requestTo(origin.url));
    body.cancel('enough');
    given.open();
    await until('the connection is idle', () => client.connections().idle === 1);
    expect(await readText((await client.fetch(requestTo(origin.url))).body)).toBe('ok');
    expect(origin.connections).toBe(1);
  });

  test('is not waited for: what does not come soon is cut off', async () => {
    const { origin, client } = await setUp(
      async (connection) => {
        await connection.readRequest();
        connection.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc');
        await connection.closed;
      },
      { drainMs: 60 },
    );
    const { body } = await client.fetch(requestTo(origin.url));
    body.cancel('enough');
    await until('the connection is cut', () => client.connections().open === 0);
  });

  test('rejects the read that waits', async () => {
    const { origin, client } = await setUp(async (connection) => {
      await connection.readRequest();
      connection.write('HTTP/1.1 200 OK\r\n\r\n');
      await connection.closed;
    });
    const { body } = await client.fetch(requestTo(origin.url));
    const reading = failureOf(body.read());
    body.cancel('enough');
    expect((await reading).message).toContain('enough');
  });

  test('may be given up after its end', async () => {
    const { origin, client } = await setUp(async (connection) => {
      await connection.readRequest();
      connection.write(OK);
    });
    const { body } = await client.fetch(requestTo(origin.url));
    expect(await readText(body)).toBe('ok');
    body.cancel('late');
    expect(client.connections().idle).toBe(1);
  });
});

describe('giving up', () => {
  const silent: Script = async (connection) => {
    await connection.readRequest();
    await connection.closed;
  };

  test('before the response', async () => {
    const { origin, client } = await setUp(silent);
    const aborter = new AbortController();
    const fetched = failureOf(client.fetch(requestTo(origin.url), aborter.signal));
    await until('the request arrives', () => origin.requests.length === 1);
    aborter.abort();
    expect((await fetched).mayHaveBeenProcessed).toBe(true);
    expect(client.connections().open).toBe(0);
  });

  test('before it began', async () => {
    const { origin, client } = await setUp(silent);
    const failure = await failureOf(client.fetch(requestTo(origin.url), AbortSignal.abort()));
    expect(failure.mayHaveBeenProcessed).toBe(false);
    expect(origin.connections).toBe(0);
  });

  test('within the body', async () => {
    const { origin, client } = await setUp(async (connection) => {
      await connection.readRequest();
      connection.write('HTTP/1.1 200 OK\r\n\r\nabc');
      await connection.closed;
    });
    const aborter = new AbortController();
    const { body } = await client.fetch(requestTo(origin.url), aborter.signal);
    await body.read();
    const reading = failureOf(body.read());
    aborter.abort();
    expect((await reading).type).toBe('http_response_incomplete');
    expect(client.connections().open).toBe(0);
  });

  test('after the end has no effect', async () => {
    const { origin, client } = await setUp(async (connection) => {
      await connection.readRequest();
      connection.write(OK);
    });
    const aborter = new AbortController();
    const { body } = await client.fetch(requestTo(origin.url), aborter.signal);
    aborter.abort();
    expect(await readText(body)).toBe('ok');
    expect(client.connections().idle).toBe(1);
  });
});

describe('deadlines', () => {
  test('for the response', async () => {
    const { origin, client } = await setUp(
      async (connection) => {
        await connection.readRequest();
        // A head that trickles does not count as a response.
        connection.write('HTTP/1.1 200 OK\r\n');
        await connection.closed;
      },
      { firstByteMs: 60 },
    );
    const failure = await failureOf(client.fetch(requestTo(origin.url)));
    expect(failure.type).toBe('http_response_timeout');
    expect(failure.mayHaveBeenProcessed).toBe(true);
    expect(client.connections().open).toBe(0);
  });

  test('for the next bytes of the body', async () => {
    const { origin, client } = await setUp(
      async (connection) => {
        await connection.readRequest();
        connection.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc');
        await connection.closed;
      },
      { bodyIdleMs: 60 },
    );
    const { body } = await client.fetch(requestTo(origin.url));
    expect((await body.read())?.length).toBe(3);
    expect((await failureOf(body.read())).type).toBe('connection_read_timeout');
    expect(client.connections().open).toBe(0);
  });

  test('the body may come slowly for longer than that', async () => {
    const { origin, client } = await setUp(
      async (connection) => {
        await connection.readRequest();
        connection.write('HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n');
        for (let i = 0; i < 20; i += 1) {
          await sleep(100);
          connection.write('x');
        }
      },
      { bodyIdleMs: 1_500 },
    );
    const { body } = await client.fetch(requestTo(origin.url));
    expect((await readAll(body)).length).toBe(20);
  });

  test('for a reader who reads no more', async () => {
    const { origin, client } = await setUp(
      async (connection) => {
        await connection.readRequest();
        connection.write('HTTP/1.1 200 OK\r\n\r\n');
        await connection.writeThrough(Buffer.alloc(64 * MEBIBYTE));
      },
      { readerIdleMs: 60, bodyBufferBytesMax: 65_536 },
    );
    const { body } = await client.fetch(requestTo(origin.url));
    await until('the connection is cut', () => client.connections().open === 0);
    expect((await failureOf(readAll(body))).type).toBe('http_response_incomplete');
  });

  test('for an origin that takes no more of the request', async () => {
    const { origin, client } = await setUp(
      async (connection) => {
        connection.stopReading();
        await connection.closed;
      },
      { requestIdleMs: 60 },
    );
    const part = Buffer.alloc(MEBIBYTE);
    const body = {
      length: null,
      read: async () => part,
      trailers: () => null,
      cancel: () => {},
    };
    const failure = await failureOf(client.fetch(requestTo(origin.url, { method: 'POST', body })));
    expect(failure.type).toBe('connection_write_timeout');
    expect(failure.mayHaveBeenProcessed).toBe(true);
  });
});
