/**
 * What a person sees when the edge answers itself: a status, what happened, and what can be done. Internals
 * (addresses, errors' causes) go to the log and Proxy-Status details, never onto the page.
 */
import { Fields } from '#core/http/fields.ts';
import type { TlsRefusal } from '#core/model/tls-policy.ts';
import type { ResponseHead } from './exchange.ts';

export interface Page {
  readonly head: ResponseHead;
  readonly body: Uint8Array;
}

export interface PageText {
  readonly status: number;
  readonly title: string;
  /** Plain text; what comes from strangers (a host name) is escaped here. */
  readonly explanation: string;
}

const ENCODER = new TextEncoder();

/** A page with its head; it is never stored by anybody. */
export function makePage(text: PageText, extraFields: readonly (readonly [string, string])[] = []): Page {
  const { status, title, explanation } = text;
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${status} ${escapeHtml(title)}</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem}
h1{font-size:1.4rem}small{color:#666}</style></head>
<body><h1>${escapeHtml(title)}</h1><p>${escapeHtml(explanation)}</p><small>${status} · Perigee</small></body></html>
`;
  const fields = Fields.of([
    ['Content-Type', 'text/html; charset=utf-8'],
    ['Cache-Control', 'no-store'],
    ...extraFields,
  ]);
  return { head: { status, reason: '', fields }, body: ENCODER.encode(html) };
}

export function unknownHostText(host: string): PageText {
  return {
    status: 421,
    title: 'This host is not served here',
    explanation:
      host === ''
        ? 'The request named no host, so there is no telling which site it is for.'
        : `No site with the host name “${host}” is set up on this server. Its owner can add it; if you are looking for somebody's site, the address may be mistyped or its DNS record may point to the wrong place.`,
  };
}

export const NOT_CONFIGURED_TEXT: PageText = {
  status: 503,
  title: 'This server is starting',
  explanation: 'It has not received its configuration yet. Please try again in a few seconds.',
};

export const BAD_TARGET_TEXT: PageText = {
  status: 400,
  title: 'This address cannot be understood',
  explanation: 'The request asked for something that is not a valid path on a web site.',
};

export const MALFORMED_REQUEST_TEXT: PageText = {
  status: 400,
  title: 'This request is not well formed',
  explanation:
    'Its content did not arrive whole, or not in the form announced, so the site cannot answer it.',
};

export const SWITCHED_OFF_TEXT: PageText = {
  status: 403,
  title: 'WebSockets are switched off for this site',
  explanation:
    'The request asked to switch to another protocol, such as WebSocket. The site’s owner has not allowed that here.',
};

export const UNKNOWN_PROTOCOL_TEXT: PageText = {
  status: 501,
  title: 'This protocol is not known here',
  explanation: 'The request asked for a tunnel of a protocol other than WebSocket.',
};

export const TRACE_TEXT: PageText = {
  status: 405,
  title: 'TRACE is not served here',
  explanation: 'It would send back everything of a request, also what is meant for the site alone.',
};

export const LOOP_TEXT: PageText = {
  status: 508,
  title: 'This site refers to itself',
  explanation:
    'The request came back to the server that had forwarded it. The site’s origin is set to an address that leads here again; its owner needs to correct it.',
};

export const NOT_STORED_TEXT: PageText = {
  status: 504,
  title: 'Not in the cache',
  explanation: 'The request asked for a stored response only, and none can be used.',
};

export const TOO_BUSY_TEXT: PageText = {
  status: 503,
  title: 'Too many requests are waiting for this page',
  explanation:
    'The site’s origin has not answered yet and no more can wait. Please try again in a few seconds.',
};

export const TLS_REFUSAL_TEXTS: Readonly<Record<TlsRefusal, PageText>> = {
  misdirected: {
    status: 421,
    title: 'This connection is for another site',
    explanation:
      'The request came on a connection that was opened for another site, or for none in particular, and this site has rules of its own for connections. Opening a new one, for this site’s name, helps.',
  },
  'tls-required': {
    status: 403,
    title: 'This site is reached over a secure connection only',
    explanation: 'It asks its visitors for a certificate, which needs an address that begins with https.',
  },
  'client-certificate-missing': {
    status: 403,
    title: 'This site asks for a certificate',
    explanation:
      'Only visitors whose browser or program shows a certificate issued for this site are let in, and none was shown.',
  },
  'client-certificate-invalid': {
    status: 403,
    title: 'The certificate was not accepted',
    explanation:
      'The certificate shown has run out, or was not issued by an authority that this site trusts.',
  },
};

/** For a gateway failure; `cause` is a phrase that finishes "The site's origin …". */
export function originFailureText(status: number, cause: string): PageText {
  return {
    status,
    title:
      status === 504 ? 'The site’s origin did not answer in time' : 'The site’s origin cannot be reached',
    explanation: `The site’s origin ${cause}. The fault is between this server and the site, not with you. Please try again later.`,
  };
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}
