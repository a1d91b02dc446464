/** Where the files that come with Perigee lie. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT_DIRECTORY = fileURLToPath(new URL('../..', import.meta.url));
export const PARTS_DIRECTORY = join(ROOT_DIRECTORY, 'src/main/parts');
export const CONSOLE_DIRECTORY = join(ROOT_DIRECTORY, 'console/dist');
