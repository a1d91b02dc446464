/**
 * HTTP dates (RFC 9110 §5.6.7): the preferred IMF-fixdate and the two obsolete forms are read, only the
 * preferred one is written. Names of days and months and "GMT" are read without regard to case; anything
 * else that differs from the grammar makes a date invalid, because a guess would give a wrong lifetime.
 */

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const MONTH_NAMES = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAY_NAMES = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const SHORT_DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const LONG_DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
/** The longest form is RFC 850 with "Wednesday": 33 characters. */
const DATE_CHARACTERS_MAX = 33;

/**
 * Milliseconds since the epoch, or null when the text is not an HTTP date. `now` (ms) decides the century
 * of two-digit years: one that would lie more than 50 years ahead is in the past.
 */
export function parseHttpDate(text: string, now: number): number | null {
  if (text.length > DATE_CHARACTERS_MAX) return null;
  const lower = text.toLowerCase();
  if (lower.charAt(3) === ',') return parseImfFixdate(lower);
  if (lower.charAt(3) === ' ') return parseAsctime(lower);
  return parseRfc850(lower, now);
}

/** `Sun, 06 Nov 1994 08:49:37 GMT` */
function parseImfFixdate(text: string): number | null {
  if (text.length !== 29 || !SHORT_DAYS.includes(text.slice(0, 3)) || text.charAt(4) !== ' ') return null;
  if (text.charAt(7) !== ' ' || text.charAt(11) !== ' ' || text.charAt(16) !== ' ') return null;
  if (text.slice(25) !== ' gmt') return null;
  return moment(digits(text, 12, 16), month(text, 8), digits(text, 5, 7), text.slice(17, 25));
}

/** `Sunday, 06-Nov-94 08:49:37 GMT` */
function parseRfc850(text: string, now: number): number | null {
  const comma = text.indexOf(',');
  if (comma === -1 || !LONG_DAYS.includes(text.slice(0, comma))) return null;
  const rest = text.slice(comma + 1);
  if (rest.length !== 23 || rest.charAt(0) !== ' ' || rest.charAt(3) !== '-' || rest.charAt(7) !== '-')
    return null;
  if (rest.charAt(10) !== ' ' || rest.slice(19) !== ' gmt') return null;
  const shortYear = digits(rest, 8, 10);
  if (shortYear === -1) return null;
  const thisYear = new Date(now).getUTCFullYear();
  let year = thisYear - (thisYear % 100) + shortYear;
  if (year > thisYear + 50) year -= 100;
  else if (year <= thisYear - 50) year += 100;
  return moment(year, month(rest, 4), digits(rest, 1, 3), rest.slice(11, 19));
}

/** `Sun Nov  6 08:49:37 1994` */
function parseAsctime(text: string): number | null {
  if (text.length !== 24 || !SHORT_DAYS.includes(text.slice(0, 3))) return null;
  if (text.charAt(7) !== ' ' || text.charAt(10) !== ' ' || text.charAt(19) !== ' ') return null;
  const day = text.charAt(8) === ' ' ? digits(text, 9, 10) : digits(text, 8, 10);
  return moment(digits(text, 20, 24), month(text, 4), day, text.slice(11, 19));
}

function month(text: string, start: number): number {
  return MONTHS.indexOf(text.slice(start, start + 3));
}

/** The number written in [start, end), or -1 when a character there is no digit. */
function digits(text: string, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (!(code >= 0x30 && code <= 0x39)) return -1;
    value = value * 10 + (code - 0x30);
  }
  return value;
}

/** `time` is `hh:mm:ss`. A leap second is read as the second before it. */
function moment(year: number, monthIndex: number, day: number, time: string): number | null {
  if (time.charAt(2) !== ':' || time.charAt(5) !== ':') return null;
  const hour = digits(time, 0, 2);
  const minute = digits(time, 3, 5);
  const second = digits(time, 6, 8);
  if (year < 0 || monthIndex < 0 || day < 1 || hour < 0 || minute < 0 || second < 0) return null;
  if (hour > 23 || minute > 59 || second > 60) return null;
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, monthIndex, day);
  // A day that the month does not have has run into the next one.
  if (midnight.getUTCDate() !== day) return null;
  return midnight.getTime() + ((hour * 60 + minute) * 60 + Math.min(second, 59)) * 1000;
}

/** Writes an IMF-fixdate; `ms` since the epoch, between the years 0 and 9999. */
export function formatHttpDate(ms: number): string {
  const date = new Date(ms);
  const day = DAY_NAMES[date.getUTCDay()];
  const monthName = MONTH_NAMES[date.getUTCMonth()];
  const time = `${pad(date.getUTCHours(), 2)}:${pad(date.getUTCMinutes(), 2)}:${pad(date.getUTCSeconds(), 2)}`;
  return `${day}, ${pad(date.getUTCDate(), 2)} ${monthName} ${pad(date.getUTCFullYear(), 4)} ${time} GMT`;
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
