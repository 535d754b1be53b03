// The operator's page. All text from the shop is set as text. Scripts of its parts come after it and share globalThis.ops.

const { find, W, filled, make } = globalThis.keyed;
const WATCH = 3000;             // milliseconds between polls of work in progress
const language = document.documentElement.lang;
const say = (text, bad = false) => { const status = find("#said"); status.textContent = text; status.className = bad ? "bad" : ""; };
const count = (n) => n == null ? "–" : n.toLocaleString(language);
const time = (at) => new Date(at).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
const ago = (at) => {
  const minutes = (Date.parse(at) - Date.now()) / 60_000, format = new Intl.RelativeTimeFormat(language, { numeric: "always" });
  const [unit, length] = [["day", 1440], ["hour", 60], ["minute", 1]].find(([, long]) => Math.abs(minutes) >= long) ?? ["minute", 1];
  return format.format(Math.round(minutes / length), unit);
};
const size = (bytes) => `${(bytes / 2 ** 20).toLocaleString(language, { maximumFractionDigits: 1 })} MiB`;
let state = null;               // the last overview
let watching = 0;

const { fetched, getJson, send, download, attempt, keep, open } = globalThis.keyed.door({
  name: "windowshop.operator", unlock, lock, say, refused: (status) => status === 401 ? W.no_such_key : W.weak_key,
});

// As many cells in each row, so that none is left alone in the last one.
const COLUMNS = 6;
const balanced = (cells) => `n${Math.ceil(cells / Math.ceil(cells / COLUMNS))}`;

// A part has show(state), clear(), and may have busy(), whether it waits for work in progress.
const ops = { parts: [], fetched, getJson, send, download, attempt, say, table, count, time, watch, balanced, open };
globalThis.ops = ops;

function lock() {
  clearTimeout(watching);
  state = null;
  drawn.clear();
  for (const part of ops.parts) part.clear();
  for (const each of ["#server", "#generations", "#report", "#rejected", "#questions", "#heads", "#jobs"]) find(each).replaceChildren();
  find("#room").hidden = find("#tools").hidden = true;
}

async function unlock() {
  state = await getJson("ops");
  keep();
  find("#room").hidden = find("#tools").hidden = false;
  say("");
  show();
  await Promise.all(ops.parts.map((part) => part.show(state)));
}

async function look() {
  clearTimeout(watching);
  state = await getJson("ops");
  show();
  await Promise.all(ops.parts.map((part) => part.show(state)));
}

// The generation that is current but not served yet; null when the server reports a problem with it.
function opening() {
  const current = state.generations.find((each) => each.current)?.number;
  return state.server.ready && !state.server.degraded.length && current !== state.server.generation ? current : 0;
}

// Poll only while work is in progress, so that a page left open sends no requests.
function watch() {
  clearTimeout(watching);
  const busy = state.jobs.some((each) => ["waiting", "working"].includes(each.state)) || ["waiting", "learning"].includes(state.label_heads?.state);
  if (busy || !state.server.ready || opening() || ops.parts.some((part) => part.busy?.())) watching = setTimeout(() => attempt(look), WATCH);
}

// ---- tables and facts

function table(columns, rows, { cards = false, long = false, name = "" } = {}) {
  const head = make("tr", {}, ...columns.map((each) => make("th", { scope: "col", textContent: each.name, className: each.kind ?? "" })));
  const body = rows.map((row) => make("tr", {}, ...columns.map((each, i) => {
    const made = each.of(row);
    return make(i ? "td" : "th", { className: each.kind ?? "", data: { name: each.name }, ...i ? {} : { scope: "row" } }, made instanceof Node ? made : make("span", { textContent: made }));
  })));
  const scroll = make("div", { className: long ? "scroll long" : "scroll", tabIndex: 0, role: "region", ariaLabel: name }, make("table", { className: cards ? "cards" : "" }, make("thead", {}, head), make("tbody", {}, ...body)));
  return scroll;
}

function facts(pairs) {
  return make("dl", { className: balanced(pairs.length) }, ...pairs.map(([name, value, className = ""]) => make("div", {}, make("dt", { textContent: name }), make("dd", {}, make("strong", { textContent: value, className })))));
}

// Whether a part of the page must be redrawn; unchanged parts stay, so that open details and the focus survive.
const drawn = new Map();
function changed(part, value) {
  const text = JSON.stringify(value), before = drawn.get(part);
  drawn.set(part, text);
  return text !== before;
}

