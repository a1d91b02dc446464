/**
 * How one operation of the control API is described as data: the server mounts it, the OpenAPI document is
 * made from it, and the client (`client.ts`) calls it. What an operation does is the control plane's affair.
 */
import type { z } from 'zod';
import type { AppErrorCode } from '../base/app-error.ts';

export const API_PREFIX = '/api/v1';

export type HttpMethod = 'get' | 'post' | 'put' | 'patch' | 'delete';

export interface ApiRoute {
  readonly method: HttpMethod;
  /** Complete path; parameters in braces, such as `/api/v1/sites/{id}`. */
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  /** `token`: needs `Authorization: Bearer …`; `none`: open to whoever reaches the address. */
  readonly auth: 'token' | 'none';
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Largest accepted body; the default is BODY_BYTES_MAX. */
  readonly bodyBytesMax?: number;
  readonly status: 200 | 201 | 204;
  /** What a success carries; null for 204. */
  readonly response: z.ZodType | null;
  /** Refusals of its own, beside those that `refusalsOf` adds. */
  readonly errors?: readonly AppErrorCode[];
}

/** Largest request body of an operation that does not say otherwise, bytes: a site with 200 rules is about 40 kB. */
export const BODY_BYTES_MAX = 262_144;

/** Every refusal that an operation can answer with: its own, and those that come with input and tokens. */
export function refusalsOf(route: ApiRoute): readonly AppErrorCode[] {
  const hasInput = route.params !== undefined || route.query !== undefined || route.body !== undefined;
  return [
    ...(route.errors ?? []),
    ...(hasInput ? (['invalid'] as const) : []),
    ...(route.auth === 'token' ? (['unauthenticated', 'limit-exceeded'] as const) : []),
    'internal',
  ];
}

/** Keeps the literal types of a route, which the client's types are made from. */
export function defineRoute<const Route extends ApiRoute>(route: Route): Route {
  return route;
}

/** What a caller hands over: `params`, `query` and `body`, as far as the route has them. */
export type RequestOf<Route extends ApiRoute> = (Route extends { readonly params: infer P extends z.ZodType }
  ? { readonly params: z.input<P> }
  : unknown) &
  (Route extends { readonly query: infer Q extends z.ZodType }
    ? Record<never, never> extends z.input<Q>
      ? { readonly query?: z.input<Q> }
      : { readonly query: z.input<Q> }
    : unknown) &
  (Route extends { readonly body: infer B extends z.ZodType } ? { readonly body: z.input<B> } : unknown);

/** What a caller gets back: the parsed body, or undefined for 204. */
export type ResponseOf<Route extends ApiRoute> = Route['response'] extends z.ZodType
  ? z.output<Route['response']>
  : undefined;
