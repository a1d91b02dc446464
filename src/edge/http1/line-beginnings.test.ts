import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { NameSet } from '#core/http/name-set.ts';
import { isToken } from '../connection/characters.ts';
import { LineBeginnings } from './line-beginnings.ts';

test('a line begins with its name, unless the name is left out or is no token', () => {
  const beginnings = new LineBeginnings(new NameSet(['content-length']));
  const names = fc.oneof(
    fc.constantFrom(
      'Server',
      'Content-Length',
      'content-length',
      '',
      'A\r\nB',
      'A:',
      'A b',
      'A\xe9',
      'A\u0100',
    ),
    fc.string({ maxLength: 100 }),
  );
  fc.assert(
    fc.property(names, (name) => {
      const isWritten = isToken(name) && name.toLowerCase() !== 'content-length';
      for (let i = 0; i < 3; i += 1) expect(beginnings.of(name)).toBe(isWritten ? `${name}: ` : '');
    }),
    { numRuns: 2_000 },
  );
});

test('names that strangers invent change nothing', () => {
  const beginnings = new LineBeginnings(new NameSet(['via']));
  for (let i = 0; i < 5_000; i += 1) {
    expect(beginnings.of(`X-${i}`)).toBe(`X-${i}: `);
    expect(beginnings.of('Server')).toBe('Server: ');
    expect(beginnings.of('VIA')).toBe('');
  }
});
