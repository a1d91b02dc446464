/** Durations and moments for people, and durations as people type them. */
const STEPS = [
  { seconds: 86_400, unit: 'd', word: 'day' },
  { seconds: 3_600, unit: 'h', word: 'hour' },
  { seconds: 60, unit: 'm', word: 'minute' },
  { seconds: 1, unit: 's', word: 'second' },
] as const;

/** The largest unit and the one below it: 45 s, 3 m 20 s, 2 d 4 h. */
export function formatDuration(totalSeconds: number): string {
  const whole = Math.max(0, Math.round(totalSeconds));
  const first = STEPS.findIndex((step) => whole >= step.seconds);
  if (first === -1) return '0 s';
  let rest = whole;
  const parts: string[] = [];
  for (const step of STEPS.slice(first, first + 2)) {
    const count = Math.floor(rest / step.seconds);
    rest -= count * step.seconds;
    if (count > 0) parts.push(`${count} ${step.unit}`);
  }
  return parts.join(' ');
}

/** A lifetime as an owner would say it: whole units where they fit, such as "7 days". */
export function formatLifetime(seconds: number): string {
  for (const step of STEPS) {
    if (seconds < step.seconds || seconds % step.seconds !== 0) continue;
    const count = seconds / step.seconds;
    return `${count} ${step.word}${count === 1 ? '' : 's'}`;
  }
  return formatDuration(seconds);
}

/** Seconds of what was typed: `3600`, `10m`, `1 day`, `1h 30m`; null when it is no duration. */
export function parseDuration(typed: string): number | null {
  const text = typed.trim().toLowerCase();
  if (/^\d{1,12}$/.test(text)) return Number(text);
  if (!/^(?:\d{1,9}\s*(?:days?|d|hours?|h|minutes?|min|m|seconds?|sec|s)\s*)+$/.test(text)) return null;
  let seconds = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)\s*([a-z])/g)) {
    const step = STEPS.find((candidate) => candidate.unit === unit);
    if (step === undefined) return null;
    seconds += Number(count) * step.seconds;
  }
  return seconds;
}

/** A duration as it is typed again: `1h`, `90s`. */
export function durationToTyped(seconds: number): string {
  const step = STEPS.find(({ seconds: size }) => seconds >= size && seconds % size === 0);
  return step === undefined ? `${seconds}s` : `${seconds / step.seconds}${step.unit}`;
}

export function formatTime(at: number): string {
  return new Date(at).toLocaleTimeString('en-GB');
}

export function formatMoment(at: number): string {
  return new Date(at).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
}
