/**
 * Builds the console into `console/dist`: one page, its scripts, styles and fonts under names that carry
 * their content's hash, so that everything but `index.html` may be cached for ever. Does nothing when the
 * digest of all inputs is that of the last build; `--force` builds all the same.
 *
 * The build fails when the first load (page, entry scripts, styles, the Latin font, the first page's own
 * scripts and the map) is over its budget.
 */
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const CONSOLE = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(CONSOLE);
const DIST = join(CONSOLE, 'dist');
const FONT_PACKAGE = join(ROOT, 'node_modules', '@fontsource-variable', 'inter');
const DIGEST_FILE = join(DIST, 'build-digest');
/** What else the bundle is made of, beside the console's own sources. */
const SHARED_SOURCES = ['src/core/contract', 'src/core/model', 'src/core/base'];
/** Largest first load, gzip -9, bytes (architecture §4). */
const FIRST_LOAD_BYTES_MAX = 300_000;
/** What the first page shows at once although it arrives in scripts of its own. */
const FIRST_PAGE_CHUNKS = ['overview-page', 'notices'];
const FIRST_LOAD_FONT = 'inter-latin-wght-normal';

interface BuiltFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

async function listFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.startsWith(DIST) && !path.includes('node_modules') && !path.endsWith('.test.ts'))
    .sort();
}

/** SHA-256 over everything the result depends on. */
async function digestInputs(): Promise<string> {
  const hash = createHash('sha256').update(Bun.version);
  const directories = [CONSOLE, ...SHARED_SOURCES.map((path) => join(ROOT, path))];
  const files = (await Promise.all(directories.map(listFiles))).flat();
  for (const path of [...files, join(ROOT, 'package-lock.json'), join(ROOT, 'tsconfig.json')]) {
    hash.update(`\0${relative(ROOT, path)}\0`).update(await readFile(path));
  }
  return hash.digest('hex');
}

async function bundle(entry: string, format: 'esm' | 'iife'): Promise<BuiltFile[]> {
  const result = await Bun.build({
    entrypoints: [join(CONSOLE, 'src', entry)],
    target: 'browser',
    format,
    minify: true,
    splitting: format === 'esm',
    tsconfig: join(CONSOLE, 'tsconfig.json'),
    define: { 'process.env.NODE_ENV': '"production"' },
    loader: { '.svg': 'file' },
    // Fonts that a style names would be put into it as text, all alphabets of them; see `joinStyles`.
    external: ['*.woff2'],
    naming: {
      entry: '[name]-entry-[hash].[ext]',
      chunk: '[name]-[hash].[ext]',
      asset: '[name]-[hash].[ext]',
    },
    publicPath: '/assets/',
  });
  return Promise.all(
    result.outputs.map(async (output) => ({
      name: basename(output.path),
      bytes: new Uint8Array(await output.arrayBuffer()),
    })),
  );
}

function hashedFile(path: string, bytes: Uint8Array): BuiltFile {
  const extension = extname(path);
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 10);
  return { name: `${basename(path, extension)}-${hash}${extension}`, bytes };
}

/**
 * One style sheet for all pages: the bundler writes one for each, which nothing would load, and they are
 * small. The fonts they name become files of their own, of which a browser loads the alphabets it needs.
 */
async function joinStyles(files: readonly BuiltFile[]): Promise<BuiltFile[]> {
  // By name, because the bundler hands them over in any order.
  const sheets = files
    .filter((file) => file.name.endsWith('.css'))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const isMain = (file: BuiltFile) => file.name.startsWith('main-');
  const ordered = [...sheets.filter(isMain), ...sheets.filter((file) => !isMain(file))];
  let css = ordered.map((file) => new TextDecoder().decode(file.bytes)).join('\n');
  const fonts: BuiltFile[] = [];
  for (const path of new Set(
    [...css.matchAll(/url\("?(\.\/files\/[^)"]+\.woff2)"?\)/g)].map(([, file]) => file ?? ''),
  )) {
    const font = hashedFile(path, await readFile(join(FONT_PACKAGE, path)));
    fonts.push(font);
    css = css.replaceAll(path, `/assets/${font.name}`);
  }
  const sheet = hashedFile('main.css', new TextEncoder().encode(css));
  return [...files.filter((file) => !file.name.endsWith('.css')), sheet, ...fonts];
}

function findFile(files: readonly BuiltFile[], prefix: string, extension: string): BuiltFile {
  const found = files.find((file) => file.name.startsWith(`${prefix}-`) && file.name.endsWith(extension));
  if (found === undefined) throw new Error(`the bundle has no ${prefix}-….${extension}`);
  return found;
}

/** The files a visitor of the first page gets: those named, and what they import. */
function firstLoad(files: readonly BuiltFile[]): BuiltFile[] {
  const wanted = [
    findFile(files, 'main-entry', '.js'),
    findFile(files, 'main', '.css'),
    findFile(files, 'color-scheme-entry', '.js'),
    findFile(files, FIRST_LOAD_FONT, '.woff2'),
    ...FIRST_PAGE_CHUNKS.map((prefix) => findFile(files, prefix, '.js')),
  ];
  const loaded = new Set<BuiltFile>();
  for (let file = wanted.pop(); file !== undefined; file = wanted.pop()) {
    if (loaded.has(file)) continue;
    loaded.add(file);
    if (!file.name.endsWith('.js')) continue;
    const text = new TextDecoder().decode(file.bytes);
    // Static imports only: a dynamic one, `import("…")`, waits until its page is opened.
    for (const [, name] of text.matchAll(/(?:from|import)\s*"(?:\/assets\/|\.\/)([^"]+)"/g)) {
      const imported = files.find((candidate) => candidate.name === name);
      if (imported !== undefined) wanted.push(imported);
    }
  }
  return [...loaded];
}

