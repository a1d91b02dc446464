/** The HTTP/2 server: conversations whose bytes were changed. */
import { CONVERSATIONS } from '../http2-conversations.ts';
import { outcomeOf } from '../http2-outcome.ts';
import { type FuzzTarget, latin1, mustEqual } from '../target.ts';

const connections: FuzzTarget = {
  name: 'http2-connections',
  corpus: CONVERSATIONS.map(({ bytes }) => bytes).filter(({ length }) => length < 5_000),
  tokens: latin1(
    ...[
      '\0\0\0\x04\0\0\0\0\0',
      '\0\0\0\x04\x01\0\0\0\0',
      '\0\0\0\0\x01\0\0\0\x01',
      '\0\0\x08\x06\0\0\0\0\0pingpong',
    ],
    ...[
      '\0\0\x04\x08\0\0\0\0\0\0\0\0\x01',
      '\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08',
      '\0\0\0\x09\x04\0\0\0\x01',
      '\0\0\x01',
      '\0\0\0',
    ],
    ...[
      '\x82',
      '\x84',
      '\x86',
      '\x88',
      '\xbe',
      '\x7f\xff\xff\xff',
      '\xff\xff\xff\xff',
      '\0\0\0\x03',
      '\x01\x05',
      '\x01\x24',
      '\x00\x01',
    ],
  ),
  runs: 1_500,
  async check(input, cuts) {
    const whole = await outcomeOf(input, []);
    mustEqual('cut, the same outcome', await outcomeOf(input, cuts), whole);
  },
};

export const HTTP2_TARGETS: readonly FuzzTarget[] = [connections];
