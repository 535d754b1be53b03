// The page of prices for merchants: one product, what another price would bring, and the change of its price, which
// happens only after the merchant confirms it.

const { find, W, filled, make, fetched, getJson, send, attempt, say, money, amount, count, percent, table, findings, back } = globalThis.prices;
const LANGUAGE = document.documentElement.lang;
const RISE = 0.1;               // the change of the price by which an elasticity is put into words
let shown = null;               // the product of the page: its row of the list
let turn = 0;

globalThis.prices.show = show;

async function show(id) {
  const mine = ++turn, path = encodeURIComponent(id);
  const [{ prices: [row] }, advice, chart] = await Promise.all([getJson(`prices?product_id=${path}`), adviceOf(path), chartOf(path)]);
  if (mine !== turn) return;
  shown = row;
  find("#overview").hidden = true;
  find("#advice").hidden = false;
  find("#advice").replaceChildren(heading(row), ...row.findings.length ? [make("div", { className: "panel found" }, ...findings(row))] : [], chart, ...advice.problem ? [make("p", { className: "panel found", textContent: advice.problem })] : [demand(advice), whatIf(advice), around(advice)]);
  if (!advice.problem) answered(advice);
  find("#advice h2").focus();
}

// Where a file of costs or limits cannot be read, no price is advised, and the product is shown without.
async function adviceOf(path) {
  try {
    return await getJson(`products/${path}/price-advice`);
  } catch (error) {
    if (!error.message) throw error;   // the key was removed meanwhile
    return { problem: error.message };
  }
}

// The chart is drawn by the server, as on the product's page.
async function chartOf(path) {
  const text = await (await fetched(`/merchant/prices/chart?product=${path}`)).text();
  return make("div", { className: "chart" }, ...new DOMParser().parseFromString(text, "text/html").body.childNodes);
}

function heading(row) {
  const button = (textContent, work) => make("button", { type: "button", textContent, onclick: work });
  return make("div", { className: "heading" },
    button(W.all_products, () => { history.pushState(null, "", location.pathname); attempt(() => back(row.id)); }),
    make("h2", { tabIndex: -1, textContent: row.title || row.id, dir: "auto" }),
    make("p", {}, make("strong", { textContent: money(row.price, row.currency) }), row.list_price !== null && make("small", { textContent: ` ${filled(W.instead_of, { price: money(row.list_price, row.currency) })}` }), " ", make("a", { href: row.url, target: "_blank", textContent: W.product_page })),
    make("p", { className: "buttons" }, button(W.change, () => ask(row.price ?? "")), row.price !== null && button(W.copy, () => attempt(() => copied(row.price)))));
}

const effect = (elasticity) => percent((1 + RISE) ** elasticity - 1, true);

function demand({ elasticity, level, verdict, reason, suggested, cautions }) {
  const lines = [make("p", { className: "verdict" }, make("strong", { textContent: W[`verdict_${verdict}`] }), ` ${W[`reason_${reason}`]}`)];
  if (suggested !== null) lines.push(make("p", { className: "buttons" }, make("button", { type: "button", textContent: filled(W.use, { price: money(suggested, shown.currency) }), onclick: () => ask(suggested) })));
  if (cautions.length) lines.push(make("ul", {}, ...cautions.map((code) => make("li", { textContent: W[`caution_${code}`] }))));
  if (elasticity) {
    lines.push(make("p", { textContent: filled(W.responds, { middle: effect(elasticity.value), low: effect(elasticity.low), high: effect(elasticity.high), level: percent(level) }) }));
    lines.push(make("p", { className: "hint", textContent: filled(W[`source_${elasticity.source}`], { n: count(elasticity.weeks) }) }));
  }
  return make("section", { id: "demand" }, make("h2", { textContent: W.elasticity }), ...lines);
}

function whatIf(advice) {
  const price = make("input", { id: "candidate", inputMode: "decimal", autocomplete: "off", required: true, value: advice.price ?? "" });
  const cost = make("input", { id: "cost", inputMode: "decimal", autocomplete: "off", value: advice.cost ?? "" });
  cost.setAttribute("aria-describedby", "cost-hint");
  const form = make("form", { className: "tools" },
    make("label", { htmlFor: "candidate", textContent: W.candidate }), price, make("label", { htmlFor: "cost", textContent: W.cost }), cost,
    make("button", { className: "main", textContent: W.calculate }), make("small", { id: "cost-hint", className: "hint", textContent: W.cost_hint }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => {
      const wanted = typed(price, advice.price), own = typed(cost, advice.cost);
      if (!(Number(wanted) > 0) || cost.value.trim() && !(Number(own) > 0)) throw new Error(W.bad_price);
      const query = new URLSearchParams({ price: wanted, ...own === null ? {} : { cost: own } });
      const found = await getJson(`products/${encodeURIComponent(shown.id)}/price-advice?${query}`);
      find("#demand").replaceWith(demand(found));   // with a cost, the verdict is about margin
      answered(found);
      find("#answer").focus();
    }, event.submitter);
  });
  const typed = (box, before) => box.value === before ? before : amount(box.value, shown.currency);
  return make("section", {}, make("h2", { textContent: W.what_if }), form, make("div", { id: "answer", tabIndex: -1, ariaLive: "polite" }));
}

