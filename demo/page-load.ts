/**
 * Loads a page the way a browser does over HTTP/1.1: the HTML first, then what it refers to, over at most
 * six connections that are kept open. Nothing is cached between loads: each is a first visit.
 */
import http from 'node:http';

/** What browsers open to one host. */
const CONNECTIONS_MAX = 6;
/** A response that takes longer, or is larger, is a fault of the setup, not a slow page. */
const RESPONSE_TIMEOUT_MS = 30_000;
const RESPONSE_BYTES_MAX = 64 << 20;
/** Things one page may refer to; the shop's has 42. */
const REFERENCES_MAX = 500;

export interface PageLoad {
  /** From opening the connection to the first byte of the HTML. */
  readonly firstByteMs: number;
  /** From opening the connection to the last byte of the last thing on the page. */
  readonly pageMs: number;
  readonly requests: number;
  readonly bodyBytes: number;
  /** Bytes of responses that a cache says it had (Cache-Status with `hit`, RFC 9211 §2.1). */
  readonly bytesFromCache: number;
}

export interface PageRequest {
  readonly address: string;
  readonly port: number;
  readonly host: string;
  readonly path: string;
}

interface Received {
  readonly body: Buffer;
  readonly isHit: boolean;
  /** On the clock of `performance.now()`. */
  readonly firstByteAt: number;
}

function get(agent: http.Agent, { address, port, host, path }: PageRequest): Promise<Received> {
  return new Promise((resolve, reject) => {
    const request = http.get({ agent, host: address, port, path, headers: { host } }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      const firstByteAt = performance.now();
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > RESPONSE_BYTES_MAX)
          request.destroy(new Error(`${path} is larger than a page's parts are`));
        chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode !== 200) {
          reject(new Error(`http://${host}${path} at ${address}:${port} answered ${response.statusCode}`));
          return;
        }
        const status = String(response.headers['cache-status'] ?? '');
        resolve({ body: Buffer.concat(chunks), isHit: /;\s*hit\b/.test(status), firstByteAt });
      });
    });
    request.setTimeout(RESPONSE_TIMEOUT_MS, () => {
      request.destroy(new Error(`http://${host}${path} at ${address}:${port} did not answer in time`));
    });
    request.on('error', reject);
  });
}

/** What a browser fetches with the page at once: style sheets, scripts, pictures; not films, not links. */
export function referencesOf(html: string): string[] {
  const found = new Set<string>();
  for (const [, path] of html.matchAll(/<(?:img|script)\b[^>]*?\ssrc="(\/[^"]+)"/g)) found.add(path ?? '');
  for (const [, path] of html.matchAll(/<link\b[^>]*?\shref="(\/[^"]+)"/g)) found.add(path ?? '');
  return [...found].slice(0, REFERENCES_MAX);
}

/** Loads `page`; rejects when any part of it does not answer with 200. */
export async function loadPage(page: PageRequest): Promise<PageLoad> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX });
  try {
    const startedAt = performance.now();
    const html = await get(agent, page);
    const queue = referencesOf(html.body.toString());
    const received = [html];
    /** One connection's worth of work: the next thing as soon as the last has come. */
    async function fetchInTurn(): Promise<void> {
      for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
        received.push(await get(agent, { ...page, path }));
      }
    }
    await Promise.all(Array.from({ length: CONNECTIONS_MAX }, fetchInTurn));
    const pageMs = performance.now() - startedAt;
    const sum = (of: readonly Received[]) => of.reduce((bytes, { body }) => bytes + body.length, 0);
    return {
      firstByteMs: html.firstByteAt - startedAt,
      pageMs,
      requests: received.length,
      bodyBytes: sum(received),
      bytesFromCache: sum(received.filter(({ isHit }) => isHit)),
    };
  } finally {
    agent.destroy();
  }
}
