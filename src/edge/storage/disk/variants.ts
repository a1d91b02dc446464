/** Responses of one key from several places: what another place has is left out. */

import type { StoredResponse } from '../storage.ts';
import { variantHashOf } from '../variant-hash.ts';
import type { DiskResponse } from './disk-response.ts';

export function hasVariant(responses: readonly StoredResponse[], variant: number): boolean {
  return responses.some(({ head }) => variantHashOf(head) === variant);
}

export function without(
  responses: readonly DiskResponse[],
  known: readonly StoredResponse[] | null,
): readonly DiskResponse[] {
  if (known === null || known.length === 0) return responses;
  return responses.filter(({ variant }) => !hasVariant(known, variant));
}

/** What waits to be written is newer than what is on the disk. */
export function merged(
  waiting: readonly DiskResponse[],
  found: readonly DiskResponse[],
): readonly DiskResponse[] {
  return waiting.length === 0 ? found : [...waiting, ...without(found, waiting)];
}
