/**
 * Counters of queries and answers, in memory that a listener's thread and the main one share. Each block
 * has one writer; readers add the blocks up.
 *
 *   block: [ queries UDP, queries TCP, dropped, truncated, answers by rcode 0 … 16 ]
 */
import { RCODE } from '#core/dns/codes.ts';

const QUERIES_UDP = 0;
const QUERIES_TCP = 1;
const DROPPED = 2;
const TRUNCATED = 3;
const RCODES = 4;
const COUNTERS = RCODES + 17;

const TRUNCATED_BIT = 0x02;

/** Doubles count exactly up to 2^53. */
export type CounterBlock = Float64Array;

export function createCounterBlock(): CounterBlock {
  return new Float64Array(new SharedArrayBuffer(COUNTERS * 8));
}

/** Counts one query and its answer. `length` 0: none was given. */
export function countAnswer(
  block: CounterBlock,
  isStream: boolean,
  rcode: number,
  output: Uint8Array,
  length: number,
): void {
  bump(block, isStream ? QUERIES_TCP : QUERIES_UDP);
  if (length === 0) {
    bump(block, DROPPED);
    return;
  }
  bump(block, RCODES + rcode);
  if (((output[2] as number) & TRUNCATED_BIT) !== 0) bump(block, TRUNCATED);
}

function bump(block: CounterBlock, index: number): void {
  block[index] = (block[index] as number) + 1;
}

/** The sums under their metric names. */
export function sumCounters(blocks: readonly CounterBlock[]): Record<string, number> {
  const sum = (index: number): number => blocks.reduce((total, block) => total + (block[index] ?? 0), 0);
  const counters: Record<string, number> = {
    perigee_dns_queries_udp_total: sum(QUERIES_UDP),
    perigee_dns_queries_tcp_total: sum(QUERIES_TCP),
    perigee_dns_dropped_total: sum(DROPPED),
    perigee_dns_truncated_total: sum(TRUNCATED),
  };
  for (const [name, code] of Object.entries(RCODE)) {
    counters[`perigee_dns_answers_${name.toLowerCase()}_total`] = sum(RCODES + code);
  }
  return counters;
}
