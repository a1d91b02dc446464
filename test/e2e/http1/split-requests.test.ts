import { expect, test } from 'bun:test';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { Fields } from '#core/http/fields.ts';
import { type ConnectionContext, LISTEN_LIMITS } from '#edge/connection/context.ts';
import { DeadlineSweep } from '#edge/connection/deadline-sweep.ts';
import { OutputScratch } from '#edge/connection/output-scratch.ts';
import { RequestBodyFault } from '#edge/connection/request-refusal.ts';
import { WriteTurns } from '#edge/connection/write-turns.ts';
import type { Exchange } from '#edge/exchange.ts';
import { Http1Connection } from '#edge/http1/connection.ts';
import { RequestFieldsReader } from '#edge/http1/request-fields.ts';
import { FrameScratch } from '#edge/http2/output.ts';
import { createSilentLogger } from '#platform/log.ts';
import { REFUSED_CASES } from './hostile-requests.cases.ts';
import { ACCEPTED_CASES } from './unusual-requests.cases.ts';

const NEXT = 'GET /next HTTP/1.1\r\nHost: next.example\r\nConnection: close\r\n\r\n';

/** A socket without a network, so that the pieces arrive exactly as they were cut. */
class PieceSocket extends Duplex {
  output = '';

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.output += chunk.toString('latin1');
    done();
  }

  resetAndDestroy(): void {
    this.destroy();
  }
}

async function echo(exchange: Exchange): Promise<void> {
  const { method, target, authority } = exchange.request;
  const head = { status: 200, reason: '', fields: new Fields() };
  try {
    let body = '';
    for (;;) {
      const part = exchange.body === null ? null : await exchange.body.read();
      if (part === null) break;
      body += Buffer.from(part).toString('latin1');
    }
    exchange.respondWhole(head, Buffer.from(`${method} ${target} ${authority} ${body}`, 'latin1'));
  } catch (error) {
    if (!(error instanceof RequestBodyFault)) throw error;
    exchange.respondWhole({ ...head, status: error.status }, Buffer.from(error.fault));
  }
}

const LIMITS = { ...LISTEN_LIMITS, requestBodyBytesMax: 1_000_000 };

const context: ConnectionContext = {
  handler: (exchange) => void echo(exchange),
  clock: { now: () => 784_887_151_000 },
  log: createSilentLogger(),
  limits: LIMITS,
  sweep: new DeadlineSweep(60_000),
  scratch: new OutputScratch(),
  requestFields: new RequestFieldsReader(LIMITS),
  turns: new WriteTurns(LIMITS.turnBytes),
  frameScratch: new FrameScratch(),
  exchanges: 0,
  isDraining: false,
  isHandingOver: false,
  countRefusal() {},
};

const INFO = {
  clientAddress: '192.0.2.1',
  clientPort: 1,
  localAddress: '192.0.2.2',
  localPort: 80,
  scheme: 'http',
  tls: null,
  alternative: null,
} as const;

/** Everything the connection writes when `bytes` come cut at `cuts`, until it ends. */
async function outputFor(bytes: string, cuts: readonly number[]): Promise<string> {
  const socket = new PieceSocket();
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.once('finish', resolve);
  new Http1Connection(socket as unknown as Socket, INFO, context, () => {});
  let at = 0;
  for (const cut of [...cuts, bytes.length]) {
    if (cut > at) socket.push(Buffer.from(bytes.slice(at, cut), 'latin1'));
    at = Math.max(at, cut);
  }
  await promise;
  socket.destroy();
  return socket.output;
}

const CASES = [...REFUSED_CASES, ...ACCEPTED_CASES].filter(({ bytes }) => bytes.length < 300);

test('cut in two at every byte, each request has the same outcome as whole', async () => {
  for (const { name, bytes } of CASES) {
    const message = bytes + NEXT;
    const whole = await outputFor(message, []);
    for (let cut = 1; cut < message.length; cut += 1) {
      const output = await outputFor(message, [cut]);
      if (output !== whole)
        expect(`${name}, cut at ${cut}: ${output}`).toBe(`${name}, cut at ${cut}: ${whole}`);
    }
  }
}, 60_000);

test('byte by byte, each request has the same outcome as whole', async () => {
  for (const { name, bytes } of CASES) {
    const message = bytes + NEXT;
    const everywhere = Array.from({ length: message.length }, (_, i) => i);
    expect(`${name}: ${await outputFor(message, everywhere)}`).toBe(
      `${name}: ${await outputFor(message, [])}`,
    );
  }
}, 60_000);

test('any sequence of right requests, cut anywhere, is answered alike', async () => {
  const requests = fc.array(fc.constantFrom(...ACCEPTED_CASES.filter(({ bytes }) => bytes.length < 5000)), {
    minLength: 1,
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(requests, fc.array(fc.nat(20_000), { maxLength: 12 }), async (cases, cuts) => {
      const message = cases.map(({ bytes }) => bytes).join('') + NEXT;
      const inside = cuts.map((cut) => cut % message.length).sort((a, b) => a - b);
      expect(await outputFor(message, inside)).toBe(await outputFor(message, []));
    }),
    { numRuns: 300 },
  );
}, 60_000);

test('junk never hangs, crashes or goes unanswered', async () => {
  const unit = fc.constantFrom(
    'GET ',
    'POST ',
    '/',
    ' HTTP/1.1',
    '\r\n',
    '\r\n\r\n',
    'Host: a',
    'Transfer-Encoding: chunked',
    'Content-Length: 3',
    '0',
    '\n',
    '\0',
    ':',
    ' ',
    'abc',
    '\xff',
  );
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit, maxLength: 40 }),
      fc.array(fc.nat(300), { maxLength: 4 }),
      async (junk, cuts) => {
        const socket = new PieceSocket();
        const { promise, resolve } = Promise.withResolvers<void>();
        socket.once('finish', resolve);
        new Http1Connection(socket as unknown as Socket, INFO, context, () => {});
        let at = 0;
        for (const cut of [...cuts.sort((a, b) => a - b), junk.length]) {
          if (cut > at && at < junk.length) socket.push(Buffer.from(junk.slice(at, cut), 'latin1'));
          at = Math.max(at, cut);
        }
        // The client ends; the connection then ends its side whatever it has received.
        socket.push(null);
        await promise;
        if (socket.output !== '') expect(socket.output).toStartWith('HTTP/1.1 ');
        socket.destroy();
      },
    ),
    { numRuns: 1500 },
  );
}, 60_000);
