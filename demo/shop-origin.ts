/**
 * The demo's origin as a process: `bun demo/shop-origin.ts [--listen ADDR:PORT]`. The shop's server stands
 * "in Los Angeles": whoever reaches it at its address does so over a wire as long as the way from there,
 * when a POP of the demo asks (known by the address it calls from); other callers bring their own distance.
 *
 * Started by `perigee up` it says when it is ready over the process channel, and ends with its parent.
 */
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { AppError } from '#core/base/app-error.ts';
import { errorMessage } from '#core/base/error-message.ts';
import { formatListenAddress, type ListenAddress, parseListenAddress } from '#platform/listen-address.ts';
import { tellSupervisor } from '#platform/process-bus.ts';
import { type DelayRelay, startDelayRelay } from './delay-relay.ts';
import { roundTripMs } from './distance.ts';
import { DEMO_ORIGIN_LISTEN, DEMO_ORIGIN_PLACE, demoPopAt } from './plan.ts';
import { makeShopResources, type Resource } from './shop-resources.ts';
import { createShopServer } from './shop-server.ts';

export interface ShopOrigin {
  /** Where the shop is reached, over the distance. */
  readonly listen: ListenAddress;
  close(): Promise<void>;
}

/** Starts the shop and the wire in front of it. Throws AppError `unavailable` when it cannot listen. */
export async function startShopOrigin(
  listen: ListenAddress,
  resources: ReadonlyMap<string, Resource>,
): Promise<ShopOrigin> {
  const server = createShopServer(resources, Date.now());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  let relay: DelayRelay;
  try {
    relay = await startDelayRelay({
      listen,
      target: { address: '127.0.0.1', port },
      roundTripMs: (peer) => {
        const pop = demoPopAt(peer);
        return pop === null ? 0 : roundTripMs(pop, DEMO_ORIGIN_PLACE);
      },
    });
  } catch (cause) {
    server.close();
    const reason = errorMessage(cause);
    throw new AppError(
      'unavailable',
      `the demo's shop cannot listen on ${formatListenAddress(listen)}: ${reason}; use --no-demo to go without it`,
      { cause },
    );
  }
  return {
    listen: { address: relay.address, port: relay.port },
    close: async () => {
      await relay.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

const CHANNEL_FLUSH_MS = 50;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { listen: { type: 'string', default: formatListenAddress(DEMO_ORIGIN_LISTEN) } },
  });
  const shop = await startShopOrigin(
    parseListenAddress(values.listen, '--listen'),
    await makeShopResources(),
  );
  let isEnding = false;
  function end(): void {
    if (isEnding) return;
    isEnding = true;
    shop.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  }
  process.on('SIGTERM', end);
  // Under a supervisor, Ctrl-C reaches this process too, and the supervisor decides what it means.
  process.on('SIGINT', () => {
    if (process.send === undefined) end();
  });
  process.on('disconnect', end);
  const address = formatListenAddress(shop.listen);
  if (process.send === undefined) process.stdout.write(`shop at http://${address}/\n`);
  tellSupervisor({ kind: 'ready', facts: { origin: address } });
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    const code = error instanceof AppError ? error.code : 'internal';
    const message = errorMessage(error);
    tellSupervisor({ kind: 'failed', code, message });
    process.stderr.write(`shop-origin: ${message}\n`);
    // The message must leave through the channel before the process ends.
    setTimeout(() => process.exit(1), CHANNEL_FLUSH_MS);
  }
}
