import { describe, expect, test } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import { resolveSameHost } from '#core/http/references.ts';
import { urlKeyOf } from './cache-key.ts';
import { invalidatedTargets } from './invalidate.ts';

function ask(method: string, status: number, entries: [string, string][] = [], target = '/a/b?c'): string[] {
  return invalidatedTargets({
    method,
    status,
    target,
    authority: 'www.example.com',
    responseFields: Fields.of(entries),
  });
}

describe('invalidation', () => {
  test('IN1 an unsafe method that succeeded forgets its target', () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'M-SEARCH']) {
      expect(ask(method, 200)).toEqual(['/a/b?c']);
      expect(ask(method, 303)).toEqual(['/a/b?c']);
      expect(ask(method, 400)).toEqual([]);
      expect(ask(method, 500)).toEqual([]);
    }
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE']) expect(ask(method, 200)).toEqual([]);
    expect(ask('OPTIONS', 200, [], '*')).toEqual([]);
    expect(ask('POST', 200, [], '*')).toEqual([]);
  });

  test('IN1 and what Location and Content-Location name on the same host', () => {
    expect(
      ask('POST', 201, [
        ['Location', '/new'],
        ['Content-Location', 'x#y'],
      ]),
    ).toEqual(['/a/b?c', '/new', '/a/x']);
    expect(ask('POST', 201, [['Location', 'https://other.example/new']])).toEqual(['/a/b?c']);
    expect(ask('POST', 201, [['Location', '/a/b?c']])).toEqual(['/a/b?c']);
  });

  const references: [reference: string, expected: string | null][] = [
    ['', '/a/b?c'],
    ['?d', '/a/b?d'],
    ['x', '/a/x'],
    ['../x', '/x'],
    ['/x', '/x'],
    ['//www.example.com/x', '/x'],
    ['//other.example/x', null],
    ['http://WWW.example.com/x', '/x'],
    ['http://www.example.com:81/x', null],
    ['mailto:a@b', null],
    ['ftp://www.example.com/x', null],
    ['x:y', null],
    ['./x:y', '/a/x:y'],
    ['/%zz', null],
  ];
  for (const [reference, expected] of references) {
    test(`IN1 "${reference}" is ${expected}`, () => {
      expect(resolveSameHost(reference, '/a/b?c', 'www.example.com')).toBe(expected);
    });
  }
  test('IN1 a target without query', () => expect(resolveSameHost('x', '/a', 'h')).toBe('/x'));
});

describe('cache keys', () => {
  test('CK1 scheme, host without port, normalised target', () => {
    expect(urlKeyOf({ scheme: 'https', host: 'WWW.example.com.:8443', keyTarget: '/a?b' })).toBe(
      'https://www.example.com/a?b',
    );
  });
});
