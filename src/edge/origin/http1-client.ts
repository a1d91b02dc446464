/**
 * The HTTP/1.1 client to origins (RFC 9112), on `node:net` and `node:tls`: `fetch` of a library would hide
 * the raw target, interim responses and trailers, and could not tell why a connection failed.
 */
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import type { Clock } from '#platform/clock.ts';
import { Deadlines } from './deadlines.ts';
import type { DialSettings } from './dialer.ts';
import { ORIGIN_LIMITS, type OriginLimits } from './limits.ts';
import { NameCache, type SystemLookup } from './name-cache.ts';
import type { OriginClient, OriginRequest, OriginResponse } from './origin-client.ts';
import { OriginFetch } from './origin-fetch.ts';
import { limitsByOrigin } from './origin-timeouts.ts';
import { ConnectionPool } from './pool.ts';

export interface Http1ClientOptions {
  /** Local address of connections to origins; null: the system's choice. */
  readonly egressAddress: string | null;
  readonly clock: Clock;
  /** Bounds other than `ORIGIN_LIMITS`. */
  readonly limits?: Partial<OriginLimits>;
  /** Authorities (PEM) trusted beside the system's. */
  readonly extraCertificateAuthorities?: readonly string[];
  /** Name lookup other than the system's. */
  readonly lookup?: SystemLookup;
}

export interface Http1Client extends OriginClient {
  /** Connections for requests, open or being made, and how many of them are idle. */
  connections(): { readonly open: number; readonly idle: number };
}

export function createHttp1Client(options: Http1ClientOptions): Http1Client {
  const dialSettings = dialSettingsOf(options, ['http/1.1']);
  const pool = new ConnectionPool(dialSettings);
  const { deadlines } = dialSettings;
  const limitsOf = limitsByOrigin(dialSettings.limits);
  return {
    fetch(request: OriginRequest, signal?: AbortSignal): Promise<OriginResponse> {
      const settings = { pool, deadlines, clock: options.clock, limits: limitsOf(request.origin) };
      return new Promise((resolve, reject) => {
        // What may not be sent throws in here, and so rejects.
        new OriginFetch(request, settings, resolve, reject).begin(signal);
      });
    },
    async close(): Promise<void> {
      pool.close();
    },
    connections: () => ({ open: pool.size, idle: pool.idleSize }),
  };
}

/** How connections are made for a client of these options. */
export function dialSettingsOf(options: Http1ClientOptions, alpnProtocols: readonly string[]): DialSettings {
  const { clock, egressAddress, extraCertificateAuthorities = [] } = options;
  const limits: OriginLimits = { ...ORIGIN_LIMITS, ...options.limits };
  return {
    egressAddress,
    alpnProtocols,
    limits,
    names: new NameCache(clock, limits, options.lookup),
    deadlines: new Deadlines(),
    secureContext: rememberedContext(extraCertificateAuthorities),
  };
}

/** One context for all connections: reading the authorities' certificates takes milliseconds. */
function rememberedContext(extra: readonly string[]): () => SecureContext {
  let context: SecureContext | null = null;
  return () => {
    context ??= createSecureContext({ ca: [...getCACertificates('default'), ...extra] });
    return context;
  };
}
