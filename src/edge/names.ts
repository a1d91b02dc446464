/** How this product calls itself in messages. */

/** The cache's name in Cache-Status (RFC 9211) and Proxy-Status (RFC 9209). */
export const CACHE_NAME = 'Perigee';
/** The pseudonym in Via (RFC 9110 §7.6.3). */
export const VIA_PSEUDONYM = 'perigee';
/** Our line of Via on what came from an HTTP/1.1 origin. */
export const VIA_LINE = `Via: 1.1 ${VIA_PSEUDONYM}\r\n`;
