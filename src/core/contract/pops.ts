/** Operations on POPs (places with edges), and on what the operator knows of where networks are. */
import { z } from 'zod';
import { edgeSchema, ipAddressSchema, locationSchema, popSchema } from '../model/pop.ts';
import { siteIdSchema } from '../model/site.ts';
import { networkLocationSchema } from '../model/snapshot.ts';
import { pageQuerySchema } from './paging.ts';
import { API_PREFIX, defineRoute } from './route.ts';

/** A place in words: a city (`Frankfurt`, `Paris, US`, `Springfield, Illinois`) or `latitude,longitude`. */
export const placeTextSchema = z.string().trim().min(1).max(200);

/** The largest list of network locations one request may carry. */
const NETWORKS_PER_REQUEST_MAX = 100_000;
const NETWORKS_BODY_BYTES_MAX = 16 << 20;

/** Addresses of no machine: "this host", multicast and beyond (RFC 6890), in the spellings people use. */
const NO_MACHINE = /^(?:0\.|22[4-9]\.|2[345]\d\.|ff[\da-f]{2}:|[0:]+$)/i;

/** What DNS can send users to. Judged where it enters only: what is stored already is in force. */
const edgeAddressSchema = ipAddressSchema.refine(
  (address) => !NO_MACHINE.test(address),
  'must be the address of a machine that users can connect to',
);
const edgeAddressesSchema = z.array(edgeAddressSchema).min(1).max(8);

const popBodyShape = {
  name: popSchema.shape.name.optional(),
  /** Instead of `location`: a place in words, looked up by the control plane. */
  at: placeTextSchema.optional(),
  location: locationSchema.nullable().optional(),
  state: popSchema.shape.state.unwrap().optional(),
  /** Instead of `edges`: the POP is one edge with these addresses. */
  addresses: edgeAddressesSchema.optional(),
  edges: z
    .array(edgeSchema.extend({ addresses: edgeAddressesSchema }))
    .min(1)
    .max(64)
    .optional(),
};

interface PopBodyChoices {
  readonly at?: unknown;
  readonly location?: unknown;
  readonly addresses?: unknown;
  readonly edges?: unknown;
}

const hasOnePlace = (body: PopBodyChoices): boolean => body.at === undefined || body.location === undefined;
const hasOneEdgeForm = (body: PopBodyChoices): boolean =>
  body.addresses === undefined || body.edges === undefined;
const hasEdges = (body: PopBodyChoices): boolean => body.addresses !== undefined || body.edges !== undefined;

const ONE_PLACE = { path: ['at'], message: 'give "at" or "location", not both' };
const ONE_EDGE_FORM = { path: ['addresses'], message: 'give "addresses" or "edges", not both' };
const NEEDS_EDGES = { path: ['addresses'], message: 'is missing: give "addresses" (or "edges")' };

/** A POP to add. Without `id` it is made from the name, without `name` that is the city's. */
export const popCreateSchema = z
  .strictObject({ id: siteIdSchema.optional(), ...popBodyShape })
  .refine(hasOnePlace, ONE_PLACE)
  .refine(hasOneEdgeForm, ONE_EDGE_FORM)
  .refine(hasEdges, NEEDS_EDGES);
export type PopCreate = z.output<typeof popCreateSchema>;

/** Fields to replace; what is left out stays. */
const popPatchSchema = z
  .strictObject(popBodyShape)
  .refine(hasOnePlace, ONE_PLACE)
  .refine(hasOneEdgeForm, ONE_EDGE_FORM);
export type PopPatch = z.output<typeof popPatchSchema>;

/** A network's location as a user writes it: `location`, or `at` in words. */
const networkBodySchema = z
  .strictObject({
    network: networkLocationSchema.shape.network,
    at: placeTextSchema.optional(),
    location: locationSchema.optional(),
    country: networkLocationSchema.shape.country,
    carrier: networkLocationSchema.shape.carrier,
  })
  .refine((body) => (body.at === undefined) !== (body.location === undefined), {
    path: ['location'],
    message: 'give "location" or "at", and not both',
  });
export type NetworkBody = z.output<typeof networkBodySchema>;

const params = z.strictObject({ id: siteIdSchema });
const tag = 'pops';

export const POP_ROUTES = {
  listPops: defineRoute({
    method: 'get',
    path: `${API_PREFIX}/pops`,
    summary: 'List POPs, by id',
    tag,
    auth: 'token',
    query: pageQuerySchema,
    status: 200,
    response: z.object({ pops: z.array(popSchema), next: z.string().nullable() }),
  }),
  createPop: defineRoute({
    method: 'post',
    path: `${API_PREFIX}/pops`,
    summary: 'Add a POP',
    tag,
    auth: 'token',
    body: popCreateSchema,
    status: 201,
    response: popSchema,
    errors: ['conflict'],
  }),
  getPop: defineRoute({
    method: 'get',
    path: `${API_PREFIX}/pops/{id}`,
    summary: 'Show a POP',
    tag,
    auth: 'token',
    params,
    status: 200,
    response: popSchema,
    errors: ['not-found'],
  }),
  putPop: defineRoute({
    method: 'put',
    path: `${API_PREFIX}/pops/{id}`,
    summary: 'Replace a POP, or add it under this id',
    tag,
    auth: 'token',
    params,
    body: popCreateSchema,
    status: 200,
    response: popSchema,
    errors: ['conflict'],
  }),
  patchPop: defineRoute({
    method: 'patch',
    path: `${API_PREFIX}/pops/{id}`,
    summary: 'Change some fields of a POP; drain it with `state`',
    tag,
    auth: 'token',
    params,
    body: popPatchSchema,
    status: 200,
    response: popSchema,
    errors: ['not-found', 'conflict'],
  }),
  deletePop: defineRoute({
    method: 'delete',
    path: `${API_PREFIX}/pops/{id}`,
    summary: 'Remove a POP',
    tag,
    auth: 'token',
    params,
    status: 204,
    response: null,
    errors: ['not-found'],
  }),
  listNetworks: defineRoute({
    method: 'get',
    path: `${API_PREFIX}/networks`,
    summary: 'Show where the operator says networks are; this wins over the geo database',
    tag: 'networks',
    auth: 'token',
    status: 200,
    response: z.object({ networks: z.array(networkLocationSchema) }),
  }),
  putNetworks: defineRoute({
    method: 'put',
    path: `${API_PREFIX}/networks`,
    summary: 'Replace the whole list of network locations',
    tag: 'networks',
    auth: 'token',
    body: z.strictObject({ networks: z.array(networkBodySchema).max(NETWORKS_PER_REQUEST_MAX) }),
    bodyBytesMax: NETWORKS_BODY_BYTES_MAX,
    status: 200,
    response: z.object({ networks: z.array(networkLocationSchema) }),
    errors: ['conflict'],
  }),
} as const;
