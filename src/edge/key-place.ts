/** Puts the request's own part of the cache key (headers, cookies, device, country) behind the URL's. */
import { keyExtrasOf } from '#core/caching/cache-key.ts';
import { type DeviceClass, deviceClassOf } from '#core/http/device-class.ts';
import type { Fields } from '#core/http/fields.ts';
import type { Place } from './configuration.ts';
import type { Exchange } from './exchange.ts';
import { NO_COUNTRY } from './geography.ts';
import type { Road } from './road.ts';

/** The place of this request; the URL's own where the site puts nothing else in the key. */
export function keyPlace(road: Road, exchange: Exchange, place: Place): Place {
  if (place.settings.keyExtras === null) return place;
  const { request, connection } = exchange;
  return placeOf(place, request.fields, () => road.geography.countryOf(connection.clientAddress));
}

/** The same for a request without fields, from nowhere known. */
export function keyPlainPlace(place: Place, fields: Fields): Place {
  return placeOf(place, fields, () => NO_COUNTRY);
}

function placeOf(place: Place, fields: Fields, countryOf: () => string): Place {
  const { keyExtras } = place.settings;
  if (keyExtras === null) return place;
  const deviceClass: DeviceClass = keyExtras.hasDeviceClass ? deviceClassOf(fields) : 'desktop';
  const country = keyExtras.hasCountry ? countryOf() : NO_COUNTRY;
  const suffix = keyExtrasOf(keyExtras, { fields, deviceClass, country });
  const keyFields: string[] = [];
  if (keyExtras.hasDeviceClass) keyFields.push('Perigee-Device', deviceClass);
  if (keyExtras.hasCountry) keyFields.push('Perigee-Country', country);
  // More than fits a key: nothing is stored for such a request, and nothing stored answers it.
  if (suffix === null)
    return { ...place, settings: { ...place.settings, mode: 'bypass' }, settingsByType: null, keyFields };
  return { ...place, cacheKey: place.cacheKey + suffix, keyFields };
}
