/** URLs that users name content by: http or https, without credentials. */
export function parseHttpUrl(text: string): URL | null {
  const url = URL.parse(text);
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  return isHttp && url.username === '' ? url : null;
}
