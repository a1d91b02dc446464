/** What edges have stored: each is asked, and what they say is passed on. */
import type { CacheInspectionView, PopularView } from '#core/contract/cache.ts';
import type { Bus } from '#platform/bus.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import { readHttpUrl } from './http-url.ts';

const WITHIN = { timeoutMs: CONTROL_LIMITS.explainTimeoutMs };

export class StoredResponses {
  readonly #bus: Bus;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** Throws ApiError `invalid` for what is no URL. */
  async inspect(text: string): Promise<CacheInspectionView> {
    const url = readHttpUrl(text);
    const { answers, notes } = gather(await this.#bus.request('inspect-cache', { url: url.href }, WITHIN));
    const edges = answers.map((edge) => ({
      ...edge,
      responses: edge.responses.map((each) => ({
        ...each,
        variesOn: [...each.variesOn],
        tags: [...each.tags],
      })),
    }));
    return { edges, notes };
  }

  async top(limit: number): Promise<PopularView> {
    const { answers, notes } = gather(await this.#bus.request('popular', { limit }, WITHIN));
    return { edges: answers.map((edge) => ({ ...edge, responses: [...edge.responses] })), notes };
  }
}

type Reply<Answer> = { from: string } & ({ ok: true; answer: Answer } | { ok: false; error: string });

function gather<Answer extends { readonly part: string }>(
  replies: readonly Reply<Answer>[],
): { answers: Answer[]; notes: string[] } {
  const answers = replies.flatMap((reply) => (reply.ok ? [reply.answer] : []));
  const notes = replies.flatMap((reply) =>
    reply.ok ? [] : [`${reply.from} did not answer: ${reply.error}`],
  );
  if (replies.length === 0) notes.push('no edge answered');
  return { answers: answers.sort((a, b) => (a.part < b.part ? -1 : 1)), notes };
}
