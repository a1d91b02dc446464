/** A trace, read as a stream: one line at a time is in memory, whatever the file holds. */
import { createReadStream } from 'node:fs';
import { AppError } from '#core/base/app-error.ts';
import { errorMessage } from '#core/base/error-message.ts';
import { parseTraceLine } from '#core/simulation/trace-line.ts';

export interface TraceRequest {
  readonly key: string;
  readonly bytes: number;
  /** Null: the trace does not say. */
  readonly isHit: boolean | null;
}

export interface TraceReading {
  /** Of all keys, the share that is in the trace; null: the trace does not say. */
  readonly share: number | null;
  /** How often whoever wrote it has started. */
  readonly starts: number;
}

const LINE_CHARACTERS_MAX = 4_096;

/** Hands each request to `take`. Throws AppError `invalid` with the line's number, `not-found` where nothing can be read. */
export async function readTrace(path: string, take: (request: TraceRequest) => void): Promise<TraceReading> {
  let share: number | null = null;
  let starts = 0;
  let number = 0;
  const refuse = (reason: string): never => {
    throw new AppError('invalid', `${path}, line ${number}: ${reason}`);
  };
  for await (const line of linesOf(path)) {
    number++;
    if (line.length > LINE_CHARACTERS_MAX) refuse(`has more than ${LINE_CHARACTERS_MAX} characters`);
    const parsed = parseTraceLine(line, number === 1);
    switch (parsed.kind) {
      case 'request':
        // Of two starts the keys have nothing to do with each other.
        take(starts < 2 ? parsed : { ...parsed, key: `${starts} ${parsed.key}` });
        break;
      case 'start':
        if (share !== null && parsed.share !== share) {
          refuse(
            `begins a trace with a share of ${parsed.share} behind one of ${share}; simulate them apart`,
          );
        }
        share = parsed.share;
        starts++;
        break;
      case 'bad':
        refuse(parsed.reason);
        break;
      case 'none':
        break;
    }
  }
  return { share, starts };
}

/** A line without an end is handed on as soon as it is too long. */
async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = '';
  try {
    for await (const chunk of createReadStream(path, { encoding: 'latin1', highWaterMark: 1 << 18 })) {
      const lines = (rest + (chunk as string)).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
      if (rest.length > LINE_CHARACTERS_MAX) break;
    }
  } catch (error) {
    throw new AppError('not-found', `${path} cannot be read: ${errorMessage(error)}`);
  }
  // A writer that was killed may have left half a line: without its end it is not believed, unless it is too long for one.
  if (rest.length > LINE_CHARACTERS_MAX) yield rest;
  else if (rest !== '' && parseTraceLine(rest, false).kind === 'request') yield rest;
}
