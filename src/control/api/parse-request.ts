/**
 * From a request to the values a handler works with, by the contract's schemas: parameters, query and body.
 * Everything is bounded before it is parsed; every refusal names the place and what is expected there.
 */
import type { z } from 'zod';
import { ApiError, type ErrorDetail, errorAt } from '#core/contract/errors.ts';
import { type ApiRoute, BODY_BYTES_MAX } from '#core/contract/route.ts';

/** What a route's schemas make of a request. */
export type ParsedRequest<Route extends ApiRoute> = {
  readonly params: Route extends { readonly params: infer P extends z.ZodType } ? z.output<P> : undefined;
  readonly query: Route extends { readonly query: infer Q extends z.ZodType } ? z.output<Q> : undefined;
  readonly body: Route extends { readonly body: infer B extends z.ZodType } ? z.output<B> : undefined;
  /** The client's address, as the socket has it. */
  readonly clientAddress: string;
};

/** Throws ApiError `invalid` with one detail for each thing that is wrong. */
export async function parseRequest(
  route: ApiRoute,
  request: Request,
  pathParams: Readonly<Record<string, string>>,
  clientAddress: string,
): Promise<ParsedRequest<ApiRoute>> {
  const params = route.params === undefined ? undefined : check(route.params, pathParams, '');
  const query = route.query === undefined ? undefined : check(route.query, readQuery(request.url), 'query.');
  // Probes of open addresses add what they like; operations tell of misspelt parameters.
  if (route.query === undefined && route.auth === 'token') refuseQuery(request.url);
  const body = route.body === undefined ? undefined : check(route.body, await readJson(request, route), '');
  // The schemas are the route's own; the table of handlers ties their types to each operation.
  return { params, query, body, clientAddress } as ParsedRequest<ApiRoute>;
}

function check(schema: z.ZodType, value: unknown, prefix: string): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.flatMap((issue) => describe(issue, prefix));
  const [first] = details;
  throw new ApiError(
    'invalid',
    first === undefined ? 'is not valid' : `${first.path}: ${first.message}`,
    details,
  );
}

/** One detail per issue; an issue about unknown fields becomes one for each of them. */
function describe(issue: z.core.$ZodIssue, prefix: string): ErrorDetail[] {
  const path = prefix + formatPath(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const joint = path === '' || path === prefix ? path : `${path}.`;
    return issue.keys.map((key) => ({
      path: `${joint}${key}`,
      message: 'is not a field that is known here',
    }));
  }
  const isMissing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined');
  return [
    { path: path === '' ? 'body' : path, message: isMissing ? 'is missing' : lowerFirst(issue.message) },
  ];
}

/** `rules[2].path`, as people write it. */
function formatPath(path: readonly PropertyKey[]): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? String(step) : `.${String(step)}`;
  }
  return text;
}

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}

function readQuery(url: string): Record<string, string> {
  const query: Record<string, string> = Object.create(null);
  for (const [name, value] of new URL(url).searchParams) {
    if (name in query) {
      throw errorAt(`query.${name}`, 'is given twice');
    }
    query[name] = value;
  }
  return { ...query };
}

function refuseQuery(url: string): void {
  const [first] = new URL(url).searchParams.keys();
  if (first === undefined) return;
  throw errorAt(`query.${first}`, 'is not a parameter that is known here');
}

async function readJson(request: Request, route: ApiRoute): Promise<unknown> {
  const type = request.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') {
    throw new ApiError('invalid', 'body: must be JSON, with "Content-Type: application/json"');
  }
  const text = await readBounded(request, route.bodyBytesMax ?? BODY_BYTES_MAX);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new ApiError('invalid', 'body: is not JSON; check quotes, commas and brackets');
  }
}

/** The body as text. Reading stops at the bound, whatever Content-Length said. */
async function readBounded(request: Request, bytesMax: number): Promise<string> {
  const tooLarge = () =>
    new ApiError('invalid', `body: is larger than ${bytesMax} bytes, the most that is read here`);
  if (Number(request.headers.get('content-length') ?? 0) > bytesMax) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength;
    if (length > bytesMax) throw tooLarge();
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new ApiError('invalid', 'body: is not UTF-8');
  }
}
