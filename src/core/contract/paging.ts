/** Long lists come in pages: at most `limit` items after the item `after`; `next` of the answer continues. */
import { z } from 'zod';

const PAGE_ITEMS_MAX = 1000;

export const pageQuerySchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(PAGE_ITEMS_MAX).default(PAGE_ITEMS_MAX),
  /** `next` of the page before; the list begins after this id. */
  after: z.string().max(255).optional(),
});
