/** Operations on sites: what customers configure. */
import { z } from 'zod';
import { patchCachingShape } from '../model/caching-options.ts';
import { siteIdSchema, siteSchema } from '../model/site.ts';
import { pageQuerySchema } from './paging.ts';
import { API_PREFIX, defineRoute } from './route.ts';

/** A site as the API shows it: the model, and the name to point the owner's CNAME at. */
const siteViewSchema = siteSchema.extend({
  /** `<id>.<zone>`; computed, so a body that carries it unchanged (a site read before) is accepted. */
  cname: z.string(),
});
export type SiteView = z.output<typeof siteViewSchema>;

/** A whole site; `cname` may be sent back as it was read and is ignored. */
export const siteBodySchema = siteSchema.extend({ cname: z.string().optional() });

const { hosts, origins, rules, webSockets, minTlsVersion, clientCertificates } = siteSchema.shape;

/** Fields to replace; what is left out stays. Lists are replaced whole. */
export const sitePatchSchema = z.strictObject({
  hosts: hosts.optional(),
  origins: origins.optional(),
  rules: rules.unwrap().optional(),
  ...patchCachingShape,
  webSockets: webSockets.unwrap().optional(),
  minTlsVersion: minTlsVersion.unwrap().optional(),
  clientCertificates: clientCertificates.unwrap().optional(),
});
export type SitePatch = z.output<typeof sitePatchSchema>;

const params = z.strictObject({ id: siteIdSchema });
const tag = 'sites';

export const SITE_ROUTES = {
  listSites: defineRoute({
    method: 'get',
    path: `${API_PREFIX}/sites`,
    summary: 'List sites, by id',
    tag,
    auth: 'token',
    query: pageQuerySchema,
    status: 200,
    response: z.object({ sites: z.array(siteViewSchema), next: z.string().nullable() }),
  }),
  createSite: defineRoute({
    method: 'post',
    path: `${API_PREFIX}/sites`,
    summary: 'Add a site',
    tag,
    auth: 'token',
    body: siteBodySchema,
    status: 201,
    response: siteViewSchema,
    errors: ['conflict'],
  }),
  getSite: defineRoute({
    method: 'get',
    path: `${API_PREFIX}/sites/{id}`,
    summary: 'Show a site',
    tag,
    auth: 'token',
    params,
    status: 200,
    response: siteViewSchema,
    errors: ['not-found'],
  }),
  putSite: defineRoute({
    method: 'put',
    path: `${API_PREFIX}/sites/{id}`,
    summary: 'Replace a site, or add it under this id',
    tag,
    auth: 'token',
    params,
    body: siteBodySchema,
    status: 200,
    response: siteViewSchema,
    errors: ['conflict'],
  }),
  patchSite: defineRoute({
    method: 'patch',
    path: `${API_PREFIX}/sites/{id}`,
    summary: 'Change some fields of a site',
    tag,
    auth: 'token',
    params,
    body: sitePatchSchema,
    status: 200,
    response: siteViewSchema,
    errors: ['not-found', 'conflict'],
  }),
  deleteSite: defineRoute({
    method: 'delete',
    path: `${API_PREFIX}/sites/{id}`,
    summary: 'Remove a site',
    tag,
    auth: 'token',
    params,
    status: 204,
    response: null,
    errors: ['not-found'],
  }),
} as const;
