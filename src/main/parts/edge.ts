/** The process of one edge worker. */
import { startEdge } from '#edge/edge.ts';
import { systemClock } from '#platform/clock.ts';
import { formatListenAddress, type ListenAddress } from '#platform/listen-address.ts';
import { type PartOptions, runPart } from './run-part.ts';

export interface EdgePartOptions extends PartOptions {
  readonly edgeId: string;
  readonly popId: string;
  readonly worker: number;
  readonly http: ListenAddress | null;
  readonly https: ListenAddress | null;
  readonly egressAddress: string | null;
  readonly memoryBytes: number;
  readonly snapshotFile: string;
}

if (import.meta.main) {
  await runPart<EdgePartOptions>(async ({ options, bus, log }) => {
    const edge = await startEdge({ ...options, bus, clock: systemClock, log });
    const facts: Record<string, string> = {};
    if (edge.http !== null) facts.http = formatListenAddress(edge.http);
    if (edge.https !== null) facts.https = formatListenAddress(edge.https);
    return { facts, close: () => edge.close() };
  });
}
