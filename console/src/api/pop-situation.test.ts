import { describe, expect, test } from 'bun:test';
import type { Status } from '#core/contract/status.ts';
import type { Pop } from '#core/model/pop.ts';
import { describeState, popSituations } from './pop-situation.ts';

const POP: Pop = {
  id: 'fra',
  name: 'Frankfurt',
  location: { latitude: 50.1, longitude: 8.7 },
  state: 'active',
  edges: [
    { id: 'fra-1', addresses: ['192.0.2.1'] },
    { id: 'fra-2', addresses: ['192.0.2.2'] },
  ],
};

function statusWith(...states: ('up' | 'down' | 'unknown')[]): Status {
  return {
    status: 'ok',
    version: '0.1.0',
    zone: 'cdn.test',
    generation: 1,
    dnsAddress: '127.0.0.1:8053',
    parts: [],
    missing: [],
    health: states.map((state, index) => ({
      edgeId: `fra-${index + 1}`,
      popId: 'fra',
      state,
      reason: state === 'down' ? 'silent for 5 s' : '',
      since: 1,
    })),
    totals: { sites: 0, pops: 1, edges: 2, networks: 0, purges: 0 },
  };
}

function stateWord(pop: Pop, status: Status | undefined): string {
  const [situation] = popSituations([pop], status, undefined);
  return situation === undefined ? '' : describeState(situation).word;
}

describe('the situation of a POP', () => {
  test.each([
    [['up', 'up'], 'Healthy'],
    [['up', 'down'], 'Degraded'],
    [['down', 'down'], 'Down'],
    [['down', 'unknown'], 'Not heard of'],
    [[], 'Not heard of'],
  ] as const)('edges %p: %s', (states, word) => {
    expect(stateWord(POP, statusWith(...states))).toBe(word);
  });

  test('drained wins over health; without a status nothing is claimed', () => {
    expect(stateWord({ ...POP, state: 'drained' }, statusWith('down', 'down'))).toBe('Drained');
    expect(stateWord(POP, undefined)).toBe('Not heard of');
  });

  test('traffic comes from the live figures', () => {
    const live = {
      at: 0,
      windowSeconds: 10,
      requestsPerSecond: 5,
      bytesPerSecond: 100,
      hitRatio: 0.5,
      sites: [],
      pops: [{ id: 'fra', requestsPerSecond: 5, bytesPerSecond: 100, hitRatio: 0.5 }],
      stepSeconds: 2,
      series: [],
    };
    expect(popSituations([POP], statusWith('up'), live)[0]).toMatchObject({
      state: 'up',
      requestsPerSecond: 5,
      hitRatio: 0.5,
    });
  });
});
