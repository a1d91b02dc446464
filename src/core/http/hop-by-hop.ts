/**
 * Fields that belong to one connection and are neither forwarded nor stored (RFC 9110 §7.6.1, RFC 9111
 * §3.1): the known ones, and those a message's own Connection field names.
 */
import { type Fields, lowerCaseName } from './fields.ts';
import { NameSet } from './name-set.ts';
import { splitList } from './syntax.ts';

/** Alt-Svc among them: what an origin says of its own ways in would lead clients past the edge (RFC 7838). */
const HOP_BY_HOP = new NameSet([
  'alt-svc',
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** Never removed on the word of a Connection field: a stranger could strip what caching and routing rest on. */
const PROTECTED: ReadonlySet<string> = new Set([
  'age',
  'authorization',
  'cache-control',
  'cdn-cache-control',
  'cdn-loop',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'date',
  'expires',
  'host',
  'set-cookie',
  'vary',
]);

/** Lower-case names the Connection field nominates; empty when there is none. */
function nominatedFields(fields: Fields): ReadonlySet<string> {
  const connection = fields.get('connection');
  // What most clients say nominates only what is hop-by-hop anyway.
  if (connection === null || connection === 'keep-alive') return NOTHING;
  const names = new Set<string>();
  for (const member of splitList(connection)) {
    const name = member.toLowerCase();
    if (!PROTECTED.has(name)) names.add(name);
  }
  return names;
}

const NOTHING: ReadonlySet<string> = new Set();

function isHopByHop(name: string, nominated: ReadonlySet<string>): boolean {
  return HOP_BY_HOP.has(name) || (nominated.size > 0 && nominated.has(lowerCaseName(name)));
}

/** Appends to `flat` the lines of `fields` that are end-to-end and that `isWanted` accepts (name as received). */
export function copyEndToEnd(fields: Fields, flat: string[], isWanted: (name: string) => boolean): void {
  const nominated = nominatedFields(fields);
  for (let i = 0; i < fields.size; i++) {
    const name = fields.nameAt(i);
    if (isHopByHop(name, nominated) || !isWanted(name)) continue;
    flat.push(name, fields.valueAt(i));
  }
}
