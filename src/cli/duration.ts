/** Durations as people write them: `30s`, `10m`, `1h`, `7d`, `1h30m`, or bare seconds. */
import { AppError } from '#core/base/app-error.ts';

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const;

/** Whole seconds. `option` names the place of the error. Throws AppError `invalid`. */
export function parseDuration(text: string, option: string): number {
  const trimmed = text.trim().toLowerCase();
  if (/^\d{1,10}$/.test(trimmed)) return Number(trimmed);
  const match = /^(?:(\d{1,6})d)?(?:(\d{1,8})h)?(?:(\d{1,9})m)?(?:(\d{1,10})s)?$/.exec(trimmed);
  if (match === null || trimmed === '') {
    throw new AppError('invalid', `${option} ${text}: must be a duration such as 30s, 10m, 1h30m or 7d`);
  }
  return UNITS.reduce((sum, [, seconds], index) => sum + Number(match[index + 1] ?? 0) * seconds, 0);
}

/** The two largest units that matter: `0s`, `45s`, `10m`, `1h 30m`, `30d`. */
export function formatDuration(seconds: number): string {
  let rest = Math.max(0, Math.round(seconds));
  if (rest === 0) return '0s';
  const words: string[] = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) words.push(`${count}${unit}`);
    // A unit that is missing in between ends it: `1d 5s` says no more than `1d`.
    else if (words.length > 0) break;
    if (words.length === 2) break;
  }
  return words.join(' ');
}
