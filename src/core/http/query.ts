/** The parameters of a query, as they stand between its ampersands. */

export interface QueryParameter {
  readonly name: string;
  /** '' also where there is no "=". */
  readonly value: string;
  /** As it stands in the query. */
  readonly text: string;
}

/** The query of a normalised target, without "?"; null when there is none. */
export function queryOf(target: string): string | null {
  const question = target.indexOf('?');
  return question === -1 ? null : target.slice(question + 1);
}

/** Empty pieces (`a=1&&b=2`) are parameters without a name. */
export function parseQuery(query: string): QueryParameter[] {
  return query.split('&').map((text) => {
    const equals = text.indexOf('=');
    return equals === -1
      ? { name: text, value: '', text }
      : { name: text.slice(0, equals), value: text.slice(equals + 1), text };
  });
}
