// The section of the operator's page for the shop's week: figures, shares, and tables with a file of each.

const { find, W, filled, make } = globalThis.keyed;
const { ops } = globalThis;
const { fetched, download, attempt, table, count } = ops;
const REST = 5000;              // milliseconds between readings while the page looks for work in progress
const language = document.documentElement.lang;
const percent = (share) => share.toLocaleString(language, { style: "percent", maximumFractionDigits: 0 });
const day = (date) => new Date(`${date}T12:00`).toLocaleDateString(language, { dateStyle: "medium" });
let readAt = 0;

ops.parts.push({ show, clear });

function clear() {
  readAt = 0;
  find("#week").hidden = true;
  for (const each of ["#week-figures", "#week-tables"]) find(each).replaceChildren();
}

async function show() {
  if (Date.now() - readAt < REST) return;
  const answer = await fetched("/api/v1/ops/insights", { refusals: [503] });
  if (!answer.ok) return clear();   // the shop is being opened; the page says so
  readAt = Date.now();
  const week = await answer.json();
  find("#week").hidden = false;
  find("#week-hint").textContent = [
    filled(W.week_days, { from: day(week.from), until: day(week.until) }),
    filled(W.week_private, { n: count(week.least_visitors) }),
    week.counted ? week.since && filled(W.week_since, { day: day(week.since) }) : W.week_off,
  ].filter(Boolean).join(" ");
  const reviewed = week.figures.some(({ name, now, before }) => name === "listings_decided" && now + before > 0);
  const figures = week.figures.filter(({ name }) => reviewed || !name.startsWith("fields_"));
  find("#week-figures").replaceChildren(cells(figures.map(figure)), cells(week.shares.map(share)));
  find("#week-tables").replaceChildren(...Object.keys(TABLES).map((name) => listed(name, week.tables[name], week)));
}

const cells = (made) => make("dl", { className: ops.balanced(made.length) }, ...made);

function cell(name, value, ...notes) {
  const lines = notes.filter(Boolean).map((textContent) => make("small", { className: "hint", textContent }));
  return make("div", {}, make("dt", { textContent: W[`week_${name}`] }), make("dd", {}, make("strong", { textContent: value })), ...lines.map((line) => make("dd", {}, line)));
}

// Chance makes small numbers rise and fall: a change is named only where the server calls it one.
function figure({ name, now, before, trend }) {
  if (now === null) return cell(name, W.week_few);
  return cell(name, count(now), before === null ? W.week_trend_unknown : filled(W.week_before, { n: count(before) }), before === null ? "" : W[`week_trend_${trend}`]);
}

function share({ name, now, before, trend }) {
  if (now.count === null) return cell(name, W.week_few);
  const counted = filled(W.week_of, { n: count(now.count), all: count(now.sample) });
  if (now.share === null) return cell(name, counted, W.week_small);
  const range = filled(W.week_range, { low: percent(now.low), high: percent(now.high) });
  return cell(name, percent(now.share), `${counted} · ${range}`, trend && before?.share !== null && before ? `${filled(W.week_before, { n: percent(before.share) })} · ${W[`week_trend_${trend}`]}` : "");
}

const MARKS = { more: "▲", fewer: "▼", same: "≈" };
const words = { name: W.words, of: (one) => make("a", { href: `/?q=${encodeURIComponent(one.words)}`, textContent: one.words }) };
const times = { name: W.week_times, kind: "number", of: (one) => count(one.times) };
const before = { name: W.week_times_before, kind: "number", of: (one) => one.before === null ? "–" : make("span", { textContent: `${count(one.before)} ${MARKS[one.trend] ?? ""}`.trim(), title: W[`week_trend_${one.trend}`] }) };
const few = (number) => number === null ? make("span", { textContent: "–", title: W.week_few }) : count(number);
const product = { name: W.product, kind: "product", of: (one) => make("a", { href: `/products/${encodeURIComponent(one.id)}`, textContent: one.title || one.id }) };
const number = (name) => ({ name: W[`week_${name}`], kind: "number", of: (one) => few(one[name]) });
const rule = { name: W.rules, of: (one) => {
  const button = make("button", { type: "button", textContent: W.rule_add, ariaLabel: filled(W.rule_for, { question: one.words }) });
  button.addEventListener("click", () => ops.rule(one.words));
  return button;
} };
const TABLES = {
  questions: [words, times, before, { name: W.week_clicked, kind: "number", of: (one) => few(one.clicked) }],
  unanswered: [words, times, before, rule],
  unclicked: [words, times, rule],
  never_shown: [product],
  products: [product, number("purchases"), number("carts"), number("clicks"), number("views")],
};

function listed(name, { rows, total }) {
  const file = make("button", { type: "button", textContent: W.week_file, ariaLabel: filled(W.week_file_of, { table: W[`week_table_${name}`] }) });
  file.addEventListener("click", () => attempt(() => download(`ops/insights/${name}.csv`), file));
  return make("div", { className: name === "products" ? "wide" : "" },
    make("h3", { textContent: `${W[`week_table_${name}`]}${total > rows.length || name === "never_shown" ? ` · ${count(total)}` : ""}` }),
    make("p", { className: "hint", textContent: W[`week_hint_${name}`] }),
    rows.length ? table(TABLES[name], rows, { long: true, name: W[`week_table_${name}`] }) : make("p", { textContent: W.no_questions }),
    rows.length ? make("p", { className: "buttons" }, file) : null);
}
