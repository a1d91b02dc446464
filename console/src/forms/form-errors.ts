/**
 * Turns what a contract's schema, or the control plane with the same schemas, says of a body into messages
 * beside the fields of a form. What belongs to no field comes under the empty name and is shown at the end.
 */
import type { z } from 'zod';
import { refusalByField, refusalText } from '../api/refusal.ts';

/** Names the form's field for a path such as `origins[0].url`; null when it has none. */
export type FieldOfPath = (path: string) => string | null;

export const WHOLE_FORM = '';

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : (index > 0 ? '.' : '') + String(part)))
    .join('');
}

export function schemaErrors(schema: z.ZodType, body: unknown, fieldOf: FieldOfPath): Record<string, string> {
  const result = schema.safeParse(body);
  if (result.success) return {};
  const errors: Record<string, string> = {};
  for (const issue of result.error.issues)
    errors[fieldOf(pathText(issue.path)) ?? WHOLE_FORM] ??= issue.message;
  return errors;
}

/** For a refusal by the control plane; its sentence is kept when no field can carry a detail. */
export function refusalErrors(error: unknown, fieldOf: FieldOfPath): Record<string, string> {
  const byField = refusalByField(error, fieldOf);
  return Object.keys(byField).length > 0 ? { ...byField } : { [WHOLE_FORM]: refusalText(error) };
}
