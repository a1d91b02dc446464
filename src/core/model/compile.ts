/**
 * From the model to the content of a snapshot, with the checks that span several objects: two sites with
 * one host, a host that is the zone itself, an edge id used twice. What one object must look like is said
 * by its schema (`site.ts`, `pop.ts`); the digest is computed by whoever publishes.
 */
import { formatAddress, parseAddress } from '../ip/address.ts';
import type { Pop } from './pop.ts';
import type { Site } from './site.ts';
import {
  type Certificate,
  type NetworkLocation,
  SNAPSHOT_FORMAT,
  SNAPSHOT_LIMITS,
  type Snapshot,
  type Zone,
} from './snapshot.ts';

/** Everything an operator has configured. */
export interface Model {
  readonly zone: Zone;
  readonly sites: readonly Site[];
  readonly pops: readonly Pop[];
  readonly networks: readonly NetworkLocation[];
  readonly certificates: readonly Certificate[];
}

export type SnapshotContent = Omit<Snapshot, 'digest'>;

/** What is wrong between objects. `invalid`: never right; `conflict`: taken by another object. */
export interface ModelProblem {
  readonly code: 'invalid' | 'conflict';
  /** Within the object, such as `hosts[1]`; `compile` puts the object in front. */
  readonly path: string;
  readonly message: string;
}

export type Compiled =
  | { readonly ok: true; readonly content: SnapshotContent }
  | { readonly ok: false; readonly problems: readonly ModelProblem[] };

/** The rest of the model, as far as checking one site needs it. */
export interface SiteSurroundings {
  readonly zone: Zone;
  /** The site that lists this host, null when none. */
  ownerOfHost(host: string): string | null;
  hasSite(id: string): boolean;
}

/** The name to point a site's CNAME at. */
export function cnameOf(siteId: string, zoneName: string): string {
  return `${siteId}.${zoneName}`;
}

/** The model as a snapshot's content, in an order that does not depend on the input's; or what is wrong with it. */
export function compile(model: Model, generation: number): Compiled {
  const problems = [...checkSites(model), ...checkPops(model), ...checkNetworks(model), ...checkSizes(model)];
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    content: {
      format: SNAPSHOT_FORMAT,
      generation,
      zone: model.zone,
      sites: sortedBy(
        model.sites.map((site) => withOwnName(site, model.zone.name)),
        ({ id }) => id,
      ),
      pops: sortedBy(model.pops, ({ id }) => id),
      networks: sortedBy(model.networks, ({ network }) => network),
      certificates: sortedBy(model.certificates, ({ hosts }) => hosts.join(' ')),
    },
  };
}

/** A site is reached at its own name in the zone as well, whether or not a CNAME points there yet. */
function withOwnName(site: Site, zoneName: string): Site {
  const cname = cnameOf(site.id, zoneName);
  return site.hosts.includes(cname) ? site : { ...site, hosts: [...site.hosts, cname] };
}

/** Checks one site against the zone and the other sites. */
export function checkSite(site: Site, around: SiteSurroundings): ModelProblem[] {
  const problems: ModelProblem[] = [];
  const zoneName = around.zone.name;
  const cname = cnameOf(site.id, zoneName);
  const nameServers = around.zone.nameServers.map(({ name }) => name);
  if (cname.length > 253) {
    problems.push({
      code: 'invalid',
      path: 'id',
      message: `makes the name ${cname} longer than 253 characters`,
    });
  }
  if (nameServers.includes(cname)) {
    problems.push({
      code: 'conflict',
      path: 'id',
      message: `${cname} is a name server of the zone; choose another id`,
    });
  }
  const cnameOwner = around.ownerOfHost(cname);
  if (cnameOwner !== null && cnameOwner !== site.id) {
    problems.push({
      code: 'conflict',
      path: 'id',
      message: `the name of this site, ${cname}, is a host of the site "${cnameOwner}"; choose another id`,
    });
  }
  site.hosts.forEach((host, index) => {
    const message = hostProblem(site, host, index, nameServers, around);
    if (message !== null) problems.push({ code: 'conflict', path: `hosts[${index}]`, message });
  });
  return problems;
}

