/**
 * HTTP dates (RFC 9110 §5.6.7): the preferred IMF-fixdate and the two obsolete forms are read, only the
 * preferred one is written. Names of days and months and "GMT" are read without regard to case; anything
 * else that differs from the grammar makes a date invalid, because a guess would give a wrong lifetime.
 */

const MONTH_NAMES = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAY_NAMES = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const LONG_DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
/** The same names as numbers, so that they are found without making strings. */
const MONTH_WORDS = MONTH_NAMES.map((name) => wordAt(name, 0));
const DAY_WORDS = DAY_NAMES.map((name) => wordAt(name, 0));
const GMT_WORD = wordAt('GMT', 0);
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/** The longest form is RFC 850 with "Wednesday": 33 characters. */
const DATE_CHARACTERS_MAX = 33;

const SPACE = 0x20;
const COMMA = 0x2c;
const HYPHEN = 0x2d;
const COLON = 0x3a;

/**
 * Milliseconds since the epoch, or null when the text is not an HTTP date. `now` (ms) decides the century
 * of two-digit years: one that would lie more than 50 years ahead is in the past.
 */
export function parseHttpDate(text: string, now: number): number | null {
  if (text.length > DATE_CHARACTERS_MAX) return null;
  const fourth = text.charCodeAt(3);
  if (fourth === COMMA) return parseImfFixdate(text);
  return fourth === SPACE ? parseAsctime(text) : parseRfc850(text, now);
}

/** `Sun, 06 Nov 1994 08:49:37 GMT`: what nearly everybody sends, so no string is made to read it. */
function parseImfFixdate(text: string): number | null {
  if (text.length !== 29 || !DAY_WORDS.includes(wordAt(text, 0)) || text.charCodeAt(4) !== SPACE) return null;
  if (text.charCodeAt(7) !== SPACE || text.charCodeAt(11) !== SPACE || text.charCodeAt(16) !== SPACE) {
    return null;
  }
  if (text.charCodeAt(25) !== SPACE || wordAt(text, 26) !== GMT_WORD) return null;
  return moment(digits(text, 12, 16), month(text, 8), digits(text, 5, 7), secondsOfDay(text, 17));
}

/** `Sunday, 06-Nov-94 08:49:37 GMT` */
function parseRfc850(text: string, now: number): number | null {
  const comma = text.indexOf(',');
  if (comma === -1 || !LONG_DAYS.includes(text.slice(0, comma).toLowerCase())) return null;
  const at = comma + 1;
  if (text.length - at !== 23 || text.charCodeAt(at) !== SPACE) return null;
  if (text.charCodeAt(at + 3) !== HYPHEN || text.charCodeAt(at + 7) !== HYPHEN) return null;
  if (text.charCodeAt(at + 10) !== SPACE || text.charCodeAt(at + 19) !== SPACE) return null;
  if (wordAt(text, at + 20) !== GMT_WORD) return null;
  const shortYear = digits(text, at + 8, at + 10);
  if (shortYear === -1) return null;
  const thisYear = new Date(now).getUTCFullYear();
  let year = thisYear - (thisYear % 100) + shortYear;
  if (year > thisYear + 50) year -= 100;
  else if (year <= thisYear - 50) year += 100;
  return moment(year, month(text, at + 4), digits(text, at + 1, at + 3), secondsOfDay(text, at + 11));
}

/** `Sun Nov  6 08:49:37 1994` */
function parseAsctime(text: string): number | null {
  if (text.length !== 24 || !DAY_WORDS.includes(wordAt(text, 0))) return null;
  if (text.charCodeAt(7) !== SPACE || text.charCodeAt(10) !== SPACE || text.charCodeAt(19) !== SPACE) {
    return null;
  }
  const day = text.charCodeAt(8) === SPACE ? digits(text, 9, 10) : digits(text, 8, 10);
  return moment(digits(text, 20, 24), month(text, 4), day, secondsOfDay(text, 11));
}

/** Three letters from `at` as one number, the same in either case; -1 when one is no ASCII character. */
function wordAt(text: string, at: number): number {
  const first = text.charCodeAt(at);
  const second = text.charCodeAt(at + 1);
  const third = text.charCodeAt(at + 2);
  if (!(first < 128 && second < 128 && third < 128)) return -1;
  // With this bit set, only a letter and its other case become that letter.
  return ((first | 0x20) << 16) | ((second | 0x20) << 8) | third | 0x20;
}

/** 0 to 11, or -1. */
function month(text: string, start: number): number {
  return MONTH_WORDS.indexOf(wordAt(text, start));
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

/** Seconds since midnight of the `hh:mm:ss` at `at`, or -1. A leap second is read as the second before it. */
function secondsOfDay(text: string, at: number): number {
  if (text.charCodeAt(at + 2) !== COLON || text.charCodeAt(at + 5) !== COLON) return -1;
  const hour = digits(text, at, at + 2);
  const minute = digits(text, at + 3, at + 5);
  const second = digits(text, at + 6, at + 8);
  if (hour < 0 || minute < 0 || second < 0 || hour > 23 || minute > 59 || second > 60) return -1;
  return (hour * 60 + minute) * 60 + Math.min(second, 59);
}

/** Milliseconds since the epoch; null when a part is unreadable (-1) or the month has no such day. */
function moment(year: number, monthIndex: number, day: number, seconds: number): number | null {
  if (year < 0 || monthIndex < 0 || day < 1 || seconds < 0) return null;
  const isLeapDay = monthIndex === 1 && day === 29 && isLeapYear(year);
  if (day > (MONTH_DAYS[monthIndex] as number) && !isLeapDay) return null;
  return (daysSinceEpoch(year, monthIndex, day) * 86_400 + seconds) * 1000;
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** From 1 March of the year 0 to 1 January 1970. */
const DAYS_TO_EPOCH = 719_468;

/** Of a day in the Gregorian calendar. Years are counted from March here, so that a leap day is a year's last. */
function daysSinceEpoch(year: number, monthIndex: number, day: number): number {
  const marchMonth = (monthIndex + 10) % 12;
  const marchYear = monthIndex < 2 ? year - 1 : year;
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  // (153 m + 2) / 5: the days before month m, as March to January alternate between 31 and 30 in fives.
  const dayOfYear = Math.floor((153 * marchMonth + 2) / 5) + day - 1;
  return marchYear * 365 + leapDays + dayOfYear - DAYS_TO_EPOCH;
}

let formattedSecond = Number.NaN;
let formattedText = '';

/**
 * Writes an IMF-fixdate; `ms` since the epoch, between the years 0 and 9999. The last second's text is kept:
 * the many responses of one second share it.
 */
export function formatHttpDate(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== formattedSecond) {
    formattedText = formatDate(new Date(ms));
    formattedSecond = second;
  }
  return formattedText;
}

function formatDate(date: Date): string {
  const day = DAY_NAMES[date.getUTCDay()];
  const monthName = MONTH_NAMES[date.getUTCMonth()];
  const time = `${pad(date.getUTCHours(), 2)}:${pad(date.getUTCMinutes(), 2)}:${pad(date.getUTCSeconds(), 2)}`;
  return `${day}, ${pad(date.getUTCDate(), 2)} ${monthName} ${pad(date.getUTCFullYear(), 4)} ${time} GMT`;
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
