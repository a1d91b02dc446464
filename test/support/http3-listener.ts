/** The edge's own HTTP/3 listener on a port the system chooses, with a handler of the test's. */
import type { Certificate } from '#core/model/snapshot.ts';
import type { ExchangeHandler } from '#edge/exchange.ts';
import { Http3Listener, type Http3ListenerOptions } from '#edge/http3/listener.ts';
import { systemClock } from '#platform/clock.ts';
import type { ListenAddress } from '#platform/listen-address.ts';
import { createSilentLogger } from '#platform/log.ts';
import { connectHttp3, type Http3TestClient } from './http3-client.ts';
import { makeCertificate } from './test-authority.ts';

export interface TestHttp3Listener extends AsyncDisposable {
  readonly listener: Http3Listener;
  readonly address: ListenAddress;
  connect(serverName?: string): Promise<Http3TestClient>;
}

let made: Promise<Certificate> | null = null;

/** A certificate of www.example.com, the same for all tests of a file. */
export function testCertificate(): Promise<Certificate> {
  made ??= makeCertificate(['www.example.com', '127.0.0.1']);
  return made;
}

/** Starts it on loopback; `await using` closes it. */
export async function startTestHttp3Listener(
  handler: ExchangeHandler,
  options: Partial<Http3ListenerOptions> = {},
  certificates?: readonly Certificate[],
): Promise<TestHttp3Listener> {
  const listener = new Http3Listener({
    address: { address: '127.0.0.1', port: 0 },
    handler,
    clock: systemClock,
    log: createSilentLogger(),
    residentBytesMax: Number.POSITIVE_INFINITY,
    ...options,
  });
  listener.follow(certificates ?? [await testCertificate()]);
  listener.start();
  const address = listener.address as ListenAddress;
  return {
    listener,
    address,
    connect: (serverName) =>
      connectHttp3({ ...address, ...(serverName === undefined ? {} : { serverName }) }),
    [Symbol.asyncDispose]: () => listener.close(0),
  };
}
