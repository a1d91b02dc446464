/**
 * Users of a CDN that is being reloaded: some connect anew for each request, some reuse connections by the rules,
 * some download for long. Each says of everything that a user would have noticed; by the rules, nobody retries.
 */
import { createHash } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { GOAWAY, readUint31 } from '#edge/http2/frame.ts';
import { connectHttp2, type Http2TestClient } from './http2-client.ts';
import { openRawClient, type RawClient, type RawClientOptions } from './raw-client.ts';

export interface Users {
  readonly options: RawClientOptions;
  readonly host: string;
}

export interface SecureUsers extends Users {
  /** PEM of the authority that they trust. */
  readonly ca: string;
}

export function secureUsers(
  place: Pick<RawClientOptions, 'address' | 'port'>,
  host: string,
  ca: string,
): SecureUsers {
  // One context for all: reading the authority's certificate costs more than a handshake.
  const tls = { serverName: host, secureContext: createSecureContext({ ca }), rejectUnauthorized: true };
  return { options: { ...place, tls }, host, ca };
}

/** What happened to all of them. */
export class Tally {
  connections = 0;
  responses = 0;
  reused = 0;
  announcedEnds = 0;
  readonly failures: string[] = [];
}

const GET = (host: string, path: string) => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

async function expectResponse(client: RawClient, expected: string, tally: Tally): Promise<boolean> {
  const response = await client.readResponse();
  if (response.status !== 200 || !response.isComplete || response.text !== expected)
    throw new Error(
      `status ${response.status}, ${response.body.length} bytes: ${response.text.slice(0, 80)}`,
    );
  tally.responses += 1;
  return response.field('connection') === 'close';
}

/** A new connection for each request, one after the other, until `isOver`. */
export async function connectAnew(users: Users, tally: Tally, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    let step = 'connecting';
    try {
      const client = await openRawClient(users.options);
      tally.connections += 1;
      step = 'asking';
      client.write(GET(users.host, '/small'));
      await expectResponse(client, 'small', tally);
      client.destroy();
    } catch (error) {
      tally.failures.push(`${step}: ${String(error)}`);
    }
  }
}

/**
 * Requests on a connection that is kept until a response says that it is the last. Every other one may not be
 * sent again (RFC 9110 §9.2.2), so an end that nobody announced is a failure.
 */
export async function reuseConnections(
  users: Users,
  tally: Tally,
  isOver: () => boolean,
  pauseMs: number,
): Promise<void> {
  while (!isOver()) {
    try {
      const client = await openRawClient(users.options);
      tally.connections += 1;
      for (let n = 0; !isOver(); n += 1) {
        const body = `upload ${n}`;
        const isPost = n % 2 === 1;
        client.write(
          isPost
            ? `POST /echo HTTP/1.1\r\nHost: ${users.host}\r\nContent-Length: ${body.length}\r\n\r\n${body}`
            : GET(users.host, '/small'),
        );
        const isLast = await expectResponse(client, isPost ? `echo ${body}` : 'small', tally);
        if (n > 0) tally.reused += 1;
        if (isLast) {
          tally.announcedEnds += 1;
          break;
        }
        await Bun.sleep(pauseMs);
      }
      client.destroy();
    } catch (error) {
      tally.failures.push(`on a reused connection: ${String(error)}`);
    }
  }
}

/** The same over HTTP/2, whose connections end with GOAWAY: streams beyond the last one it names may be sent again. */
export async function reuseHttp2(
  users: SecureUsers,
  tally: Tally,
  isOver: () => boolean,
  pauseMs: number,
): Promise<void> {
  while (!isOver()) {
    try {
      const { options, host, ca } = users;
      const client = await connectHttp2({ ...options, tls: { serverName: host, ca } });
      tally.connections += 1;
      for (let id = 1; !isOver(); id += 2) {
        if (lastStreamOf(client) !== null) {
          tally.announcedEnds += 1;
          break;
        }
        client.request(id, '/small', { authority: users.host });
        const response = await client.response(id).catch((error: unknown) => {
          if ((lastStreamOf(client) ?? id) < id) return null;
          throw error;
        });
        if (response === null) continue;
        if (response.status !== 200 || response.body.toString() !== 'small')
          throw new Error(`status ${response.status}: ${response.body}`);
        tally.responses += 1;
        if (id > 1) tally.reused += 1;
        await Bun.sleep(pauseMs);
      }
      client.destroy();
    } catch (error) {
      tally.failures.push(`over HTTP/2: ${String(error)}`);
    }
  }
}

/** The last stream that the server takes, as its latest GOAWAY says; null before it says so. */
function lastStreamOf(client: Http2TestClient): number | null {
  const last = client.frames.findLast(({ type }) => type === GOAWAY);
  return last === undefined ? null : readUint31(last.payload, 0);
}

export interface Download {
  /** Bytes of the body that have come so far. */
  receivedBytes(): number;
  /** Reads the rest; resolves with the SHA-256 (hex) of the body. */
  finish(): Promise<string>;
}

/** A download that reads its head and then hardly anything until `finish`. */
export async function beginDownload(users: Users, path: string, bytes: number): Promise<Download> {
  const client = await openRawClient(users.options);
  client.write(GET(users.host, path));
  const head = await client.readHead();
  if (head.status !== 200) throw new Error(`status ${head.status} for ${path}`);
  client.stopReading();
  return {
    receivedBytes: () => client.receivedBytes,
    async finish() {
      client.startReading();
      const body = await client.readBytes(bytes);
      client.destroy();
      return sha256(body);
    },
  };
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
