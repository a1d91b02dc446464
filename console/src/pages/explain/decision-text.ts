/** The road's decisions (`core/caching/decision.ts`) in a sentence each. */
const SENTENCES: Readonly<Record<string, string>> = {
  reuse: 'Answered from the cache, without asking the origin.',
  'reuse-and-revalidate': 'Answered from the cache at once; the origin is asked behind the answer.',
  validate: 'The origin is asked whether the stored response still holds, then answered.',
  forward: 'The origin is asked for it.',
  refuse: 'The edge answers with an error itself.',
};

/** For a decision as an edge prints it, `forward (uri-miss)`; empty for one this console does not know. */
export function describeDecision(decision: string): string {
  return SENTENCES[decision.split(' ', 1)[0] ?? ''] ?? '';
}
