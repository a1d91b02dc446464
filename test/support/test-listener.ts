/** The edge's own listeners on ports the system chooses, with a handler of the test's. */
import type { Certificate } from '#core/model/snapshot.ts';
import type { ListenLimits } from '#edge/connection/context.ts';
import type { ExchangeHandler } from '#edge/exchange.ts';
import { type Listeners, listen } from '#edge/listen.ts';
import { CertificateStore } from '#edge/tls/certificate-store.ts';
import { systemClock } from '#platform/clock.ts';
import type { ListenAddress } from '#platform/listen-address.ts';
import { createSilentLogger } from '#platform/log.ts';

export interface TestListener extends AsyncDisposable {
  readonly http: ListenAddress;
  readonly https: ListenAddress;
  readonly listeners: Listeners;
  readonly certificates: CertificateStore;
}

/** Starts both listeners on loopback; `await using` closes them. */
export async function startTestListener(
  handler: ExchangeHandler,
  limits: Partial<ListenLimits> = {},
  certificates: readonly Certificate[] = [],
  options: { readonly acceptsH2c?: boolean; readonly proxySources?: readonly string[] | null } = {},
): Promise<TestListener> {
  const log = createSilentLogger();
  const store = new CertificateStore(log);
  store.replace(certificates, new Map());
  const anyPort = { address: '127.0.0.1', port: 0 };
  const listeners = await listen({
    http: anyPort,
    https: anyPort,
    handler,
    certificates: store,
    clock: systemClock,
    log,
    reusePort: true,
    limits,
    ...options,
  });
  return {
    http: listeners.http as ListenAddress,
    https: listeners.https as ListenAddress,
    listeners,
    certificates: store,
    [Symbol.asyncDispose]: () => listeners.close(0),
  };
}
