/** Use cases on sites. */
import { AppError } from '#core/base/app-error.ts';
import { ApiError } from '#core/contract/errors.ts';
import type { SitePatch, SiteView } from '#core/contract/sites.ts';
import { checkSite, cnameOf } from '#core/model/compile.ts';
import type { Site } from '#core/model/site.ts';
import { SNAPSHOT_LIMITS, type Zone } from '#core/model/snapshot.ts';
import type { Clock } from '#platform/clock.ts';
import { readClientAuthorities } from '../certificates/client-authorities.ts';
import {
  countRows,
  readHostOwners,
  readSite,
  readSiteIds,
  readSitesAfter,
  removeSite,
  writeSite,
} from '../database/model-store.ts';
import type { Database, DatabaseTransaction } from '../database/schema.ts';
import type { Change } from './change.ts';
import { refuseProblems } from './problems.ts';

export interface SitesOptions {
  readonly database: Database;
  readonly change: Change;
  readonly zone: Zone;
  readonly clock: Clock;
}

export class Sites {
  readonly #options: SitesOptions;

  constructor(options: SitesOptions) {
    this.#options = options;
  }

  async list(after: string, limit: number): Promise<{ sites: SiteView[]; next: string | null }> {
    const sites = await readSitesAfter(this.#options.database, after, limit + 1);
    const page = sites.slice(0, limit);
    return {
      sites: page.map((site) => this.#view(site)),
      next: sites.length > limit ? (page.at(-1)?.id ?? null) : null,
    };
  }

  async get(id: string): Promise<SiteView> {
    return this.#view(await requireSite(this.#options.database, id));
  }

  async create(given: Site): Promise<SiteView> {
    const site = this.#withReadAuthorities(given);
    await this.#options.change(async (transaction) => {
      if ((await readSite(transaction, site.id)) !== null) {
        throw new ApiError(
          'conflict',
          `there is already a site "${site.id}"; choose another id, or replace it`,
          [{ path: 'id', message: 'is taken' }],
        );
      }
      await storeSite(transaction, site, this.#options.zone);
    });
    return this.#view(site);
  }

  /** Replaces the site, or adds it. */
  async put(id: string, site: Site): Promise<SiteView> {
    if (site.id !== id) {
      throw new ApiError(
        'invalid',
        `id: is "${site.id}", but the address names "${id}"; an id does not change`,
        [{ path: 'id', message: `must be "${id}"` }],
      );
    }
    const written = await this.#options.change(async (transaction) => {
      const former = await readSite(transaction, id);
      const read = hasSameAuthorities(site, former) ? site : this.#withReadAuthorities(site);
      await storeSite(transaction, read, this.#options.zone);
      return read;
    });
    return this.#view(written);
  }

  async patch(id: string, patch: SitePatch): Promise<SiteView> {
    const site = await this.#options.change(async (transaction) => {
      const former = await requireSite(transaction, id);
      const given: Site = { ...former, ...withoutUndefined(patch) };
      const patched = hasSameAuthorities(given, former) ? given : this.#withReadAuthorities(given);
      await storeSite(transaction, patched, this.#options.zone);
      return patched;
    });
    return this.#view(site);
  }

  async remove(id: string): Promise<void> {
    await this.#options.change(async (transaction) => {
      if (!(await removeSite(transaction, id))) throw siteNotFound(id);
    });
  }

  /** Throws ApiError `invalid` when the authorities of its client certificates are none. */
  #withReadAuthorities(site: Site): Site {
    const { clientCertificates } = site;
    if (clientCertificates === null) return site;
    const read = readClientAuthorities(clientCertificates.authoritiesPem, this.#options.clock.now());
    if (!read.ok) {
      const path = 'clientCertificates.authoritiesPem';
      throw new ApiError('invalid', `${path}: ${read.problem}`, [{ path, message: read.problem }]);
    }
    return { ...site, clientCertificates: { ...clientCertificates, authoritiesPem: read.authoritiesPem } };
  }

  #view(site: Site): SiteView {
    return { ...site, cname: cnameOf(site.id, this.#options.zone.name) };
  }
}

/** What the patch names: a field that is there without a value is as if it were left out. */
function withoutUndefined(patch: SitePatch): Partial<Site> {
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
}

/** Those that stand are not judged again: one that has run out since does not keep a site from being changed. */
function hasSameAuthorities(site: Site, former: Site | null): boolean {
  return site.clientCertificates?.authoritiesPem === former?.clientCertificates?.authoritiesPem;
}

/** Checks the site against the others and writes it. Throws ApiError `conflict` or `invalid`. */
export async function storeSite(transaction: DatabaseTransaction, site: Site, zone: Zone): Promise<void> {
  const suffix = `.${zone.name}`;
  const labels = site.hosts
    .filter((host) => host.endsWith(suffix))
    .map((host) => host.slice(0, -suffix.length));
  const owners = await readHostOwners(transaction, [...site.hosts, cnameOf(site.id, zone.name)]);
  const ids = await readSiteIds(transaction, labels);
  refuseProblems(
    `site "${site.id}"`,
    checkSite(site, {
      zone,
      ownerOfHost: (host) => owners.get(host) ?? null,
      hasSite: (id) => ids.has(id),
    }),
  );
  const count = await countRows(transaction, 'sites');
  if (count >= SNAPSHOT_LIMITS.sitesMax && (await readSite(transaction, site.id)) === null) {
    throw new AppError('conflict', `there are ${count} sites, the most that one Perigee holds`);
  }
  await writeSite(transaction, site);
}

export function siteNotFound(id: string): AppError {
  return new AppError('not-found', `there is no site "${id}"; list the sites to see their ids`);
}

async function requireSite(db: Database | DatabaseTransaction, id: string): Promise<Site> {
  const site = await readSite(db, id);
  if (site === null) throw siteNotFound(id);
  return site;
}
