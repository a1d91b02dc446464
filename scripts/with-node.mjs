/** Runs a TypeScript file of the project under its own Node 26, the second runtime: `with-node.mjs FILE [ARG…]`. */
import { spawn } from 'node:child_process';
import { findNode, installPackages } from './bootstrap.mjs';

installPackages();
const child = spawn(findNode(), process.argv.slice(2), { stdio: 'inherit' });
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
