// The section of the operator's page for the owner's rules of search: preview, save, list, remove, tables, log.

const { find, W, filled, make } = globalThis.keyed;
const { ops } = globalThis;
const { fetched, getJson, send, download, attempt, say, table, count, time } = ops;
const LISTED = 100;             // rules shown at once
const TARGETS = { pin: "product", boost: "filter", bury: "filter", hide: "filter", redirect: "address", synonym: "word", one_way_synonym: "word" };
const NUMBERS = { pin: [W.rule_position, 1, 20, 1], boost: [W.rule_factor_boost, 1.1, 10, 0.1], bury: [W.rule_factor_bury, 0.1, 0.9, 0.1] };
const EVERY = ["boost", "bury", "hide"];   // actions that may be for every query
const value = (id) => find(`#rule-${id}`).value.trim();
let rules = [];
let typing = 0;

ops.parts.push({ show: list, clear });

function clear() {
  rules = [];
  for (const each of ["#rules", "#rule-previewed", "#rule-imported", "#rule-changes > div"]) find(each).replaceChildren();
  find("#rule-changes").open = false;
}

// ---- the form

function adapt() {
  const action = value("action"), kind = TARGETS[action], number = NUMBERS[action], word = kind === "word";
  for (const option of find("#rule-match").options) option.disabled = word ? option.value !== "exact" : option.value === "every" && !EVERY.includes(action);
  if (find("#rule-match").selectedOptions[0].disabled) find("#rule-match").value = "exact";
  find("#rule-target-name").textContent = W[`target_${kind}`];
  find("#rule-target-hint").textContent = W[`hint_${kind}`];
  find("#rule-number-field").hidden = !number;
  if (number) {
    const field = find("#rule-number");
    [find("#rule-number-name").textContent, field.min, field.max, field.step] = number;
  }
  find("#rule-question-field").hidden = value("match") === "every";
  find("#rule-previewed").replaceChildren();
}

function drafted() {
  const action = value("action"), match = value("match");
  const number = NUMBERS[action] && value("number") ? Number(value("number")) : null;
  return { action, match, question: match === "every" ? "" : value("question"), target: value("target"), number, starts: value("starts"), ends: value("ends") };
}

// The first hits of a page; `other` is the page to compare with, `mark` returns what to say of a hit by its places in both.
function found(name, page, other, mark) {
  const places = new Map(other.hits.map((hit, i) => [hit.id, i]));
  const rows = page.hits.map((hit, i) => {
    const text = mark(i, places.get(hit.id));
    return make("li", {}, make("a", { href: `/products/${encodeURIComponent(hit.id)}`, textContent: hit.title }), " ", make("small", { className: "hint", textContent: hit.id }), text && make("span", { className: "tag", textContent: text }));
  });
  return make("div", {}, make("h3", { textContent: name }),
    page.redirect && make("p", { textContent: filled(W.rule_goes_to, { address: page.redirect }) }),
    make("p", { className: "hint", textContent: page.hits.length ? filled(W.rule_finds, { n: count(page.total ?? page.hits.length) }) : W.rule_finds_none }),
    make("ol", {}, ...rows));
}

async function preview() {
  const { now, then } = await send("rules/preview", { rule: drafted(), text: value("try") || value("question") });
  say("");
  const gone = (at, later) => later === undefined && filled(W.rule_gone, { n: then.hits.length });
  const rose = (at, before) => before === undefined ? W.rule_new : at < before && filled(W.rule_rose, { n: before + 1 });
  find("#rule-previewed").replaceChildren(found(W.rule_now, now, then, gone), found(W.rule_then, then, now, rose));
}

async function save() {
  await send("rules", drafted());
  find("#rule-previewed").replaceChildren();
  find("#rule-target").value = find("#rule-number").value = "";
  await list();
  say(W.rule_saved);
}

find("#rule-action").addEventListener("change", adapt);
find("#rule-match").addEventListener("change", adapt);
find("#rule-preview").addEventListener("click", (event) => find("#rule").reportValidity() && attempt(preview, event.target));
find("#rule").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(save, event.submitter);
});
adapt();

// ---- the list

const shortened = (rule) => rule && [rule.match === "every" ? W.rule_every : rule.question, W[`rule_${rule.action}`], rule.target, rule.number ?? "", days(rule)].filter(String).join(" · ");
const days = (rule) => rule.starts || rule.ends ? `${rule.starts} – ${rule.ends}`.trim() : "";

