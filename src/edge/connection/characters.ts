/**
 * Character classes of HTTP/1.1 as one table over byte values (RFC 9110 §5.5, §5.6.2; RFC 3986 §2), so
 * that untrusted text is judged by one array read per character and never by a regular expression.
 */

/** tchar: what methods and field names are made of. */
export const TOKEN = 1;
/** field-vchar, SP and HTAB, obs-text included: what may stand inside a field value. */
export const FIELD_VALUE = 2;
/** What a request target may hold: all visible bytes but "#", and those above 127, kept as they are. */
export const TARGET = 4;
/** unreserved (RFC 3986 §2.3): what the names of hosts are made of. */
export const REGISTERED_NAME = 8;
export const DIGIT = 16;

const classes = new Uint8Array(256);

function add(characters: string, flags: number): void {
  for (let i = 0; i < characters.length; i += 1) {
    const code = characters.charCodeAt(i);
    classes[code] = (classes[code] as number) | flags;
  }
}

function addRange(from: number, to: number, flags: number): void {
  for (let code = from; code <= to; code += 1) classes[code] = (classes[code] as number) | flags;
}

const DIGITS = '0123456789';
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
add(DIGITS, TOKEN | REGISTERED_NAME | DIGIT);
add(LETTERS, TOKEN | REGISTERED_NAME);
add("!#$%&'*+-.^_`|~", TOKEN);
add('-._~', REGISTERED_NAME);
addRange(0x20, 0x7e, FIELD_VALUE);
addRange(0x80, 0xff, FIELD_VALUE | TARGET);
addRange(0x21, 0x22, TARGET);
addRange(0x24, 0x7e, TARGET);
add('\t', FIELD_VALUE);

/** Flags per byte value; index it with a character code below 256. */
export const CHARACTER_CLASSES: Readonly<Uint8Array> = classes;

/** Whether `text` is a token (RFC 9110 §5.6.2). */
export function isToken(text: string): boolean {
  if (text.length === 0) return false;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code > 255 || ((classes[code] as number) & TOKEN) === 0) return false;
  }
  return true;
}

/**
 * Whether `text` may be written as a field value: nothing in it ends the line, and each character is
 * one byte. This is the guard against response splitting, so it runs on everything that is sent.
 */
export function isFieldValue(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code > 255 || ((classes[code] as number) & FIELD_VALUE) === 0) return false;
  }
  return true;
}
