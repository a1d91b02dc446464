/** A share of all keys as options give it: `5%`, `0.1%` or `1/64`. */
import { AppError } from '#core/base/app-error.ts';

const PARTS_MAX = 1_000_000;

/** Above 0, and 1 at the most. Throws AppError `invalid`, naming the option. */
export function readShare(text: string, option: string): number {
  const [, percent] = /^(\d{1,3}(?:\.\d{1,6})?)\s?%?$/.exec(text) ?? [];
  const [, parts] = /^1\/(\d{1,7})$/.exec(text) ?? [];
  const share = percent !== undefined ? Number(percent) / 100 : 1 / Number(parts);
  if (share >= 1 / PARTS_MAX && share <= 1) return share;
  throw new AppError(
    'invalid',
    `${option} ${text}: must be a percentage above 0 or a fraction, such as 5% or 1/64`,
  );
}
