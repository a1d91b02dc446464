/** Runs a TypeScript file of the project under its own Bun, installing what is missing: `with-bun.mjs FILE [ARG…]`. */
import { spawn } from 'node:child_process';
import { findBun, installPackages } from './bootstrap.mjs';

installPackages();
const child = spawn(findBun(), process.argv.slice(2), { stdio: 'inherit' });
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
