// The merchant's page: its key form, labels of fields and values, the jobs. All text from the shop is set as text.
// merchant_files.js and merchant_review.js come after it and share globalThis.desk; see keyed.js for why.

const { find, W, filled, make } = globalThis.keyed;
const WATCH = 1500;             // milliseconds between looks at the jobs
const SELDOM = 15_000;          // at most, while the shop cannot be reached
const STILL = 30_000;           // milliseconds in which a file that another page sends grows
const SAID = 6000;              // milliseconds that good news stays
const LANGUAGE = document.documentElement.lang;
let hushed = 0;

// In Chinese an error includes the API's English message in brackets.
const bracketed = (text) => text.replace(/^(.*?。) (.+)$/s, "$1（$2）");

function say(text, bad = false) {
  const status = find("#said"), words = bad ? bracketed(text) : text;
  clearTimeout(hushed);
  if (status.textContent !== words) status.textContent = words;
  status.className = bad ? "bad" : "";
  if (text && !bad) hushed = setTimeout(() => { status.textContent = ""; }, SAID);
}

let choices = {}, names = {}, labels = {};     // what fields are called, and values of the feed in the page's language
let listed = [];                // the jobs, as last received
let watching = 0, wait = WATCH;
let missed = "";                // why the last look at the jobs failed
const desk = {
  added: {},                    // to the choices, by decisions on this page
  job: null,                    // the one under review
  sending: null,                // the id of the one whose file this page sends
};
globalThis.desk = desk;

const { fetched, getJson, send, download, attempt, keep, open } = globalThis.keyed.door({
  name: "windowshop.key", unlock, lock, say,
  refused: () => { find("#key").focus(); return W.bad_key; },
  entered: () => find("#one-pictures").focus(),
});
const ask = (path, options) => fetched(`/api/v1/${path}`, options);

function lock() {
  Object.assign(desk, { job: null, added: {} });
  listed = [];
  for (const each of ["#jobs", "#rows", "#answer"]) find(each).replaceChildren();
  clearTimeout(watching);
  [missed, wait] = ["", WATCH];
  find("#desk").hidden = find("#leave").hidden = true;
}

async function unlock() {
  await readChoices();
  keep();
  find("#desk").hidden = find("#leave").hidden = false;
  say("");
  await watch();
}

// The values to choose from, which grow while the page is open, as the shop learns from decisions.
async function readChoices() {
  ({ fields: choices, names, values: labels } = await getJson("listings/choices"));
  for (const [field, of] of Object.entries(choices)) {
    const list = make("datalist", { id: `choices-${field}` }, ...of.map((value) => make("option", { value: label(field, value) })));
    find(`#choices-${CSS.escape(field)}`)?.remove();
    document.body.append(list);
  }
}

