/**
 * A cache for one URL, written to be obviously right and not to be fast: it keeps what came as it came, and works
 * everything out anew from RFC 9111 and RFC 5861 whenever it is asked. It knows directives as values and never reads
 * a field, so that it shares nothing with what it judges (`slow-cache.test.ts`).
 */

/** Seconds throughout; what is undefined was not said. */
export interface SaidByOrigin {
  readonly noStore?: true | undefined;
  readonly noCache?: true | undefined;
  readonly private?: true | undefined;
  readonly public?: true | undefined;
  readonly mustRevalidate?: true | undefined;
  readonly proxyRevalidate?: true | undefined;
  readonly sMaxAge?: number | undefined;
  readonly maxAge?: number | undefined;
  readonly staleWhileRevalidate?: number | undefined;
  readonly staleIfError?: number | undefined;
}

export interface SaidByUser {
  readonly noStore?: true | undefined;
  readonly noCache?: true | undefined;
  readonly onlyIfCached?: true | undefined;
  readonly maxAge?: number | undefined;
  readonly minFresh?: number | undefined;
  /** Infinity: without a figure. */
  readonly maxStale?: number | undefined;
}

export interface Asked {
  readonly method: 'GET' | 'HEAD' | 'PUT';
  readonly said: SaidByUser;
  readonly hasAuthorization: boolean;
  /** Accept-Language. */
  readonly language: string | null;
}

export interface Answered {
  /** Told apart by it in tests. */
  readonly id: number;
  readonly status: number;
  readonly said: SaidByOrigin;
  /** Before the answer arrived; null: no Date. */
  readonly dateAgo: number | null;
  readonly age: number | null;
  readonly etag: string | null;
  /** Before its Date. */
  readonly modifiedAgo: number | null;
  /** After its Date; negative: before. */
  readonly expiresIn: number | null;
  readonly variesOnLanguage: boolean;
  readonly setsCookie: boolean;
}

/** What the site says. */
export interface Says {
  readonly mode: 'respect-origin' | 'override-origin' | 'bypass';
  readonly ttl: number | null;
  readonly ttlOf404: number | null;
  readonly setCookie: 'explicit' | 'shared' | 'strip' | 'never';
  readonly isDeaf: boolean;
  readonly staleWhileRevalidate: number;
  readonly staleIfError: number;
}

export interface Kept {
  readonly answered: Answered;
  /** The Accept-Language it was asked for with, where it varies on that. */
  readonly language: string | null;
  readonly requestedAt: number;
  readonly respondedAt: number;
}

const GOOD = [200, 203, 204, 300, 301, 302, 303, 307, 308];
const KEPT_BY_DEFAULT = [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501];

/** ms. Times are whole seconds here, as those in fields are. */
const dateOf = ({ answered, respondedAt }: Kept): number => respondedAt - (answered.dateAgo ?? 0) * 1000;

/** RFC 9111 §4.2.3, in its own names. */
function currentAge(kept: Kept, now: number): number {
  const { answered, requestedAt, respondedAt } = kept;
  const apparentAge = Math.max(0, (respondedAt - dateOf(kept)) / 1000);
  const responseDelay = (respondedAt - requestedAt) / 1000;
  const correctedAgeValue = (answered.age ?? 0) + responseDelay;
  const correctedInitialAge = Math.max(apparentAge, correctedAgeValue);
  const residentTime = Math.max(0, now - respondedAt) / 1000;
  return correctedInitialAge + residentTime;
}

function ttlOfSite(says: Says, status: number): number | null {
  if (status === 404 && says.ttlOf404 !== null) return says.ttlOf404;
  return GOOD.includes(status) ? says.ttl : null;
}

const overrules = (says: Says, status: number): boolean =>
  says.mode === 'override-origin' && ttlOfSite(says, status) !== null;

