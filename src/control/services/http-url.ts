/** URLs that users name content by: http or https, without credentials. */
import { errorAt } from '#core/contract/errors.ts';

export function parseHttpUrl(text: string): URL | null {
  const url = URL.parse(text);
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  return isHttp && url.username === '' ? url : null;
}

/** A URL as people write it; without a scheme it is taken as http. Throws ApiError `invalid`, naming `url`. */
export function readHttpUrl(text: string): URL {
  const url = parseHttpUrl(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (url !== null) return url;
  throw errorAt('url', `"${text}" is not a URL; write it such as "https://www.example.com/a.css"`);
}
