// The section of the operator's page for the models of recommendations: versions, the last fit, the table of all models.

const { find, W, filled, make } = globalThis.keyed;
const { ops } = globalThis;
const { getJson, send, attempt, say, table, count, time } = ops;
const PARTS = ["everything", "repeat", "new"];
let status = null;

ops.parts.push({ show, clear, busy: () => status?.state === "running" });

function clear() {
  status = null;
  for (const each of ["#models-state", "#models-last", "#models-table", "#models-versions"]) find(each).replaceChildren();
  find("#models-fit").hidden = true;
}

const figure = (value) => value.toLocaleString(document.documentElement.lang, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
const named = (name) => W[`model_${name}`] ?? name;
const hint = (textContent) => make("p", { className: "hint", textContent });

async function show() {
  status = await getJson("ops/recommender");
  const { current, versions, last, models, state, installed } = status;
  const served = versions.find((each) => each.version === current);
  const text = !current ? W.models_none : served?.fitted_at ? filled(W.models_served, { n: current, when: time(1000 * served.fitted_at), events: count(served.events), visitors: count(served.visitors) }) : filled(W.models_damaged, { n: current });
  find("#models-state").replaceChildren(
    make("p", { textContent: text, className: current && !served?.fitted_at ? "warn" : "" }),
    ...state === "running" ? running() : [],
    ...status.killed && state !== "running" ? [make("p", { textContent: interruption(status.interrupted), className: "warn" })] : [],
    ...installed ? [] : [hint(W.models_extra)],
  );
  const button = find("#models-fit");
  button.hidden = !installed;
  button.disabled = state === "running";
  find("#models-last").replaceChildren(...last ? lastFit(last) : []);
  find("#models-table").replaceChildren(...models.length ? [compared(models), hint(filled(W.models_measured, { n: count(last.holdout_weeks) }))] : []);
  find("#models-versions").replaceChildren(...versions.length ? [stored(versions, current)] : []);
}

const interruption = (found) => found ? filled(W.models_interrupted, { done: count(found.done), total: count(found.total), when: time(1000 * found.at) }) : W.models_killed;

function running() {
  const { done, total } = status;
  const bar = total ? [make("progress", { value: done, max: total, ariaLabel: W.models_running })] : [];
  return [...bar, make("p", { textContent: total ? filled(W.models_step, { done: count(done), total: count(total) }) : W.models_running })];
}

// Why the models of the last fit are served or not, with the figure that decided.
function lastFit(last) {
  const bad = last.outcome === "failed", decided = last.decisive;
  const known = W[`fit_${last.reason}`];
  const lines = [filled(W.fit_at, { when: time(1000 * last.at), seconds: count(Math.round(last.seconds)), text: known ? filled(known, { served: last.served }) : last.message })];
  if (known && decided) lines.push(filled(W.fit_decided, { part: W[`part_${decided.figure}`], new: figure(decided.new), other: figure(decided.other), against: named(decided.against), low: figure(decided.low), high: figure(decided.high), visitors: count(decided.visitors) }));
  return lines.map((textContent) => make("p", { textContent, className: bad ? "warn" : "" }));
}

function compared(models) {
  const interval = (value) => value?.visitors ? make("span", { title: filled(W.models_of, { visitors: count(value.visitors) }) }, figure(value.recall), " ", make("small", { className: "hint", textContent: filled(W.week_range, { low: figure(value.low), high: figure(value.high) }) })) : "–";
  return table([
    { name: W.model, of: (one) => named(one.name) },
    ...PARTS.map((part) => ({ name: W[`part_${part}`], kind: "number", of: (one) => interval(one[part]) })),
  ], models, { cards: true, name: W.models_compared });
}

function stored(versions, current) {
  return table([
    { name: W.models_version, kind: "still", of: (one) => make("span", {}, `${one.version} `, one.current ? make("span", { className: "tag", textContent: W.current }) : null, one.damaged ? make("span", { className: "tag bad", textContent: W.damaged }) : null) },
    { name: W.models_fitted, kind: "still", of: (one) => one.fitted_at ? time(1000 * one.fitted_at) : "–" },
    { name: W.models_events, kind: "number", of: (one) => count(one.events) },
    { name: W.models_span, kind: "still", of: (one) => one.since ? filled(W.week_range, { low: time(1000 * one.since), high: time(1000 * one.until) }) : "–" },
    { name: W.go, of: (one) => goTo(one, current) },
  ], versions, { cards: true, name: W.models_versions });
}

function goTo(one, current) {
  if (one.current || one.damaged) return "";
  const button = make("button", { type: "button", className: "go", textContent: filled(one.version < current ? W.models_back : W.models_forward, { n: one.version }) });
  button.addEventListener("click", () => attempt(async () => {
    const done = await send("ops/recommender/rollback", { version: one.version });
    await show();
    say(filled(W.models_went, { n: done.current }));
    find("#models-name").focus();
  }, button));
  return button;
}

find("#models-fit").addEventListener("click", (event) => attempt(async () => {
  await getJson("ops/recommender/fit", { method: "POST" });
  await show();
  say(W.models_started);
  ops.watch();
}).then(() => { event.target.disabled = status?.state === "running"; }));
