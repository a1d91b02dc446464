import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { authorityOfTarget, normaliseTarget, parseTarget } from './request-target.ts';

describe('request targets', () => {
  test('TG1 origin form and absolute form', () => {
    expect(parseTarget('/a?b?c')).toEqual({ path: '/a', query: 'b?c' });
    expect(parseTarget('/a')).toEqual({ path: '/a', query: null });
    expect(parseTarget('http://h:1/a?b')).toEqual({ path: '/a', query: 'b' });
    expect(parseTarget('HTTPS://h')).toEqual({ path: '/', query: null });
    expect(parseTarget('http://h?b')).toEqual({ path: '/', query: 'b' });
    expect(authorityOfTarget('http://H:1/a')).toBe('h:1');
    expect(authorityOfTarget('https://h?x')).toBe('h');
    expect(authorityOfTarget('/a')).toBeNull();
    expect(authorityOfTarget('http:///a')).toBeNull();
  });

  for (const target of [
    '*',
    '',
    'a',
    'h:443',
    'ftp://h/',
    'http://',
    'http:///a',
    'http://?a',
    '/a#b',
    '/a b',
    '/a\r\n',
    '/\u007f',
    '/a%',
    '/%4',
    '/%zz',
    '/\u0100',
  ]) {
    test(`TG1 refuses "${target}"`, () => expect(normaliseTarget(target)).toBeNull());
  }

  const normal: [target: string, expected: string, rule: string][] = [
    ['/a/b?c=d', '/a/b?c=d', 'TG2'],
    ['/%7euser/%41', '/~user/A', 'TG2'],
    ['/caf%c3%a9', '/caf%C3%A9', 'TG2'],
    ['/caf\u00c3\u00a9', '/caf%C3%A9', 'TG2'],
    ['/a/./b/../c', '/a/c', 'TG2'],
    ['/../../a', '/a', 'TG2'],
    ['/a/b/..', '/a/', 'TG2'],
    ['/a/.', '/a/', 'TG2'],
    ['/a/%2e%2E/b', '/b', 'TG2'],
    ['/.well-known/x', '/.well-known/x', 'TG2'],
    ['/...', '/...', 'TG2'],
    ['http://h/x/../a?%7e', '/a?~', 'TG2'],
    ['/a?x=../..', '/a?x=../..', 'TG2'],
    ['/a%2fb', '/a%2Fb', 'TG3'],
    ['/a//b', '/a//b', 'TG3'],
    ['/a//../b', '/a/b', 'TG3'],
    ['/a?', '/a?', 'TG3'],
    ['/%3F', '/%3F', 'TG3'],
    ['/a?b=100%', '/a?b=100%', 'TG4'],
    ['/a?b=%zz%41', '/a?b=%zzA', 'TG4'],
    ['/a?%f%41', '/a?%f%41', 'TG4'],
    ['/a?%%61f', '/a?%%61f', 'TG4'],
    ['/a?%%7a%f', '/a?%z%f', 'TG4'],
  ];
  for (const [target, expected, rule] of normal) {
    test(`${rule} "${target}" is "${expected}"`, () => expect(normaliseTarget(target)).toBe(expected));
  }

  test('TG2 normalising twice changes nothing, and nothing throws', () => {
    const unit = fc.oneof(
      fc.constantFrom('/', '.', '%', '2', 'e', 'E', 'F', 'a', '?', '~', '7'),
      fc.string({ unit: 'binary', maxLength: 1 }),
    );
    fc.assert(
      fc.property(fc.array(unit), (parts) => {
        const once = normaliseTarget(`/${parts.join('')}`);
        if (once !== null) expect(normaliseTarget(once)).toBe(once);
      }),
      { numRuns: 500 },
    );
  });
});
