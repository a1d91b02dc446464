/** The process of the control plane. */
import { type ControlOptions, startControl } from '#control/control.ts';
import { systemClock } from '#platform/clock.ts';
import { formatListenAddress } from '#platform/listen-address.ts';
import { type OptionsOf, runPart } from './run-part.ts';

export type ControlPartOptions = OptionsOf<ControlOptions>;

if (import.meta.main) {
  await runPart<ControlPartOptions>(async ({ options, bus, log }) => {
    const control = await startControl({ ...options, bus, clock: systemClock, log });
    return { facts: { api: formatListenAddress(control.listen) }, close: () => control.close() };
  });
}
