// The page of prices for merchants: the list. Its other part, merchant_price_advice.js, shows one product. Both share
// globalThis.prices. Words of the shop are set as text, never as markup.

const { find, W, filled, make } = globalThis.keyed;
const LANGUAGE = document.documentElement.lang;
const DATES = LANGUAGE === "en" ? "en-GB" : LANGUAGE;   // as the chart has them: "28 Nov 2026"
const PAGE = 30;                // products shown at once
const PAUSE = 250;              // milliseconds without typing before a search
const SAID = 6000;              // milliseconds that good news stays
const WATCH = 3000;             // milliseconds between readings while prices are being checked
const CODES = ["decimal_point", "jump", "below_cost", "low_margin", "list_price_never_charged", "discount_not_lowest", "stale"];
let hushed = 0, typing = 0, watching = 0, turn = 0, offset = 0;

// In Chinese an error includes the API's English message in brackets.
const bracketed = (text) => text.replace(/^(.*?。) (.+)$/s, "$1（$2）");

function say(text, bad = false) {
  const status = find("#said");
  clearTimeout(hushed);
  status.textContent = bad ? bracketed(text) : text;
  status.className = bad ? "bad" : "";
  if (text && !bad) hushed = setTimeout(() => { status.textContent = ""; }, SAID);
}

const { fetched, getJson, send, download, attempt, keep, open } = globalThis.keyed.door({
  name: "windowshop.key", unlock, lock, say,
  refused: () => { find("#key").focus(); return W.bad_key; },
  entered: () => (find("#advice").hidden ? find("#shown") : find("#advice h2"))?.focus(),
});

const SMALL = 0.1, SMALL_DECIMALS = 4;   // an amount below it has more decimals than its currency: a screw may cost 0.0125

function money(amount, currency) {
  if (amount === null || amount === undefined) return W.no_price;
  const style = { ...currency ? { style: "currency", currency } : {}, ...typeof amount === "string" && Number(amount) < SMALL ? { maximumFractionDigits: SMALL_DECIMALS } : {} };
  try {
    return Number(amount).toLocaleString(LANGUAGE, style);
  } catch {                     // a currency that is no code
    return `${amount} ${currency}`;
  }
}

function decimals(currency) {
  try {
    return new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits;
  } catch {
    return 2;
  }
}

// A typed amount with a point and its currency's decimals: "12,5", "12.5" and "12.50" are "12.50", "1,299" and
// "1.299,00" are "1299.00". Null where it is no amount, or may be two: "1.299", or "1,250" in dinars.
function amount(typed, currency) {
  const text = typed.trim().replace(/[\s'’]/g, ""), usual = decimals(currency);
  let plain = /^\d+([.,]\d+)?$/.test(text) ? text.replace(",", ".") : "";
  if (/^[1-9]\d{0,2}(,\d{3})+(\.\d+)?$/.test(text)) plain = usual > 2 && /^\d+,\d+$/.test(text) ? "" : text.replaceAll(",", "");
  else if (/^[1-9]\d{0,2}((\.\d{3})+,\d+|(\.\d{3}){2,})$/.test(text)) plain = text.replaceAll(".", "").replace(",", ".");
  const [whole, part = ""] = plain.split("."), most = usual && Number(plain) < SMALL ? Math.max(usual, SMALL_DECIMALS) : usual;
  if (!plain || part.length > most) return null;
  return usual ? `${whole}.${part.padEnd(usual, "0")}` : whole;
}

const count = (n) => n.toLocaleString(LANGUAGE);
const day = (at) => new Date(1000 * at).toLocaleDateString(DATES, { dateStyle: "medium" });
const time = (at) => new Date(1000 * at).toLocaleString(DATES, { dateStyle: "medium", timeStyle: "short" });
const percent = (share, signed = false) => share.toLocaleString(LANGUAGE, { style: "percent", maximumFractionDigits: Math.abs(share) < 0.1 ? 1 : 0, signDisplay: signed ? "exceptZero" : "auto" });

function table(columns, rows, name) {
  const head = make("tr", {}, ...columns.map((each) => make("th", { scope: "col", textContent: each.name, className: each.kind ?? "" })));
  const body = rows.map((row) => make("tr", { className: row.now ? "now" : "" }, ...columns.map((each, i) => make(i ? "td" : "th", { className: each.kind ?? "", data: { name: each.name }, ...i ? {} : { scope: "row" } }, ...[each.of(row)].flat()))));
  return make("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: name }, make("table", { className: "cards" }, make("thead", {}, head), make("tbody", {}, ...body)));
}

// What is wrong with a price, in words.
function why({ code, facts }, currency) {
  const amounts = ["price", "before", "cost", "list_price", "highest", "lowest"];
  const values = Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, amounts.includes(name) ? money(value, currency) : name === "since" ? day(value) : ["margin", "least"].includes(name) ? percent(value) : name === "move" ? percent(value, true) : count(value)]));
  return filled(["decimal_point", "jump"].includes(code) ? (facts.higher ? W.why_up : W.why_down) : W[`why_${code}`], values);
}

const findings = (row) => row.findings.length ? row.findings.map((each) => make("div", { className: "finding" }, make("strong", { textContent: W[each.code] }), make("small", { textContent: why(each, row.currency) }))) : make("span", { textContent: "–", className: "nothing" });

