import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { type FieldLinesFault, type FieldLinesRules, parseFieldLines } from './field-lines.ts';
import { HTTP1_LIMITS } from './limits.ts';
import { LineMemory } from './line-memory.ts';

const RULES: FieldLinesRules = { bytesMax: 4096, linesMax: 12, repairsResponses: true };

function read(block: string, memory: LineMemory | null): [string, string][] | FieldLinesFault {
  // What stands around the block must not matter.
  const text = `HTTP/1.1 200 OK\r\n${block}\r\n: x`;
  const from = text.indexOf('\n') + 1;
  const result = parseFieldLines(text, from, from + block.length, RULES, memory);
  return typeof result === 'string' ? result : [...result];
}

/** A memory that has learnt the lines of `block`, which takes two sightings. */
function memoryOf(block: string): LineMemory {
  const memory = new LineMemory();
  for (let i = 0; i < 3; i += 1) read(block, memory);
  return memory;
}

function isKnown(memory: LineMemory, line: string): boolean {
  return memory.find(line, 0, line.length) !== null;
}

describe('lines that came before', () => {
  const LINES = [
    'Server: nginx\r\n',
    'Cache-Control:  public, max-age=60 \r\n',
    'X-Empty:\r\n',
    'A \t: b\r\n',
  ];

  test('are known the third time, and read the same', () => {
    const memory = new LineMemory();
    const block = LINES.join('');
    for (let i = 0; i < 2; i += 1) {
      for (const line of LINES) expect(isKnown(memory, line)).toBe(false);
      expect(read(block, memory)).toEqual(read(block, null));
    }
    for (const line of LINES) expect(isKnown(memory, line)).toBe(true);
    expect(read(block, memory)).toEqual(read(block, null));
  });

  test('are known as a whole only', () => {
    const memory = memoryOf('Server: nginx\r\n');
    expect(isKnown(memory, 'Server: nginx\r\nA: b\r\n')).toBe(true);
    for (const other of [
      'Server: nginx\r',
      'Server: nginx\r\r\n',
      'server: nginx\r\n',
      ' Server: nginx\r\n',
      '',
    ]) {
      expect(isKnown(memory, other)).toBe(false);
    }
    const cut = 'Server: nginx\r\n';
    expect(memory.find(cut, 0, cut.length - 1)).toBeNull();
  });

  test('may be folded on, once or always', () => {
    const memory = memoryOf('A: b\r\n c\r\nD: e\r\n');
    for (const block of [
      'A: b\r\n c\r\n',
      'A: b\r\nD: e\r\n',
      'A: b\r\n\td\r\n f\r\nD: e\r\n',
      ' c\r\nA: b\r\n',
    ]) {
      expect(read(block, memory)).toEqual(read(block, null));
    }
    expect(read('A: b\r\n', memory)).toEqual([['A', 'b']]);
  });

  test('count as lines as others do', () => {
    const memory = memoryOf('A: b\r\n');
    expect(read('A: b\r\n'.repeat(RULES.linesMax), memory)).toHaveLength(RULES.linesMax);
    expect(read('A: b\r\n'.repeat(RULES.linesMax + 1), memory)).toBe('fields-too-many');
  });

  test('are not learnt when they are too long, or have a fault', () => {
    const long = `A: ${'b'.repeat(HTTP1_LIMITS.knownLineCharactersMax)}\r\n`;
    expect(isKnown(memoryOf(long), long)).toBe(false);
    for (const faulty of ['A: b\0\r\n', 'A: b\r\r\n', 'A\r\n', ': b\r\n', 'A: b\n\r\n']) {
      expect(isKnown(memoryOf(faulty), faulty)).toBe(false);
    }
  });

  test('are learnt a few from each block', () => {
    const lines = Array.from({ length: 100 }, (_, i) => `X-${i}: ${i * 7}\r\n`);
    const memory = new LineMemory();
    const rules = { ...RULES, linesMax: 100 };
    const block = lines.join('');
    for (let i = 0; i < 2; i += 1) parseFieldLines(block, 0, block.length, rules, memory);
    const known = lines.filter((line) => isKnown(memory, line)).length;
    expect(known).toBeLessThanOrEqual(HTTP1_LIMITS.linesLearntPerBlockMax);
  });

  test('that a stranger invents push out others, and change nothing', () => {
    const memory = new LineMemory();
    for (let i = 0; i < 20_000; i += 1) {
      const block = `X-${i % 4_000}: ${i >> 1}\r\nA: b\r\n`;
      expect(read(block, memory)).toEqual([
        [`X-${i % 4_000}`, `${i >> 1}`],
        ['A', 'b'],
      ]);
    }
  });
});

test('any text reads the same with the memory and without, whatever was read before', () => {
  const memory = new LineMemory();
  const part = fc.constantFrom(
    ...['A', 'b', ':', ' ', '\t', '\r', '\n', '\r\n', '\0', '\xff', ',', ' x\r\n', 'A : b\r\n', 'A: b\r\n'],
    ...['Server: nginx\r\n', 'Server: nginx/2\r\n', 'Date: Thu, 26 Nov 2026 05:20:11 GMT\r\n', 'Vary:\r\n'],
    ...[`Long: ${'x'.repeat(200)}\r\n`, `Long: ${'x'.repeat(200)}`, ` ${'y'.repeat(150)}\r\n`, '\x7f'],
    ...['Content-Type: text/html; charset=utf-8\r\n', 'content-type: text/html; charset=utf-8\r\n'],
  );
  const mutation = fc.record({
    at: fc.nat(400),
    removed: fc.nat(2),
    inserted: fc.oneof(fc.constant(''), part),
  });
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 14 }),
      fc.array(mutation, { maxLength: 2 }),
      (parts, mutations) => {
        let block = parts.join('');
        for (let i = 0; i < 2; i += 1) expect(read(block, memory)).toEqual(read(block, null));
        for (const { at, removed, inserted } of mutations) {
          block = block.slice(0, at) + inserted + block.slice(at + removed);
        }
        for (let i = 0; i < 3; i += 1) expect(read(block, memory)).toEqual(read(block, null));
      },
    ),
    { numRuns: 3_000 },
  );
});
