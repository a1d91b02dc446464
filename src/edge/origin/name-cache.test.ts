import { describe, expect, test } from 'bun:test';
import { ORIGIN_LIMITS, type OriginLimits } from './limits.ts';
import { type HostAddress, NameCache } from './name-cache.ts';

const ONE: HostAddress = { address: '192.0.2.1', family: 4 };
const TWO: HostAddress = { address: '192.0.2.2', family: 4 };
const SIX: HostAddress = { address: '2001:db8::1', family: 6 };

/** A cache over answers given in turn; an Error is a failed lookup. */
function cacheOver(answers: (readonly HostAddress[] | Error)[], limits: Partial<OriginLimits> = {}) {
  const clock = {
    at: 1_000_000,
    now() {
      return this.at;
    },
  };
  const asked: string[] = [];
  const names = new NameCache(clock, { ...ORIGIN_LIMITS, ...limits }, async (host) => {
    asked.push(host);
    const answer = answers.shift();
    if (answer === undefined) throw new Error('no answer is left');
    if (answer instanceof Error) throw answer;
    return answer;
  });
  return { clock, asked, names };
}

describe('NameCache', () => {
  test('knows literals without asking', () => {
    const { names, asked } = cacheOver([]);
    expect(names.recall('192.0.2.1')).toEqual({ ok: true, addresses: [ONE] });
    expect(names.recall('2001:db8::1')).toEqual({ ok: true, addresses: [SIX] });
    expect(asked).toEqual([]);
  });

  test('remembers for a while, then asks again', async () => {
    const { names, clock, asked } = cacheOver([[ONE], [TWO]]);
    expect(names.recall('a.example')).toBeNull();
    expect(await names.resolve('a.example')).toEqual({ ok: true, addresses: [ONE] });
    expect(names.recall('a.example')).toEqual({ ok: true, addresses: [ONE] });
    clock.at += ORIGIN_LIMITS.nameMs;
    expect(names.recall('a.example')).toBeNull();
    expect(await names.resolve('a.example')).toEqual({ ok: true, addresses: [TWO] });
    expect(asked).toEqual(['a.example', 'a.example']);
  });

  test('asks once for all who ask at the same time', async () => {
    const { names, asked } = cacheOver([[ONE]]);
    const outcomes = await Promise.all([1, 2, 3].map(() => names.resolve('a.example')));
    expect(outcomes.every((outcome) => outcome.ok)).toBe(true);
    expect(asked.length).toBe(1);
  });

  test('families take turns', async () => {
    const { names } = cacheOver([[SIX, ONE, TWO]]);
    expect(await names.resolve('a.example')).toEqual({ ok: true, addresses: [SIX, ONE, TWO] });
    const other = cacheOver([[ONE, TWO, SIX]]);
    expect(await other.names.resolve('a.example')).toEqual({ ok: true, addresses: [ONE, SIX, TWO] });
  });

  test('tries a bounded number of addresses', async () => {
    const { names } = cacheOver([Array.from({ length: 100 }, () => ONE)]);
    const outcome = await names.resolve('a.example');
    expect(outcome.ok && outcome.addresses.length).toBe(ORIGIN_LIMITS.addressesMax);
  });

  test('a failure is remembered briefly', async () => {
    const { names, clock } = cacheOver([new Error('down'), [ONE]]);
    expect((await names.resolve('a.example')).ok).toBe(false);
    expect(names.recall('a.example')?.ok).toBe(false);
    clock.at += ORIGIN_LIMITS.nameFailureMs;
    expect(names.recall('a.example')).toBeNull();
    expect((await names.resolve('a.example')).ok).toBe(true);
  });

  test('no address at all is a failure', async () => {
    const { names } = cacheOver([[]]);
    expect((await names.resolve('a.example')).ok).toBe(false);
  });

  test('old addresses serve on while lookups fail, but not for ever', async () => {
    const failures = [new Error('down'), new Error('down')];
    const { names, clock } = cacheOver([[ONE], ...failures]);
    await names.resolve('a.example');
    clock.at += ORIGIN_LIMITS.nameMs;
    expect(await names.resolve('a.example')).toEqual({ ok: true, addresses: [ONE] });
    clock.at += ORIGIN_LIMITS.nameStaleMs + 1;
    expect((await names.resolve('a.example')).ok).toBe(false);
  });

  test('forgets the oldest name when there are too many', async () => {
    const { names } = cacheOver([[ONE], [ONE], [ONE]], { namesMax: 2 });
    for (const host of ['a.example', 'b.example', 'c.example']) await names.resolve(host);
    expect(names.recall('a.example')).toBeNull();
    expect(names.recall('b.example')).not.toBeNull();
    expect(names.recall('c.example')).not.toBeNull();
  });
});
