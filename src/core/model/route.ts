/**
 * From a request to the customer's configuration: which site a host names, and which of its rules applies
 * to a path. Tables are built once per snapshot; per request there is one map lookup and a walk of the rules.
 */
import { compileGlob, type Glob, matchesGlob } from '#core/base/glob.ts';
import { matchesMediaType, mediaTypeOf } from '#core/http/media-type.ts';
import type { Rule, Site } from './site.ts';

export interface RouteTable {
  /** Lower-case host name without port or trailing dot → site. */
  readonly sites: ReadonlyMap<string, Site>;
}

/** Of two sites that claim a host the first one has it; the control plane refuses such models. */
export function compileRoutes(sites: readonly Site[]): RouteTable {
  const table = new Map<string, Site>();
  for (const site of sites) {
    for (const host of site.hosts) if (!table.has(host)) table.set(host, site);
  }
  return { sites: table };
}

/** The site an authority (host with optional port) names, or null. */
export function routeSite(table: RouteTable, authority: string): Site | null {
  return table.sites.get(authority) ?? table.sites.get(hostOf(authority)) ?? null;
}

/** The host of an authority: lower case, without port and trailing dot; IPv6 literals keep their brackets. */
export function hostOf(authority: string): string {
  let end = authority.length;
  const bracket = authority.lastIndexOf(']');
  const colon = authority.lastIndexOf(':');
  if (colon > bracket) end = colon;
  if (end > 1 && authority.charCodeAt(end - 1) === 0x2e) end--;
  return authority.slice(0, end).toLowerCase();
}

/**
 * The first rule that matches. `contentType` is the response's Content-Type; null: not known yet, so that
 * rules asking for a type cannot match; '': the response has none. While the type is unknown, a `bypass`
 * that stands behind a rule which may yet match is held back: first match must win.
 */
export function selectRule(
  site: Site,
  path: string,
  contentType: string | null,
): { readonly rule: Rule; readonly index: number } | null {
  const rules = site.rules;
  if (rules.length === 0) return null;
  const globs = globsOf(site);
  const mediaType = contentType === null ? null : mediaTypeOf(contentType);
  let mayEarlierMatch = false;
  for (let index = 0; index < rules.length; index++) {
    const rule = rules[index] as Rule;
    const glob = globs[index] as Glob | null;
    if (glob !== null && !matchesGlob(glob, path)) continue;
    if (rule.contentType !== null) {
      if (contentType === null) mayEarlierMatch = true;
      if (mediaType === null || !matchesMediaType(rule.contentType, mediaType)) continue;
    }
    if (mayEarlierMatch && rule.mode === 'bypass') return null;
    return { rule, index };
  }
  return null;
}

/** Compiled patterns by site; sites are immutable and go with their snapshot. */
const GLOBS = new WeakMap<Site, readonly (Glob | null)[]>();

function globsOf(site: Site): readonly (Glob | null)[] {
  let globs = GLOBS.get(site);
  if (globs === undefined) {
    globs = site.rules.map((rule) => (rule.path === null ? null : compileGlob(rule.path)));
    GLOBS.set(site, globs);
  }
  return globs;
}
