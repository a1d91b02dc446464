/**
 * The demo's shop as a plain HTTP server, the way a small shop's own server is: validators on everything
 * (RFC 9110 §13), single ranges (§14), private answers about carts, and time to think before each answer.
 * It is an origin, not part of Perigee, so it is built on node:http.
 */
import http from 'node:http';
import { Carts } from './shop-carts.ts';
import type { Resource } from './shop-resources.ts';

const ORDER_BYTES_MAX = 4096;
const CART_THINK_MS = 30;
/** As long as common servers keep idle connections, so that edges can use theirs again. */
const KEEP_ALIVE_MS = 65_000;

/** A selected range, both ends included; `unsatisfiable` asks for 416; null: the whole. */
type Range = { readonly first: number; readonly last: number } | 'unsatisfiable' | null;

function parseRange(field: string | undefined, length: number): Range {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(field ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return null;
  if (match[1] === '') {
    const suffix = Number(match[2]);
    return suffix === 0 ? 'unsatisfiable' : { first: length - Math.min(length, suffix), last: length - 1 };
  }
  const first = Number(match[1]);
  const last = match[2] === '' ? length - 1 : Math.min(length - 1, Number(match[2]));
  if (match[2] !== '' && Number(match[2]) < first) return null;
  return first >= length ? 'unsatisfiable' : { first, last };
}

function isNotModified(request: http.IncomingMessage, resource: Resource, modifiedAt: number): boolean {
  const tags = request.headers['if-none-match'];
  if (tags !== undefined) {
    return tags.split(',').some((tag) => ['*', resource.etag].includes(tag.trim().replace(/^W\//, '')));
  }
  const since = Date.parse(request.headers['if-modified-since'] ?? '');
  return since >= modifiedAt;
}

function sendResource(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  resource: Resource,
  modifiedAt: number,
): void {
  const { body, etag } = resource;
  const validators = {
    etag,
    'last-modified': new Date(modifiedAt).toUTCString(),
    'cache-control': resource.cacheControl,
    'cache-tag': resource.tags.join(','),
  };
  if (isNotModified(request, resource, modifiedAt)) {
    response.writeHead(304, validators).end();
    return;
  }
  const head = { ...validators, 'content-type': resource.contentType, 'accept-ranges': 'bytes' };
  const condition = request.headers['if-range'];
  const mayRange = condition === undefined || condition === etag;
  const range = mayRange && request.method === 'GET' ? parseRange(request.headers.range, body.length) : null;
  if (range === 'unsatisfiable') {
    response.writeHead(416, { 'content-range': `bytes */${body.length}`, 'content-length': 0 }).end();
    return;
  }
  if (range === null) {
    response.writeHead(200, { ...head, 'content-length': body.length });
    response.end(request.method === 'HEAD' ? undefined : body);
    return;
  }
  const part = body.subarray(range.first, range.last + 1);
  response.writeHead(206, {
    ...head,
    'content-range': `bytes ${range.first}-${range.last}/${body.length}`,
    'content-length': part.length,
  });
  response.end(part);
}

function sendText(response: http.ServerResponse, status: number, text: string, allow?: string): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    ...(allow === undefined ? {} : { allow }),
  });
  response.end(`${text}\n`);
}

/** The request's body as text, or null when it is longer than an order can be. */
async function readOrder(request: http.IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > ORDER_BYTES_MAX) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function visitorOf(request: http.IncomingMessage): string | null {
  return /(?:^|;\s*)visitor=([0-9a-f]{32})(?:;|$)/.exec(request.headers.cookie ?? '')?.[1] ?? null;
}

async function answerCart(
  carts: Carts,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  let visitor = visitorOf(request);
  if (request.method === 'POST') {
    const order = await readOrder(request);
    if (order === null) return sendText(response, 413, 'That is too long for an order.');
    visitor = carts.add(visitor, parseJson(order));
    if (visitor === null)
      return sendText(response, 400, 'An order is {"productId": 1-40, "quantity": 1-99}.');
  } else if (request.method !== 'GET' && request.method !== 'HEAD') {
    return sendText(response, 405, 'A cart can be read and added to.', 'GET, HEAD, POST');
  }
  response.writeHead(200, {
    'content-type': 'application/json',
    'cache-control': 'private, no-store',
    ...(visitor === null ? {} : { 'set-cookie': `visitor=${visitor}; Path=/; HttpOnly; SameSite=Lax` }),
  });
  response.end(request.method === 'HEAD' ? undefined : JSON.stringify(carts.view(visitor)));
}

/** A server for the shop; the caller makes it listen. `modifiedAt` is the resources' Last-Modified, ms. */
export function createShopServer(resources: ReadonlyMap<string, Resource>, modifiedAt: number): http.Server {
  const carts = new Carts();
  const wholeSeconds = Math.floor(modifiedAt / 1000) * 1000;

  function answer(request: http.IncomingMessage, response: http.ServerResponse, path: string): void {
    const resource = resources.get(path);
    if (path === '/api/cart') {
      answerCart(carts, request, response).catch(() => response.destroy());
    } else if (resource === undefined) {
      sendText(response, 404, 'The shop has nothing here.');
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      sendText(response, 405, 'This can only be read.', 'GET, HEAD');
    } else {
      sendResource(request, response, resource, wholeSeconds);
    }
  }

  const server = http.createServer((request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    const thinkMs = resources.get(path)?.thinkMs ?? CART_THINK_MS;
    setTimeout(() => answer(request, response, path), thinkMs);
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  return server;
}
