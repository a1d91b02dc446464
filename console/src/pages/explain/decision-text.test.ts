import { expect, test } from 'bun:test';
import { describeDecision } from './decision-text.ts';

test.each([
  ['reuse', /from the cache/],
  ['forward (uri-miss)', /origin is asked/],
  ['refuse (no site has this host)', /an error itself/],
  ['something new', /^$/],
])('%s', (decision, sentence) => expect(describeDecision(decision)).toMatch(sentence));
