/**
 * Decodes Huffman-coded strings (RFC 7541 §5.2) by a state machine that takes an octet at a time. A state is
 * an inner node of the code's tree: the bits of a symbol that have come so far. The shortest code has five
 * bits, so that an octet completes two symbols at most.
 */
import { CODE_BITS, CODES, EOS } from './huffman-code.ts';

/** Octets that `bytes` of Huffman code decode to at most; two more are written over while decoding. */
export function huffmanDecodedBytesMax(bytes: number): number {
  return Math.floor((bytes * 8) / 5) + 2;
}

/** What `decodeHuffman` returns instead of a length. */
export const HUFFMAN_EOS = -1;
export const HUFFMAN_PADDING = -2;

/**
 * Decodes bytes[from, to) to the beginning of `target`, which has room for `huffmanDecodedBytesMax`. Returns
 * the length, or HUFFMAN_EOS when EOS is inside, or HUFFMAN_PADDING when the padding is longer than seven
 * bits or is not the beginning of EOS.
 */
export function decodeHuffman(bytes: Uint8Array, from: number, to: number, target: Uint8Array): number {
  let state = 0;
  let length = 0;
  for (let at = from; at < to; at += 1) {
    const step = STEPS[(state << 8) | (bytes[at] as number)] as number;
    if (step < 0) return HUFFMAN_EOS;
    target[length] = step >>> 8;
    target[length + 1] = step >>> 16;
    length += step >>> 24;
    state = step & 0xff;
  }
  return IS_PADDING[state] === 1 ? length : HUFFMAN_PADDING;
}

/** The tree: for a node and a bit the next node, or a leaf as -1 - symbol. 257 leaves make 256 inner nodes. */
const NODES = growTree();

function growTree(): Int16Array {
  const nodes = new Int16Array(2 * EOS);
  let nodeCount = 1;
  for (let symbol = 0; symbol <= EOS; symbol += 1) {
    const code = CODES[symbol] as number;
    let node = 0;
    for (let bit = (CODE_BITS[symbol] as number) - 1; bit > 0; bit -= 1) {
      const branch = 2 * node + ((code >>> bit) & 1);
      if (nodes[branch] === 0) {
        nodes[branch] = nodeCount;
        nodeCount += 1;
      }
      node = nodes[branch] as number;
    }
    nodes[2 * node + (code & 1)] = -1 - symbol;
  }
  return nodes;
}

/**
 * By state and octet: the next state in the lowest eight bits, the first and the second symbol completed in
 * the next ones, their number above; -1 where EOS is completed.
 */
const STEPS = new Int32Array(256 * 256);
for (let state = 0; state < 256; state += 1) fillSteps(state, 8, state, 0);

/** Goes down the tree from `node` by all that the `bitsLeft` bits behind `entry` can be; begins anew at each leaf. */
function fillSteps(entry: number, bitsLeft: number, node: number, symbols: number): void {
  if (bitsLeft === 0) {
    STEPS[entry] = symbols | node;
    return;
  }
  const left = bitsLeft - 1;
  for (let bit = 0; bit <= 1; bit += 1) {
    const branch = (entry << 1) | bit;
    const next = NODES[2 * node + bit] as number;
    if (next >= 0) fillSteps(branch, left, next, symbols);
    else if (next === -1 - EOS) STEPS.fill(-1, branch << left, (branch + 1) << left);
    else fillSteps(branch, left, 0, withSymbol(symbols, -1 - next));
  }
}

function withSymbol(symbols: number, symbol: number): number {
  const count = symbols >>> 24;
  return (symbols | (symbol << (8 + 8 * count))) + (1 << 24);
}

/** The states in which a string may end: at most seven bits into EOS, which is all ones. */
const IS_PADDING = markPadding();

function markPadding(): Uint8Array {
  const marks = new Uint8Array(256);
  let node = 0;
  for (let bits = 0; bits <= 7; bits += 1) {
    marks[node] = 1;
    node = NODES[2 * node + 1] as number;
  }
  return marks;
}
