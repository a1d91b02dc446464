/** The process of the name server. */
import { startNameserver } from '#nameserver/nameserver.ts';
import { systemClock } from '#platform/clock.ts';
import { formatListenAddress, type ListenAddress } from '#platform/listen-address.ts';
import { type PartOptions, runPart } from './run-part.ts';

export interface NameserverPartOptions extends PartOptions {
  readonly listen: ListenAddress;
  readonly geoFile: string;
  readonly snapshotFile: string;
}

if (import.meta.main) {
  await runPart<NameserverPartOptions>(async ({ options, bus, log }) => {
    const nameserver = await startNameserver({ ...options, bus, clock: systemClock, log });
    return { facts: { dns: formatListenAddress(nameserver.udp) }, close: async () => nameserver.close() };
  });
}
