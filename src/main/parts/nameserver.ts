/** The process of the name server. */
import { type NameserverOptions, startNameserver } from '#nameserver/nameserver.ts';
import { systemClock } from '#platform/clock.ts';
import { formatListenAddress } from '#platform/listen-address.ts';
import { type OptionsOf, runPart } from './run-part.ts';

export type NameserverPartOptions = OptionsOf<NameserverOptions>;

if (import.meta.main) {
  await runPart<NameserverPartOptions>(async ({ options, bus, log }) => {
    const nameserver = await startNameserver({ ...options, bus, clock: systemClock, log });
    return {
      facts: { dns: formatListenAddress(nameserver.udp) },
      close: () => nameserver.close(),
      handOver: (withinMs) => nameserver.handOver(withinMs),
    };
  });
}
