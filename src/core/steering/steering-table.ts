/** The POPs of a snapshot, compiled for steering: what ranking and choosing read, and nothing else. */
import { hashText } from '../base/mix32.ts';
import type { Pop } from '../model/pop.ts';
import { writeUnitVector } from './policy.ts';

export interface SteeringTable {
  readonly popCount: number;
  /** Three numbers per POP; NaN where the POP has no location. */
  readonly vectors: Float64Array;
  readonly isDrained: Uint8Array;
  /** Operator's preference, -99..99. */
  readonly biases: Float64Array;
  /** Share of traffic that the POP takes beside equally near ones: its edges. */
  readonly weights: Float64Array;
  readonly popHashes: Uint32Array;
  readonly hasIpv4: Uint8Array;
  readonly hasIpv6: Uint8Array;
  /** Edges of POP i: from edgeStarts[i] up to edgeStarts[i + 1]. */
  readonly edgeStarts: Uint32Array;
  readonly edgeHashes: Uint32Array;
  readonly edgeHasIpv4: Uint8Array;
  readonly edgeHasIpv6: Uint8Array;
  /** Carriers each POP is connected to; none: all alike. */
  readonly carriers: readonly (readonly string[])[];
}

/** Inputs that the model does not carry yet; absent: neutral. */
export interface PopPreferences {
  readonly bias?: number;
  readonly carriers?: readonly string[];
}

/** Compiles POPs; indexes into the result follow the order of `pops` and of their edges. */
export function compileSteering(
  pops: readonly Pop[],
  preferences: ReadonlyMap<string, PopPreferences> = new Map(),
): SteeringTable {
  const edges = pops.flatMap((pop) => pop.edges);
  const flags = (values: readonly boolean[]): Uint8Array => Uint8Array.from(values, Number);
  const hasFamily = (addresses: readonly string[], isIpv6: boolean): boolean =>
    addresses.some((address) => address.includes(':') === isIpv6);
  const popHasFamily = (pop: Pop, isIpv6: boolean): boolean =>
    pop.edges.some((edge) => hasFamily(edge.addresses, isIpv6));
  const edgeStarts = new Uint32Array(pops.length + 1);
  const vectors = new Float64Array(pops.length * 3).fill(Number.NaN);
  for (const [index, pop] of pops.entries()) {
    edgeStarts[index + 1] = (edgeStarts[index] ?? 0) + pop.edges.length;
    if (pop.location !== null) {
      writeUnitVector(vectors, index * 3, pop.location.latitude, pop.location.longitude);
    }
  }
  return {
    popCount: pops.length,
    vectors,
    isDrained: flags(pops.map((pop) => pop.state === 'drained')),
    biases: Float64Array.from(pops, (pop) => preferences.get(pop.id)?.bias ?? 0),
    weights: Float64Array.from(pops, (pop) => pop.edges.length),
    popHashes: Uint32Array.from(pops, (pop) => hashText(pop.id)),
    hasIpv4: flags(pops.map((pop) => popHasFamily(pop, false))),
    hasIpv6: flags(pops.map((pop) => popHasFamily(pop, true))),
    edgeStarts,
    edgeHashes: Uint32Array.from(edges, (edge) => hashText(edge.id)),
    edgeHasIpv4: flags(edges.map((edge) => hasFamily(edge.addresses, false))),
    edgeHasIpv6: flags(edges.map((edge) => hasFamily(edge.addresses, true))),
    carriers: pops.map((pop) => preferences.get(pop.id)?.carriers ?? []),
  };
}
