/** Where a request's connection goes. Two requests may share a connection when their keys are equal. */
import type { Fields } from '#core/http/fields.ts';
import type { Origin } from '#core/model/site.ts';
import { OriginFailure } from './origin-client.ts';

export interface Destination {
  /** Names the pool: everything a connection depends on. */
  readonly key: string;
  /** Host name or IP address (IPv6 without brackets). */
  readonly host: string;
  readonly port: number;
  /** Milliseconds to connect in, and for the TLS handshake, by the origin's settings; null: `ORIGIN_LIMITS`. */
  readonly connectMs: number | null;
  readonly tls: null | {
    /** Server name sent (RFC 6066 §3) and looked for in the certificate. */
    readonly serverName: string;
    readonly verifies: boolean;
  };
}

interface Address {
  readonly isTls: boolean;
  readonly authority: string;
  readonly plain: Destination;
}

/** Origins are parts of an immutable snapshot, so what is read from one is remembered with it. */
const addresses = new WeakMap<Origin, Address>();

function parseAddress(origin: Origin): Address {
  let url: URL;
  try {
    url = new URL(origin.url);
  } catch (error) {
    throw new OriginFailure('http_request_error', `"${origin.url}" is no origin address`, false, {
      cause: error,
    });
  }
  const isTls = url.protocol === 'https:';
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port);
  const seconds = origin.timeouts?.connectSeconds ?? null;
  // Who may wait longer must not be given the failure of who may not.
  const patience = seconds === null ? '' : `#${seconds}s`;
  const key = `${url.protocol}//${url.hostname}:${port}${patience}`;
  const connectMs = seconds === null ? null : seconds * 1_000;
  return { isTls, authority: url.host, plain: { key, host, port, connectMs, tls: null } };
}

function addressOf(origin: Origin): Address {
  let address = addresses.get(origin);
  if (address === undefined) {
    address = parseAddress(origin);
    addresses.set(origin, address);
  }
  return address;
}

/** The Host sent: the origin's setting, else the request's, else the origin's own authority. */
export function hostSent(origin: Origin, fields: Fields): string {
  return origin.hostHeader ?? fields.get('host') ?? addressOf(origin).authority;
}

/** `host` is what `hostSent` said. */
export function destinationOf(origin: Origin, host: string): Destination {
  const address = addressOf(origin);
  if (!address.isTls) return address.plain;
  const serverName = withoutPort(host);
  const verifies = origin.verifyCertificate;
  const { key, ...plain } = address.plain;
  return {
    key: `${key}#${serverName}${verifies ? '' : '#unverified'}`,
    ...plain,
    tls: { serverName, verifies },
  };
}

function withoutPort(authority: string): string {
  if (authority.startsWith('[')) return authority.slice(1, Math.max(1, authority.indexOf(']')));
  const colon = authority.indexOf(':');
  return colon < 0 ? authority : authority.slice(0, colon);
}