function show() {
  const { server, generations, report, questions, label_heads, jobs } = state;
  const current = generations.find((each) => each.number === server.generation);
  const health = !server.ready ? [W.not_ready, "bad"] : server.degraded.length ? [W.ready_degraded, "warn"] : [W.ready, "good"];
  const pairs = [[W.state, ...health]];
  if (server.ready) pairs.push([W.serves, opening() ? filled(W.opens, { n: server.generation, current: opening() }) : server.generation], [W.built, current?.created ? `${time(current.created)} (${ago(current.created)})` : "–"], [W.products, count(server.products)], [W.pictures, count(server.pictures)], [W.live, count(server.live)], [W.encoder, `${server.encoder} · ${server.runtime}`]);
  const problems = [server.reason, ...server.degraded].filter(Boolean);
  find("#server").replaceChildren(facts(pairs), ...problems.length ? [make("ul", { className: "problems warn" }, ...problems.map((textContent) => make("li", { textContent })))] : []);
  if (changed("generations", [generations, state.back_to, server.ready, opening()])) showGenerations(generations);
  if (changed("report", report)) showReport(report);
  if (changed("questions", questions)) showQuestions(questions);
  if (changed("heads", label_heads)) showHeads(label_heads);
  if (changed("jobs", jobs)) find("#jobs").replaceChildren(jobs.length ? table([
    { name: W.job, of: (one) => one.name },
    { name: W.state, of: (one) => W[one.state] ?? one.state },
    { name: W.rows, kind: "number", of: (one) => `${count(one.done)} / ${count(one.total)}` },
    { name: W.rows_failed, kind: "number", of: (one) => count(one.failed) },
    { name: W.created, kind: "still", of: (one) => time(1000 * one.created) },
  ], jobs, { cards: true, name: W.jobs }) : make("p", { textContent: W.no_jobs }));
  watch();
}

function showGenerations(generations) {
  const numbered = (one) => make("span", {}, `${one.number} `, one.current ? make("span", { className: "tag", textContent: W.current }) : null, one.damaged ? make("span", { className: "tag bad", textContent: W.damaged }) : null);
  find("#generations").replaceChildren(generations.length ? table([
    { name: W.generation, kind: "still", of: numbered },
    { name: W.built, kind: "still", of: (one) => one.created ? time(one.created) : one.damaged },
    { name: W.encoder, of: (one) => one.encoder ?? "–" },
    { name: W.products, kind: "number", of: (one) => count(one.products) },
    { name: W.pictures, kind: "number", of: (one) => count(one.pictures) },
    { name: W.size, kind: "number", of: (one) => one.bytes == null ? "–" : size(one.bytes) },
    { name: W.index_kind, kind: "still", of: (one) => one.index ?? "–" },
    { name: W.recall, kind: "number", of: (one) => one.recall ? [one.recall.picture, one.recall.text].map((each) => each == null ? "–" : each.toFixed(3)).join(" · ") : "–" },
    { name: W.gates, of: (one) => gates(one.gates ?? []) },
    { name: W.rejected, kind: "number", of: (one) => count(one.rejected) },
    { name: W.go, of: goTo },
  ], generations, { cards: true, name: W.generations }) : make("p", { textContent: W.no_generations }));
  find("#no-back").hidden = generations.length !== 1;
}

function gates(list) {
  if (!list.length) return W.no_gates;
  const passed = list.filter((each) => each.outcome === "passed").length;
  const summary = filled(passed === list.length ? W.all_passed : W.some_passed, { n: list.length, passed });
  return make("details", {}, make("summary", { textContent: summary, className: passed === list.length ? "" : "warn" }),
    make("ul", {}, ...list.map((each) => make("li", { textContent: `${each.name}: ${W[each.outcome] ?? each.outcome}. ${each.told}` }))));
}

function showReport(report) {
  find("#rejected-name").hidden = !report;
  find("#download").hidden = !report?.rejected;
  if (!report) {
    find("#report").replaceChildren(make("p", { textContent: W.no_report }));
    find("#rejected").replaceChildren();
    return;
  }
  const changes = report.changes ?? {};
  const kinds = [["added", W.added], ["pictures", W.changed_pictures], ["words", W.changed_words], ["facts", W.changed_facts], ["removed", W.removed]];
  find("#report").replaceChildren(facts([
    [W.ended, time(1000 * report.at)],
    [W.index_kind, W[report.kind]],
    [W.made, report.made ? report.generation : W.made_none],
    [W.took, report.seconds == null ? "–" : filled(W.seconds, { n: count(Math.round(10 * report.seconds) / 10) })],
    [W.encoded, count(report.encoded)],
    ...report.changes ? kinds.map(([kind, name]) => [name, count(changes[kind]?.count)]) : [],
    ...report.changes ? [[W.unchanged, count(changes.unchanged)]] : [],
    [W.rejected, count(report.rejected), report.rejected ? "warn" : ""],
    [W.gates, report.gates.length ? filled(report.gates.every((each) => each.outcome === "passed") ? W.all_passed : W.some_passed, { n: report.gates.length, passed: report.gates.filter((each) => each.outcome === "passed").length }) : W.no_gates],
  ]));
  const rows = report.rejected_rows;
  find("#rejected").replaceChildren(...rows.length ? [
    make("p", { className: "hint", textContent: filled(W.first_of, { n: rows.length, all: count(report.rejected) }), hidden: rows.length >= report.rejected }),
    table([{ name: W.source, of: (one) => one.source }, { name: W.line, kind: "number", of: (one) => one.line }, { name: W.reason, of: (one) => one.reason }], rows, { long: true, name: W.rejected_rows }),
  ] : [make("p", { textContent: W.none_rejected })]);
}