async function list() {
  clearTimeout(typing);
  const page = await getJson(`rules?limit=${LISTED}&contains=${encodeURIComponent(value("contains"))}`);
  rules = page.rules;
  draw(page.total);
  if (find("#rule-changes").open) await changes();
}

async function more() {
  const page = await getJson(`rules?limit=${LISTED}&after=${rules.at(-1).id}&contains=${encodeURIComponent(value("contains"))}`);
  rules.push(...page.rules);
  draw(page.total);
}

function draw(total) {
  find("#rules-more").hidden = rules.length >= total;
  find("#rules").replaceChildren(...rules.length ? [
    make("p", { className: "hint", textContent: filled(W.rule_shown, { n: count(rules.length), all: count(total) }) }),
    table([
      { name: W.rule_question, of: (rule) => rule.question || "–" },
      { name: W.rule_match, of: (rule) => W[`rule_${rule.match}`] },
      { name: W.rule_action, of: (rule) => W[`rule_${rule.action}`] },
      { name: W.rule_target, of: (rule) => rule.target },
      { name: W.rule_number, kind: "number", of: (rule) => rule.number ?? "–" },
      { name: W.rule_dates, of: (rule) => days(rule) || "–" },
      { name: W.rule_remove, of: removal },
    ], rules, { cards: true, long: true, name: W.rule_list }),
  ] : [make("p", { textContent: W.rule_none })]);
}

function removal(rule) {
  const button = make("button", { type: "button", textContent: W.rule_remove, ariaLabel: filled(W.rule_remove_this, { question: shortened(rule) }) });
  button.addEventListener("click", () => attempt(async () => {
    await fetched(`/api/v1/rules/${rule.id}`, { method: "DELETE" });
    await list();
    say(W.rule_was_removed);
    find("#rules-name").focus();
  }, button));
  return button;
}

find("#rule-contains").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => attempt(list), 250);
});
find("#rules-more").addEventListener("click", (event) => attempt(more, event.target));

// A query that found nothing is where a rule is wanted most.
ops.rule = (question) => {
  find("#rule-action").value = "one_way_synonym";
  find("#rule-question").value = question;
  find("#rule-try").value = "";
  adapt();
  find("#rule-target").focus();
};

// ---- tables

async function importTable(dryRun) {
  const [file] = find("#rule-file").files;
  const body = await file.arrayBuffer(), said = find("#rule-imported");
  const answer = await fetched(`/api/v1/rules.csv?only=${find("#rule-only").checked}&dry_run=${dryRun}`, { method: "POST", body, headers: { "Content-Type": "text/csv" }, refusals: [422] });
  const result = await answer.json();
  if (result.error) {
    const lines = (result.lines ?? []).map((line) => make("li", { textContent: `${W.line} ${line.line}: ${line.reason}` }));
    return said.replaceChildren(make("p", { className: "bad", textContent: lines.length ? W.rule_bad_lines : `${result.error.message} ${result.error.hint}` }), make("ul", {}, ...lines));
  }
  said.replaceChildren(make("p", { textContent: filled(dryRun ? W.rule_would : W.rule_did, result) }));
  if (!dryRun) await list();
}

find("#rule-check").addEventListener("click", (event) => find("#rule-import").reportValidity() && attempt(() => importTable(true), event.target));
find("#rule-import").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(() => importTable(false), event.submitter);
});
find("#rule-export").addEventListener("click", (event) => attempt(() => download("rules.csv"), event.target));

// ---- the log

async function changes() {
  const page = await getJson("rules/changes?limit=100");
  find("#rule-changes > div").replaceChildren(page.changes.length ? table([
    { name: W.rule_when, kind: "still", of: (change) => time(1000 * change.at) },
    { name: W.rule_by, of: (change) => change.by },
    { name: W.rule_kind, of: (change) => W[change.kind] },
    { name: W.rule_before, of: (change) => shortened(change.before) ?? "–" },
    { name: W.rule_after, of: (change) => shortened(change.after) ?? "–" },
  ], page.changes, { cards: true, long: true, name: W.rule_changes }) : make("p", { textContent: W.rule_none }));
}

find("#rule-changes").addEventListener("toggle", (event) => event.target.open && attempt(changes));
ops.open();