function answered(advice) {
  const { candidates, requested, price, cost } = advice;
  const rows = [...candidates.filter((each) => each.price !== requested?.price), ...requested ? [requested] : []].sort((one, other) => one.price - other.price);
  const known = rows.filter((each) => each.units !== null);
  const ranged = (range, show) => make("span", { textContent: range ? filled(W.range, { middle: show(range.middle), low: show(range.low), high: show(range.high) }) : "–" });
  const units = (n) => n.toLocaleString(LANGUAGE, { maximumFractionDigits: n < 10 ? 1 : 0 });
  const cash = (n) => money(n, shown.currency);
  const name = (each) => filled(each.price === price ? W.present : each.broken_limits.length ? W.outside : "{price}", { price: money(each.price, shown.currency) });
  const columns = [
    { name: W.price, of: (each) => make("span", { textContent: name(each) }) },
    { name: W.units, kind: "number", of: (each) => ranged(each.units, units) },
    { name: W.revenue, kind: "number", of: (each) => ranged(each.revenue, cash) },
    ...cost === null ? [] : [{ name: W.profit, kind: "number", of: (each) => ranged(each.margin, cash) }],
    { name: W.change, of: (each) => each.price === price ? "" : make("button", { type: "button", textContent: filled(W.use, { price: money(each.price, shown.currency) }), onclick: () => ask(each.price) }) },
  ];
  const unknown = requested && requested.units === null ? [make("p", { textContent: filled(W.not_estimated, { price: money(requested.price, shown.currency) }) })] : [];
  const far = known.some((each) => each.extrapolated) ? [make("p", { className: "hint", textContent: W.extrapolated })] : [];
  find("#answer").replaceChildren(...unknown,
    ...known.length ? [make("h3", { textContent: W.per_week }), table(columns, known.map((each) => ({ ...each, now: each.price === requested?.price })), W.per_week), ...far] : [make("p", { textContent: W.no_estimate })]);
}

function around({ limits, look_alikes }) {
  const set = ["lowest", "highest", "largest_change_percent", "smallest_margin_percent"].filter((name) => limits[name] !== null);
  const lines = set.map((name) => make("li", { textContent: filled(W[`limit_${name}`], { value: name.endsWith("percent") ? percent(limits[name] / 100) : money(limits[name], shown.currency) }) }));
  const similar = look_alikes ? filled(W.look_alikes_text, Object.fromEntries(["low", "middle", "high"].map((name) => [name, money(look_alikes[name], look_alikes.currency)]))) : W.no_look_alikes;
  return make("section", {}, make("h2", { textContent: W.look_alikes }), make("p", { textContent: similar }), make("h2", { textContent: W.limits }), lines.length ? make("ul", {}, ...lines) : make("p", { className: "hint", textContent: W.no_limits }));
}

// ---- the change of the price

async function copied(price) {
  await navigator.clipboard.writeText(price);
  say(filled(W.copied, { price: money(price, shown.currency) }));
}

function ask(price) {
  const sure = find("#sure");
  find("#sure-name").textContent = filled(W.sure, { title: shown.title || shown.id });
  find("#new-price").value = price;
  find("#new-currency").textContent = shown.currency;
  find("#sure-no").textContent = shown.price === null ? W.keep_none : filled(W.keep, { price: money(shown.price, shown.currency) });
  named();
  sure.returnValue = "";
  sure.showModal();
}

function named() {
  const value = amount(find("#new-price").value, shown.currency), good = value !== null && Number(value) > 0 && Number(value) !== Number(shown.price);
  find("#sure-yes").textContent = filled(W.confirm, { price: value === null ? "…" : money(value, shown.currency) });
  find("#sure-yes").disabled = !good;
}

find("#new-price").addEventListener("input", named);
find("#sure").addEventListener("close", () => {
  const value = amount(find("#new-price").value, shown.currency);
  if (find("#sure").returnValue !== "yes" || value === null) return;
  attempt(async () => {
    const clear = value.replace(/\.\d{3}$/, "$&0");   // three digits behind a point may be read as a group of thousands
    const price = shown.currency ? `${clear} ${shown.currency}` : clear;
    const saved = await send(`products/${encodeURIComponent(shown.id)}`, { price }, "PUT");
    await show(shown.id);
    say(filled(W.saved, { price: money(saved.price, shown.currency) }));
  });
});

globalThis.prices.open();
