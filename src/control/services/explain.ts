/**
 * Why: where the name server sends a client for a URL, and what the edges there would do with it. Both are
 * asked, neither is imitated: what is shown is what they decide by.
 */
import { isIP } from 'node:net';
import type { Explanation } from '#core/contract/explain.ts';
import { cnameOf } from '#core/model/compile.ts';
import type { CacheExplanation, SteeringExplanation, SteeringQuestion } from '#core/model/messages.ts';
import type { Bus } from '#platform/bus.ts';
import { readPop } from '../database/model-store.ts';
import type { Database } from '../database/schema.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import type { CitySearch } from '../places/city-search.ts';
import { readHttpUrl } from './http-url.ts';
import { findSiteOfHost } from './site-of-host.ts';

export interface ExplainOptions {
  readonly database: Database;
  readonly bus: Bus;
  readonly cities: CitySearch;
  readonly zoneName: string;
}

export class Explainer {
  readonly #options: ExplainOptions;

  constructor(options: ExplainOptions) {
    this.#options = options;
  }

  /** `from` null: the caller itself, at `callerAddress`. Throws ApiError `invalid` for a bad URL or place. */
  async explain(urlText: string, from: string | null, callerAddress: string): Promise<Explanation> {
    const { database, zoneName } = this.#options;
    const url = readHttpUrl(urlText);
    const notes: string[] = [];
    const site = await findSiteOfHost(database, zoneName, url.hostname);
    if (site === null) notes.push(`no site has the host ${url.hostname}; edges answer it with 421`);
    const client = this.#clientOf(from, callerAddress);
    if (site === null) return { url: url.href, host: url.hostname, site, steering: null, caches: [], notes };
    const steering = await this.#explainSteering({ host: url.hostname, ...client });
    if (steering === null) notes.push('no name server answered, so the choice of the POP is not known');
    const caches = await this.#explainCaches(url.href, steering?.chosenPopId ?? null, notes);
    return {
      url: url.href,
      host: url.hostname,
      site: { id: site.id, cname: cnameOf(site.id, zoneName) },
      steering: steering === null ? null : copySteering(steering),
      caches: caches.map(copyCache),
      notes,
    };
  }

  #clientOf(from: string | null, callerAddress: string): Omit<SteeringQuestion, 'host'> {
    if (from === null) return { clientAddress: callerAddress };
    if (isIP(from) !== 0) return { clientAddress: from };
    const { name, location, country } = this.#options.cities.resolve(from, 'from');
    return { clientAddress: callerAddress, clientPlace: { name, ...location, country } };
  }

  async #explainSteering(question: SteeringQuestion): Promise<SteeringExplanation | null> {
    const replies = await this.#options.bus.request('explain-steering', question, {
      timeoutMs: CONTROL_LIMITS.explainTimeoutMs,
    });
    // Name servers agree, as their inputs come in snapshots: the first answer is as good as any.
    for (const reply of replies) if (reply.ok) return reply.answer;
    return null;
  }

  async #explainCaches(
    url: string,
    popId: string | null,
    notes: string[],
  ): Promise<readonly CacheExplanation[]> {
    if (popId === null) {
      notes.push('no POP was chosen, so no cache is asked');
      return [];
    }
    const { database, bus } = this.#options;
    const pop = await readPop(database, popId);
    const prefixes = (pop?.edges ?? []).map(({ id }) => `edge:${id}/`);
    const replies = await bus.request(
      'explain-cache',
      { url },
      { timeoutMs: CONTROL_LIMITS.explainTimeoutMs },
    );
    const own = replies.filter(({ from }) => prefixes.some((prefix) => from.startsWith(prefix)));
    if (own.length === 0) notes.push(`no edge of the POP "${popId}" answered`);
    for (const reply of own) {
      if (!reply.ok) notes.push(`${reply.from} did not answer: ${reply.error}`);
    }
    return own.flatMap((reply) => (reply.ok ? [reply.answer] : []));
  }
}

function copySteering(steering: SteeringExplanation): NonNullable<Explanation['steering']> {
  return {
    ...steering,
    candidates: steering.candidates.map((candidate) => ({
      ...candidate,
      addresses: [...candidate.addresses],
    })),
  };
}

function copyCache(cache: CacheExplanation): Explanation['caches'][number] {
  return {
    ...cache,
    stored: cache.stored === null ? null : { ...cache.stored, tags: [...cache.stored.tags] },
  };
}
