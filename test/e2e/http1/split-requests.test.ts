import { expect, test } from 'bun:test';
import { once } from 'node:events';
import fc from 'fast-check';
import { Fields } from '#core/http/fields.ts';
import { RequestBodyFault } from '#edge/connection/request-refusal.ts';
import type { Exchange } from '#edge/exchange.ts';
import { openHttp1Wire } from '../../support/wire.ts';
import { REFUSED_CASES } from './hostile-requests.cases.ts';
import { ACCEPTED_CASES } from './unusual-requests.cases.ts';

const NEXT = 'GET /next HTTP/1.1\r\nHost: next.example\r\nConnection: close\r\n\r\n';

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

const LIMITS = { requestBodyBytesMax: 1_000_000 };

/** Everything the connection writes when `bytes` come cut at `cuts`, until it ends. */
async function outputFor(bytes: string, cuts: readonly number[], hasEnded = false): Promise<string> {
  const wire = openHttp1Wire((exchange) => void echo(exchange), { limits: LIMITS });
  const finished = once(wire.socket, 'finish');
  let at = 0;
  for (const cut of [...cuts, bytes.length]) {
    if (cut > at) wire.bring(Buffer.from(bytes.slice(at, cut), 'latin1'));
    at = Math.max(at, cut);
  }
  // The client may end; the connection then ends its side whatever it has received.
  if (hasEnded) wire.socket.push(null);
  await finished;
  wire.socket.destroy();
  return wire.output().toString('latin1');
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
        const inside = cuts.filter((cut) => cut < junk.length).sort((a, b) => a - b);
        const output = await outputFor(junk, inside, true);
        if (output !== '') expect(output).toStartWith('HTTP/1.1 ');
      },
    ),
    { numRuns: 1500 },
  );
}, 60_000);
