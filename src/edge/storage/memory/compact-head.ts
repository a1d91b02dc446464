/**
 * A head in the form in which it is kept for long. As parsed, each name and value is a view of the head as
 * it was received and keeps all of that in memory; here the values are views of one text, and names are shared.
 */
import { ownCopy } from '#core/base/own-copy.ts';
import type { StoredHead } from '#core/caching/stored-head.ts';
import { Fields } from '#core/http/fields.ts';

/** Spellings of names met so far. Bounded: origins choose them. */
const NAMES = new Map<string, string>();
const NAMES_MAX = 1_024;
const NAME_CHARACTERS_MAX = 64;

function sharedName(name: string): string {
  const known = NAMES.get(name);
  if (known !== undefined) return known;
  if (NAMES.size >= NAMES_MAX || name.length > NAME_CHARACTERS_MAX) return name;
  const own = ownCopy(name);
  NAMES.set(own, own);
  return own;
}

export function compactHead(head: StoredHead): StoredHead {
  const fields = compactFields(head.fields);
  const etag = fields.get('etag');
  return { ...head, fields, etag: etag === head.etag ? etag : head.etag };
}

function compactFields(fields: Fields): Fields {
  const count = fields.size;
  const values: string[] = [];
  for (let i = 0; i < count; i++) values.push(fields.valueAt(i));
  const text = values.join('');
  const flat: string[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const end = at + fields.valueAt(i).length;
    flat.push(sharedName(fields.nameAt(i)), text.slice(at, end));
    at = end;
  }
  return new Fields(flat);
}
