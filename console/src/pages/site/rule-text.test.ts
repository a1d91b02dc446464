import { describe, expect, test } from 'bun:test';
import { ruleSchema } from '#core/model/site.ts';
import { describeEffect, describeScope } from './rule-text.ts';

describe('rules in words', () => {
  test.each([
    [{}, 'Every path', 'Kept as the origin says'],
    [{ path: '/admin/*', mode: 'bypass' }, '/admin/*', 'Never kept: every request goes to the origin'],
    [
      { path: '/i/*', contentType: 'image/*', mode: 'override-origin', edgeTtlSeconds: 604_800 },
      '/i/*, type image/*',
      'Kept 7 days, whatever the origin says',
    ],
    [
      { edgeTtlSeconds: 3_600, browserTtlSeconds: 60 },
      'Every path',
      'Kept as the origin says, 1 hour where it is silent; browsers keep it 1 minute',
    ],
    [
      { mode: 'override-origin', edgeTtlSeconds: 0, browserTtlSeconds: 0 },
      'Every path',
      'Validated with the origin each time, whatever it says; browsers ask again each time',
    ],
    [
      { edgeTtlSeconds: 60, statusTtls: [{ status: '404', seconds: 30 }], setCookie: 'strip' },
      'Every path',
      'Kept as the origin says, 1 minute where it is silent; 404 for 30 seconds; Set-Cookie: strip',
    ],
  ] as const)('%p', (input, scope, effect) => {
    const rule = ruleSchema.parse(input);
    expect(describeScope(rule)).toBe(scope);
    expect(describeEffect(rule)).toBe(effect);
  });
});
