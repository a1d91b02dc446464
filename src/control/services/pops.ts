/** Use cases on POPs and on what the operator knows of where networks are. */
import { AppError } from '#core/base/app-error.ts';
import { ApiError, errorAt } from '#core/contract/errors.ts';
import type { NetworkBody, PopCreate, PopPatch } from '#core/contract/pops.ts';
import { formatPrefix, parsePrefix } from '#core/ip/prefix.ts';
import { checkPop } from '#core/model/compile.ts';
import { type Edge, type Pop, popSchema } from '#core/model/pop.ts';
import { siteIdSchema } from '#core/model/site.ts';
import { type NetworkLocation, SNAPSHOT_LIMITS } from '#core/model/snapshot.ts';
import {
  countRows,
  readEdgeOwners,
  readNetworks,
  readPop,
  readPopsAfter,
  removePop,
  replaceNetworks,
  writePop,
} from '../database/model-store.ts';
import type { Database, DatabaseTransaction } from '../database/schema.ts';
import type { CitySearch, Place } from '../places/city-search.ts';
import { foldName } from '../places/city-table.ts';
import type { Change } from './change.ts';
import { refuseProblems } from './problems.ts';

export interface PopsOptions {
  readonly database: Database;
  readonly change: Change;
  readonly cities: CitySearch;
}

export class Pops {
  readonly #options: PopsOptions;

  constructor(options: PopsOptions) {
    this.#options = options;
  }

  async list(after: string, limit: number): Promise<{ pops: Pop[]; next: string | null }> {
    const pops = await readPopsAfter(this.#options.database, after, limit + 1);
    const page = pops.slice(0, limit);
    return { pops: page, next: pops.length > limit ? (page.at(-1)?.id ?? null) : null };
  }

  async get(id: string): Promise<Pop> {
    return requirePop(this.#options.database, id);
  }

  async create(body: PopCreate): Promise<Pop> {
    const pop = this.#build(body, null);
    await this.#options.change(async (transaction) => {
      if ((await readPop(transaction, pop.id)) !== null) {
        throw new ApiError(
          'conflict',
          `there is already a POP "${pop.id}"; choose another id, or replace it`,
          [{ path: 'id', message: `"${pop.id}" is taken` }],
        );
      }
      await storePop(transaction, pop, false);
    });
    return pop;
  }

  /** Replaces the POP, or adds it. */
  async put(id: string, body: PopCreate): Promise<Pop> {
    if (body.id !== undefined && body.id !== id) {
      throw new ApiError(
        'invalid',
        `id: is "${body.id}", but the address names "${id}"; an id does not change`,
        [{ path: 'id', message: `must be "${id}"` }],
      );
    }
    const pop = this.#build(body, id);
    await this.#options.change((transaction) => storePop(transaction, pop, false));
    return pop;
  }

  async patch(id: string, patch: PopPatch): Promise<Pop> {
    const place = this.#resolve(patch.at);
    return this.#options.change(async (transaction) => {
      const former = await requirePop(transaction, id);
      const location = patch.location === undefined ? former.location : patch.location;
      const pop: Pop = {
        id,
        name: patch.name ?? former.name,
        location: place?.location ?? location,
        state: patch.state ?? former.state,
        edges: patch.edges ?? oneEdge(patch.addresses, former.edges[0]?.id ?? id) ?? former.edges,
      };
      await storePop(transaction, pop, false);
      return pop;
    });
  }

  async remove(id: string): Promise<void> {
    await this.#options.change(async (transaction) => {
      if (!(await removePop(transaction, id))) throw popNotFound(id);
    });
  }

  async listNetworks(): Promise<NetworkLocation[]> {
    return readNetworks(this.#options.database);
  }

  async putNetworks(bodies: readonly NetworkBody[]): Promise<NetworkLocation[]> {
    const seen = new Set<string>();
    const networks = bodies.map((body, index): NetworkLocation => {
      const { location, at, country, carrier } = body;
      const path = `networks[${index}]`;
      // One spelling for one network: bits beyond the length are cleared.
      const prefix = parsePrefix(body.network);
      const network = prefix === null ? body.network : formatPrefix(prefix);
      if (seen.has(network)) {
        throw errorAt(`${path}.network`, `"${network}" is listed twice`, 'conflict');
      }
      seen.add(network);
      const place = at === undefined ? null : this.#options.cities.resolve(at, `${path}.at`);
      const point = place?.location ?? location ?? { latitude: 0, longitude: 0 };
      return { network, location: point, country: country ?? place?.country ?? null, carrier };
    });
    await this.#options.change((transaction) => replaceNetworks(transaction, networks));
    return networks;
  }

  /** A complete POP from what was written; `id` null: from the body or its name. */
  #build(body: PopCreate, id: string | null): Pop {
    const place = this.#resolve(body.at);
    const name = body.name ?? place?.name ?? id ?? body.id;
    const idText =
      id ??
      body.id ??
      foldName(name ?? '')
        .replace(/[^a-z0-9]+/g, '-')
        .slice(0, 63);
    const knownId = siteIdSchema.safeParse(idText.replace(/^-+|-+$/g, ''));
    if (name === undefined || !knownId.success) {
      throw new ApiError('invalid', 'id: cannot be made from the name; give "id", one DNS label', [
        { path: 'id', message: 'is missing' },
      ]);
    }
    const parsed = popSchema.safeParse({
      id: knownId.data,
      name,
      location: place?.location ?? body.location ?? null,
      state: body.state ?? 'active',
      edges: body.edges ?? oneEdge(body.addresses, knownId.data),
    });
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw errorAt(issue?.path.join('.') ?? '', issue?.message ?? 'is not valid');
    }
    return parsed.data;
  }

  #resolve(at: string | undefined): Place | null {
    return at === undefined ? null : this.#options.cities.resolve(at, 'at');
  }
}

/** The edge of a POP that was given by addresses alone; it bears the POP's id. */
function oneEdge(addresses: readonly string[] | undefined, id: string): Edge[] | undefined {
  return addresses === undefined ? undefined : [{ id, addresses: [...addresses] }];
}

/** Checks the POP against the others and writes it. Throws ApiError `conflict`. */
export async function storePop(transaction: DatabaseTransaction, pop: Pop, isSeeded: boolean): Promise<void> {
  const owners = await readEdgeOwners(
    transaction,
    pop.edges.map(({ id }) => id),
  );
  refuseProblems(
    `POP "${pop.id}"`,
    checkPop(pop, (edgeId) => owners.get(edgeId) ?? null),
  );
  const count = await countRows(transaction, 'pops');
  if (count >= SNAPSHOT_LIMITS.popsMax && (await readPop(transaction, pop.id)) === null) {
    throw new AppError('conflict', `there are ${count} POPs, the most that one Perigee holds`);
  }
  await writePop(transaction, pop, isSeeded);
}

async function requirePop(db: Database | DatabaseTransaction, id: string): Promise<Pop> {
  const pop = await readPop(db, id);
  if (pop === null) throw popNotFound(id);
  return pop;
}

function popNotFound(id: string): AppError {
  return new AppError('not-found', `there is no POP "${id}"; list the POPs to see their ids`);
}
