/** The process of the control plane. */

import { startControl } from '#control/control.ts';
import type { PartName } from '#core/model/messages.ts';
import type { PopInput } from '#core/model/pop.ts';
import type { SiteInput } from '#core/model/site.ts';
import { systemClock } from '#platform/clock.ts';
import { formatListenAddress, type ListenAddress } from '#platform/listen-address.ts';
import { type PartOptions, runPart } from './run-part.ts';

export interface ControlPartOptions extends PartOptions {
  readonly listen: ListenAddress;
  readonly dataDirectory: string;
  readonly zoneName: string;
  readonly dnsAddress: ListenAddress;
  readonly seed: { readonly sites: readonly SiteInput[]; readonly pops: readonly PopInput[] };
  readonly expectedParts: readonly PartName[];
  readonly consoleDirectory: string;
  readonly allowedHosts: readonly string[];
}

if (import.meta.main) {
  await runPart<ControlPartOptions>(async ({ options, bus, log }) => {
    const control = await startControl({ ...options, bus, clock: systemClock, log });
    return { facts: { api: formatListenAddress(control.listen) }, close: async () => control.close() };
  });
}
