/** The OpenAPI document, made from the contract: what is served is what is described. */
import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { APP_ERROR_CODES } from '#core/base/app-error.ts';
import { API_ROUTES } from '#core/contract/api.ts';
import { errorBodySchema } from '#core/contract/errors.ts';
import { type ApiRoute, refusalsOf } from '#core/contract/route.ts';

/** The document as JSON text. `version` is Perigee's. */
export function renderOpenApi(version: string): string {
  const app = new OpenAPIHono();
  const registry = app.openAPIRegistry;
  registry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' });
  for (const [operationId, route] of Object.entries(API_ROUTES) as [string, ApiRoute][]) {
    registry.registerPath(describeRoute(operationId, route));
  }
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Perigee control API',
      version,
      description: 'Sites, POPs, purges, traffic and explanations of a Perigee CDN.',
      license: { name: 'Apache-2.0' },
    },
  });
  return JSON.stringify(document);
}

function describeRoute(operationId: string, route: ApiRoute) {
  const statuses = new Set(refusalsOf(route).map((code) => APP_ERROR_CODES[code].httpStatus));
  const refusals = [...statuses].map((status) => [
    status,
    {
      description: 'Refused; the body says why',
      content: { 'application/json': { schema: errorBodySchema } },
    },
  ]);
  const success =
    route.response === null
      ? { description: 'Done' }
      : { description: route.summary, content: { 'application/json': { schema: route.response } } };
  return createRoute({
    method: route.method,
    path: route.path,
    operationId,
    summary: route.summary,
    tags: [route.tag],
    ...(route.auth === 'token' ? { security: [{ token: [] }] } : {}),
    request: {
      ...(route.params === undefined ? {} : { params: route.params }),
      ...(route.query === undefined ? {} : { query: route.query }),
      ...(route.body === undefined
        ? {}
        : { body: { required: true, content: { 'application/json': { schema: route.body } } } }),
    },
    responses: { ...Object.fromEntries(refusals), [route.status]: success },
  });
}
