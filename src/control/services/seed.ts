/**
 * Sites and POPs that come from the command line: added when they are absent, brought up to date where what
 * was given differs, and otherwise left as users have made them. POPs of this machine that are not given any
 * more are removed, as nothing runs there; sites stay.
 */
import { AppError } from '#core/base/app-error.ts';
import { type Pop, type PopInput, popSchema } from '#core/model/pop.ts';
import { type Site, type SiteInput, siteSchema } from '#core/model/site.ts';
import type { Zone } from '#core/model/snapshot.ts';
import { readHostOwners, readPop, readSeededPopIds, readSite, removePop } from '../database/model-store.ts';
import type { Database, DatabaseTransaction } from '../database/schema.ts';
import { storePop } from './pops.ts';
import { storeSite } from './sites.ts';

export interface Seed {
  readonly sites: readonly SiteInput[];
  readonly pops: readonly PopInput[];
}

/** Ids made unique get at most this number behind them. */
const ID_SUFFIX_MAX = 1_000;

/** Applies the seed in one transaction. Throws AppError `invalid` or `conflict` that names the site or POP. */
export async function applySeed(database: Database, zone: Zone, seed: Seed): Promise<void> {
  const sites = seed.sites.map((input) => parseSeed(siteSchema.safeParse(input), `site ${input.hosts[0]}`));
  const pops = seed.pops.map((input) => parseSeed(popSchema.safeParse(input), `POP ${input.id}`));
  await database.transaction().execute(async (transaction) => {
    const given = new Set(pops.map(({ id }) => id));
    for (const id of await readSeededPopIds(transaction))
      if (!given.has(id)) await removePop(transaction, id);
    for (const pop of pops) await seedPop(transaction, pop);
    for (const site of sites) await seedSite(transaction, site, zone);
  });
}

async function seedSite(transaction: DatabaseTransaction, site: Site, zone: Zone): Promise<void> {
  const owners = await readHostOwners(transaction, site.hosts);
  const ownerId = site.hosts.map((host) => owners.get(host)).find((owner) => owner !== undefined);
  const former = ownerId === undefined ? null : await readSite(transaction, ownerId);
  if (former === null) {
    const id = await freeSiteId(transaction, site.id, zone);
    await storeSite(transaction, { ...site, id }, zone);
    return;
  }
  const hosts = [...new Set([...former.hosts, ...site.hosts])];
  const isSameOrigin = former.origins[0]?.url === site.origins[0]?.url;
  if (isSameOrigin && hosts.length === former.hosts.length) return;
  await storeSite(
    transaction,
    { ...former, hosts, origins: isSameOrigin ? former.origins : site.origins },
    zone,
  );
}

/** The id, or the first of `id-2`, `id-3`… that no site and no name server has. */
async function freeSiteId(transaction: DatabaseTransaction, id: string, zone: Zone): Promise<string> {
  for (let attempt = 1; attempt <= ID_SUFFIX_MAX; attempt++) {
    const suffix = attempt === 1 ? '' : `-${attempt}`;
    const candidate = id.slice(0, 63 - suffix.length).replace(/-+$/, '') + suffix;
    const isNameServer = zone.nameServers.some(({ name }) => name === `${candidate}.${zone.name}`);
    if (!isNameServer && (await readSite(transaction, candidate)) === null) return candidate;
  }
  throw new AppError('conflict', `no id is left for a site like "${id}"; remove some, or add it with an id`);
}

async function seedPop(transaction: DatabaseTransaction, pop: Pop): Promise<void> {
  const former = await readPop(transaction, pop.id);
  if (former === null) {
    await storePop(transaction, pop, true);
    return;
  }
  const isSameEdges = JSON.stringify(former.edges) === JSON.stringify(pop.edges);
  const location = former.location ?? pop.location;
  if (isSameEdges && location === former.location) return;
  await storePop(transaction, { ...former, location, edges: pop.edges }, true);
}

function parseSeed<Value>(
  parsed:
    | { readonly success: true; readonly data: Value }
    | { readonly success: false; readonly error: { readonly issues: readonly SeedIssue[] } },
  subject: string,
): Value {
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AppError('invalid', `${subject}: ${issue?.path.join('.')}: ${issue?.message}`);
}

interface SeedIssue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}
