/** Which stored responses an unsafe request made unusable (RFC 9111 §4.4). */
import type { FieldReader } from '#core/http/fields.ts';
import { resolveSameHost } from '#core/http/references.ts';
import { normaliseTarget } from '#core/http/request-target.ts';

/** Methods that ask for no change (RFC 9110 §9.2.1); every other one, known or not, is unsafe. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

export function isUnsafe(method: string): boolean {
  return !SAFE_METHODS.has(method);
}

export interface InvalidateInput {
  readonly method: string;
  readonly status: number;
  /** The request's target, in normal form or as received. */
  readonly target: string;
  /** Host the request named, with port if given. */
  readonly authority: string;
  readonly responseFields: FieldReader;
}

/**
 * Normalised targets on the request's host to forget: its own, and those of Location and Content-Location
 * on the same host (another host's are never touched, or anybody could empty caches for it). Empty unless
 * an unsafe method succeeded.
 */
export function invalidatedTargets(input: InvalidateInput): string[] {
  if (!isUnsafe(input.method) || input.status < 200 || input.status > 399) return [];
  const own = normaliseTarget(input.target);
  if (own === null) return [];
  const targets = new Set([own]);
  for (const name of ['location', 'content-location']) {
    const value = input.responseFields.get(name);
    const resolved = value === null ? null : resolveSameHost(value, own, input.authority);
    if (resolved !== null) targets.add(resolved);
  }
  return [...targets];
}
