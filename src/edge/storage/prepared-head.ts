/**
 * Makes a stored head ready to be copied out: once at admission, so that a hit writes no field. Shared
 * by every tier. What changes between two hits (Age, Cache-Status) is added by the road.
 */
import type { StoredHead } from '#core/caching/stored-head.ts';
import type { PreparedHead } from '../exchange.ts';

/** The head's fields in HTTP/1.1 form, in their order. Framing is the listener's, so Content-Length is left out. */
export function prepareHead(head: StoredHead): PreparedHead {
  const { fields } = head;
  let lines = '';
  for (let i = 0; i < fields.size; i++) {
    const name = fields.nameAt(i);
    if (name.length === 14 && name.toLowerCase() === 'content-length') continue;
    lines += `${name}: ${fields.valueAt(i)}\r\n`;
  }
  return { status: head.status, reason: head.reason, lines };
}
