/** What responses over TLS say so that clients come over HTTP/3 from then on (RFC 7838 §3), made once and for all. */

export interface AlternativeService {
  /** The Alt-Svc field's value. */
  readonly value: string;
  /** Its line, with the line end. */
  readonly line: string;
}

/** A day: long enough to matter, short enough to be forgotten when HTTP/3 is switched off. */
const MAX_AGE_SECONDS = 86_400;

/** HTTP/3 at `port` of the same host. */
export function http3At(port: number): AlternativeService {
  const value = `h3=":${port}"; ma=${MAX_AGE_SECONDS}`;
  return { value, line: `Alt-Svc: ${value}\r\n` };
}
