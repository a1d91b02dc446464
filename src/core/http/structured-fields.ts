/**
 * Structured field values (RFC 9651): strict parsers for lists, dictionaries and items, as the
 * specification's algorithms have it, so that a field that is invalid anywhere is ignored as a whole; and
 * the serialisation of the item types that we send. Parsers return null for an invalid field, never throw.
 */
import { STRUCTURED_MEMBERS_MAX } from './limits.ts';
import { isDigitCode, isTokenCode } from './syntax.ts';

export type BareItem =
  | { readonly type: 'integer' | 'decimal'; readonly value: number }
  | { readonly type: 'string' | 'token' | 'display-string'; readonly value: string }
  /** base64 text as received, without the colons. */
  | { readonly type: 'byte-sequence'; readonly value: string }
  | { readonly type: 'boolean'; readonly value: boolean }
  /** Seconds since the epoch. */
  | { readonly type: 'date'; readonly value: number };

export type Parameters = ReadonlyMap<string, BareItem>;

export interface Item {
  readonly kind: 'item';
  readonly item: BareItem;
  readonly parameters: Parameters;
}

export interface InnerList {
  readonly kind: 'inner-list';
  readonly items: readonly Item[];
  readonly parameters: Parameters;
}

export type Member = Item | InnerList;

/** Thrown within this file to leave a parser; never seen outside. */
const INVALID = Symbol('invalid structured field');

class Scanner {
  readonly #text: string;
  #index = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#index >= this.#text.length;
  }

  /** The next character's code, NaN at the end. */
  peek(): number {
    return this.#text.charCodeAt(this.#index);
  }

  next(): number {
    const code = this.peek();
    this.#index++;
    return code;
  }

  /** Consumes the character if it is next. */
  take(code: number): boolean {
    if (this.peek() !== code) return false;
    this.#index++;
    return true;
  }

  skipSpaces(): void {
    while (this.peek() === 0x20) this.#index++;
  }

  skipOptionalWhitespace(): void {
    while (this.peek() === 0x20 || this.peek() === 0x09) this.#index++;
  }

  /** Consumes while `accepts` holds; the text consumed. */
  takeWhile(accepts: (code: number) => boolean): string {
    const start = this.#index;
    while (!this.isAtEnd && accepts(this.peek())) this.#index++;
    return this.#text.slice(start, this.#index);
  }
}

function parseWhole<T>(text: string, parse: (scanner: Scanner) => T): T | null {
  const scanner = new Scanner(text);
  try {
    scanner.skipSpaces();
    const result = parse(scanner);
    scanner.skipSpaces();
    return scanner.isAtEnd ? result : null;
  } catch (thrown) {
    if (thrown === INVALID) return null;
    throw thrown;
  }
}

/** Members by key, in order; of equal keys the last counts, as the RFC says. Null: invalid. */
export function parseDictionary(text: string): ReadonlyMap<string, Member> | null {
  return parseWhole(text, (scanner) => {
    const members = new Map<string, Member>();
    if (scanner.isAtEnd) return members;
    for (;;) {
      const key = parseKey(scanner);
      const member: Member = scanner.take(0x3d)
        ? parseMember(scanner)
        : { kind: 'item', item: { type: 'boolean', value: true }, parameters: parseParameters(scanner) };
      members.delete(key);
      members.set(key, member);
      if (members.size > STRUCTURED_MEMBERS_MAX) throw INVALID;
      if (!takeSeparator(scanner)) return members;
    }
  });
}

export function parseList(text: string): readonly Member[] | null {
  return parseWhole(text, (scanner) => {
    const members: Member[] = [];
    if (scanner.isAtEnd) return members;
    for (;;) {
      members.push(parseMember(scanner));
      if (members.length > STRUCTURED_MEMBERS_MAX) throw INVALID;
      if (!takeSeparator(scanner)) return members;
    }
  });
}

export function parseItem(text: string): Item | null {
  return parseWhole(text, parseItemHere);
}

/** True after a comma that another member must follow; false at the end. */
function takeSeparator(scanner: Scanner): boolean {
  scanner.skipOptionalWhitespace();
  if (scanner.isAtEnd) return false;
  if (!scanner.take(0x2c)) throw INVALID;
  scanner.skipOptionalWhitespace();
  if (scanner.isAtEnd) throw INVALID;
  return true;
}

function parseMember(scanner: Scanner): Member {
  return scanner.peek() === 0x28 ? parseInnerList(scanner) : parseItemHere(scanner);
}

function parseInnerList(scanner: Scanner): InnerList {
  scanner.next();
  const items: Item[] = [];
  for (;;) {
    scanner.skipSpaces();
    if (scanner.take(0x29)) return { kind: 'inner-list', items, parameters: parseParameters(scanner) };
    items.push(parseItemHere(scanner));
    if (items.length > STRUCTURED_MEMBERS_MAX) throw INVALID;
    const code = scanner.peek();
    if (code !== 0x20 && code !== 0x29) throw INVALID;
  }
}

function parseItemHere(scanner: Scanner): Item {
  const item = parseBareItem(scanner);
  return { kind: 'item', item, parameters: parseParameters(scanner) };
}

const NO_PARAMETERS: Parameters = new Map();

