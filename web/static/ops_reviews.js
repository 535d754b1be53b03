// The section of the operator's page for reviews: aspects that fell this month, sizes and colours that disappoint.

const { find, W, filled, make } = globalThis.keyed;
const { ops } = globalThis;
const { getJson, table, count } = ops;
const REST = 60_000;            // milliseconds between readings: reviews change slowly
let readAt = 0;

ops.parts.push({ show, clear });

function clear() {
  readAt = 0;
  find("#opinions-hint").textContent = "";
  find("#opinions-tables").replaceChildren();
}

async function show() {
  if (Date.now() - readAt < REST) return;
  const found = await getJson("ops/reviews");
  readAt = Date.now();
  find("#opinions-hint").textContent = found.year_opinions ? filled(W.opinions_hint, { month: count(found.month_opinions), year: count(found.year_opinions) }) : W.opinions_none;
  const shown = found.year_opinions ? Object.keys(TABLES) : [];
  find("#opinions-tables").replaceChildren(...shown.map((name) => listed(name, found[name])));
}

const ofAll = ([positive, all]) => filled(W.opinions_of, { n: count(positive), all: count(all) });
const quotes = { name: W.opinions_quotes, of: (row) => make("span", { textContent: row.quotes.map((text) => `\u201c${text}\u201d`).join(" ") }) };
const product = { name: W.product, kind: "product", of: (row) => row.product_id ? make("a", { href: `/products/${encodeURIComponent(row.product_id)}`, textContent: row.title || row.product_id }) : W.opinions_shop };
const customers = { name: W.opinions_customers, of: (row) => filled(W.opinions_of, { n: count(row.customers), all: count(row.speaking) }) };
const TABLES = {
  fallen: [product, { name: W.opinions_aspect, of: (row) => W[`aspect_${row.aspect}`] ?? row.aspect }, { name: W.opinions_now, of: (row) => ofAll(row.now) }, { name: W.opinions_before, of: (row) => ofAll(row.before) }, quotes],
  sizes: [product, { name: W.opinions_size, of: (row) => W[`size_${row.kind}`] }, customers, quotes],
  colours: [product, customers, quotes],
};

function listed(name, rows) {
  const heading = make("h3", { textContent: W[`opinions_${name}`] });
  return make("div", {}, heading, rows.length ? table(TABLES[name], rows) : make("p", { className: "hint", textContent: W.opinions_nothing }));
}
