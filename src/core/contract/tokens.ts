/** Operations on tokens: who may use the API. */
import { z } from 'zod';
import { API_PREFIX, defineRoute } from './route.ts';

const tokenViewSchema = z.object({
  id: z.string(),
  name: z.string(),
  createdAt: z.number(),
  /** To the minute; null: never used. */
  lastUsedAt: z.number().nullable(),
});
export type TokenView = z.output<typeof tokenViewSchema>;

export const TOKEN_ROUTES = {
  listTokens: defineRoute({
    method: 'get',
    path: `${API_PREFIX}/tokens`,
    summary: 'List tokens, without their secrets',
    tag: 'tokens',
    auth: 'token',
    status: 200,
    response: z.object({ tokens: z.array(tokenViewSchema) }),
  }),
  createToken: defineRoute({
    method: 'post',
    path: `${API_PREFIX}/tokens`,
    summary: 'Make a token; its secret is shown in this answer only',
    tag: 'tokens',
    auth: 'token',
    body: z.strictObject({ name: z.string().trim().min(1).max(100) }),
    status: 201,
    response: tokenViewSchema.extend({ token: z.string() }),
    errors: ['conflict'],
  }),
  deleteToken: defineRoute({
    method: 'delete',
    path: `${API_PREFIX}/tokens/{id}`,
    summary: 'Revoke a token',
    tag: 'tokens',
    auth: 'token',
    params: z.strictObject({ id: z.string().min(1).max(64) }),
    status: 204,
    response: null,
    errors: ['not-found', 'conflict'],
  }),
} as const;
