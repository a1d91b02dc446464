/** Where a URL that an onlooker names lies: as a request for it without any fields would be placed. */
import { Fields } from '#core/http/fields.ts';
import { authorityOfTarget } from '#core/http/request-target.ts';
import type { Place } from './configuration.ts';
import { keyPlainPlace } from './key-place.ts';
import type { Road } from './road.ts';
import { searchPlace } from './search-rules.ts';

/** `url`: complete, http or https. A text: why it lies nowhere. */
export function placeOfUrl(road: Road, url: string): Place | string {
  const { configuration } = road;
  if (configuration === null) return 'no configuration yet';
  const scheme = url.toLowerCase().startsWith('https:') ? 'https' : 'http';
  const fragment = url.indexOf('#');
  const target = fragment === -1 ? url : url.slice(0, fragment);
  const authority = authorityOfTarget(target);
  if (authority === null) return 'not a complete http or https URL';
  const found = configuration.find(scheme, authority, target, null);
  return typeof found === 'string'
    ? found
    : searchPlace(road.searchRules, keyPlainPlace(found, new Fields()));
}
