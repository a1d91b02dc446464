/** The shop's carts: one per visitor, known by a cookie, kept in memory. Answers about them are private. */
import { randomBytes } from 'node:crypto';
import { PRODUCTS } from './shop-products.ts';

/** Carts kept; beyond it the one not touched for longest is forgotten. */
const CARTS_MAX = 10_000;
const QUANTITY_MAX = 99;

export interface CartView {
  readonly items: readonly { readonly productId: number; readonly quantity: number }[];
  readonly totalCents: number;
}

/** Product id → quantity. */
type Cart = Map<number, number>;

export class Carts {
  readonly #carts = new Map<string, Cart>();

  /** What the visitor's cart holds; an unknown visitor's holds nothing. */
  view(visitor: string | null): CartView {
    const cart: Cart = (visitor === null ? undefined : this.#carts.get(visitor)) ?? new Map();
    const items = [...cart].map(([productId, quantity]) => ({ productId, quantity }));
    const totalCents = items.reduce((sum, { productId, quantity }) => {
      const product = PRODUCTS.find(({ id }) => id === productId);
      return sum + quantity * (product?.priceCents ?? 0);
    }, 0);
    return { items, totalCents };
  }

  /** Adds to a cart and returns its visitor, a new one where `visitor` is not known; null: no such product or quantity. */
  add(visitor: string | null, order: unknown): string | null {
    const { productId, quantity } = (order ?? {}) as { productId?: unknown; quantity?: unknown };
    if (!PRODUCTS.some(({ id }) => id === productId)) return null;
    if (!Number.isInteger(quantity) || Number(quantity) < 1 || Number(quantity) > QUANTITY_MAX) return null;
    const known = visitor === null ? undefined : this.#carts.get(visitor);
    const owner = known === undefined || visitor === null ? randomBytes(16).toString('hex') : visitor;
    const cart: Cart = known ?? new Map();
    cart.set(
      Number(productId),
      Math.min(QUANTITY_MAX, (cart.get(Number(productId)) ?? 0) + Number(quantity)),
    );
    // Re-inserted last: the map's order is that of use.
    this.#carts.delete(owner);
    this.#carts.set(owner, cart);
    const oldest = this.#carts.keys().next().value;
    if (this.#carts.size > CARTS_MAX && oldest !== undefined) this.#carts.delete(oldest);
    return owner;
  }
}
