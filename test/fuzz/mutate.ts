/**
 * Makes a new input of old ones: bytes changed, words put in, parts left out, repeated, swapped, and joined with
 * those of another input.
 */
import type { Random } from './random.ts';

/** Inputs stay below this, unless one of the corpus is larger: parsers have their bounds near it. */
const INPUT_BYTES_MAX = 64 * 1024;

/** Bytes at which parsers decide something. */
const TURNING_BYTES = Buffer.from(
  '\0\t\n\r !"#%&\'(),-./09:;<=>?@AFZ[\\]^_`afz{|}~\x7f\x80\xa0\xff',
  'latin1',
);

const NUMBERS = ['0', '-1', '00', '1', '255', '65535', '65536', '2147483648', '4294967296'];
const LONG_NUMBERS = [
  '9007199254740993',
  '18446744073709551616',
  '9'.repeat(400),
  '1e3',
  '0x1',
  '1.5',
  'ffffffff',
];

type Mutation = (
  input: Buffer,
  random: Random,
  corpus: readonly Buffer[],
  tokens: readonly Buffer[],
) => Buffer;

function splice(input: Buffer, from: number, to: number, put: Uint8Array): Buffer {
  return Buffer.concat([input.subarray(0, from), put, input.subarray(to)]);
}

/** Two places in order, near each other most of the time. */
function somewhere(input: Buffer, random: Random): [number, number] {
  const from = random.below(input.length + 1);
  const reach = random.below(4) === 0 ? input.length : 12;
  return [from, Math.min(input.length, from + random.below(reach + 1))];
}

const MUTATIONS: readonly Mutation[] = [
  /** One bit. */
  (input, random) => {
    if (input.length === 0) return input;
    const changed = Buffer.from(input);
    const at = random.below(input.length);
    changed[at] = (changed[at] as number) ^ (1 << random.below(8));
    return changed;
  },
  /** One byte. */
  (input, random) => {
    const [at] = somewhere(input, random);
    const byte = random.below(3) === 0 ? random.below(256) : random.pick([...TURNING_BYTES]);
    return splice(input, at, Math.min(input.length, at + random.below(2)), Buffer.of(byte));
  },
  /** A word, put in or in the place of something. */
  (input, random, _corpus, tokens) => {
    const [from, to] = somewhere(input, random);
    return splice(input, from, random.below(2) === 0 ? from : to, random.pick(tokens));
  },
  /** A part left out. */
  (input, random) => splice(input, ...somewhere(input, random), Buffer.alloc(0)),
  /** The end left out. */
  (input, random) => input.subarray(0, somewhere(input, random)[0]),
  /** A part once more, or many times. */
  (input, random) => {
    const [from, to] = somewhere(input, random);
    const times = random.below(8) === 0 ? 1 + random.below(300) : 1;
    const part = input.subarray(from, to);
    const room = Math.max(0, Math.floor((INPUT_BYTES_MAX - input.length) / Math.max(1, part.length)));
    return splice(input, to, to, Buffer.concat(Array<Buffer>(Math.min(times, room)).fill(part)));
  },
  /** The beginning of one, the end of another. */
  (input, random, corpus) => {
    const other = random.pick(corpus);
    return Buffer.concat([
      input.subarray(0, random.below(input.length + 1)),
      other.subarray(random.below(other.length + 1)),
    ]);
  },
  /** One behind the other. */
  (input, random, corpus) => Buffer.concat([input, random.pick(corpus)]),
  /** Two parts in each other's place. */
  (input, random) => {
    const cuts = [0, 0, 0].map(() => random.below(input.length + 1)).sort((a, b) => a - b) as [
      number,
      number,
      number,
    ];
    const [a, b, c] = cuts;
    return Buffer.concat([
      input.subarray(0, a),
      input.subarray(b, c),
      input.subarray(a, b),
      input.subarray(c),
    ]);
  },
  /** Another number in the place of one. */
  (input, random) => {
    const numbers = [...input.toString('latin1').matchAll(/\d+/g)];
    const found = numbers[random.below(Math.max(1, numbers.length))];
    if (found === undefined) return input;
    const put = random.pick(random.below(3) === 0 ? LONG_NUMBERS : NUMBERS);
    return splice(input, found.index, found.index + found[0].length, Buffer.from(put));
  },
  /** Letters in the other case. */
  (input, random) => {
    const [from, to] = somewhere(input, random);
    const part = input.toString('latin1', from, to);
    const put = random.below(2) === 0 ? part.toUpperCase() : part.toLowerCase();
    return splice(input, from, to, Buffer.from(put, 'latin1'));
  },
];

export function mutate(corpus: readonly Buffer[], tokens: readonly Buffer[], random: Random): Buffer {
  let input = random.pick(corpus);
  const bytesMax = Math.max(INPUT_BYTES_MAX, input.length);
  for (let left = random.few(8); left > 0; left -= 1) {
    input = random.pick(MUTATIONS)(input, random, corpus, tokens);
    if (input.length > bytesMax) input = input.subarray(0, bytesMax);
  }
  return input;
}

/** Where an input is cut into pieces: not at all, everywhere, or at some places. */
export function someCuts(input: Buffer, random: Random): number[] {
  if (input.length < 2) return [];
  if (input.length < 400 && random.below(8) === 0)
    return Array.from({ length: input.length - 1 }, (_, i) => i + 1);
  const cuts = new Set<number>();
  for (let left = random.few(6); left > 0; left -= 1) cuts.add(1 + random.below(input.length - 1));
  return [...cuts].sort((a, b) => a - b);
}