const name = (field) => names[field] ?? field;
const label = (field, value) => labels[field]?.[value] ?? value;
const values = (field) => [...choices[field] ?? [], ...desk.added[field] ?? []];
const percent = (share) => `${Math.round(100 * share)}%`;
// Return an amount as people write it: "€12.90"; a number where the currency has no code.
const money = (amount, currency) => amount.toLocaleString(document.documentElement.lang, /^[A-Z]{3}$/.test(currency) ? { style: "currency", currency } : { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const sureFrom = (one) => one.cut === undefined ? "" : filled(W.sure_from, { share: percent(one.cut) });
// A field's translation (colour_de) is filled in with the field, and not edited on its own.
const editableFields = (found) => [found.category, ...found.attributes].filter((one) => !(/_(zh|de|fr|es)$/.test(one.field) && one.field.slice(0, -3) in names));
const address = (id) => `/products/${encodeURIComponent(id)}`;
const note = (one) => filled(W.note, { n: one.picture + 1, words: W[one.kind] ?? one.message });

// As attempt, but return the focus to a button that lost it while disabled, unless the work moved the focus.
async function once(work, button) {
  const done = await attempt(work, button);
  if (button && document.activeElement === document.body) button.focus();
  return done;
}

// A button; a double click counts as one click.
function button(textContent, work, data = {}) {
  return make("button", { type: "button", textContent, data, onclick: (event) => { if (event.detail < 2) once(work, event.target); } });
}

// ---- jobs

// Poll the jobs while one is moving; while the shop cannot be reached, at growing intervals.
async function watch() {
  let jobs;
  try {
    ({ jobs } = await getJson("jobs"));
  } catch (error) {
    if (find("#desk").hidden) throw error;
    wait = missed ? Math.min(2 * wait, SELDOM) : WATCH;
    missed = error.message;
    again();
    throw error;
  }
  if (missed && find("#said").textContent === bracketed(missed)) say("");
  [missed, wait] = ["", WATCH];
  clearTimeout(watching);
  showJobs(jobs);
  if (desk.job) desk.job = listed.find((each) => each.id === desk.job.id) ?? null;
  desk.sum();
  if ([...find("#jobs").children].some((item) => item.moves)) again();
}

function again() {
  clearTimeout(watching);
  watching = setTimeout(() => attempt(watch), wait);
}

// Update entries in place, and rebuild the list only when its jobs differ, so that a button keeps the focus.
function showJobs(jobs = listed) {
  const list = find("#jobs"), known = new Map([...list.children].map((item) => [item.dataset.id, item]));
  listed = jobs;
  const items = jobs.length ? jobs.map((each) => jobItem(each, known.get(each.id))) : [make("li", { textContent: W.no_jobs })];
  if (items.length !== known.size || items.some((item, i) => item !== list.children[i])) list.replaceChildren(...items);
}

const showJob = (one) => showJobs(listed.map((each) => each.id === one.id ? one : each));
const made = (each) => new Date(1000 * each.created).toLocaleString(LANGUAGE, { dateStyle: "medium", timeStyle: "short" });

function jobItem(each, item = null) {
  if (!item) {
    const change = (state) => () => send(`jobs/${each.id}/state`, { state }).then(watch);
    const remove = async () => {
      if (!confirm(W.delete_sure)) return;
      if (each.id === desk.sending) desk.sending = null;
      await ask(`jobs/${each.id}`, { method: "DELETE" });
      await watch();
    };
    item = make("li", {},
      make("div", {}, make("p", { className: "name" }, each.name, make("small", { textContent: ` ${made(each)}` })), make("p", { className: "state" })),
      make("p", { className: "buttons" }, button(W.show, () => desk.review(each.id), { do: "show" }), button(W.cancel, change("cancelled"), { do: "cancel" }), button(W.go_on, change("waiting"), { do: "go_on" }), button(W.delete, remove, { do: "delete" })),
      make("progress", { ariaLabel: each.name }));
    item.dataset.id = each.id;
  }
  const busy = ["waiting", "working"].includes(each.state), receiving = each.state === "receiving", mine = each.id === desk.sending;
  if (each.received !== item.received) Object.assign(item, { grew: !mine && item.received !== undefined, received: each.received, at: Date.now() });
  const lately = receiving && Date.now() - item.at < STILL, comes = receiving && mine || lately && item.grew;
  const state = !receiving || comes ? each.state : each.received < each.bytes ? "cut_off" : "not_begun";
  item.moves = busy || lately && !mine;
  const minutes = Math.ceil((each.total - each.done) / each.rows_per_second / 60);
  const counts = each.total ? [
    filled(each.total === 1 ? W.row_done : W.rows_done, each),
    each.rows_per_second && filled(W.minutes_left, { n: minutes }),
    each.failed && filled(W.rows_failed, { n: each.failed }),
    each.done > each.failed && filled(W.rows_review, { n: each.needs_review }),
    each.decided && filled(W.rows_decided, { n: each.decided }),
  ] : [`${Math.floor(100 * each.received / each.bytes)}%`];
  Object.assign(find(".state", item), { textContent: [W[state], ...counts.filter(Boolean)].join(" · "), className: state === each.state ? "state" : "state unsure" });
  Object.assign(find("progress", item), { max: each.total || each.bytes, value: each.total ? each.done : each.received, hidden: !busy && !comes });
  find("[data-do=cancel]", item).hidden = !busy;
  find("[data-do=go_on]", item).hidden = state !== "cancelled" && state !== "not_begun";
  find("[data-do=show]", item).hidden = !each.done;
  return item;
}

// Whether a job has ended, or was deleted.
const done = (id) => !listed.some((each) => each.id === id && ["receiving", "waiting", "working"].includes(each.state));
const fields = () => Object.keys(choices);

Object.assign(desk, { done, fields, say, getJson, send, ask, download, attempt, once, open, name, label, values, percent, money, sureFrom, editableFields, address, note, button, readChoices, watch, showJobs, showJob, made });
