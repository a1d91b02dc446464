/** The process of one edge worker. */
import { type EdgeOptions, startEdge } from '#edge/edge.ts';
import { systemClock } from '#platform/clock.ts';
import { formatListenAddress } from '#platform/listen-address.ts';
import { type OptionsOf, runPart } from './run-part.ts';

export type EdgePartOptions = OptionsOf<Omit<EdgeOptions, 'originClient'>>;

if (import.meta.main) {
  await runPart<EdgePartOptions>(async ({ options, bus, log }) => {
    const edge = await startEdge({ ...options, bus, clock: systemClock, log });
    const facts: Record<string, string> = {};
    if (edge.http !== null) facts.http = formatListenAddress(edge.http);
    if (edge.https !== null) facts.https = formatListenAddress(edge.https);
    return { facts, close: () => edge.close(), handOver: (withinMs) => edge.handOver(withinMs) };
  });
}
