// The operator's page. All text from the shop is set as text. ops_rules.js comes after it and shares globalThis.ops.

const { find, W, filled, make } = globalThis.keyed;
const WATCH = 3000;             // milliseconds between polls of work in progress
const SIDE = 1000, MARK = 3.4, NEAR = 24, MARGIN = 10;   // the map's own units; CSS pixels
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
let chart = null;               // the map that is drawn
let watching = 0;

const { fetched, getJson, send, download, attempt, keep, open } = globalThis.keyed.door({
  name: "windowshop.operator", unlock, lock, say, refused: (status) => status === 401 ? W.no_such_key : W.weak_key,
});

const ops = { parts: [], fetched, getJson, send, download, attempt, say, table, count, time, open };
globalThis.ops = ops;

function lock() {
  clearTimeout(watching);
  clearTimeout(point.waiting);
  state = chart = null;
  drawn.clear();
  for (const part of ops.parts) part.clear();
  for (const each of ["#server", "#generations", "#report", "#rejected", "#questions", "#heads", "#jobs", "#shown", "#legend", "#map-table > div"]) find(each).replaceChildren();
  find("#room").hidden = find("#tools").hidden = find("#map").hidden = true;
}

async function unlock() {
  state = await getJson("ops");
  keep();
  find("#room").hidden = find("#tools").hidden = false;
  say("");
  show();
  await Promise.all([showMap(), ...ops.parts.map((part) => part.show())]);
}

async function look() {
  clearTimeout(watching);
  state = await getJson("ops");
  show();
  await Promise.all([showMap(), ...ops.parts.map((part) => part.show())]);
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
  if (busy || !state.server.ready || opening() || chart?.state === "making") watching = setTimeout(() => attempt(look), WATCH);
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
  return make("dl", {}, ...pairs.map(([name, value, className = ""]) => make("div", {}, make("dt", { textContent: name }), make("dd", {}, make("strong", { textContent: value, className })))));
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
  find("#questions-hint").textContent = questions.kept ? W.questions_hint : W.questions_off;
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

// ---- the map: marks differ in colour and in shape

const SHAPES = [(r) => circle(r), (r) => polygon(4, r * 1.2, Math.PI / 4), (r) => polygon(3, r * 1.35, -Math.PI / 2), (r) => polygon(4, r * 1.25, 0), (r) => polygon(3, r * 1.35, Math.PI / 2), (r) => polygon(5, r * 1.2, -Math.PI / 2), (r) => star(r), (r) => circle(r * 0.7)];
const OTHER = SHAPES.length - 1;
const path = (points) => `M${points.map((each) => each.map((one) => one.toFixed(2)).join(" ")).join("L")}Z`;
const around = (n, radius, from) => Array.from({ length: n }, (_, i) => [radius(i) * Math.cos(from + 2 * Math.PI * i / n), radius(i) * Math.sin(from + 2 * Math.PI * i / n)]);
const polygon = (n, r, from) => path(around(n, () => r, from));
const star = (r) => path(around(8, (i) => i % 2 ? r * 0.55 : r * 1.5, -Math.PI / 2));
const circle = (r) => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
const nameOf = (top) => chart.categories[top] ?? W.other;

async function showMap() {
  const hint = find("#map-hint");
  if (!state.server.ready) {
    hint.textContent = W.map_none;
    find("#map").hidden = true;
    return watch();
  }
  if (chart?.state === "ready" && chart.generation === state.server.generation) return;
  chart = { ...await getJson("ops/map"), alone: null, at: null };
  const ready = chart.state === "ready";
  find("#map").hidden = !ready;
  hint.textContent = ready ? filled(W.map_hint, { n: count(chart.points.length), all: count(chart.products) }) : W[`map_${chart.state}`];
  if (ready) {
    find("#shown").replaceChildren();
    find("#map-table").open = false;
    legend();
    draw();
  }
  watch();
}

function legend() {
  const tops = [...new Set(chart.points.map((each) => each.top))].sort((one, other) => one - other);
  find("#legend").replaceChildren(...tops.map((top) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "-6 -6 12 12");
    svg.setAttribute("aria-hidden", "true");
    const shape = document.createElementNS("http://www.w3.org/2000/svg", "path");
    shape.setAttribute("d", SHAPES[top](4));
    shape.setAttribute("class", `k${top}`);
    svg.append(shape);
    const button = make("button", { type: "button", ariaPressed: "false" }, svg, `${nameOf(top)} ${count(chart.points.filter((each) => each.top === top).length)}`);
    button.addEventListener("click", () => {
      chart.alone = chart.alone === top ? null : top;
      for (const each of find("#legend").children) each.ariaPressed = String(each === button && chart.alone === top);
      draw();
      listed();
    });
    return button;
  }));
}

const visible = () => chart.alone === null ? chart.points : chart.points.filter((each) => each.top === chart.alone);

