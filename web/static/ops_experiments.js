// The section of the operator's page for experiments on the feed: define one, start and stop it, read its report.

const { find, W, filled, make } = globalThis.keyed;
const { ops } = globalThis;
const { fetched, getJson, send, attempt, say, table, count, time } = ops;
const SHELVES = ["for_you", "buy_again", "because_you_looked", "trending", "new_for_you"];
const language = document.documentElement.lang;
const percent = (share) => share.toLocaleString(language, { style: "percent", maximumFractionDigits: 1 });
const points = (share) => (100 * share).toLocaleString(language, { maximumFractionDigits: 1, signDisplay: "exceptZero" });
const amount = (value, sign) => value.toLocaleString(language, { maximumFractionDigits: 2, signDisplay: sign ? "exceptZero" : "auto" });
const value = (id) => find(`#experiment-${id}`).value.trim();
const path = (name, more = "") => `experiments/${encodeURIComponent(name)}${more}`;

ops.parts.push({ show: list, clear });

function clear() {
  for (const each of ["#experiments", "#experiment-report"]) find(each).replaceChildren();
}

// ---- the form

function adapt() {
  const change = value("change");
  find("#experiment-value-field").hidden = !change.endsWith("_share");
  find("#experiment-value").required = change.endsWith("_share");
  find("#experiment-shelf-field").hidden = change !== "first_shelf";
}

function settings() {
  const change = value("change");
  if (change === "model") return { model: false };
  if (change === "first_shelf") return { shelves: [value("shelf"), ...SHELVES.filter((shelf) => shelf !== value("shelf"))] };
  return { [change]: Number(value("value")) / 100 };
}

async function save() {
  const share = Number(value("share")) / 100;
  const arms = [{ name: "control", share: 1 - share }, { name: "new", share, settings: settings() }];
  await send(path(value("id")), { arms, days: Number(value("days")), goal: value("goal") }, "PUT");
  await list();
  say(W.experiment_saved);
}

find("#experiment-change").addEventListener("change", adapt);
find("#experiment").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(save, event.submitter);
});
adapt();

// ---- the list

async function list() {
  const answer = await fetched("/api/v1/experiments", { refusals: [503] });
  if (!answer.ok) return clear();   // the shop is being opened; the page says so
  const { experiments } = await answer.json();
  find("#experiments").replaceChildren(experiments.length ? table([
    { name: W.experiment_name, of: (one) => one.name },
    { name: W.state, of: (one) => W[`experiment_${one.state}`] },
    { name: W.experiment_arms, of: (one) => one.arms.map(described).join(" · ") },
    { name: W.experiment_goal, kind: "still", of: (one) => W[`goal_${one.goal}`] },
    { name: W.experiment_due, kind: "still", of: (one) => one.due ? time(1000 * one.due) : filled(W.experiment_lasts, { n: count(one.days) }) },
    { name: W.experiment_do, of: (one) => make("span", { className: "buttons" }, ...actions(one)) },
  ], experiments, { cards: true, long: true, name: W.experiments }) : make("p", { textContent: W.experiment_none }));
}

// A name of an arm with its part of the visitors and what it changes.
function described({ name, share, settings: changed }, i, arms) {
  const all = arms.reduce((sum, arm) => sum + arm.share, 0);
  const words = [
    changed.repeat_share !== null && `${W.change_repeat_share}: ${percent(changed.repeat_share)}`,
    changed.relevance_share !== null && `${W.change_relevance_share}: ${percent(changed.relevance_share)}`,
    changed.shelves.length > 0 && `${W.change_first_shelf}: ${W[`shelf_${changed.shelves[0]}`]}`,
    !changed.model && W.change_model,
  ].filter(Boolean);
  return `${name} (${percent(share / all)})${words.length ? ` – ${words.join(", ")}` : ""}`;
}

function actions(one) {
  const made = [];
  if (one.state === "draft") made.push(act(one, "start", () => send(path(one.name, "/state"), { state: "running" })));
  if (one.state === "running") made.push(act(one, "stop", () => send(path(one.name, "/state"), { state: "stopped" })));
  if (one.state !== "draft") made.push(act(one, "report", () => report(one.name), false));
  if (one.state !== "running") made.push(act(one, "remove", () => fetched(`/api/v1/${path(one.name)}`, { method: "DELETE" })));
  return made;
}

function act(one, action, work, changes = true) {
  const button = make("button", { type: "button", textContent: W[`experiment_${action}`], ariaLabel: filled(W[`experiment_${action}_this`], { name: one.name }) });
  button.addEventListener("click", () => attempt(async () => {
    await work();
    if (!changes) return;
    find("#experiment-report").replaceChildren();
    await list();
    say(W[`experiment_${action}_done`]);
    find("#experiments-name").focus();
  }, button));
  return button;
}

// ---- the report

const range = (interval, shown) => filled(W.week_range, { low: shown(interval[0]), high: shown(interval[1]) });
const few = () => make("span", { textContent: "–", title: W.week_few });

function share({ visitors, share: part, interval }) {
  if (visitors === null) return few();
  return part === null ? count(visitors) : `${count(visitors)} · ${percent(part)} (${range(interval, percent)})`;
}

async function report(name) {
  const found = await getJson(path(name, "/report"));
  const money = ({ per_visitor, interval }) => per_visitor === null ? few() : `${amount(per_visitor)} (${range(interval, amount)})`;
  find("#experiment-report").replaceChildren(
    make("h3", { textContent: filled(W.experiment_report_of, { name }) }),
    table([
      { name: W.experiment_arm, of: (arm) => arm.name },
      { name: W.asked, kind: "number", of: (arm) => arm.visitors === null ? few() : count(arm.visitors) },
      ...["click", "cart", "purchase"].map((kind) => ({ name: W[`goal_${kind}`], kind: "number", of: (arm) => share(arm.shares[kind]) })),
      { name: W.experiment_revenue, kind: "number", of: (arm) => money(arm.revenue) },
    ], found.arms, { cards: true, name: filled(W.experiment_report_of, { name }) }),
    ...found.arms.filter((arm) => arm.conclusion).map((arm) => make("p", { textContent: sentence(arm, found) })),
    make("p", { className: "hint", textContent: [
      filled(W.week_private, { n: count(found.least_visitors) }),
      found.saw_several_arms ? filled(W.experiment_several, { n: count(found.saw_several_arms) }) : "",
      found.all_events ? "" : W.experiment_not_all,
    ].filter(Boolean).join(" ") }));
}

function sentence(arm, found) {
  const goal = W[`goal_${found.goal}`], { share: part, interval } = arm.difference;
  const due = found.due ? time(1000 * found.due) : "";
  const words = filled(W[`conclusion_${arm.conclusion}`], { arm: arm.name, goal, due });
  return interval === null ? words : `${words} ${filled(W.experiment_difference, { goal, n: points(part), low: points(interval[0]), high: points(interval[1]) })}`;
}
