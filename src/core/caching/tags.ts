/**
 * The tags a response carries for purges: Cache-Tag (commas), Surrogate-Key (spaces) and Cache-Groups (a
 * structured list of strings, RFC 9875; invalid: ignored). Case matters.
 */
import type { FieldReader } from '#core/http/fields.ts';
import { parseList } from '#core/http/structured-fields.ts';
import { TAG_CHARACTERS_MAX, TAGS_MAX } from './limits.ts';

const NO_TAGS: readonly string[] = [];

/** Null: more or longer tags than can be kept, so that a purge could miss the response. */
export function tagsOf(fields: FieldReader): readonly string[] | null {
  const cacheTag = fields.get('cache-tag');
  const surrogateKey = fields.get('surrogate-key');
  const cacheGroups = fields.get('cache-groups');
  if (cacheTag === null && surrogateKey === null && cacheGroups === null) return NO_TAGS;
  const tags = new Set<string>();
  const candidates = [
    ...(cacheTag ?? '').split(','),
    ...(surrogateKey ?? '').split(/[ ,\t]/),
    ...groupsOf(cacheGroups),
  ];
  for (const candidate of candidates) {
    const tag = candidate.trim();
    if (tag === '') continue;
    tags.add(tag);
    if (tag.length > TAG_CHARACTERS_MAX || tags.size > TAGS_MAX) return null;
  }
  return [...tags];
}

/** The groups that Cache-Group-Invalidation names (RFC 9875 §3); the field invalid, or too long: none. */
export function invalidatedGroups(fields: FieldReader): readonly string[] {
  const groups = groupsOf(fields.get('cache-group-invalidation'));
  return groups.length > TAGS_MAX ? NO_TAGS : groups;
}

function groupsOf(value: string | null): string[] {
  const members = value === null ? null : parseList(value);
  const groups: string[] = [];
  for (const member of members ?? []) {
    if (member.kind === 'item' && member.item.type === 'string') groups.push(member.item.value);
  }
  return groups;
}
