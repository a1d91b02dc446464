/** The shop's pages, style sheet and script as text. Names of files that never change carry their digest. */
import { PRODUCTS, type Product } from './shop-products.ts';

/** Paths of the files that pages refer to. */
export interface ShopAssets {
  readonly styleSheet: string;
  readonly script: string;
  readonly film: string;
  /** By product id. */
  readonly pictures: ReadonlyMap<number, string>;
}

function formatPrice(cents: number): string {
  return `$${(cents / 100).toFixed(2)}`;
}

function frame(title: string, assets: ShopAssets, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${assets.styleSheet}">
<script src="${assets.script}" defer></script>
</head>
<body>
<header><a href="/">Shelf &amp; Kettle</a><span id="cart">Cart: empty</span></header>
${body}
<footer>Forty things for the house, sent from Los Angeles. This shop is Perigee's demo.</footer>
</body>
</html>
`;
}

function card(product: Product, assets: ShopAssets): string {
  return `<li><a href="/products/${product.id}"><img src="${assets.pictures.get(product.id)}" width="360" height="360" alt="${product.name}"></a>
<h2>${product.name}</h2><p>${formatPrice(product.priceCents)}</p><button data-product="${product.id}">Add to cart</button></li>`;
}

/** The front page: all forty products. */
export function renderFrontPage(assets: ShopAssets): string {
  return frame(
    'Shelf & Kettle',
    assets,
    `<main><video src="${assets.film}" width="320" height="176" preload="none" muted loop controls></video>
<ul class="products">
${PRODUCTS.map((product) => card(product, assets)).join('\n')}
</ul></main>`,
  );
}

/** One product's page. */
export function renderProductPage(product: Product, assets: ShopAssets): string {
  return frame(
    `${product.name} · Shelf & Kettle`,
    assets,
    `<main><ul class="products one">${card(product, assets)}</ul></main>`,
  );
}

export const STYLE_SHEET = `:root { color-scheme: light; font-family: system-ui, sans-serif; }
body { margin: 0; background: #faf8f4; color: #2a2723; }
header, footer { display: flex; justify-content: space-between; padding: 1rem 2rem; background: #2a2723; color: #faf8f4; }
header a { color: inherit; text-decoration: none; font-weight: 700; }
main { padding: 2rem; max-width: 75rem; margin: auto; }
video { display: block; width: 100%; height: auto; max-width: 40rem; margin: 0 auto 2rem; background: #ece7dc; }
.products { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: 1.5rem; list-style: none; padding: 0; }
.products.one { grid-template-columns: minmax(11rem, 24rem); justify-content: center; }
.products img { width: 100%; height: auto; border-radius: 0.5rem; }
.products h2 { font-size: 1rem; margin: 0.5rem 0 0; }
.products p { margin: 0.25rem 0; }
button { border: 1px solid #2a2723; background: none; border-radius: 0.25rem; padding: 0.35rem 0.75rem; cursor: pointer; }
`;

export const SCRIPT = `const cart = document.getElementById('cart');
function show({ items, totalCents }) {
  const count = items.reduce((sum, item) => sum + item.quantity, 0);
  cart.textContent = count === 0 ? 'Cart: empty' : \`Cart: \${count} for $\${(totalCents / 100).toFixed(2)}\`;
}
fetch('/api/cart').then((answer) => answer.json()).then(show);
document.addEventListener('click', async (event) => {
  const productId = Number(event.target.dataset?.product);
  if (!productId) return;
  const answer = await fetch('/api/cart', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ productId, quantity: 1 }),
  });
  show(await answer.json());
});
`;
