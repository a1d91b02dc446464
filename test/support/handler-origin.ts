/** An origin that answers each request by a function, on kept-alive connections; on top of the scripted one. */
import type { Clock } from '#platform/clock.ts';
import {
  type RecordedRequest,
  type ScriptedConnection,
  type ScriptedOrigin,
  startScriptedOrigin,
} from './scripted-origin.ts';

export interface OriginAnswer {
  readonly status?: number;
  readonly fields?: readonly (readonly [string, string])[];
  /** Framed by Content-Length; not sent for HEAD and 304. */
  readonly body?: string | Uint8Array;
}

/** `answer` may write to the connection itself and return nothing. */
export type Answer = (
  request: RecordedRequest,
  connection: ScriptedConnection,
) => OriginAnswer | undefined | Promise<OriginAnswer | undefined>;

/** `clock` is the edge's: what the origin dates by another would seem old, or not yet made. */
export function startHandlerOrigin(clock: Clock, answer: Answer): Promise<ScriptedOrigin> {
  return startScriptedOrigin(async (connection) => {
    for (;;) {
      const request = await connection.readRequest();
      const given = await answer(request, connection);
      if (given !== undefined) connection.write(answerBytes(request, given, clock.now()));
    }
  });
}

function answerBytes(request: RecordedRequest, answer: OriginAnswer, now: number): Uint8Array {
  const { status = 200, fields = [], body = '' } = answer;
  const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body;
  let head = `HTTP/1.1 ${status} Whatever\r\nDate: ${new Date(now).toUTCString()}\r\n`;
  for (const [name, value] of fields) head += `${name}: ${value}\r\n`;
  const isBodiless = status === 304 || status === 204;
  if (!isBodiless) head += `Content-Length: ${bytes.byteLength}\r\n`;
  const sent = isBodiless || request.method === 'HEAD' ? new Uint8Array(0) : bytes;
  return Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), sent]);
}
