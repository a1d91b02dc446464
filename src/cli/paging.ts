/** Reads lists that the API gives in pages. */

/** All items of a list, page by page. */
export async function readAllPages<Item>(
  readPage: (
    after: string | undefined,
  ) => Promise<{ readonly items: readonly Item[]; readonly next: string | null }>,
): Promise<Item[]> {
  const all: Item[] = [];
  let after: string | undefined;
  do {
    const { items, next } = await readPage(after);
    all.push(...items);
    // A page that leads back to itself would never end.
    after = next === null || next === after ? undefined : next;
  } while (after !== undefined);
  return all;
}
