/**
 * HTTP/3 as the runtime serves it: `Bun.serve` on a UDP port, and nothing else there. Experimental in Bun 1.4.5; Node
 * has none. What it lacks, and what is made of that, is said in `src/edge/http3`.
 */
import { AppError } from '#core/base/app-error.ts';
import { errorMessage } from '#core/base/error-message.ts';
import { formatListenAddress, type ListenAddress } from './listen-address.ts';

/** A host name, with the certificate and key for it (PEM). */
export interface Http3Identity {
  readonly serverName: string;
  readonly cert: string;
  readonly key: string;
}

export interface Http3ServerOptions {
  readonly address: ListenAddress;
  /** At least one; the first is for clients that name none of them. */
  readonly identities: readonly Http3Identity[];
  /** A connection without packets for so long is forgotten. */
  readonly idleSeconds: number;
  readonly answer: (request: Request) => Response | Promise<Response>;
  /** The answer when `answer` failed, or a response could not be sent. */
  readonly onFault: (error: unknown) => Response;
}

export interface Http3Server {
  readonly port: number;
  /** Requests whose response is not whole yet. */
  readonly pendingRequests: number;
  /** Where a request came from; null when its client is gone. */
  clientOf(request: Request): { readonly address: string; readonly port: number } | null;
  /** Takes no more requests and ends when those under way have been answered; or at once, with all connections. */
  stop(isAtOnce: boolean): Promise<void>;
}

/** Throws AppError `conflict` when the port cannot be had: it is never shared. */
export function startHttp3Server(options: Http3ServerOptions): Http3Server {
  const { address, identities, idleSeconds, answer, onFault } = options;
  let server: ReturnType<typeof Bun.serve<undefined>>;
  try {
    server = Bun.serve({
      hostname: address.address,
      port: address.port,
      // A second process on the port would tear the connections of the first, and the default shares it.
      reusePort: false,
      ipv6Only: address.address.includes(':'),
      tls: [...identities],
      http1: false,
      http3: true,
      development: false,
      idleTimeout: idleSeconds,
      // Bodies are counted where they are read; Bun would cut them without a word.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      fetch: answer,
      error: onFault,
    });
  } catch (error) {
    throw new AppError(
      'conflict',
      `${formatListenAddress(address)} over UDP cannot be had for HTTP/3 (${errorMessage(error)}): stop what uses it or choose another port`,
      { cause: error },
    );
  }
  return {
    port: server.port ?? address.port,
    get pendingRequests() {
      return server.pendingRequests;
    },
    clientOf: (request) => server.requestIP(request),
    stop: (isAtOnce) => server.stop(isAtOnce),
  };
}
