/** The id that is proposed for a new site. */
const ID_CHARACTERS_MAX = 63;

/** One DNS label made of a host name: `www.example.com` becomes `example-com`. */
export function proposeSiteId(host: string): string {
  return host
    .trim()
    .toLowerCase()
    .replace(/^www\./, '')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, ID_CHARACTERS_MAX)
    .replace(/^-+|-+$/g, '');
}