function explicitLifetime({ said, expiresIn }: Answered): number | null {
  if (said.sMaxAge !== undefined) return said.sMaxAge;
  if (said.maxAge !== undefined) return said.maxAge;
  return expiresIn === null ? null : Math.max(0, expiresIn);
}

/** RFC 9111 §4.2.1, §4.2.2; null: there is none. */
function lifetime(answered: Answered, says: Says): number | null {
  const { status, said, modifiedAgo } = answered;
  const site = ttlOfSite(says, status);
  if (site !== null && says.mode === 'override-origin') return site;
  const explicit = explicitLifetime(answered);
  if (explicit !== null) return explicit;
  if (site !== null) return site;
  if (modifiedAgo === null || !(said.public || KEPT_BY_DEFAULT.includes(status))) return null;
  return Math.min(Math.floor(modifiedAgo / 10), 86_400);
}

const hasValidator = ({ etag, modifiedAgo }: Answered): boolean => etag !== null || modifiedAgo !== null;

/** RFC 9111 §3, and what a site may say about it. */
export function isKept(asked: Asked, answered: Answered, says: Says): boolean {
  const { said, status } = answered;
  if (asked.method !== 'GET' || says.mode === 'bypass') return false;
  if (asked.said.noStore && !says.isDeaf) return false;
  if (!overrules(says, status) && (said.noStore || said.private)) return false;
  if (asked.hasAuthorization) {
    const isForAll = said.public || said.mustRevalidate || said.sMaxAge !== undefined;
    if (!isForAll || said.private || said.noStore) return false;
  }
  if (answered.setsCookie) {
    const isShared = said.public || said.sMaxAge !== undefined;
    const isExplicit = !overrules(says, status) && explicitLifetime(answered) !== null;
    if (says.setCookie === 'never') return false;
    if (says.setCookie === 'shared' && !isShared) return false;
    if (says.setCookie === 'explicit' && !isShared && !isExplicit) return false;
  }
  const lives = lifetime(answered, says);
  const mayLie = lives !== null || said.public || KEPT_BY_DEFAULT.includes(status);
  const canValidate = mayLie && hasValidator(answered);
  if (said.noCache && !overrules(says, status)) return canValidate;
  const hasWindow = (said.staleWhileRevalidate ?? 0) > 0 || (said.staleIfError ?? 0) > 0;
  return (lives ?? 0) > 0 || canValidate || hasWindow;
}

export type Verdict =
  | { readonly is: 'reuse'; readonly kept: Kept; readonly isStale: boolean }
  | { readonly is: 'reuse-and-revalidate'; readonly kept: Kept }
  | { readonly is: 'validate'; readonly kept: Kept; readonly coversDisconnect: boolean }
  | { readonly is: 'forward'; readonly mayKeep: boolean; readonly mayShare: boolean }
  | { readonly is: 'refuse' };

/** Whether a 304 has since forbidden what was allowed, so that it is validated at every use. */
const isForbidden = ({ said }: Answered): boolean => said.private === true || said.noStore === true;

export class SlowCache {
  readonly #says: Says;
  #kept: Kept[] = [];

  constructor(says: Says) {
    this.#says = says;
  }

  /** Newest first. */
  get kept(): readonly Kept[] {
    return this.#kept;
  }

