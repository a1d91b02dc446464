/**
 * Addresses of origin host names, remembered for a little while. One lookup at a time per name, however
 * many ask. When the name server of an origin fails, its last known addresses serve on: an outage of DNS
 * should not become an outage of the site.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Clock } from '#platform/clock.ts';
import type { OriginLimits } from './limits.ts';

export interface HostAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

export type LookupOutcome =
  | { readonly ok: true; readonly addresses: readonly HostAddress[] }
  | { readonly ok: false; readonly error: unknown };

/** Asks the system; rejects when it has no answer. */
export type SystemLookup = (host: string) => Promise<readonly HostAddress[]>;

interface Known {
  outcome: LookupOutcome;
  /** Milliseconds since the epoch. */
  freshUntil: number;
  usableUntil: number;
}

async function systemLookup(host: string): Promise<readonly HostAddress[]> {
  const found = await lookup(host, { all: true });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
}

/** Families take turns, in the system's order of preference (RFC 8305 §4). */
function interleave(addresses: readonly HostAddress[]): HostAddress[] {
  const preferred = addresses[0]?.family;
  const first = addresses.filter(({ family }) => family === preferred);
  const second = addresses.filter(({ family }) => family !== preferred);
  const mixed: HostAddress[] = [];
  for (let i = 0; i < Math.max(first.length, second.length); i += 1) {
    for (const address of [first[i], second[i]]) if (address !== undefined) mixed.push(address);
  }
  return mixed;
}

export class NameCache {
  readonly #clock: Clock;
  readonly #limits: OriginLimits;
  readonly #lookup: SystemLookup;
  /** In order of first lookup, so that the oldest can be forgotten. */
  readonly #known = new Map<string, Known>();
  readonly #asking = new Map<string, Promise<LookupOutcome>>();

  constructor(clock: Clock, limits: OriginLimits, lookupAddresses: SystemLookup = systemLookup) {
    this.#clock = clock;
    this.#limits = limits;
    this.#lookup = lookupAddresses;
  }

  /** What is known without asking: IP addresses themselves, and names looked up a moment ago. */
  recall(host: string): LookupOutcome | null {
    const family = isIP(host);
    if (family !== 0) return { ok: true, addresses: [{ address: host, family: family === 6 ? 6 : 4 }] };
    const known = this.#known.get(host);
    return known !== undefined && known.freshUntil > this.#clock.now() ? known.outcome : null;
  }

  /** Never rejects. */
  resolve(host: string): Promise<LookupOutcome> {
    const asking = this.#asking.get(host) ?? this.#ask(host);
    this.#asking.set(host, asking);
    return asking;
  }

  async #ask(host: string): Promise<LookupOutcome> {
    let outcome: LookupOutcome;
    try {
      const addresses = interleave(await this.#lookup(host)).slice(0, this.#limits.addressesMax);
      outcome =
        addresses.length > 0 ? { ok: true, addresses } : { ok: false, error: new Error('no address') };
    } catch (error) {
      outcome = { ok: false, error };
    }
    this.#asking.delete(host);
    return this.#remember(host, outcome);
  }

  #remember(host: string, outcome: LookupOutcome): LookupOutcome {
    const now = this.#clock.now();
    const { nameMs, nameFailureMs, nameStaleMs, namesMax } = this.#limits;
    const known = this.#known.get(host);
    if (!outcome.ok && known?.outcome.ok === true && known.usableUntil > now) {
      known.freshUntil = now + nameFailureMs;
      return known.outcome;
    }
    this.#known.delete(host);
    if (this.#known.size >= namesMax) {
      const oldest = this.#known.keys().next();
      if (!oldest.done) this.#known.delete(oldest.value);
    }
    const freshUntil = now + (outcome.ok ? nameMs : nameFailureMs);
    this.#known.set(host, { outcome, freshUntil, usableUntil: now + nameMs + nameStaleMs });
    return outcome;
  }
}