function compressedBytes(file: Pick<BuiltFile, 'name' | 'bytes'>): number {
  return file.name.endsWith('.woff2') ? file.bytes.length : gzipSync(file.bytes, { level: 9 }).length;
}

async function fillPage(files: readonly BuiltFile[]): Promise<string> {
  const address = (prefix: string, extension: string) => `/assets/${findFile(files, prefix, extension).name}`;
  const preloads = firstLoad(files)
    .filter((file) => file.name.endsWith('.js') && !file.name.includes('-entry-'))
    .map((file) => `<link rel="modulepreload" href="/assets/${file.name}">`)
    .sort();
  const replacements: Record<string, string> = {
    FAVICON: address('favicon', '.svg'),
    COLOR_SCHEME_SCRIPT: address('color-scheme-entry', '.js'),
    STYLESHEET: address('main', '.css'),
    APP_SCRIPT: address('main-entry', '.js'),
    FONT: address(FIRST_LOAD_FONT, '.woff2'),
    PRELOADS: preloads.join('\n    '),
  };
  const template = await readFile(join(CONSOLE, 'index.html'), 'utf8');
  return template.replaceAll(/%([A-Z_]+)%/g, (mark, name: string) => replacements[name] ?? mark);
}

/** Writes everything beside the old build, then takes its place. */
async function writeBuild(files: readonly BuiltFile[], page: string, digest: string): Promise<void> {
  const fresh = `${DIST}.${process.pid}`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(join(fresh, 'assets'), { recursive: true });
  for (const file of files) await writeFile(join(fresh, 'assets', file.name), file.bytes);
  await writeFile(join(fresh, 'index.html'), page);
  await writeFile(join(fresh, 'build-digest'), digest);
  await rm(DIST, { recursive: true, force: true });
  await rename(fresh, DIST).catch(async () => {
    // Another build finished in between; its files are as good, ours are laid over them.
    await cp(fresh, DIST, { recursive: true });
    await rm(fresh, { recursive: true, force: true });
  });
}

async function build(): Promise<void> {
  const startedAt = performance.now();
  const digest = await digestInputs();
  const built = await readFile(DIGEST_FILE, 'utf8').catch(() => '');
  if (built === digest && !process.argv.includes('--force')) return;
  const bundles = await Promise.all([bundle('main.tsx', 'esm'), bundle('color-scheme.ts', 'iife')]);
  const files = await joinStyles(bundles.flat());
  const page = await fillPage(files);
  const first = firstLoad(files);
  const pageFile = { name: 'index.html', bytes: new TextEncoder().encode(page) };
  const total = [...first, pageFile].reduce((sum, file) => sum + compressedBytes(file), 0);
  if (process.argv.includes('--sizes')) {
    for (const file of files)
      console.log(`${compressedBytes(file)}\t${first.includes(file) ? 'first' : ''}\t${file.name}`);
  }
  if (total > FIRST_LOAD_BYTES_MAX) {
    throw new Error(
      `the first load is ${total} bytes compressed, over its budget of ${FIRST_LOAD_BYTES_MAX}`,
    );
  }
  await writeBuild(files, page, digest);
  const elapsedSeconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(
    `console: built in ${elapsedSeconds} s; first load ${Math.round(total / 1000)} kB compressed (budget ${FIRST_LOAD_BYTES_MAX / 1000} kB)`,
  );
}

/** With file and line where the bundler knows them. */
function describeFailure(cause: unknown): string {
  if (cause instanceof BuildMessage || cause instanceof ResolveMessage) {
    const { position } = cause;
    const where = position === null ? '' : `${relative(ROOT, position.file)}:${position.line}: `;
    return where + cause.message;
  }
  return cause instanceof Error ? cause.message : String(cause);
}

try {
  await build();
} catch (error) {
  for (const cause of error instanceof AggregateError ? error.errors : [error]) {
    console.error(`console: ${describeFailure(cause)}`);
  }
  console.error('console: the build failed; the console of the last build, if any, is as it was');
  process.exit(1);
}
