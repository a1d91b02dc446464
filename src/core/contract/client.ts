/**
 * A typed client of the control API: one method per operation of `api.ts`. It speaks through an injected
 * `send`, so that a browser, a command and a test each bring their own network and their own deadline.
 *
 *   const api = createApiClient({ baseUrl: 'http://127.0.0.1:8000', token, send });
 *   const { sites } = await api.listSites();
 *   await api.createPurge({ body: { kind: 'everything', siteId: 'shop' } });
 */
import { AppError, type AppErrorCode } from '../base/app-error.ts';
import { errorMessage } from '../base/error-message.ts';
import { API_ROUTES, type ApiRoutes, type Operation } from './api.ts';
import { ApiError, errorBodySchema } from './errors.ts';
import type { ApiRoute, RequestOf, ResponseOf } from './route.ts';

export interface SentRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** Sends a request and reads the whole answer; rejects when there is none. */
export type Send = (request: SentRequest) => Promise<{ readonly status: number; readonly body: string }>;

export interface ApiClientOptions {
  /** Scheme and address, such as `http://127.0.0.1:8000`; empty for the page's own address. */
  readonly baseUrl: string;
  /** Null: only operations that need none. */
  readonly token: string | null;
  readonly send: Send;
}

/**
 * Every method rejects with `ApiError` for a refusal (its code, message and details are the server's), and
 * with `AppError('unavailable')` when no answer, or none of a Perigee control plane, came back.
 */
export type ApiClient = {
  readonly [Name in Operation]: (
    ...request: Record<never, never> extends RequestOf<ApiRoutes[Name]>
      ? [request?: RequestOf<ApiRoutes[Name]>]
      : [request: RequestOf<ApiRoutes[Name]>]
  ) => Promise<ResponseOf<ApiRoutes[Name]>>;
};

interface AnyRequest {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

export function createApiClient(options: ApiClientOptions): ApiClient {
  const methods: Partial<Record<Operation, (request?: AnyRequest) => Promise<unknown>>> = {};
  for (const [name, route] of Object.entries(API_ROUTES) as [Operation, ApiRoute][]) {
    methods[name] = (request = {}) => call(options, route, request);
  }
  return methods as unknown as ApiClient;
}

async function call(options: ApiClientOptions, route: ApiRoute, request: AnyRequest): Promise<unknown> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (options.token !== null && route.auth === 'token') headers.authorization = `Bearer ${options.token}`;
  if (request.body !== undefined) headers['content-type'] = 'application/json';
  const sent: SentRequest = {
    method: route.method.toUpperCase(),
    url: options.baseUrl.replace(/\/$/, '') + buildTarget(route.path, request),
    headers,
    body: request.body === undefined ? null : JSON.stringify(request.body),
  };
  let answer: { readonly status: number; readonly body: string };
  try {
    answer = await options.send(sent);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    const reason = errorMessage(cause);
    throw new AppError(
      'unavailable',
      `no answer from the control plane at ${options.baseUrl || 'this address'}: ${reason}`,
      { cause },
    );
  }
  return readAnswer(options.baseUrl, route, answer.status, answer.body);
}

/** Path and query for a request; parameters and values are percent-encoded. */
function buildTarget(path: string, request: AnyRequest): string {
  const filled = path.replace(/\{([a-zA-Z]+)\}/g, (_, name: string) =>
    encodeURIComponent(String(request.params?.[name] ?? '')),
  );
  const pairs: string[] = [];
  for (const [name, value] of Object.entries(request.query ?? {})) {
    if (value === undefined || value === null) continue;
    pairs.push(`${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`);
  }
  return pairs.length === 0 ? filled : `${filled}?${pairs.join('&')}`;
}

function readAnswer(baseUrl: string, route: ApiRoute, status: number, body: string): unknown {
  if (status === 204 && route.status === 204) return undefined;
  const json = parseJson(body);
  // `/health` answers 503 with the same body as 200: the caller reads `status` there.
  if (status === route.status || (status === 503 && route.path === '/health')) {
    const parsed = route.response?.safeParse(json);
    if (parsed?.success) return parsed.data;
  } else {
    const refusal = errorBodySchema.safeParse(json);
    if (refusal.success) {
      const { code, message, details } = refusal.data.error;
      throw new ApiError(code satisfies AppErrorCode, message, details);
    }
  }
  throw new AppError(
    'unavailable',
    `${baseUrl || 'this address'} answered ${status} with something that is not from a Perigee control plane of this version; check the address`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