globalThis.prices = { find, W, filled, make, fetched, getJson, send, attempt, say, money, amount, count, day, percent, table, findings, back, open, show: null };

// ---- the list

const NOTHING = "–";
const plain = (text) => make("span", { textContent: text, className: text === NOTHING ? "nothing" : "" });
const product = (row) => make("div", { className: "product" },
  row.picture_url ? make("span", { className: "tile" }, make("img", { src: row.picture_url, alt: "", loading: "lazy" })) : "",
  make("span", {}, make("a", { href: `?product=${encodeURIComponent(row.id)}`, textContent: row.title || row.id, data: { id: row.id } }), make("small", { textContent: row.id })));
const price = (row) => [
  make("span", { textContent: money(row.price, row.currency) }),
  row.list_price !== null && make("small", { textContent: filled(W.instead_of, { price: money(row.list_price, row.currency) }) }),
  !row.in_stock && make("small", { textContent: W.out_of_stock }),
].filter(Boolean);
const changed = (row) => row.since === null ? plain(NOTHING) : [plain(day(row.since)), row.before !== null && make("small", { textContent: filled(W.was, { price: money(row.before, row.currency) }) })].filter(Boolean);
const expected = ({ expected: found, currency }) => found === null ? plain(NOTHING) : [
  plain(filled(W.range, { middle: money(found.middle, currency), low: money(found.low, currency), high: money(found.high, currency) })),
  make("small", { textContent: filled(W.week_of, { when: day(found.week_start) }) }),
];
const COLUMNS = [
  { name: W.product, of: product },
  { name: W.price, kind: "number", of: price },
  { name: W.changed, kind: "when", of: changed },
  { name: W.expected, of: expected },
  { name: W.finding, kind: "findings", of: findings },
  { name: W.demand, of: (row) => plain(W[`verdict_${row.verdict}`]) },
  { name: W.margin, kind: "number", of: (row) => plain(row.margin === null ? NOTHING : percent(row.margin)) },
];

function lock() {
  clearTimeout(watching);
  find("#price-list").replaceChildren();
  find("#advice").replaceChildren();
  find("#desk").hidden = find("#leave").hidden = true;
}

async function unlock() {
  const chosen = new URLSearchParams(location.search).get("product");
  await (chosen ? opened(chosen) : list());
  keep();
  find("#desk").hidden = find("#leave").hidden = false;
  say("");
}

async function list() {
  clearTimeout(watching);
  const mine = ++turn, query = new URLSearchParams({ shown: find("#shown").value, contains: find("#contains").value.trim(), offset, k: PAGE });
  const page = await getJson(`prices?${query}`);
  if (mine !== turn) return;    // a later one is on its way
  find("#advice").hidden = true;
  find("#overview").hidden = false;
  for (const option of find("#shown").options) {
    const n = page.counts?.[option.value];
    option.dataset.name ??= option.textContent;
    option.textContent = n === undefined ? option.dataset.name : filled(W.counted, { name: option.dataset.name, n: count(n) });
  }
  find("#checked").textContent = [page.state === "making" ? W.checking : page.state === "failed" ? W.check_failed : "", page.checked_at ? filled(W.checked, { when: time(page.checked_at) }) : ""].filter(Boolean).join(" ");
  find("#price-list").replaceChildren(page.prices.length ? table(COLUMNS, page.prices, W.list) : make("p", { textContent: page.checked_at ? filled(W.none_found, { when: time(page.checked_at) }) : "" }));
  find("#pages").hidden = page.total <= PAGE;
  find("#place").textContent = filled(W.page_of, { from: count(Math.min(offset + 1, page.total)), to: count(offset + page.prices.length), all: count(page.total) });
  find("#previous").disabled = !offset;
  find("#next").disabled = offset + PAGE >= page.total;
  if (page.state === "making") watching = setTimeout(() => attempt(list), WATCH);
}

// Show a product; a list that is on its way, or about to be requested, must not cover it.
async function opened(id) {
  clearTimeout(typing);
  clearTimeout(watching);
  turn++;
  await globalThis.prices.show(id);
}

const fresh = async () => { offset = 0; await list(); };

async function turned(by) {
  offset = Math.max(0, offset + by * PAGE);
  await list();
  find("#place").focus();
}

// Back from a product, with the focus on it.
async function back(id) {
  await list();
  [...document.querySelectorAll("#price-list a")].find((each) => each.dataset.id === id)?.focus();
}

find("#shown").addEventListener("change", () => attempt(fresh));
find("#search").addEventListener("submit", (event) => { event.preventDefault(); attempt(fresh); });
find("#contains").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(() => attempt(fresh), PAUSE); });
find("#previous").addEventListener("click", () => attempt(() => turned(-1)));
find("#next").addEventListener("click", () => attempt(() => turned(1)));
find("#download").addEventListener("click", (event) => attempt(() => download("price-advice.csv"), event.target));
find("#price-list").addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  attempt(() => opened(link.dataset.id));
});
addEventListener("popstate", () => {
  const chosen = new URLSearchParams(location.search).get("product");
  attempt(() => chosen ? opened(chosen) : list());
});
