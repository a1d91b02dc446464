/** What kind of device asks, as far as its User-Agent tells: what sites with a page for each tell apart. */
import type { FieldReader } from './fields.ts';

export type DeviceClass = 'phone' | 'tablet' | 'desktop';

const TABLETS = /ipad|tablet|playbook|silk\/|kindle|android(?!.*mobi)/i;
const PHONES = /mobi|iphone|ipod|windows phone|blackberry|opera mini|webos/i;

/** Of no User-Agent at all: a desktop. Sec-CH-UA-Mobile, where sent, says phone. */
export function deviceClassOf(fields: FieldReader): DeviceClass {
  const userAgent = fields.get('user-agent') ?? '';
  if (TABLETS.test(userAgent)) return 'tablet';
  return PHONES.test(userAgent) || fields.get('sec-ch-ua-mobile') === '?1' ? 'phone' : 'desktop';
}
