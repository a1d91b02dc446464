/**
 * The lines of a trace: what edges write of their lookups, and what is read of it again. Others' traces with the same
 * first three columns, `time,id,size`, are read as well.
 *
 *   # perigee trace 1, share 0.01, 2026-01-31T12:00:00.000Z     at each start; keys of two starts have nothing in common
 *   1764238310123,9f8a6b0c11d2e3f4,5123,3600,1                  ms, key, octets of the body, seconds it stays fresh, hit
 */
export interface TraceRecord {
  /** ms since the epoch. */
  readonly at: number;
  readonly key: string;
  readonly bytes: number;
  /** Below 0: it is stale for so long. */
  readonly freshSeconds: number;
  readonly isHit: boolean;
}

export type TraceLine =
  | { readonly kind: 'request'; readonly key: string; readonly bytes: number; readonly isHit: boolean | null }
  | { readonly kind: 'start'; readonly share: number }
  | { readonly kind: 'none' }
  | { readonly kind: 'bad'; readonly reason: string };

export const TRACE_KEY_CHARACTERS_MAX = 256;

const START = /^# perigee trace (\d+), share (0?\.\d+|1)\b/;
const NONE: TraceLine = { kind: 'none' };

export function formatTraceStart(share: number, startedAt: string): string {
  return `# perigee trace 1, share ${share}, ${startedAt}\n`;
}

export function formatTraceRecord({ at, key, bytes, freshSeconds, isHit }: TraceRecord): string {
  return `${at},${key},${bytes},${freshSeconds},${isHit ? 1 : 0}\n`;
}

/** `isFirst`: it may name the columns. */
export function parseTraceLine(line: string, isFirst: boolean): TraceLine {
  if (line.startsWith('#')) return parseComment(line);
  const text = line.trim();
  if (text === '') return NONE;
  const columns = text.split(/\s*,\s*|\s+/);
  const [time = '', key = '', size = '', , hit] = columns;
  if (!isNumber(time)) {
    if (isFirst && /^[a-z_ ]+$/i.test(time)) return NONE;
    return bad('does not begin with a time; a line is "time,key,bytes"');
  }
  if (key === '' || size === '') return bad('has fewer columns than "time,key,bytes"');
  if (key.length > TRACE_KEY_CHARACTERS_MAX)
    return bad(`has a key of more than ${TRACE_KEY_CHARACTERS_MAX} characters`);
  if (!/^\d{1,15}$/.test(size)) return bad('has no whole number of bytes in its third column');
  return {
    kind: 'request',
    key,
    bytes: Number(size),
    isHit: hit === '1' ? true : hit === '0' ? false : null,
  };
}

function parseComment(line: string): TraceLine {
  if (!line.startsWith('# perigee trace ')) return NONE;
  const [, version, share] = START.exec(line) ?? [];
  if (version === undefined) return bad('begins a trace in a form that is not known');
  if (version !== '1') return bad(`begins a trace of version ${version}, which this perigee does not know`);
  const value = Number(share);
  return value > 0 ? { kind: 'start', share: value } : bad('says a share of nothing');
}

function isNumber(text: string): boolean {
  return text !== '' && Number.isFinite(Number(text));
}

function bad(reason: string): TraceLine {
  return { kind: 'bad', reason };
}
