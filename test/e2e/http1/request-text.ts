/** Builders of request text, latin1, for tables of requests. */

export const HOST = 'Host: example.com\r\n';

/** A GET with these further field lines. */
export function get(lines: string, target = '/'): string {
  return `GET ${target} HTTP/1.1\r\n${HOST}${lines}\r\n`;
}

/** A POST with these further field lines and a body. */
export function post(lines: string, body: string): string {
  return `POST / HTTP/1.1\r\n${HOST}${lines}\r\n${body}`;
}

export function chunked(body: string): string {
  return post('Transfer-Encoding: chunked\r\n', body);
}

export function withCoding(coding: string): string {
  return post(`Transfer-Encoding: ${coding}\r\n`, '0\r\n\r\n');
}

export function withLength(length: string): string {
  return post(`Content-Length: ${length}\r\n`, 'hello');
}

export function withHost(host: string): string {
  return `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
}

export function line(requestLine: string): string {
  return `${requestLine}\r\n${HOST}\r\n`;
}