// From the map's units to CSS pixels of the canvas, whatever its shape.
function scale(canvas) {
  const side = Math.min(canvas.clientWidth, canvas.clientHeight) - 2 * MARGIN;
  const left = (canvas.clientWidth - side) / 2, top = (canvas.clientHeight - side) / 2;
  return (point) => [left + side * point.x / SIDE, top + side * point.y / SIDE];
}

function draw() {
  const canvas = find("#canvas");
  if (chart?.state !== "ready" || !canvas.clientWidth) return;
  const dots = window.devicePixelRatio || 1;
  canvas.width = Math.round(canvas.clientWidth * dots);
  canvas.height = Math.round(canvas.clientHeight * dots);
  const pen = canvas.getContext("2d"), style = getComputedStyle(document.documentElement), place = scale(canvas);
  const shapes = SHAPES.map((each) => new Path2D(each(MARK)));
  const put = (point, shape, colour, stroke = false) => {
    const [x, y] = place(point);
    pen.setTransform(dots, 0, 0, dots, dots * x, dots * y);
    pen[stroke ? "strokeStyle" : "fillStyle"] = colour;
    pen[stroke ? "stroke" : "fill"](shape);
  };
  pen.globalAlpha = 0.85;
  for (const point of visible()) put(point, shapes[point.top], style.getPropertyValue(`--c${point.top}`));
  if (chart.at) {
    pen.globalAlpha = 1;
    pen.lineWidth = 2.5;
    put(chart.at, new Path2D(circle(9)), style.getPropertyValue("--ink"), true);
  }
}

function point(found) {
  if (!found || found === chart.at) return;
  chart.at = found;
  draw();
  const tile = make("div", { className: "tile" });
  find("#shown").replaceChildren(tile, make("a", { href: `/products/${encodeURIComponent(found.id)}`, textContent: found.title }), make("p", { className: "hint", textContent: nameOf(found.top) }), make("p", { className: "hint", textContent: found.id }));
  clearTimeout(point.waiting);
  point.waiting = setTimeout(() => attempt(() => picture(found, tile)), 120);  // not for every mark that is passed over
}

// A shop closed to the public requires the key for pictures, so they are fetched and not linked.
async function picture(found, tile) {
  const { pictures } = await getJson(`products/${encodeURIComponent(found.id)}`);
  if (!pictures.length || !tile.isConnected) return;
  const blob = await (await fetched(pictures[0].picture_url, { cache: "default" })).blob();
  const src = URL.createObjectURL(blob);
  tile.replaceChildren(make("img", { src, alt: filled(W.picture_of, { name: found.title }), onload: () => URL.revokeObjectURL(src) }));
}

function nearest(x, y, points, within) {
  const place = scale(find("#canvas"));
  let best = null, least = within ** 2;
  for (const each of points) {
    const [px, py] = place(each), gap = (px - x) ** 2 + (py - y) ** 2;
    if (gap < least) [best, least] = [each, gap];
  }
  return best;
}

const canvas = find("#canvas");
for (const kind of ["pointermove", "pointerdown"]) canvas.addEventListener(kind, (event) => {
  if (!chart) return;
  const box = canvas.getBoundingClientRect();
  point(nearest(event.clientX - box.left, event.clientY - box.top, visible(), NEAR));
});
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
canvas.addEventListener("keydown", (event) => {
  const way = WAYS[event.key];
  if (!way || !chart || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const points = visible(), at = points.includes(chart.at) ? chart.at : null;
  if (!at) return point(nearest(canvas.clientWidth / 2, canvas.clientHeight / 2, points, Infinity));
  const ahead = (each) => (each.x - at.x) * way[0] + (each.y - at.y) * way[1];
  const aside = (each) => Math.abs((each.x - at.x) * way[1]) + Math.abs((each.y - at.y) * way[0]);
  const next = points.filter((each) => ahead(each) > 0 && aside(each) <= 1.5 * ahead(each));
  point(next.sort((one, other) => ahead(one) + 2 * aside(one) - ahead(other) - 2 * aside(other))[0]);
});
canvas.addEventListener("focus", () => { if (chart && !chart.at && canvas.matches(":focus-visible")) point(nearest(canvas.clientWidth / 2, canvas.clientHeight / 2, visible(), Infinity)); });

function listed() {
  const details = find("#map-table");
  if (!details.open || chart?.state !== "ready") return find("#map-table > div").replaceChildren();
  const rows = [...visible()].sort((one, other) => one.top - other.top || one.x - other.x);
  find("#map-table > div").replaceChildren(table([
    { name: W.product, of: (one) => make("a", { href: `/products/${encodeURIComponent(one.id)}`, textContent: one.title }) },
    { name: W.category, of: (one) => nameOf(one.top) },
    { name: W.place, kind: "number", of: (one) => `${one.x}, ${one.y}` },
  ], rows, { long: true, name: W.map_table }));
}

find("#map-table").addEventListener("toggle", listed);
new ResizeObserver(draw).observe(canvas);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

// ---- the key form

find("#reload").addEventListener("click", (event) => attempt(look, event.target));
find("#download").addEventListener("click", (event) => attempt(() => download("ops/rejected.csv"), event.target));
