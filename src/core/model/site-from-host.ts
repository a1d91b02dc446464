/** The shortest way to a site: a host and its origin. */
import { addOctet, FNV_OFFSET } from '../base/mix32.ts';
import type { SiteInput } from './site.ts';

/** A DNS label's bound (RFC 1035 §2.3.4). */
const LABEL_CHARACTERS_MAX = 63;
/** Characters of the checksum that keeps shortened ids apart. */
const CHECKSUM_CHARACTERS = 7;

/**
 * A site for one host. A host inside the zone lends its own label (`shop.cdn.test` → `shop`); any other
 * host has its dots made hyphens (`www.example.com` → `www-example-com`), shortened with a checksum.
 */
export function siteFromHost(host: string, originUrl: string, zoneName: string): SiteInput {
  return { id: siteIdFromHost(host, zoneName), hosts: [host], origins: [{ url: originUrl }] };
}

/** The site id for a host; `host` and `zoneName` are lower case. */
export function siteIdFromHost(host: string, zoneName: string): string {
  const inside = host.endsWith(`.${zoneName}`) ? host.slice(0, -zoneName.length - 1) : host;
  const id = inside.replaceAll('.', '-');
  if (id.length <= LABEL_CHARACTERS_MAX) return id;
  const kept = id.slice(0, LABEL_CHARACTERS_MAX - CHECKSUM_CHARACTERS - 1).replace(/-+$/, '');
  return `${kept}-${checksum(host)}`;
}

/** FNV-1a of an ASCII text in base 36: short and the same everywhere; uniqueness of ids is checked where sites are kept. */
function checksum(text: string): string {
  let hash = FNV_OFFSET;
  for (let i = 0; i < text.length; i++) hash = addOctet(hash, text.charCodeAt(i));
  return (hash >>> 0).toString(36).padStart(CHECKSUM_CHARACTERS, '0').slice(-CHECKSUM_CHARACTERS);
}
