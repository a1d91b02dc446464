/** The process of one edge worker. */
import { type EdgeOptions, startEdge } from '#edge/edge.ts';
import type { TraceOptions } from '#edge/trace-log.ts';
import { systemClock } from '#platform/clock.ts';
import { formatListenAddress } from '#platform/listen-address.ts';
import { TRACE_SECRET_VARIABLE } from '../trace-secret.ts';
import { type OptionsOf, runPart } from './run-part.ts';

/** The trace's secret is not among the options, which all users of the machine can see (`up/trace-options.ts`). */
export interface EdgePartOptions extends OptionsOf<Omit<EdgeOptions, 'originClient' | 'trace'>> {
  readonly trace?: Omit<TraceOptions, 'secret'> | null;
}

if (import.meta.main) {
  await runPart<EdgePartOptions>(async ({ options, bus, log }) => {
    const { trace = null, ...others } = options;
    const secret = process.env[TRACE_SECRET_VARIABLE] ?? '';
    const traced = trace === null || secret === '' ? null : { ...trace, secret };
    const edge = await startEdge({ ...others, trace: traced, bus, clock: systemClock, log });
    const facts: Record<string, string> = {};
    if (edge.http !== null) facts.http = formatListenAddress(edge.http);
    if (edge.https !== null) facts.https = formatListenAddress(edge.https);
    return { facts, close: () => edge.close(), handOver: (withinMs) => edge.handOver(withinMs) };
  });
}
