/** What a conversation of HTTP/2 comes to, however its bytes were cut. */
import type { ExchangeHandler } from '#edge/exchange.ts';
import { FRAME_HEADER_BYTES, GOAWAY } from '#edge/http2/frame.ts';
import { type JudgedStream, judgeOutput } from '../support/frame-judge.ts';
import { frameBytes } from '../support/http2-client.ts';
import { openHttp2Wire } from '../support/wire.ts';
import { answerAtOnce } from './http2-conversations.ts';

/** All that the server writes when `bytes` come cut at `cuts` and the client then goes away. */
export async function outputFor(
  bytes: Buffer,
  cuts: readonly number[],
  handler: ExchangeHandler = answerAtOnce,
): Promise<Buffer> {
  const wire = openHttp2Wire(handler);
  let at = 0;
  for (const cut of [...cuts, bytes.length]) {
    if (cut > at) wire.bring(bytes.subarray(at, cut));
    at = Math.max(at, cut);
  }
  // Whatever has not ended by then: every conversation has a last word.
  wire.bring(frameBytes(GOAWAY, 0, 0, Buffer.alloc(FRAME_HEADER_BYTES - 1)));
  wire.socket.push(null);
  await settled();
  wire.socket.destroy();
  await wire.closed;
  return wire.output();
}

export interface Outcome {
  readonly control: readonly string[];
  readonly streams: readonly (readonly [number, JudgedStream])[];
}

/**
 * What comes back, per stream and for the connection. How content is cut into frames, and whose frames come first,
 * may depend on what came together.
 */
export async function outcomeOf(
  bytes: Buffer,
  cuts: readonly number[],
  handler: ExchangeHandler = answerAtOnce,
): Promise<Outcome> {
  const { control, streams } = judgeOutput(await outputFor(bytes, cuts, handler), 100_000);
  return { control, streams: [...streams].sort(([a], [b]) => a - b) };
}

/** Once all that was brought has been read and answered. */
async function settled(): Promise<void> {
  for (let i = 0; i < 4; i += 1) await new Promise((resolve) => setImmediate(resolve));
}
