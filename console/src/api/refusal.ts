/** What a failed call means to the person at the screen. */
import { ApiError } from '#core/contract/errors.ts';

/** The server's own sentence, or that nothing came back. */
export function refusalText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function isUnauthenticated(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'unauthenticated';
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'not-found';
}

/**
 * Messages by form field, for the details whose path leads to one: `toField` names the field of a path such
 * as `origins[0].url`, or null when the form has none for it.
 */
export function refusalByField(
  error: unknown,
  toField: (path: string) => string | null,
): Readonly<Record<string, string>> {
  if (!(error instanceof ApiError)) return {};
  const messages: Record<string, string> = {};
  for (const detail of error.details) {
    const field = toField(detail.path);
    if (field !== null) messages[field] ??= detail.message;
  }
  return messages;
}
