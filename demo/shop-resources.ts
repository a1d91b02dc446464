/** Everything the shop can be asked for with GET and that is the same for everybody, made once at its start. */
import { createHash } from 'node:crypto';
import { drawPicture } from './picture.ts';
import { renderFrontPage, renderProductPage, SCRIPT, type ShopAssets, STYLE_SHEET } from './shop-pages.ts';
import { PRODUCTS } from './shop-products.ts';
import { makeFilm } from './video.ts';

export interface Resource {
  readonly contentType: string;
  readonly body: Buffer;
  /** Strong validator, with its quotes. */
  readonly etag: string;
  readonly cacheControl: string;
  /** Values of Cache-Tag, for purges by tag. */
  readonly tags: readonly string[];
  /** How long the shop's server thinks before it answers, milliseconds. */
  readonly thinkMs: number;
}

/** Pages come from templates and a database in a shop like this one; files come from a disk. */
const PAGE_THINK_MS = 80;
const API_THINK_MS = 30;
const FILE_THINK_MS = 10;

const PAGE_CACHE_CONTROL = 'public, max-age=60';
const FILE_CACHE_CONTROL = 'public, max-age=31536000, immutable';
const API_CACHE_CONTROL = 'public, max-age=30';

function digest(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex').slice(0, 16);
}

interface ResourceDescription {
  readonly contentType: string;
  readonly body: Buffer;
  readonly cacheControl: string;
  readonly tags: readonly string[];
  readonly thinkMs: number;
}

function describe(resource: ResourceDescription): Resource {
  return { ...resource, etag: `"${digest(resource.body)}"` };
}

function file(contentType: string, body: Buffer, tags: readonly string[]): Resource {
  return describe({ contentType, body, tags, cacheControl: FILE_CACHE_CONTROL, thinkMs: FILE_THINK_MS });
}

function page(html: string, tags: readonly string[]): Resource {
  return describe({
    contentType: 'text/html; charset=utf-8',
    body: Buffer.from(html),
    tags: ['pages', ...tags],
    cacheControl: PAGE_CACHE_CONTROL,
    thinkMs: PAGE_THINK_MS,
  });
}

function json(value: unknown, tags: readonly string[]): Resource {
  return describe({
    contentType: 'application/json',
    body: Buffer.from(JSON.stringify(value)),
    tags,
    cacheControl: API_CACHE_CONTROL,
    thinkMs: API_THINK_MS,
  });
}

/** Draws the pictures and the film, renders the pages; path → resource. Takes about a second. */
export async function makeShopResources(): Promise<ReadonlyMap<string, Resource>> {
  const resources = new Map<string, Resource>();
  /** Adds a file under a path that carries its digest, and returns the path. */
  function addFile(stem: string, extension: string, resource: Resource): string {
    const path = `/assets/${stem}-${digest(resource.body)}.${extension}`;
    resources.set(path, resource);
    return path;
  }

  const pictures = new Map<number, string>();
  for (const product of PRODUCTS) {
    const picture = file('image/jpeg', await drawPicture(product), ['pictures', `product-${product.id}`]);
    pictures.set(product.id, addFile(`pictures/${product.id}`, 'jpg', picture));
  }
  const assets: ShopAssets = {
    styleSheet: addFile('shop', 'css', file('text/css; charset=utf-8', Buffer.from(STYLE_SHEET), ['code'])),
    script: addFile('shop', 'js', file('text/javascript; charset=utf-8', Buffer.from(SCRIPT), ['code'])),
    film: addFile('shelf', 'mp4', file('video/mp4', makeFilm(), ['film'])),
    pictures,
  };

  resources.set('/', page(renderFrontPage(assets), ['front']));
  const listing = PRODUCTS.map(({ id, name, kind, priceCents }) => ({
    id,
    name,
    kind,
    priceCents,
    picture: pictures.get(id),
  }));
  resources.set('/api/products', json({ products: listing }, ['api']));
  for (const [index, product] of PRODUCTS.entries()) {
    const tag = `product-${product.id}`;
    resources.set(`/products/${product.id}`, page(renderProductPage(product, assets), [tag]));
    resources.set(`/api/products/${product.id}`, json(listing[index], ['api', tag]));
  }
  return resources;
}
