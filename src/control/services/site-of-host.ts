/** Which site answers for a host: the one that lists it, or whose name in the zone it is. */
import { cnameOf } from '#core/model/compile.ts';
import type { Site } from '#core/model/site.ts';
import { readHostOwners, readSite } from '../database/model-store.ts';
import type { Database } from '../database/schema.ts';

/** `host` as `URL` gives it: lower case, without port. Null when no site has it. */
export async function findSiteOfHost(
  database: Database,
  zoneName: string,
  host: string,
): Promise<Site | null> {
  const plain = host.endsWith('.') ? host.slice(0, -1) : host;
  const owner = (await readHostOwners(database, [plain])).get(plain);
  if (owner !== undefined) return readSite(database, owner);
  const label = plain.split('.', 1)[0] ?? '';
  return plain === cnameOf(label, zoneName) ? readSite(database, label) : null;
}
