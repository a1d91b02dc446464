/** What a thrown value says for itself; anything may be thrown, not errors alone. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
