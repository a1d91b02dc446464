/**
 * Field lines as they stand on the wire (RFC 9112 §5), read strictly into `Fields`. Requests, responses
 * and trailers share it. Which fields may occur, and what they mean, is left to the callers.
 *
 *     field-line = field-name ":" OWS field-value OWS CRLF
 */
import { Fields } from '#core/http/fields.ts';
import { CHARACTER_CLASSES, FIELD_VALUE, TOKEN } from '../connection/characters.ts';
import type { LineMemory } from './line-memory.ts';

/** Why a block of field lines was refused. */
export type FieldLinesFault =
  | 'field-bare-cr'
  | 'field-bare-lf'
  | 'field-value-control'
  | 'field-name-invalid'
  | 'field-name-empty'
  | 'field-colon-missing'
  | 'field-space-before-colon'
  | 'field-line-folded'
  | 'fields-too-many'
  | 'fields-too-large';

export interface FieldLinesRules {
  /** Bytes of the block at most. */
  readonly bytesMax: number;
  /** Field lines at most. */
  readonly linesMax: number;
  /**
   * What RFC 9112 §5.1 and §5.2 have a proxy do with an origin's response: remove white space before the
   * colon, replace a line folding by a space. Never for requests: both are smuggling there.
   */
  readonly repairsResponses: boolean;
}

const CR = 13;
const LF = 10;
const SPACE = 32;
const TAB = 9;
const COLON = 58;

/** What may stand in no line: controls but HTAB, CR and LF. One character class: linear, and compiled. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROLS = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/;
/** From this size on, one search for controls and then for line ends beats judging each character by a third. */
const SEARCHED_BYTES_MIN = 128;

/**
 * Reads `text.slice(from, to)`: latin1, any number of lines, each ended by CRLF, without the empty line
 * that ends the block. Returns the fields, or the name of the first fault. `memory`: of lines read by these rules.
 */
export function parseFieldLines(
  text: string,
  from: number,
  to: number,
  rules: FieldLinesRules,
  memory: LineMemory | null = null,
): Fields | FieldLinesFault {
  if (to - from > rules.bytesMax) return 'fields-too-large';
  const flat: string[] = [];
  const flatMax = rules.linesMax * 2;
  // Where most lines are recognised, the search would go over all of them for the few that are not.
  const isSearched = memory === null && to - from >= SEARCHED_BYTES_MIN;
  const hasNoControls = isSearched && !CONTROLS.test(text.slice(from, to));
  memory?.begin();
  let at = from;
  while (at < to) {
    const known = memory === null || flat.length === flatMax ? null : memory.find(text, at, to);
    if (known !== null) {
      flat.push(known.name, known.value);
      at += known.text.length;
      continue;
    }
    const first = text.charCodeAt(at);
    const folded = first === SPACE || first === TAB;
    if (folded && (!rules.repairsResponses || flat.length === 0)) return 'field-line-folded';
    let valueFrom = at;
    if (!folded) {
      if (flat.length === flatMax) return 'fields-too-many';
      const nameEnd = tokenEnd(text, at, to);
      let colon = nameEnd;
      if (rules.repairsResponses && nameEnd > at) colon = spaceEnd(text, nameEnd, to);
      if (nameEnd === at || colon >= to || text.charCodeAt(colon) !== COLON) {
        return nameFault(text, at, nameEnd, to);
      }
      flat.push(memory === null ? text.slice(at, nameEnd) : memory.name(text, at, nameEnd));
      valueFrom = colon + 1;
    }
    const lineEnd =
      hasNoControls || (memory !== null && isLongAndClean(text, valueFrom))
        ? searchedEnd(text, valueFrom, to)
        : valueEnd(text, valueFrom, to);
    if (lineEnd + 1 >= to || text.charCodeAt(lineEnd) !== CR || text.charCodeAt(lineEnd + 1) !== LF) {
      return valueFault(text, lineEnd, to);
    }
    const value = trimmed(text, valueFrom, lineEnd);
    if (folded) flat[flat.length - 1] = unfolded(flat[flat.length - 1] as string, value);
    else {
      memory?.learn(text, at, lineEnd, flat[flat.length - 1] as string, value);
      flat.push(value);
    }
    at = lineEnd + 2;
  }
  return new Fields(flat);
}

/** The first position from `at` that is no token character. */
function tokenEnd(text: string, at: number, to: number): number {
  let i = at;
  while (i < to && ((CHARACTER_CLASSES[text.charCodeAt(i)] as number) & TOKEN) !== 0) i += 1;
  return i;
}

/** The first position from `at` that may not stand in a field value: the line's CR, or a fault. */
function valueEnd(text: string, at: number, to: number): number {
  let i = at;
  while (i < to && ((CHARACTER_CLASSES[text.charCodeAt(i)] as number) & FIELD_VALUE) !== 0) i += 1;
  return i;
}

/** Whether the value from `at` is worth a search of its own, and that finds no control but CR and LF. */
function isLongAndClean(text: string, at: number): boolean {
  const end = text.indexOf('\r', at);
  return end - at >= SEARCHED_BYTES_MIN && !CONTROLS.test(text.slice(at, end));
}

/** The same where no control stands but CR and LF. */
function searchedEnd(text: string, at: number, to: number): number {
  const end = text.indexOf('\r', at);
  // Anything unusual is left to the judgement of each character, which names the fault.
  return end !== -1 && end + 1 < to && text.indexOf('\n', at) === end + 1 ? end : valueEnd(text, at, to);
}

function spaceEnd(text: string, at: number, to: number): number {
  let i = at;
  while (i < to && (text.charCodeAt(i) === SPACE || text.charCodeAt(i) === TAB)) i += 1;
  return i;
}

/** `text.slice(from, to)` without optional white space (SP, HTAB) around it. */
function trimmed(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && (text.charCodeAt(start) === SPACE || text.charCodeAt(start) === TAB)) start += 1;
  while (end > start && (text.charCodeAt(end - 1) === SPACE || text.charCodeAt(end - 1) === TAB)) end -= 1;
  return text.slice(start, end);
}

/** A value and what its folded line adds, with a space between; white space around the whole is no part of it. */
function unfolded(value: string, added: string): string {
  if (value === '' || added === '') return value + added;
  return `${value} ${added}`;
}

function nameFault(text: string, at: number, nameEnd: number, to: number): FieldLinesFault {
  if (nameEnd >= to) return 'field-colon-missing';
  const code = text.charCodeAt(nameEnd);
  if (code === LF) return 'field-bare-lf';
  if (code === CR) return text.charCodeAt(nameEnd + 1) === LF ? 'field-colon-missing' : 'field-bare-cr';
  if (code === COLON && nameEnd === at) return 'field-name-empty';
  if (code === SPACE || code === TAB) {
    const next = spaceEnd(text, nameEnd, to);
    return text.charCodeAt(next) === COLON ? 'field-space-before-colon' : 'field-name-invalid';
  }
  return 'field-name-invalid';
}

function valueFault(text: string, lineEnd: number, to: number): FieldLinesFault {
  // The block ends where its last line ends, so a line cut short is a stray CR or LF before the end.
  if (lineEnd >= to) return 'field-bare-lf';
  const code = text.charCodeAt(lineEnd);
  if (code === LF) return 'field-bare-lf';
  return code === CR ? 'field-bare-cr' : 'field-value-control';
}
