/**
 * The console's files: whatever its build has put into one directory, and nothing outside of it. Names that
 * carry a hash are kept for ever by browsers, the page itself is asked for again each time. Text is
 * compressed once and kept.
 */
import { createHash } from 'node:crypto';
import { realpathSync, statSync } from 'node:fs';
import { extname, join, sep } from 'node:path';
import { CONTROL_LIMITS } from '../limits.ts';

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
  '.ico': 'image/x-icon',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
};
const COMPRESSIBLE = /^(?:text\/|application\/(?:json|manifest\+json|wasm)|image\/svg)/;
/** As bundlers write it: `index-3f9ab2c1.js`, `chunk-kq2x8z1v.css`. */
const HASHED_NAME = /[-.][a-z0-9_]{8,}\.[a-z0-9]+$/i;

/** Scripts, styles, fonts and calls of the console's own origin; styles inline as its components set them. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const NOT_BUILT_PAGE = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Perigee</title>
<h1>The console is not built</h1>
<p>The control plane runs, but the files of its console are missing. Start Perigee with <code>npm start</code>,
which builds them, or use the API at <code>/api/v1</code> (described at
<a href="/api/v1/openapi.json">/api/v1/openapi.json</a>) and the command <code>perigee</code>.</p>
</html>
`;

interface KeptFile {
  /** Changes with the file: a rebuilt console is seen at once. */
  readonly version: string;
  readonly etag: string;
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly compressed: Uint8Array<ArrayBuffer> | null;
}

export class StaticFiles {
  readonly #directory: string;
  /** By path; the first is the least recently used. */
  readonly #kept = new Map<string, KeptFile>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The file for a GET or HEAD of this path, the console's page for its own addresses, or null for 404. */
  async respond(request: Request, path: string): Promise<Response | null> {
    const file = this.#find(path === '/' ? '/index.html' : path);
    if (file !== null) return this.#send(request, file);
    // Addresses within the console have no extension; its page finds out what to show.
    if (extname(path) !== '') return null;
    const page = this.#find('/index.html');
    return page === null ? notBuilt() : this.#send(request, page);
  }

  /** The real path of a regular file within the directory, or null. Links that lead out of it are not followed. */
  #find(path: string): string | null {
    const name = decodePath(path);
    if (name === null) return null;
    try {
      const root = realpathSync(this.#directory);
      const file = realpathSync(join(root, name));
      const isInside = file.startsWith(root + sep);
      return isInside && statSync(file).isFile() ? file : null;
    } catch {
      return null;
    }
  }

  async #send(request: Request, file: string): Promise<Response> {
    const kept = await this.#read(file);
    const type = CONTENT_TYPES[extname(file).toLowerCase()] ?? 'application/octet-stream';
    const isPage = type.startsWith('text/html');
    const headers = new Headers({
      'content-type': type,
      etag: kept.etag,
      'cache-control': !isPage && HASHED_NAME.test(file) ? 'public, max-age=31536000, immutable' : 'no-cache',
    });
    if (isPage) headers.set('content-security-policy', CONTENT_SECURITY_POLICY);
    if (kept.compressed !== null) headers.set('vary', 'accept-encoding');
    if (hasTag(request.headers.get('if-none-match'), kept.etag)) {
      return new Response(null, { status: 304, headers });
    }
    const mayCompress = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\b)/.test(
      request.headers.get('accept-encoding') ?? '',
    );
    const body = mayCompress ? (kept.compressed ?? kept.plain) : kept.plain;
    if (body === kept.compressed) headers.set('content-encoding', 'gzip');
    headers.set('content-length', String(body.length));
    return new Response(body, { headers });
  }

  async #read(file: string): Promise<KeptFile> {
    const { mtimeMs, size } = statSync(file);
    const version = `${mtimeMs} ${size}`;
    const known = this.#kept.get(file);
    this.#kept.delete(file);
    const kept = known?.version === version ? known : await readFile(file, version);
    if (size <= CONTROL_LIMITS.staticFileBytesMax) this.#kept.set(file, kept);
    if (this.#kept.size > CONTROL_LIMITS.staticFilesKept) {
      const [oldest] = this.#kept.keys();
      if (oldest !== undefined) this.#kept.delete(oldest);
    }
    return kept;
  }
}

async function readFile(file: string, version: string): Promise<KeptFile> {
  const plain = new Uint8Array(await Bun.file(file).arrayBuffer());
  const etag = `"${createHash('sha256').update(plain).digest('hex').slice(0, 32)}"`;
  const type = CONTENT_TYPES[extname(file).toLowerCase()] ?? '';
  const isWorthIt = COMPRESSIBLE.test(type) && plain.length <= CONTROL_LIMITS.staticFileBytesMax;
  return { version, etag, plain, compressed: isWorthIt ? Bun.gzipSync(plain, { level: 9 }) : null };
}

/** A path of plain segments, decoded; null for anything that tries to be more. */
function decodePath(path: string): string | null {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return null;
  }
  const segments = decoded.split('/');
  const isPlain = segments.every((segment) => !segment.startsWith('.') && !/[\\\0]/.test(segment));
  return isPlain && decoded.length <= 1_024 ? decoded : null;
}

function hasTag(field: string | null, etag: string): boolean {
  const tags = field?.split(',') ?? [];
  return tags.some((tag) => tag.trim().replace(/^W\//, '') === etag);
}

function notBuilt(): Response {
  return new Response(NOT_BUILT_PAGE, {
    status: 503,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    },
  });
}
