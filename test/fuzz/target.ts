/** What is fuzzed: a parser or a connection, inputs to begin with, and what must hold for every input. */
import { isDeepStrictEqual } from 'node:util';

export interface FuzzTarget {
  readonly name: string;
  readonly corpus: readonly Buffer[];
  /** Words that mean something to it. */
  readonly tokens: readonly Buffer[];
  /** Inputs that the tests try; `npm run fuzz` tries as many as there is time for. */
  readonly runs: number;
  /** Throws, or rejects, where something does not hold. `cuts`: where to cut the input, in order, within it. */
  readonly check: (input: Buffer, cuts: readonly number[]) => void | Promise<void>;
}

export class Finding extends Error {
  override readonly name = 'Finding';
}

export function latin1(...texts: readonly string[]): Buffer[] {
  return texts.map((text) => Buffer.from(text, 'latin1'));
}

/** `input` cut at `cuts`. */
export function piecesOf(input: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [...cuts, input.length];
  return ends.map((end, i) => input.subarray(i === 0 ? 0 : ends[i - 1], end));
}

export function mustBe(what: string, isSo: boolean): void {
  if (!isSo) throw new Finding(what);
}

export function mustEqual(what: string, first: unknown, second: unknown): void {
  if (isDeepStrictEqual(first, second)) return;
  throw new Finding(`${what}:\n  ${shown(first)}\n  ${shown(second)}`);
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : JSON.stringify(value, replacer);
  return text === undefined ? String(value) : text.slice(0, 1_000);
}

function replacer(_key: string, value: unknown): unknown {
  if (value instanceof Map) return [...value];
  return typeof value === 'bigint' ? `${value}` : value;
}
