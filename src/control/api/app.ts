/**
 * The control plane's HTTP side: guards, then the operations of the contract, the few addresses open to all
 * (`/health`, `/metrics`, `/ca.pem`, the OpenAPI document), then the console's files.
 */
import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { API_ROUTES, type Operation } from '#core/contract/api.ts';
import { API_PREFIX, type ApiRoute } from '#core/contract/route.ts';
import type { Logger } from '#platform/log.ts';
import type { SiteTotals } from '../traffic/site-totals.ts';
import { type Authenticator, checkHostAndOrigin, checkToken } from './guard.ts';
import type { Handlers, Services } from './handlers.ts';
import { createHandlers } from './handlers.ts';
import { renderMetrics } from './metrics.ts';
import { renderOpenApi } from './openapi.ts';
import { type ParsedRequest, parseRequest } from './parse-request.ts';
import { type Refusal, refusal, toRefusal } from './refusals.ts';
import { StaticFiles } from './static-files.ts';

export interface AppOptions {
  readonly services: Services;
  readonly authenticator: Authenticator;
  readonly totals: SiteTotals;
  /** Certificate of the local authority. */
  readonly authorityPem: string;
  readonly consoleDirectory: string;
  readonly allowedHosts: ReadonlySet<string>;
  readonly version: string;
  readonly log: Logger;
}

/** What the server knows of a request beyond the request itself. */
export interface Connection {
  readonly clientAddress: string;
}

type App = Hono<{ Bindings: Connection }>;

/** On every answer; answers that differ (the console's page) say so themselves. */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};

export function createApp(options: AppOptions): App {
  const app: App = new Hono();
  app.use(async (context, next) => {
    const refused = checkHostAndOrigin(context.req.raw, options.allowedHosts);
    if (refused === null) await next();
    else context.res = toResponse(refused);
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) context.res.headers.set(name, value);
  });
  mountOperations(app, options);
  mountOpenAddresses(app, options);
  mountConsole(app, options);
  app.onError((error) => {
    if (error instanceof HTTPException) return toResponse(refusal('invalid', error.message));
    return toResponse(toRefusal(error, options.log));
  });
  return app;
}

function mountOperations(app: App, { services, authenticator, log }: AppOptions): void {
  const handlers = createHandlers(services);
  for (const [name, route] of Object.entries(API_ROUTES) as [Operation, ApiRoute][]) {
    // The type of each handler is its own; mounted side by side they are handlers of parsed requests.
    const handle = handlers[name] as (request: ParsedRequest<ApiRoute>) => Promise<unknown>;
    app.on(route.method.toUpperCase(), route.path.replace(/\{(\w+)\}/g, ':$1'), async (context) => {
      const request = context.req.raw;
      const { clientAddress } = context.env;
      if (route.auth === 'token') {
        const refused = await checkToken(request, clientAddress, authenticator);
        if (refused !== null) return toResponse(refused, refused.headers);
      }
      try {
        const parsed = await parseRequest(route, request, context.req.param(), clientAddress);
        const result = await handle(parsed);
        return answer(name, route, result);
      } catch (error) {
        return toResponse(toRefusal(error, log));
      }
    });
  }
  app.all('/api/*', (context, next) => {
    if (context.req.path === `${API_PREFIX}/openapi.json`) return next();
    return toResponse(refuseUnknown(context.req.method, context.req.path));
  });
}

function answer(name: keyof Handlers, route: ApiRoute, result: unknown): Response {
  if (route.response === null) return new Response(null, { status: route.status, headers: NO_STORE });
  const isUnwell = name === 'getHealth' && (result as { status: string }).status !== 'ok';
  return json(result, isUnwell ? 503 : route.status);
}

/** No such operation, or not with this method: 405 then, with the methods there are (RFC 9110 §15.5.6). */
function refuseUnknown(
  method: string,
  path: string,
): Refusal & { readonly headers?: Record<string, string> } {
  const methods = (Object.values(API_ROUTES) as ApiRoute[])
    .filter((route) => new RegExp(`^${route.path.replace(/\{\w+\}/g, '[^/]+')}$`).test(path))
    .map((route) => route.method.toUpperCase());
  if (methods.length === 0) {
    return refusal(
      'not-found',
      `there is nothing at ${path}; ${API_PREFIX}/openapi.json lists what there is`,
    );
  }
  const allow = methods.join(', ');
  const refused = refusal('invalid', `${method} is not possible at ${path}; possible are ${allow}`, [], 405);
  return { ...refused, headers: { allow } };
}

function mountOpenAddresses(app: App, { services, totals, authorityPem, version, log }: AppOptions): void {
  let openApi: string | null = null;
  app.get(`${API_PREFIX}/openapi.json`, () => {
    openApi ??= renderOpenApi(version);
    return new Response(openApi, { headers: { 'content-type': 'application/json', ...NO_STORE } });
  });
  app.get('/metrics', async () => {
    try {
      const { contentType, text } = await renderMetrics(await services.parts.take(), totals.list());
      return new Response(text, { headers: { 'content-type': contentType, ...NO_STORE } });
    } catch (error) {
      return toResponse(toRefusal(error, log));
    }
  });
  app.get('/ca.pem', () => {
    const headers = {
      'content-type': 'application/x-pem-file',
      'content-disposition': 'attachment; filename="perigee-ca.pem"',
      ...NO_STORE,
    };
    return new Response(authorityPem, { headers });
  });
}

function mountConsole(app: App, { consoleDirectory }: AppOptions): void {
  const files = new StaticFiles(consoleDirectory);
  app.all('*', async (context) => {
    const { method, path } = context.req;
    if (method !== 'GET' && method !== 'HEAD') {
      return toResponse(refusal('invalid', `${method} is not possible at ${path}`, [], 405), {
        allow: 'GET, HEAD',
      });
    }
    const file = await files.respond(context.req.raw, path);
    return file ?? toResponse(refusal('not-found', `there is no file ${path}`));
  });
}

const NO_STORE = { 'cache-control': 'no-store' };

function json(body: unknown, status: number, headers: Readonly<Record<string, string>> = {}): Response {
  const bytes = Buffer.from(JSON.stringify(body));
  // The length is said here because answers to HEAD lose their body on the way.
  const length = { 'content-length': String(bytes.length) };
  return new Response(bytes, {
    status,
    headers: { 'content-type': 'application/json', ...length, ...NO_STORE, ...headers },
  });
}

function toResponse(
  refused: Refusal & { readonly headers?: Readonly<Record<string, string>> },
  headers: Readonly<Record<string, string>> = {},
): Response {
  return json(refused.body, refused.status, { ...refused.headers, ...headers });
}
