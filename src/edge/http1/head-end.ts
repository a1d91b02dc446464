/**
 * Finds where a request's head ends in bytes that may hold only its beginning (RFC 9112 §2.1), and tells
 * early when they can never become one, so that junk is answered at once and not at a deadline.
 */
import { CHARACTER_CLASSES, TOKEN } from '../connection/characters.ts';

const CR = 13;
const LF = 10;
const END = '\r\n\r\n';

/** More bytes are needed. */
export const HEAD_INCOMPLETE = -1;

/**
 * Index in `text` behind the empty line, or HEAD_INCOMPLETE. `text` begins with the head; `scanned` is
 * how much of it an earlier call has seen.
 */
export function findHeadEnd(text: string, scanned: number): number {
  const at = text.indexOf(END, scanned > 3 ? scanned - 3 : 0);
  return at === -1 ? HEAD_INCOMPLETE : at + 4;
}

/**
 * Of an incomplete head: index of the first LF without CR from `scanned` on, 0 when the first byte can
 * begin no method, else -1.
 */
export function findHopeless(text: string, scanned: number): number {
  if (text.length > 0 && ((CHARACTER_CLASSES[text.charCodeAt(0)] as number) & TOKEN) === 0) return 0;
  let at = text.indexOf('\n', scanned);
  while (at !== -1) {
    if (at === 0 || text.charCodeAt(at - 1) !== CR) return at;
    at = text.indexOf('\n', at + 1);
  }
  return -1;
}

/** Whether the (incomplete) head got as far as the end of its request line. */
export function hasRequestLine(text: string): boolean {
  return text.indexOf('\r\n') !== -1 && text.charCodeAt(0) !== LF;
}
