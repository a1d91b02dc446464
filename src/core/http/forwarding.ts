/**
 * What an intermediary does to the fields it passes on (RFC 9110 §7.6): hop-by-hop fields removed, Via and
 * CDN-Loop (RFC 8586) added. What users say about where a request comes from is never believed: those
 * fields are removed and, where origins expect them, set by us.
 */
import { Fields, lowerCaseName } from './fields.ts';
import { copyEndToEnd } from './hop-by-hop.ts';
import { NameSet, startsWithName } from './name-set.ts';
import { splitList, trimWhitespace } from './syntax.ts';

export interface ForwardedRequestOptions {
  readonly method: string;
  /** As received. */
  readonly fields: Fields;
  readonly clientAddress: string;
  readonly scheme: 'http' | 'https';
  /** The authority the user asked for, for X-Forwarded-Host. */
  readonly authority: string;
  readonly httpVersion: string;
  /** The certificate the client showed and we trust, DER in base64, for Client-Cert (RFC 9440); null: none. */
  readonly clientCertificate: string | null;
  /** The Host field's value towards the origin. */
  readonly hostToSend: string;
  /** Pseudonym in Via. */
  readonly via: string;
  /** Our cdn-id in CDN-Loop. */
  readonly cdnLoopName: string;
  /** Value of Surrogate-Capability: what a user claims there could have an origin send what we do not process. */
  readonly surrogateCapability: string;
  /** Of what the user sent, these alone are passed on beside `USUAL` and `keyHeaders`; null: all. Lower case. */
  readonly listed: ReadonlySet<string> | null;
  /** Headers that are part of the cache key. Lower case. */
  readonly keyHeaders: readonly string[];
  /** What else of the request is in the key, as fields of ours (flat). */
  readonly keyFields: readonly string[];
}

/** Fields that ask an origin to take the request as of another method. */
const METHOD_OVERRIDES = new NameSet(['x-http-method', 'x-http-method-override', 'x-method-override']);

/** Fields in which a user could claim another origin of the request, or steer an origin past the cache key. */
const CLAIMS: readonly string[] = [
  'client-cert',
  'client-cert-chain',
  'forwarded',
  'front-end-https',
  'true-client-ip',
  'x-client-cert',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-host',
  'x-http-host-override',
  'x-original-host',
  'x-original-scheme',
  'x-original-url',
  'x-real-ip',
  'x-rewrite-url',
  'x-scheme',
  'x-url-scheme',
];

/** Set by us, or by the client that frames the message. */
const REPLACED: readonly string[] = [
  ...['cdn-loop', 'content-length', 'expect', 'host', 'surrogate-capability', 'via'],
];

/** CGI and what came of it reads "_" as "-" (RFC 3875 §4.1.18). */
const REMOVED = new NameSet([...CLAIMS, ...REPLACED], true);
const HYPHEN = 0x2d;

/** Beginnings of the names of our own fields, and of those by which servers pass on what TLS told them. */
const CLAIM_PREFIXES: readonly string[] = ['perigee-', 'x-forwarded-', 'x-ssl-client-', 'ssl-client-'];

function isPassedOn(name: string): boolean {
  if (REMOVED.has(name)) return false;
  for (const prefix of CLAIM_PREFIXES) if (startsWithName(name, prefix, HYPHEN)) return false;
  return true;
}

/** Request fields whose values we set for each client: an answer that varies on one is for that client alone. */
export function isSetPerClient(name: string): boolean {
  return name === 'client-cert' || name === 'client-cert-chain' || name === 'x-forwarded-for';
}

/** Of GET and HEAD, whose answers are for everybody: what an origin says to another method must not be stored for them. */
function isPassedOnWhenShared(name: string): boolean {
  return isPassedOn(name) && !METHOD_OVERRIDES.has(name);
}

const COUNTS = new NameSet(['max-forwards']);

/** Where hops are counted, the count is ours to write. */
function isPassedOnCounted(name: string): boolean {
  return isPassedOn(name) && !COUNTS.has(name);
}

/**
 * How many more hops a request may take (RFC 9110 §7.6.2), where its method gives Max-Forwards a meaning; null: as
 * many as it likes.
 */
