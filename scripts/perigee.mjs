#!/usr/bin/env node
/** The `perigee` command: installs what is missing, then hands over to `src/main/perigee.ts` under Bun. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { findBun, installPackages, prepare, ROOT } from './bootstrap.mjs';

installPackages();
if (['up', 'reload'].includes(process.argv[2]) && !process.argv.includes('--help')) prepare();
const child = spawn(findBun(), [join(ROOT, 'src/main/perigee.ts'), ...process.argv.slice(2)], {
  stdio: 'inherit',
});
// A terminal's Ctrl-C reaches the child on its own; signals sent to this process alone are passed on.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
