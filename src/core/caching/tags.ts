/** The tags a response carries for purges: Cache-Tag (commas) and Surrogate-Key (spaces). Case matters. */
import type { FieldReader } from '#core/http/fields.ts';
import { TAG_CHARACTERS_MAX, TAGS_MAX } from './limits.ts';

/** Null: more or longer tags than can be kept, so that a purge could miss the response. */
export function tagsOf(fields: FieldReader): readonly string[] | null {
  const cacheTag = fields.get('cache-tag');
  const surrogateKey = fields.get('surrogate-key');
  if (cacheTag === null && surrogateKey === null) return NO_TAGS;
  const tags = new Set<string>();
  for (const text of [...(cacheTag ?? '').split(','), ...(surrogateKey ?? '').split(/[ ,\t]/)]) {
    const tag = text.trim();
    if (tag === '') continue;
    if (tag.length > TAG_CHARACTERS_MAX || tags.size === TAGS_MAX) return null;
    tags.add(tag);
  }
  return [...tags];
}

const NO_TAGS: readonly string[] = [];