export function hopsLeft(method: string, fields: Fields): number | null {
  if (method !== 'OPTIONS' && method !== 'TRACE') return null;
  const value = fields.get('max-forwards');
  return value !== null && /^[0-9]{1,9}$/.test(value) ? Number(value) : null;
}

/** The fields of the request to the origin, without framing fields. */
export function forwardedRequestFields(options: ForwardedRequestOptions): Fields {
  const { fields, method } = options;
  const flat: string[] = ['Host', options.hostToSend];
  const isShared = method === 'GET' || method === 'HEAD';
  const hops = hopsLeft(method, fields);
  const isWanted = isShared ? isPassedOnWhenShared : hops === null ? isPassedOn : isPassedOnCounted;
  copyEndToEnd(fields, flat, options.listed === null ? isWanted : whereListed(options, isWanted));
  if (hops !== null) flat.push('Max-Forwards', String(Math.max(0, hops - 1)));
  if (options.keyFields.length > 0) flat.push(...options.keyFields);
  flat.push('X-Forwarded-For', options.clientAddress);
  flat.push('X-Forwarded-Proto', options.scheme);
  flat.push('X-Forwarded-Host', options.authority);
  if (options.clientCertificate !== null) flat.push('Client-Cert', `:${options.clientCertificate}:`);
  flat.push('Surrogate-Capability', options.surrogateCapability);
  flat.push('Via', appendVia(fields.get('via'), options.httpVersion, options.via));
  const loop = fields.get('cdn-loop');
  flat.push('CDN-Loop', loop === null ? options.cdnLoopName : `${loop}, ${options.cdnLoopName}`);
  return new Fields(flat);
}

/** What a request says of itself and its content, and what origins need to answer it, whatever else a site lists. */
const USUAL: ReadonlySet<string> = new Set([
  ...['accept', 'accept-encoding', 'accept-language', 'authorization', 'cache-control', 'content-encoding'],
  ...['content-language', 'content-type', 'if-match', 'if-modified-since', 'if-none-match', 'if-range'],
  ...['if-unmodified-since', 'range', 'te', 'user-agent'],
]);

/** What users send beside the key could be reflected in an answer that is stored for everybody (cache poisoning). */
function whereListed(
  { listed, keyHeaders }: ForwardedRequestOptions,
  isWanted: (name: string) => boolean,
): (name: string) => boolean {
  return (name) => {
    if (!isWanted(name)) return false;
    const lower = lowerCaseName(name);
    return USUAL.has(lower) || listed?.has(lower) === true || keyHeaders.includes(lower);
  };
}

function appendVia(existing: string | null, httpVersion: string, pseudonym: string): string {
  const own = `${httpVersion} ${pseudonym}`;
  return existing === null ? own : `${existing}, ${own}`;
}

/** How often the request has passed `cdnLoopName` already (RFC 8586 §2). */
export function countLoops(fields: Fields, cdnLoopName: string): number {
  const value = fields.get('cdn-loop');
  if (value === null) return 0;
  const wanted = cdnLoopName.toLowerCase();
  let count = 0;
  for (const member of splitList(value)) {
    const semicolon = member.indexOf(';');
    const id = trimWhitespace(semicolon === -1 ? member : member.slice(0, semicolon));
    if (id.toLowerCase() === wanted) count++;
  }
  return count;
}

export interface ForwardedResponseOptions {
  readonly fields: Fields;
  /** The version the response came with, for Via. */
  readonly httpVersion: string;
  readonly via: string;
}

/** Written anew: Via by us, the length by whoever frames the message. */
const REWRITTEN = new NameSet(['content-length', 'via']);

function isPassedBack(name: string): boolean {
  return !REWRITTEN.has(name);
}

/** The fields of a response passed on to a user, without framing fields. */
export function responseFields(options: ForwardedResponseOptions): Fields {
  const { fields } = options;
  const flat: string[] = [];
  copyEndToEnd(fields, flat, isPassedBack);
  flat.push('Via', appendVia(fields.get('via'), options.httpVersion, options.via));
  return new Fields(flat);
}
