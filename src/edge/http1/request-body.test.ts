import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { CONNECTION_LIMITS } from '../connection/limits.ts';
import { RequestBody, type RequestBodyOwner } from './request-body.ts';

const LIMITS = { ...CONNECTION_LIMITS, bodyBufferBytesMax: 4096, requestBodyBytesMax: 100_000 };

function ownerWithCounts(): RequestBodyOwner & { wanted: number; cancelled: number } {
  return {
    wanted: 0,
    cancelled: 0,
    bodyWanted() {
      this.wanted += 1;
    },
    bodyCancelled() {
      this.cancelled += 1;
    },
  };
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

async function readAll(body: RequestBody): Promise<string> {
  let text = '';
  for (;;) {
    const part = await body.read();
    if (part === null) return text;
    text += Buffer.from(part).toString('latin1');
  }
}

describe('a body of known length', () => {
  test('takes its bytes and leaves the rest', async () => {
    const body = new RequestBody(5, ownerWithCounts(), LIMITS);
    expect(body.feed(bytesOf('..hel'), 2)).toBe(5);
    expect([body.isComplete, body.remainingBytes]).toEqual([false, 2]);
    expect(body.feed(bytesOf('loGET'), 0)).toBe(2);
    expect(body.isComplete).toBe(true);
    expect(await readAll(body)).toBe('hello');
    expect(body.trailers()).toBeNull();
  });

  test('tells its owner that a read waits, and settles it when bytes come', async () => {
    const owner = ownerWithCounts();
    const body = new RequestBody(2, owner, LIMITS);
    const reading = body.read();
    expect([owner.wanted, body.isWanted, body.wasRead]).toEqual([1, true, true]);
    expect(() => body.read()).toThrow('one read at a time');
    body.feed(bytesOf('hi'), 0);
    expect(Buffer.from((await reading) ?? []).toString()).toBe('hi');
    expect(await body.read()).toBeNull();
    expect(await body.read()).toBeNull();
  });

  test('is full at its bound and no longer when read', async () => {
    const body = new RequestBody(10_000, ownerWithCounts(), LIMITS);
    body.feed(new Uint8Array(4096), 0);
    expect(body.isFull).toBe(true);
    await body.read();
    expect(body.isFull).toBe(false);
  });
});

describe('ends that are none', () => {
  test('a fault rejects the waiting read and all later ones; what was queued is not handed out', async () => {
    const body = new RequestBody(10, ownerWithCounts(), LIMITS);
    const reading = body.read();
    body.fail('body-too-slow');
    await expect(reading).rejects.toMatchObject({ fault: 'body-too-slow', status: 408 });
    await expect(body.read()).rejects.toMatchObject({ fault: 'body-too-slow' });
    expect(body.broken).toBe('body-too-slow');
    const queued = new RequestBody(10, ownerWithCounts(), LIMITS);
    queued.feed(bytesOf('hello'), 0);
    queued.fail('body-incomplete');
    await expect(queued.read()).rejects.toMatchObject({ fault: 'body-incomplete', status: 400 });
  });

  test('a whole body cannot fail any more', async () => {
    const body = new RequestBody(2, ownerWithCounts(), LIMITS);
    body.feed(bytesOf('hi'), 0);
    body.fail('body-incomplete');
    expect(body.broken).toBeNull();
    expect(await readAll(body)).toBe('hi');
  });

  test('a chunked body over the bound fails, also when it comes whole', async () => {
    const body = new RequestBody(null, ownerWithCounts(), LIMITS);
    body.feed(bytesOf(`186a1\r\n${'x'.repeat(100_001)}\r\n0\r\n\r\n`), 0);
    expect(body.broken).toBe('body-too-large');
    await expect(body.read()).rejects.toMatchObject({ status: 413 });
  });

  test('after cancelling, bytes are counted and dropped, and a fault of the framing still shows', () => {
    const owner = ownerWithCounts();
    const body = new RequestBody(null, owner, LIMITS);
    body.feed(bytesOf('5\r\nhello\r\n'), 0);
    body.cancel('enough');
    body.cancel('enough');
    expect([owner.cancelled, body.droppedBytes, body.isWanted]).toEqual([1, 5, true]);
    body.feed(bytesOf('3\r\nabc\r\n'), 0);
    expect([body.droppedBytes, body.broken]).toEqual([8, null]);
    body.feed(bytesOf('x'), 0);
    expect(body.broken).toBe('chunk-size-invalid');
  });
});

test('however it is cut and whenever it is read, the content is the same', async () => {
  const content = fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 12 });
  const cuts = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(content, cuts, fc.boolean(), async (sizes, pieces, readsEarly) => {
      const parts = sizes.map((size, i) => String.fromCharCode(97 + (i % 26)).repeat(size));
      const wire = bytesOf(
        `${parts.map((p) => `${p.length.toString(16)}\r\n${p}\r\n`).join('')}0\r\nA: b\r\n\r\nNEXT`,
      );
      const body = new RequestBody(null, ownerWithCounts(), LIMITS);
      const early = readsEarly ? readAll(body) : null;
      let at = 0;
      let left = '';
      for (let i = 0; at < wire.length; i += 1) {
        const end = Math.min(wire.length, at + (pieces[i % pieces.length] as number));
        const piece = wire.subarray(at, end);
        const used = body.isComplete ? 0 : body.feed(piece, 0);
        left += Buffer.from(piece.subarray(used)).toString();
        at = end;
        if (i % 3 === 0) await Promise.resolve();
      }
      expect(await (early ?? readAll(body))).toBe(parts.join(''));
      expect([...(body.trailers() ?? [])]).toEqual([['A', 'b']]);
      expect(left).toBe('NEXT');
    }),
    { numRuns: 200 },
  );
});
