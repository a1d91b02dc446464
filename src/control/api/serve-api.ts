/** The socket under the API: `Bun.serve`, with bounds on bodies and idle connections. */
import { AppError } from '#core/base/app-error.ts';
import { errorMessage } from '#core/base/error-message.ts';
import { formatListenAddress, type ListenAddress } from '#platform/listen-address.ts';
import type { Logger } from '#platform/log.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import type { createApp } from './app.ts';
import { toRefusal } from './refusals.ts';

export interface ApiServer {
  readonly listen: ListenAddress;
  /** Lets requests finish for a moment, then ends them. */
  close(): Promise<void>;
}

/** Throws AppError `conflict` when the address is taken, `unavailable` when it cannot be listened at. */
export function serveApi(listen: ListenAddress, app: ReturnType<typeof createApp>, log: Logger): ApiServer {
  const server = openServer(listen, app, log);
  return {
    listen: { address: listen.address, port: server.port ?? listen.port },
    async close() {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, CONTROL_LIMITS.closeTimeoutMs);
      });
      const finished = server.stop(false);
      // Otherwise each connection that a browser keeps for its next request would cost the whole moment.
      server.closeIdleConnections();
      await Promise.race([finished, late]);
      clearTimeout(timer);
      await server.stop(true);
    },
  };
}

function openServer(listen: ListenAddress, app: ReturnType<typeof createApp>, log: Logger) {
  try {
    return Bun.serve({
      hostname: listen.address,
      port: listen.port,
      // Bun shares the port with any other process unless told not to (1.4.5, Linux).
      reusePort: false,
      idleTimeout: CONTROL_LIMITS.idleTimeoutSeconds,
      maxRequestBodySize: CONTROL_LIMITS.requestBytesMax,
      // Without this a mistake of ours would be shown to the client with our source.
      development: false,
      fetch: (request, bunServer) =>
        app.fetch(request, { clientAddress: plainAddress(bunServer.requestIP(request)?.address) }),
      error(error) {
        const { status, body } = toRefusal(error, log);
        return Response.json(body, { status });
      },
    });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const place = formatListenAddress(listen);
    if (code === 'EADDRINUSE') {
      throw new AppError(
        'conflict',
        `the API's address ${place} is in use by another program; stop it, or choose another with --api`,
        { cause },
      );
    }
    const reason = errorMessage(cause);
    throw new AppError(
      'unavailable',
      `the API cannot listen at ${place}: ${reason}; choose another with --api`,
      {
        cause,
      },
    );
  }
}

/** IPv4 clients of a socket for both families come as mapped addresses (RFC 4291 §2.5.5.2). */
function plainAddress(address: string | undefined): string {
  return address?.replace(/^::ffff:(?=\d+\.)/i, '') ?? 'unknown';
}
