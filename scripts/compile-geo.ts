/**
 * Compiles the geography database for steering once after installation: `compile-geo.ts [OUTPUT]`. The name
 * server does it by itself when the file is missing; made beforehand, the first answers know the place already.
 */

import { errorMessage } from '#core/base/error-message.ts';
import { ensureGeoFile } from '#nameserver/ensure-geo-file.ts';
import { defaultGeoFile } from '#nameserver/geo-package.ts';

try {
  await ensureGeoFile(process.argv[2] ?? defaultGeoFile());
} catch (error) {
  process.stderr.write(`perigee: ${errorMessage(error)}\n`);
  process.exit(1);
}