function parseParameters(scanner: Scanner): Parameters {
  if (scanner.peek() !== 0x3b) return NO_PARAMETERS;
  const parameters = new Map<string, BareItem>();
  while (scanner.take(0x3b)) {
    scanner.skipSpaces();
    const key = parseKey(scanner);
    const value: BareItem = scanner.take(0x3d) ? parseBareItem(scanner) : { type: 'boolean', value: true };
    parameters.delete(key);
    parameters.set(key, value);
    if (parameters.size > STRUCTURED_MEMBERS_MAX) throw INVALID;
  }
  return parameters;
}

function isLowerAlpha(code: number): boolean {
  return code >= 0x61 && code <= 0x7a;
}

function isAlpha(code: number): boolean {
  return isLowerAlpha(code | 0x20);
}

function isKeyCode(code: number): boolean {
  return (
    isLowerAlpha(code) ||
    isDigitCode(code) ||
    code === 0x5f ||
    code === 0x2d ||
    code === 0x2e ||
    code === 0x2a
  );
}

function parseKey(scanner: Scanner): string {
  const first = scanner.peek();
  if (!isLowerAlpha(first) && first !== 0x2a) throw INVALID;
  return scanner.takeWhile(isKeyCode);
}

function parseBareItem(scanner: Scanner): BareItem {
  const code = scanner.peek();
  if (code === 0x2d || isDigitCode(code)) return parseNumber(scanner);
  if (code === 0x22) return { type: 'string', value: parseString(scanner) };
  if (code === 0x2a || isAlpha(code)) return { type: 'token', value: scanner.takeWhile(isTokenItemCode) };
  if (scanner.take(0x3a)) return parseByteSequence(scanner);
  if (scanner.take(0x3f)) return parseBoolean(scanner);
  if (scanner.take(0x40)) return parseDate(scanner);
  if (scanner.take(0x25)) return { type: 'display-string', value: parseDisplayString(scanner) };
  throw INVALID;
}

function isTokenItemCode(code: number): boolean {
  return isTokenCode(code) || code === 0x3a || code === 0x2f;
}

/** Integers of up to 15 digits, decimals of up to 12 digits and 3 behind the point (§4.2.4). */
function parseNumber(scanner: Scanner): BareItem {
  const sign = scanner.take(0x2d) ? -1 : 1;
  const whole = scanner.takeWhile(isDigitCode);
  if (whole === '') throw INVALID;
  if (!scanner.take(0x2e)) {
    if (whole.length > 15) throw INVALID;
    return { type: 'integer', value: sign * Number(whole) };
  }
  const fraction = scanner.takeWhile(isDigitCode);
  if (whole.length > 12 || fraction.length === 0 || fraction.length > 3) throw INVALID;
  return { type: 'decimal', value: sign * Number(`${whole}.${fraction}`) };
}

function parseString(scanner: Scanner): string {
  scanner.next();
  let result = '';
  for (;;) {
    if (scanner.isAtEnd) throw INVALID;
    let code = scanner.next();
    if (code === 0x22) return result;
    if (code < 0x20 || code > 0x7e) throw INVALID;
    if (code === 0x5c) {
      code = scanner.next();
      if (code !== 0x22 && code !== 0x5c) throw INVALID;
    }
    result += String.fromCharCode(code);
  }
}

function isBase64Code(code: number): boolean {
  return isAlpha(code) || isDigitCode(code) || code === 0x2b || code === 0x2f || code === 0x3d;
}

function parseByteSequence(scanner: Scanner): BareItem {
  const value = scanner.takeWhile(isBase64Code);
  if (!scanner.take(0x3a)) throw INVALID;
  return { type: 'byte-sequence', value };
}

function parseBoolean(scanner: Scanner): BareItem {
  const code = scanner.next();
  if (code !== 0x30 && code !== 0x31) throw INVALID;
  return { type: 'boolean', value: code === 0x31 };
}

function parseDate(scanner: Scanner): BareItem {
  const number = parseNumber(scanner);
  if (number.type !== 'integer') throw INVALID;
  return { type: 'date', value: number.value };
}

/** `%"…"` with percent-encoded UTF-8 in lower-case hex; kept as the encoded text, for nobody here shows it. */
function parseDisplayString(scanner: Scanner): string {
  if (!scanner.take(0x22)) throw INVALID;
  let result = '';
  for (;;) {
    if (scanner.isAtEnd) throw INVALID;
    const code = scanner.next();
    if (code === 0x22) return result;
    if (code < 0x20 || code > 0x7e) throw INVALID;
    result += String.fromCharCode(code);
    if (code !== 0x25) continue;
    const hex = scanner
      .takeWhile((digit) => isDigitCode(digit) || (digit >= 0x61 && digit <= 0x66))
      .slice(0, 2);
    if (hex.length !== 2) throw INVALID;
    result += hex;
  }
}

/** A String item; characters that it cannot hold become "?" (only printable ASCII may be sent). */
export function serialiseString(text: string): string {
  let result = '"';
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e) result += '?';
    else if (code === 0x22 || code === 0x5c) result += `\\${text[i]}`;
    else result += text[i];
  }
  return `${result}"`;
}

/** A Token if the text is one, else a String. */
export function serialiseTokenOrString(text: string): string {
  const first = text.charCodeAt(0);
  if (!isAlpha(first) && first !== 0x2a) return serialiseString(text);
  for (let i = 1; i < text.length; i++) {
    if (!isTokenItemCode(text.charCodeAt(i))) return serialiseString(text);
  }
  return text;
}