function hostProblem(
  site: Site,
  host: string,
  index: number,
  nameServers: readonly string[],
  around: SiteSurroundings,
): string | null {
  const zoneName = around.zone.name;
  if (site.hosts.indexOf(host) < index) return `"${host}" is listed twice`;
  if (host === zoneName)
    return `"${host}" is the zone itself; use a name below it, such as "www.${zoneName}"`;
  if (nameServers.includes(host)) return `"${host}" is a name server of the zone`;
  const owner = around.ownerOfHost(host);
  if (owner !== null && owner !== site.id) return `"${host}" belongs to the site "${owner}"`;
  if (!host.endsWith(`.${zoneName}`)) return null;
  const label = host.slice(0, -zoneName.length - 1);
  return label !== site.id && around.hasSite(label) ? `"${host}" is the name of the site "${label}"` : null;
}

/** Checks one POP against the others. `ownerOfEdge`: the POP that has an edge of this id, null when none. */
export function checkPop(pop: Pop, ownerOfEdge: (edgeId: string) => string | null): ModelProblem[] {
  const problems: ModelProblem[] = [];
  const ids = new Set<string>();
  const addresses = new Set<string>();
  pop.edges.forEach((edge, index) => {
    const owner = ownerOfEdge(edge.id);
    if (ids.has(edge.id)) {
      problems.push({
        code: 'conflict',
        path: `edges[${index}].id`,
        message: `"${edge.id}" is listed twice`,
      });
    } else if (owner !== null && owner !== pop.id) {
      problems.push({
        code: 'conflict',
        path: `edges[${index}].id`,
        message: `"${edge.id}" is an edge of the POP "${owner}"`,
      });
    }
    ids.add(edge.id);
    edge.addresses.forEach((address, position) => {
      // A record set has each record once (RFC 2181 §5), however it is spelt.
      const parsed = parseAddress(address);
      const spelling = parsed === null ? address : formatAddress(parsed);
      if (addresses.has(spelling)) {
        problems.push({
          code: 'conflict',
          path: `edges[${index}].addresses[${position}]`,
          message: `"${address}" is listed twice`,
        });
      }
      addresses.add(spelling);
    });
  });
  return problems;
}

function checkSites({ zone, sites }: Model): ModelProblem[] {
  const owners = new Map<string, string>();
  const ids = new Set(sites.map(({ id }) => id));
  for (const site of sites) {
    for (const host of site.hosts) if (!owners.has(host)) owners.set(host, site.id);
  }
  const around: SiteSurroundings = {
    zone,
    ownerOfHost: (host) => owners.get(host) ?? null,
    hasSite: (id) => ids.has(id),
  };
  const twice = repeated(sites, ({ id }) => id).map((id) => doubled(`sites.${id}`));
  return [...twice, ...sites.flatMap((site) => placed(`sites.${site.id}`, checkSite(site, around)))];
}

function checkPops({ pops }: Model): ModelProblem[] {
  const owners = new Map<string, string>();
  for (const pop of pops) {
    for (const edge of pop.edges) if (!owners.has(edge.id)) owners.set(edge.id, pop.id);
  }
  const twice = repeated(pops, ({ id }) => id).map((id) => doubled(`pops.${id}`));
  return [
    ...twice,
    ...pops.flatMap((pop) =>
      placed(
        `pops.${pop.id}`,
        checkPop(pop, (id) => owners.get(id) ?? null),
      ),
    ),
  ];
}

function checkNetworks({ networks }: Model): ModelProblem[] {
  return repeated(networks, ({ network }) => network).map((network) => doubled(`networks.${network}`));
}

function checkSizes({ sites, pops, networks }: Model): ModelProblem[] {
  const sizes = [
    ['sites', sites.length, SNAPSHOT_LIMITS.sitesMax],
    ['pops', pops.length, SNAPSHOT_LIMITS.popsMax],
    ['networks', networks.length, SNAPSHOT_LIMITS.networksMax],
  ] as const;
  return sizes
    .filter(([, count, most]) => count > most)
    .map(([path, count, most]) => ({
      code: 'invalid',
      path,
      message: `are ${count}, at most ${most} are allowed`,
    }));
}

function placed(prefix: string, problems: readonly ModelProblem[]): ModelProblem[] {
  return problems.map((problem) => ({ ...problem, path: `${prefix}.${problem.path}` }));
}

function doubled(path: string): ModelProblem {
  return { code: 'conflict', path, message: 'exists twice' };
}

function repeated<Item>(items: readonly Item[], keyOf: (item: Item) => string): string[] {
  const seen = new Set<string>();
  return items.map(keyOf).filter((key) => seen.size === seen.add(key).size);
}

function sortedBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[] {
  return [...items].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0));
}
