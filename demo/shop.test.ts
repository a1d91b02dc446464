import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { loadPage, referencesOf } from './page-load.ts';
import { drawPicture } from './picture.ts';
import { type ShopOrigin, startShopOrigin } from './shop-origin.ts';
import { PRODUCTS } from './shop-products.ts';
import { makeShopResources, type Resource } from './shop-resources.ts';
import { makeFilm } from './video.ts';

let resources: ReadonlyMap<string, Resource>;
let shop: ShopOrigin;
let url: string;

beforeAll(async () => {
  resources = await makeShopResources();
  shop = await startShopOrigin({ address: '127.0.0.1', port: 0 }, resources);
  url = `http://127.0.0.1:${shop.listen.port}`;
}, 60_000);
afterAll(() => shop.close());

const pathsBy = (pattern: RegExp) => [...resources.keys()].filter((path) => pattern.test(path));
const filmPath = () => pathsBy(/\.mp4$/)[0] ?? '';

describe('the shop', () => {
  test('its front page refers to a style sheet, a script and forty pictures, all of which are there', async () => {
    const response = await fetch(`${url}/`);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const references = referencesOf(await response.text());
    expect(references).toHaveLength(42);
    for (const path of references) expect(resources.has(path)).toBe(true);
  });

  test('its forty pictures are JPEG files, all different, of 10 to 100 kB', async () => {
    const pictures = pathsBy(/\.jpg$/).map((path) => resources.get(path)?.body ?? Buffer.alloc(0));
    expect(pictures).toHaveLength(40);
    expect(new Set(pictures.map((picture) => Bun.hash(picture))).size).toBe(40);
    for (const picture of pictures) {
      expect(picture.length).toBeGreaterThan(10_000);
      expect(picture.length).toBeLessThan(100_000);
      expect(await new Bun.Image(picture).metadata()).toEqual({ format: 'jpeg', width: 360, height: 360 });
    }
  });

  test('the same product makes the same bytes again, so that validators survive a restart', async () => {
    const product = PRODUCTS[16];
    if (product === undefined) throw new Error('no product');
    const [path = ''] = pathsBy(new RegExp(`/pictures/${product.id}-`));
    expect((await drawPicture(product)).equals(resources.get(path)?.body ?? Buffer.alloc(0))).toBe(true);
    expect(makeFilm().equals(resources.get(filmPath())?.body ?? Buffer.alloc(0))).toBe(true);
  });

  test('validators: unchanged is 304 without a body, another tag is 200', async () => {
    const first = await fetch(`${url}/`);
    const etag = first.headers.get('etag') ?? '';
    const lastModified = first.headers.get('last-modified') ?? '';
    const same = await fetch(`${url}/`, { headers: { 'if-none-match': `"other", W/${etag}` } });
    expect([same.status, await same.text(), same.headers.get('etag')]).toEqual([304, '', etag]);
    expect((await fetch(`${url}/`, { headers: { 'if-modified-since': lastModified } })).status).toBe(304);
    const other = { 'if-none-match': '"other"', 'if-modified-since': lastModified };
    expect((await fetch(`${url}/`, { headers: other })).status).toBe(200);
  });

  test.each([
    ['bytes=0-9', 206, 0, 10],
    ['bytes=100-', 206, 100, null],
    ['bytes=-7', 206, -7, null],
    ['bytes=99999999-', 416, null, null],
    ['bytes=-0', 416, null, null],
    ['bytes=9-3', 200, 0, null],
    ['bytes=0-1,4-5', 200, 0, null],
    ['lines=0-1', 200, 0, null],
  ] as const)('the film with range %s answers %d', async (range, status, from, to) => {
    const film = resources.get(filmPath())?.body ?? Buffer.alloc(0);
    const response = await fetch(`${url}${filmPath()}`, { headers: { range } });
    expect(response.status).toBe(status);
    const body = Buffer.from(await response.arrayBuffer());
    if (from !== null) expect(body.equals(film.subarray(from, to ?? film.length))).toBe(true);
    if (status === 416) expect(response.headers.get('content-range')).toBe(`bytes */${film.length}`);
  });

  test('carts are private, kept by visitor, and refuse what is no order', async () => {
    const post = (body: string, cookie = '') =>
      fetch(`${url}/api/cart`, { method: 'POST', body, headers: { cookie } });
    const first = await post('{"productId":1,"quantity":2}');
    expect(first.headers.get('cache-control')).toBe('private, no-store');
    const cookie = first.headers.get('set-cookie')?.split(';')[0] ?? '';
    await post('{"productId":2,"quantity":1}', cookie);
    const cart = await (await fetch(`${url}/api/cart`, { headers: { cookie } })).json();
    expect(cart).toEqual({
      items: [
        { productId: 1, quantity: 2 },
        { productId: 2, quantity: 1 },
      ],
      totalCents: 2 * (PRODUCTS[0]?.priceCents ?? 0) + (PRODUCTS[1]?.priceCents ?? 0),
    });
    expect(await (await fetch(`${url}/api/cart`)).json()).toEqual({ items: [], totalCents: 0 });
    for (const order of ['', 'null', '{"productId":41,"quantity":1}', '{"productId":1,"quantity":0.5}']) {
      expect((await post(order)).status).toBe(400);
    }
    expect((await post('x'.repeat(5000))).status).toBe(413);
  });

  test('what is not there is 404, what cannot be done 405', async () => {
    expect((await fetch(`${url}/nothing`)).status).toBe(404);
    const refused = await fetch(`${url}/`, { method: 'DELETE' });
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    const head = await fetch(`${url}/api/products`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  test('a page loads as a browser loads it', async () => {
    const load = await loadPage({ ...shop.listen, host: 'shop.cdn.test', path: '/' });
    expect(load.requests).toBe(43);
    expect(load.bytesFromCache).toBe(0);
    expect(load.pageMs).toBeGreaterThan(load.firstByteMs);
    const everything = ['/', ...pathsBy(/\.(css|js|jpg)$/)].map(
      (path) => resources.get(path)?.body.length ?? 0,
    );
    expect(load.bodyBytes).toBe(everything.reduce((sum, bytes) => sum + bytes, 0));
    await expect(loadPage({ ...shop.listen, host: 'shop.cdn.test', path: '/nothing' })).rejects.toThrow(
      'answered 404',
    );
  });
});

describe('the film', () => {
  /** Boxes of an MP4 file: type, where the content begins, where it ends. */
  function boxes(file: Buffer, from = 0, to = file.length): { type: string; from: number; to: number }[] {
    const found = [];
    for (let at = from; at < to; at += file.readUInt32BE(at)) {
      const size = file.readUInt32BE(at);
      expect(size).toBeGreaterThanOrEqual(8);
      found.push({ type: file.toString('latin1', at + 4, at + 8), from: at + 8, to: at + size });
    }
    expect(found.at(-1)?.to).toBe(to);
    return found;
  }

  function find(file: Buffer, path: readonly string[]): { from: number; to: number } {
    let range = { from: 0, to: file.length };
    for (const type of path) {
      const next = boxes(file, range.from, range.to).find((box) => box.type === type);
      if (next === undefined) throw new Error(`no box ${type}`);
      range = next;
    }
    return range;
  }

  test('is an MP4 file whose index leads to each of its 96 frames', () => {
    const film = resources.get(filmPath())?.body ?? Buffer.alloc(0);
    expect(film.length).toBeGreaterThan(5_000_000);
    expect(film.length).toBeLessThan(10_000_000);
    expect(boxes(film).map(({ type }) => type)).toEqual(['ftyp', 'moov', 'mdat']);
    const table = ['moov', 'trak', 'mdia', 'minf', 'stbl'];
    const sizes = find(film, [...table, 'stsz']).from;
    const frames = film.readUInt32BE(sizes + 8);
    expect(frames).toBe(96);
    let at = film.readUInt32BE(find(film, [...table, 'stco']).from + 8);
    expect(at).toBe(find(film, ['mdat']).from);
    for (let frame = 0; frame < frames; frame += 1) {
      const bytes = film.readUInt32BE(sizes + 12 + frame * 4);
      // One unit per frame: its length, then an IDR slice (type 5).
      expect(film.readUInt32BE(at)).toBe(bytes - 4);
      expect(film.readUInt8(at + 4)).toBe(0x65);
      at += bytes;
    }
    expect(at).toBe(film.length);
  });
});
