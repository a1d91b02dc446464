/** Quantities for people: counts, bytes, ratios, milliseconds. Null becomes a dash, for "there is none". */
const NONE = '–';
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'] as const;
const COUNT_SUFFIXES = ['', 'k', 'M', 'G', 'T'] as const;

/** Three significant digits, without a tail of zeros: 1.25, 12.5, 125. */
function threeDigits(value: number): string {
  if (value >= 100) return Math.round(value).toString();
  return value.toFixed(value >= 10 ? 1 : 2).replace(/\.?0+$/, '');
}

function scale(value: number, steps: readonly string[]): { number: string; step: string } {
  let scaled = Math.abs(value);
  let index = 0;
  // 999.5 would print as 1000 of this step, so it is 1 of the next.
  while (scaled >= 999.5 && index < steps.length - 1) {
    scaled /= 1000;
    index += 1;
  }
  return { number: (value < 0 ? '−' : '') + threeDigits(scaled), step: steps[index] ?? '' };
}

/** 0, 8, 1.25k, 3.4M. */
export function formatCount(count: number): string {
  if (Math.abs(count) < 10_000 && Number.isInteger(count)) return count.toLocaleString('en');
  const { number, step } = scale(count, COUNT_SUFFIXES);
  return number + step;
}

/** Decimal units, as networks count: 1.25 MB. */
export function formatBytes(bytes: number): string {
  const { number, step } = scale(bytes, UNITS);
  return `${number} ${step}`;
}

/** Bytes per second as bits per second, as networks sell them: 12.5 Mb/s. */
export function formatBitRate(bytesPerSecond: number): string {
  const { number, step } = scale(bytesPerSecond * 8, COUNT_SUFFIXES);
  return `${number} ${step}b/s`;
}

export function formatRate(perSecond: number): string {
  if (perSecond > 0 && perSecond < 0.1) return '< 0.1';
  return perSecond < 10 ? perSecond.toFixed(1).replace(/\.0$/, '') : formatCount(Math.round(perSecond));
}

/** 0..1 as a percentage that never rounds to a whole it is not: 99.97 % stays below 100%. */
export function formatRatio(ratio: number | null): string {
  if (ratio === null) return NONE;
  const percent = ratio * 100;
  if (percent === 0 || percent === 100) return `${percent}%`;
  if (percent < 0.1) return '< 0.1%';
  if (percent > 99.9) return `${Math.min(99.99, percent).toFixed(2)}%`;
  return `${percent.toFixed(1).replace(/\.0$/, '')}%`;
}

export function formatMilliseconds(milliseconds: number | null): string {
  if (milliseconds === null) return NONE;
  if (milliseconds >= 999.5) return `${threeDigits(milliseconds / 1000)} s`;
  return milliseconds < 1 ? `${milliseconds.toFixed(2)} ms` : `${threeDigits(milliseconds)} ms`;
}

export function formatDistance(kilometres: number | null): string {
  return kilometres === null ? NONE : `${Math.round(kilometres).toLocaleString('en')} km`;
}
