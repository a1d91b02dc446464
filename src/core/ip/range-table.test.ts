import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { addressBits, type IpAddress, parseAddress } from './address.ts';
import { maskAddress, type Prefix, parsePrefix } from './prefix.ts';
import { compileRanges, findRange, scopeWithin } from './range-table.ts';

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === null) throw new Error(`bad fixture ${text}`);
  return parsed;
}

function valueAt(prefixes: readonly Prefix[], text: string): { value: number; scope: number } {
  const address = parseAddress(text) as IpAddress;
  const table = compileRanges(address.family, prefixes);
  const range = findRange(table, address);
  return { value: table.values[range] as number, scope: scopeWithin(table, range, address) };
}

/** Among nested networks the longest, of equal ones the last: what the table must agree with. */
function longestMatch(prefixes: readonly Prefix[], address: IpAddress): number {
  let best = -1;
  for (const [index, candidate] of prefixes.entries()) {
    const isInside =
      candidate.address.family === address.family &&
      JSON.stringify(maskAddress(address, candidate.length)) === JSON.stringify(candidate.address);
    if (isInside && (best < 0 || candidate.length >= (prefixes[best] as Prefix).length)) best = index;
  }
  return best;
}

describe('range tables', () => {
  const nested = ['10.0.0.0/8', '10.1.0.0/16', '10.1.2.0/24', '255.255.255.0/24', '2001:db8::/32'].map(
    prefix,
  );

  test.each([
    ['9.255.255.255', -1, 7],
    ['10.0.0.1', 0, 16],
    ['10.1.2.3', 2, 24],
    ['10.1.3.0', 1, 24],
    ['10.255.0.0', 0, 9],
    ['11.0.0.0', -1, 8],
    ['255.255.255.255', 3, 24],
    ['2001:db8::1', 4, 32],
    ['2001:db9::', -1, 32],
  ])('%s matches %i with scope %i', (address, value, scope) => {
    expect(valueAt(nested, address)).toEqual({ value, scope });
  });

  test('an empty table has one range over everything', () => {
    expect(valueAt([], '192.0.2.1')).toEqual({ value: -1, scope: 0 });
    expect(valueAt([prefix('::/0')], '::1')).toEqual({ value: 0, scope: 0 });
  });

  const word = fc.constantFrom(0, 1, 0x80000000, 0xffffffff, 0x0a000000, 0x0a0000ff, 0x0a000100);
  const addresses = fc.record({
    family: fc.constantFrom<4 | 6>(4, 6),
    word0: word,
    word1: word,
    word2: word,
    word3: word,
  });
  const normal = (address: IpAddress): IpAddress =>
    address.family === 6 ? address : { ...address, word1: 0, word2: 0, word3: 0 };
  const prefixes = fc.array(
    fc.tuple(addresses, fc.integer({ min: 0, max: 128 })).map(([address, bits]) => {
      const length = Math.min(bits, addressBits(address.family));
      return { address: maskAddress(normal(address), length), length };
    }),
    { maxLength: 12 },
  );

  test('the longest prefix wins, and the scope holds only addresses with the same answer', () => {
    fc.assert(
      fc.property(prefixes, addresses, addresses, (networks, first, second) => {
        const address = normal(first);
        const table = compileRanges(address.family, networks);
        const range = findRange(table, address);
        expect(table.values[range]).toBe(longestMatch(networks, address));
        // Another address that shares the scope's bits.
        const scope = scopeWithin(table, range, address);
        const other = normal({ ...second, family: address.family });
        const kept = maskAddress(address, scope);
        const loose = maskAddress(other, scope);
        const mixed = (name: 'word0' | 'word1' | 'word2' | 'word3'): number =>
          (kept[name] | (other[name] ^ loose[name])) >>> 0;
        const neighbour = normal({
          family: address.family,
          word0: mixed('word0'),
          word1: mixed('word1'),
          word2: mixed('word2'),
          word3: mixed('word3'),
        });
        expect(longestMatch(networks, neighbour)).toBe(longestMatch(networks, address));
      }),
      { numRuns: 500 },
    );
  });
});
