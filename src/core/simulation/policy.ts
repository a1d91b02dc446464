/** What a policy of eviction is to a simulation: objects are numbers, and their sizes are known from the beginning. */
export interface Objects {
  /** How many there are; they are numbered from 0. */
  readonly count: number;
  /** Octets of each. */
  readonly bytes: Uint32Array;
}

export interface Policy {
  /** A request for an object: whether it was there. Afterwards it is, where the policy keeps it. */
  request(object: number): boolean;
}

/** Makes a policy with room for so many octets. */
export type PolicyMaker = (capacityBytes: number, objects: Objects) => Policy;