function showHeads(heads) {
  const text = filled(W[`heads_${heads?.state ?? "unknown"}`], { done: count(heads?.done), total: count(heads?.total) });
  const bar = heads?.state === "learning" && heads.total ? [make("progress", { value: heads.done, max: heads.total, ariaLabel: W.label_heads })] : [];
  find("#heads").replaceChildren(...bar, make("p", { textContent: text, className: heads?.state === "failed" ? "warn" : "" }));
}

function showQuestions(questions) {
  find("#questions-hint").textContent = questions.kept ? filled(W.questions_hint, { n: count(questions.least_visitors) }) : W.questions_off;
  const columns = [{ name: W.words, of: (one) => one.words }, { name: W.asked, kind: "number", of: (one) => count(one.times) }, { name: W.longest, kind: "number", of: (one) => filled(W.ms, { n: count(Math.round(one.ms)) }) }, { name: W.last, kind: "still", of: (one) => time(1000 * one.at) }];
  const steered = { name: W.rules, of: (one) => {
    const button = make("button", { type: "button", textContent: W.rule_add, ariaLabel: filled(W.rule_for, { question: one.words }) });
    button.addEventListener("click", () => ops.rule(one.words));
    return button;
  } };
  const kinds = questions.kept ? ["empty", "slow"] : [];
  find("#questions").replaceChildren(...kinds.map((kind) => make("div", {}, make("h3", { textContent: W[kind] }),
    questions[kind].length ? table(kind === "empty" ? [columns[0], columns[1], columns[3], steered] : columns, questions[kind], { cards: true, long: true, name: W[kind] }) : make("p", { textContent: W.no_questions }))));
}

// ---- going back and forward

const currentNumber = () => state.generations.find((each) => each.current)?.number ?? 0;

function goTo(one) {
  if (one.current || one.damaged) return "";
  const button = make("button", { type: "button", className: "go", textContent: filled(one.number < currentNumber() ? W.go_back : W.go_forward, { n: one.number }) });
  button.addEventListener("click", () => attempt(() => ask(one), button));
  return button;
}

// Which products come back, go away, change and keep later edits, as sentences.
function effects(plan) {
  if (!plan.complete) return [W.move_incomplete];
  const counts = [["come_back", W.come_back], ["go_away", W.go_away], ["changed", W.products_change], ["edits_remaining", W.edits_remaining], ["edits_waiting", W.edits_waiting]];
  const lines = counts.filter(([name]) => plan[name]).map(([name, text]) => filled(text, { n: count(plan[name]) }));
  return plan.come_back || plan.go_away || plan.changed ? lines : [W.products_stay, ...lines];
}

async function ask(one) {
  const plan = await getJson(`ops/rollback?generation=${one.number}`), back = one.number < plan.left;
  find("#sure-name").textContent = filled(W.go_back_sure, { n: one.number, current: plan.left, when: one.created ? time(one.created) : "–" });
  find("#sure-effects").replaceChildren(...effects(plan).map((textContent) => make("li", { textContent })));
  find("#sure-yes").textContent = filled(back ? W.yes_go_back : W.yes_go_forward, { n: one.number });
  find("#sure-no").textContent = filled(W.keep, { n: plan.left });
  const sure = find("#sure");
  sure.returnValue = "";
  sure.dataset.generation = one.number;
  sure.showModal();
}

find("#sure").addEventListener("close", () => {
  const sure = find("#sure");
  if (sure.returnValue !== "yes") return;
  attempt(async () => {
    const done = await send("ops/rollback", { generation: Number(sure.dataset.generation) });
    await look();
    say([filled(W.went_back, { n: done.current }), ...effects(done)].join(" "));
    find("#generations-name").focus();
  });
});

// ---- the key form

find("#reload").addEventListener("click", (event) => attempt(look, event.target));
find("#download").addEventListener("click", (event) => attempt(() => download("ops/rejected.csv"), event.target));