  select(asked: Asked): Kept | null {
    const fitting = this.#kept.filter(
      ({ answered, language }) => !answered.variesOnLanguage || language === asked.language,
    );
    let best: Kept | null = null;
    for (const kept of fitting) {
      const isBetter =
        best === null ||
        dateOf(kept) > dateOf(best) ||
        (dateOf(kept) === dateOf(best) && kept.respondedAt > best.respondedAt);
      if (isBetter) best = kept;
    }
    return best;
  }

  /** RFC 9111 §4, §5.2.1; RFC 5861. */
  judge(asked: Asked, now: number): Verdict {
    const says = this.#says;
    const said = says.isDeaf ? {} : asked.said;
    if (asked.method === 'PUT' || says.mode === 'bypass')
      return { is: 'forward', mayKeep: false, mayShare: false };
    const mayKeep = asked.method === 'GET' && !said.noStore;
    const forward: Verdict = { is: 'forward', mayKeep, mayShare: mayKeep && !asked.hasAuthorization };
    const kept = this.select(asked);
    if (kept === null) return said.onlyIfCached ? { is: 'refuse' } : forward;

    const facts = this.factsOf(kept, now);
    const ask: Verdict = { is: 'validate', kept, coversDisconnect: facts.coversDisconnect };
    const atOrigin: Verdict = said.onlyIfCached ? { is: 'refuse' } : said.noStore ? forward : ask;
    if (said.noCache) return atOrigin;
    const isOld = said.maxAge !== undefined && facts.age > said.maxAge;
    const endsSoon = said.minFresh !== undefined && facts.lives - facts.age < said.minFresh;
    if (!facts.isStale && !facts.mustAsk) {
      return isOld || endsSoon ? atOrigin : { is: 'reuse', kept, isStale: false };
    }
    if (isOld || endsSoon) return atOrigin;
    const staleFor = facts.age - facts.lives;
    if (said.maxStale !== undefined && !facts.mustAsk && !facts.neverStale && staleFor <= said.maxStale) {
      return { is: 'reuse', kept, isStale: true };
    }
    if (!said.onlyIfCached && !facts.mustAsk && !facts.neverStale && staleFor < facts.whileRevalidating) {
      return { is: 'reuse-and-revalidate', kept };
    }
    return atOrigin;
  }

  factsOf(kept: Kept, now: number) {
    const says = this.#says;
    const { answered } = kept;
    const { said, status } = answered;
    const age = currentAge(kept, now);
    const lives = lifetime(answered, says) ?? 0;
    const isOverruled = overrules(says, status);
    const mustAsk = (said.noCache === true || isForbidden(answered)) && !isOverruled;
    const grants = said.staleWhileRevalidate !== undefined || said.staleIfError !== undefined;
    const neverStale =
      said.mustRevalidate === true ||
      said.proxyRevalidate === true ||
      (said.sMaxAge !== undefined && !grants);
    const whileRevalidating = said.staleWhileRevalidate ?? says.staleWhileRevalidate;
    const onError = Math.max(said.staleIfError ?? says.staleIfError, says.staleIfError);
    const isStale = age >= lives;
    const coversDisconnect =
      !mustAsk && status < 500 && (age < lives || (!neverStale && age - lives < onError));
    return { age, lives, isStale, mustAsk, neverStale, whileRevalidating, coversDisconnect };
  }

  keep(kept: Kept): void {
    const isSame = (other: Kept): boolean =>
      other.answered.variesOnLanguage === kept.answered.variesOnLanguage &&
      (!kept.answered.variesOnLanguage || other.language === kept.language);
    this.#kept = [kept, ...this.#kept.filter((other) => !isSame(other))];
  }

  /** RFC 9111 §4.3.4: what the 304 says replaces what was said, and the rest stays: dates where they were. */
  freshen(
    old: Kept,
    update: Pick<Answered, 'said' | 'dateAgo' | 'age'>,
    at: Pick<Kept, 'requestedAt' | 'respondedAt'>,
  ): void {
    const { answered } = old;
    const saysAnything = Object.values(update.said).some((value) => value !== undefined);
    const later = (at.respondedAt - (update.dateAgo ?? 0) * 1000 - dateOf(old)) / 1000;
    const fresh: Answered = {
      ...answered,
      said: saysAnything ? update.said : answered.said,
      dateAgo: update.dateAgo,
      age: update.age,
      expiresIn: answered.expiresIn === null ? null : answered.expiresIn - later,
      modifiedAgo: answered.modifiedAgo === null ? null : answered.modifiedAgo + later,
    };
    this.#kept = this.#kept.map((kept) => (kept === old ? { ...old, answered: fresh, ...at } : kept));
  }
}
