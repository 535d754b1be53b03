// The section of the operator's page for prices: what the last check found, and what promotions did.

const { find, W, filled, make } = globalThis.keyed;
const { ops } = globalThis;
const { getJson, table, count, time } = ops;
const LANGUAGE = document.documentElement.lang;
const REST = 60_000;            // milliseconds between readings while no check runs
let readAt = 0, state = "", last = "";

ops.parts.push({ show, clear, busy: () => state === "making" });

function clear() {
  readAt = 0;
  state = last = "";
  find("#prices-hint").textContent = "";
  for (const part of ["counts", "tables", "promotions"]) find(`#prices-${part}`).replaceChildren();
}

async function show() {
  if (state !== "making" && Date.now() - readAt < REST) return;
  const found = await getJson("ops/prices");
  readAt = Date.now();
  state = found.state;
  find("#prices-hint").textContent = [state === "making" ? W.prices_checking : state === "failed" ? W.prices_failed : "", found.checked_at ? filled(W.prices_checked, { when: time(1000 * found.checked_at), n: count(found.counts.all) }) : "", ...found.problems].filter(Boolean).join(" ");
  const text = JSON.stringify([found.checked_at, found.findings]);
  if (!found.checked_at || text === last) return;   // unchanged parts stay, so that open details do
  last = text;
  const codes = Object.keys(found.findings), odd = codes.filter((code) => found.counts[code]);
  find("#prices-counts").replaceChildren(...odd.length ? [] : [make("p", { textContent: W.prices_none })]);
  find("#prices-tables").replaceChildren(...odd.map((code) => make("details", {}, make("summary", { textContent: filled(W.prices_counted, { name: W[`price_${code}`], n: count(found.counts[code]) }) }), listed(code, found))));
  find("#prices-promotions").replaceChildren(make("h3", { textContent: W.promotions }), ...promoted(found.promotions));
}

function money(amount, currency) {
  try {
    return Number(amount).toLocaleString(LANGUAGE, currency ? { style: "currency", currency } : {});
  } catch {                     // a currency that is no code
    return `${amount} ${currency}`;
  }
}
const percent = (share, signDisplay = "auto") => share.toLocaleString(LANGUAGE, { style: "percent", maximumFractionDigits: 0, signDisplay });
const day = (at) => new Date(1000 * at).toLocaleDateString(LANGUAGE === "en" ? "en-GB" : LANGUAGE, { dateStyle: "medium" });
const FACTS = {
  decimal_point: ["before", "since"], jump: ["before", "since"], below_cost: ["cost"], low_margin: ["margin", "least"],
  list_price_never_charged: ["list_price", "highest"], discount_not_lowest: ["lowest", "since"], stale: ["days", "move"],
};
const SHOWN = { since: day, margin: percent, least: percent, days: count, move: (share) => percent(share, "exceptZero") };

function listed(code, { findings, counts }) {
  const rows = findings[code], facts = FACTS[code];
  const columns = [
    { name: W.product, kind: "product", of: (row) => make("a", { href: `/merchant/prices?product=${encodeURIComponent(row.id)}`, textContent: row.title || row.id }) },
    { name: W.price_now, kind: "number", of: (row) => money(row.price, row.currency) },
    ...facts.map((name) => ({ name: W[`price_fact_${name}`], kind: "number", of: (row) => (SHOWN[name] ?? ((value) => money(value, row.currency)))(row.finding.facts[name]) })),
  ];
  const rest = counts[code] - rows.length;
  return make("div", {}, table(columns, rows, { cards: true, name: W[`price_${code}`] }), rest > 0 && make("p", { className: "hint", textContent: filled(W.prices_first, { n: count(rows.length), all: count(counts[code]) }) }));
}

function promoted(rows) {
  if (!rows.length) return [make("p", { className: "hint", textContent: W.promotions_none })];
  return [make("p", { className: "hint", textContent: W.promotions_hint }), table([
    { name: W.category, of: (row) => row.category || W.promotions_shop },
    { name: W.promotion, of: (row) => W[`promotion_${row.kind}`] ?? row.kind },
    { name: W.promotion_lift, kind: "number", of: (row) => filled(W.promotion_range, { middle: percent(row.lift, "exceptZero"), low: percent(row.low, "exceptZero"), high: percent(row.high, "exceptZero") }) },
    { name: W.promotion_weeks, kind: "number", of: (row) => count(row.weeks) },
  ], rows, { cards: true, long: true, name: W.promotions })];
}
