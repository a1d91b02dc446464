/** Round moments for a time axis, in the time zone of the screen. */
const STEP_SECONDS = [
  5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
];

/** Moments (ms since the epoch) between `from` and `to`, at most `countMax`, all multiples of one round step. */
export function timeTicks(from: number, to: number, countMax: number): number[] {
  if (to <= from || countMax < 1) return [];
  const widest = STEP_SECONDS[STEP_SECONDS.length - 1] ?? 1;
  const spanSeconds = (to - from) / 1000;
  const stepSeconds =
    STEP_SECONDS.find((seconds) => spanSeconds / seconds < countMax) ??
    Math.ceil(spanSeconds / countMax / widest) * widest;
  const step = stepSeconds * 1000;
  // Multiples count from local midnight, so that days begin where the reader's do.
  const offset = new Date(from).getTimezoneOffset() * 60_000;
  const ticks: number[] = [];
  for (let at = Math.ceil((from - offset) / step) * step + offset; at <= to; at += step) ticks.push(at);
  return ticks;
}

/** As much of a moment as tells it from its neighbours over the span shown. */
export function formatTick(at: number, spanMs: number): string {
  const moment = new Date(at);
  if (spanMs > 36 * 3_600_000) {
    return moment.toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'short' });
  }
  if (spanMs > 5 * 60_000) return moment.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  return moment.toLocaleTimeString('en-GB');
}
