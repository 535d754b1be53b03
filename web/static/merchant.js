// The merchant's desk. All text from the shop is set as text.

const { find, W, filled, make } = globalThis.keyed;
const PART = 4 * 2 ** 20;       // bytes sent at once
const WATCH = 1500;             // milliseconds between looks at the jobs
const STILL = 30_000;           // milliseconds in which a file that another page sends grows
const SAID = 6000;              // milliseconds that good news stays
const PAGE = 40;                // rows shown at once
let hushed = 0;
function say(text, bad = false) {
  const said = find("#said");
  clearTimeout(hushed);
  said.textContent = text;
  said.className = bad ? "bad" : "";
  if (text && !bad) hushed = setTimeout(() => { said.textContent = ""; }, SAID);
}
let choices = {}, names = {}, labels = {};     // what fields are called, and values of the feed in the page's language
let added = {};                 // to them, by decisions on this page
let listed = [];                // the jobs, as they were last told
let job = null;                 // the one under review
let sending = null;             // the id of the one whose file this page sends
let watching = 0;

const { fetched, told, send, download, attempt, keep, open } = globalThis.keyed.door({
  name: "windowshop.key", unlock, lock, say,
  refused: () => { find("#key").focus(); return W.bad_key; },
  entered: () => find("#one-pictures").focus(),
});
const ask = (path, options) => fetched(`/api/v1/${path}`, options);

function lock() {
  job = null;
  listed = [];
  added = {};
  for (const each of ["#jobs", "#rows", "#answer"]) find(each).replaceChildren();
  clearTimeout(watching);
  find("#desk").hidden = find("#leave").hidden = true;
}

async function unlock() {
  const chosen = await told("listings/choices");
  ({ fields: choices, names, values: labels } = chosen);
  keep();
  find("#desk").hidden = find("#leave").hidden = false;
  for (const [field, of] of Object.entries(choices)) {
    const list = make("datalist", { id: `choices-${field}` }, ...of.map((value) => make("option", { value: label(field, value) })));
    find(`#choices-${CSS.escape(field)}`)?.remove();
    document.body.append(list);
  }
  say("");
  await watch();
}

const name = (field) => names[field] ?? field;
const label = (field, value) => labels[field]?.[value] ?? value;
const values = (field) => [...choices[field] ?? [], ...added[field] ?? []];

// The value that typed words mean: one of the field's, of categories also the first whose last part begins so; else a new one.
function meant(field, text) {
  const typed = text.trim().toLowerCase();
  const called = values(field).map((value) => [value, ...[value, label(field, value)].map((own) => own.toLowerCase())]);
  const last = (own) => own.slice(own.lastIndexOf(">") + 1).trim();
  const whole = called.find(([, ...own]) => own.includes(typed)) ?? called.find(([, ...own]) => own.map(last).includes(typed));
  const begun = field === "category" && typed && called.find(([, ...own]) => own.some((one) => last(one).startsWith(typed)));
  return (whole || begun || [text.trim()])[0];
}

// A button; a double click is one.
function button(textContent, work, data = {}) {
  return make("button", { type: "button", textContent, data, onclick: (event) => { if (event.detail < 2) attempt(work, event.target); } });
}

// ---- one listing

const percent = (share) => `${Math.round(100 * share)} %`;
// What stands for a field in another language is filled in with it, and not asked for.
const asked = (found) => [found.category, ...found.attributes].filter((one) => !(one.field.endsWith("_zh") && one.field.slice(0, -3) in names));
const known = (id) => !id.startsWith("decided:");
const address = (id) => `/products/${encodeURIComponent(id)}`;

function part(title, ...content) {
  return make("section", {}, make("h3", { textContent: title }), ...content);
}

function product(id, products, text = "") {
  const one = products[id];
  const link = make("a", { href: one?.url ?? address(id), target: "_blank" });
  if (one?.picture_url) {
    const picture = make("img", { src: one.picture_url, alt: "", loading: "lazy" });
    picture.addEventListener("error", () => picture.remove());
    link.append(make("span", { className: "tile" }, picture));
  }
  link.append(make("span", { textContent: one?.title || id }), text && make("small", { textContent: text }));
  return make("li", {}, link);
}

function labelled(one) {
  const said = !one.top.length || one.answer === one.top[0].name ? "" : one.answer ? filled(W.only_parent, { name: label(one.field, one.answer) }) : W.unsure;
  const lines = one.top.map((each) => make("li", {}, make("span", { textContent: label(one.field, each.name) }), make("meter", { min: 0, max: 1, value: each.confidence, ariaLabel: label(one.field, each.name) }), make("small", { textContent: percent(each.confidence) })));
  return part(name(one.field), make("ol", { className: "tops" }, ...lines), said && make("p", { className: "state", textContent: said }));
}

function answered(found) {
  const fields = asked(found).filter((one) => one.top.length).map(labelled);
  const { price, products } = found;
  const money = (one) => one.toLocaleString(document.documentElement.lang, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const range = price && part(W.price, make("p", { textContent: filled(W.price_range, { low: money(price.low), high: money(price.high), currency: price.currency, level: percent(price.level) }) }));
  const words = found.title_words.length ? part(W.words, make("p", { textContent: found.title_words.map((one) => one.word).join(" ") })) : null;
  const notes = part(W.notes, ...found.picture_notes.length ? found.picture_notes.map((one) => make("p", { textContent: filled(W.note, { n: one.picture + 1, words: W[one.kind] ?? one.message }) })) : [make("p", { className: "state", textContent: W.no_notes })]);
  const same = part(W.duplicates, found.duplicates.length ? make("ul", { className: "products" }, ...found.duplicates.slice(0, 8).map((one) => product(one.id, products, W[one.kind]))) : make("p", { className: "state", textContent: W.no_duplicates }));
  const alike = [...new Set([...found.category.top.slice(0, 1).flatMap((one) => one.neighbours), ...found.neighbours.map((one) => one.id)])].filter((id) => products[id]).slice(0, 6);
  const evidence = alike.length ? part(W.alike, make("ul", { className: "products" }, ...alike.map((id) => product(id, products)))) : null;
  return make("div", { className: "answers" }, ...fields, range, words, notes, same, evidence);
}

find("#one").addEventListener("submit", (event) => {
  event.preventDefault();
  const fields = new FormData();
  for (const file of find("#one-pictures").files) fields.append("pictures", file);
  fields.set("title", find("#one-title").value);
  find("#answer").hidden = false;
  find("#answer").replaceChildren(W.thinking);
  attempt(async () => {
    const found = await told("listings/suggest", { method: "POST", body: fields });
    find("#answer").replaceChildren(answered(found));
    find("#answer").scrollIntoView({ block: "nearest" });
    say("");
    return true;
  }, event.submitter).then((done) => { find("#answer").hidden = !done; });
});

// ---- many: files become a zip that stores them as they are, sent in parts

const CRC = Uint32Array.from({ length: 256 }, (_, n) => { for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1; return n; });

async function crc(file) {
  let sum = -1;
  for (let at = 0; at < file.size; at += PART) {
    for (const byte of new Uint8Array(await file.slice(at, at + PART).arrayBuffer())) sum = CRC[(sum ^ byte) & 255] ^ (sum >>> 8);
  }
  return (sum ^ -1) >>> 0;
}

async function zipped(files) {
  const parts = [], directory = [];
  let at = 0;
  for (const [i, file] of files.entries()) {
    say(filled(W.packing, { n: i + 1, total: files.length }));
    const name = new TextEncoder().encode(file.name);
    const common = new DataView(new ArrayBuffer(26));
    common.setUint16(0, 20, true); common.setUint16(2, 0x800, true); common.setUint16(8, 33, true);
    common.setUint32(10, await crc(file), true); common.setUint32(14, file.size, true); common.setUint32(18, file.size, true); common.setUint16(22, name.length, true);
    const tail = new DataView(new ArrayBuffer(14));
    tail.setUint32(10, at, true);
    parts.push("PK\x03\x04", common, name, file);
    directory.push("PK\x01\x02", new Uint8Array([20, 0]), common, tail, name);
    at += 30 + name.length + file.size;
  }
  const listed = new Blob(directory);
  const end = new DataView(new ArrayBuffer(18));
  end.setUint16(4, files.length, true); end.setUint16(6, files.length, true); end.setUint32(8, listed.size, true); end.setUint32(12, at, true);
  return new Blob([...parts, listed, "PK\x05\x06", end]);
}

find("#many").addEventListener("submit", (event) => {
  event.preventDefault();
  const files = [...find("#many-files").files];
  if (!files.length) return say(W.no_files, true);
  attempt(async () => {
    const single = files.length === 1 && /\.zip$/i.test(files[0].name);
    await upload(single ? files[0] : await zipped(files), files.length === 1 ? files[0].name : `${files.length} files`);
    say("");
    find("#many").reset();
    await watch();
  }, event.submitter);
});

// Send a file as a new job, and begin it.
async function upload(whole, name) {
  const { id } = await send("jobs", { name, bytes: whole.size });
  sending = id;
  try {
    await watch();
    for (let at = 0; at < whole.size; at += PART) {
      say(filled(W.sending, { n: Math.floor(100 * at / whole.size) }));
      showJob(await told(`jobs/${id}/file?offset=${at}`, { method: "PUT", body: whole.slice(at, at + PART), headers: { "Content-Type": "application/octet-stream" } }));
    }
    const begun = send(`jobs/${id}/state`, { state: "waiting" });
    showJob(await begun.catch(async (error) => { await ask(`jobs/${id}`, { method: "DELETE" }); await watch(); throw error; }));
  } catch (error) {
    if (sending) throw error;   // else it was deleted meanwhile
  } finally {
    sending = null;
    showJobs(listed);
  }
}

// ---- jobs

async function watch() {
  const jobs = (await told("jobs")).jobs;
  clearTimeout(watching);
  showJobs(jobs);
  if (job) job = listed.find((each) => each.id === job.id) ?? null;
  find("#review").hidden = !job;
  if ([...find("#jobs").children].some((item) => item.moves)) watching = setTimeout(() => attempt(watch), WATCH);
}

// Entries are changed in place, and put anew only where the list is another, so that a button keeps the focus.
function showJobs(jobs) {
  const list = find("#jobs"), known = new Map([...list.children].map((item) => [item.dataset.id, item]));
  listed = jobs;
  const items = jobs.length ? jobs.map((each) => jobItem(each, known.get(each.id))) : [make("li", { textContent: W.no_jobs })];
  if (items.length !== known.size || items.some((item, i) => item !== list.children[i])) list.replaceChildren(...items);
}

const showJob = (one) => showJobs(listed.map((each) => each.id === one.id ? one : each));

function jobItem(each, item = null) {
  if (!item) {
    const change = (state) => () => send(`jobs/${each.id}/state`, { state }).then(watch);
    const remove = async () => {
      if (!confirm(W.delete_sure)) return;
      if (each.id === sending) sending = null;
      await ask(`jobs/${each.id}`, { method: "DELETE" });
      await watch();
    };
    item = make("li", {},
      make("div", {}, make("p", { className: "name", textContent: each.name }), make("p", { className: "state" })),
      make("p", { className: "buttons" }, button(W.show, () => review(each.id), { do: "show" }), button(W.cancel, change("cancelled"), { do: "cancel" }), button(W.go_on, change("waiting"), { do: "go_on" }), button(W.delete, remove, { do: "delete" })),
      make("progress", { ariaLabel: each.name }));
    item.dataset.id = each.id;
  }
  const busy = ["waiting", "working"].includes(each.state), receiving = each.state === "receiving", mine = each.id === sending;
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
  ] : [`${Math.floor(100 * each.received / each.bytes)} %`];
  Object.assign(find(".state", item), { textContent: [W[state], ...counts.filter(Boolean)].join(" · "), className: state === each.state ? "state" : "state unsure" });
  Object.assign(find("progress", item), { max: each.total || each.bytes, value: each.total ? each.done : each.received, hidden: !busy && !comes });
  find("[data-do=cancel]", item).hidden = !busy;
  find("[data-do=go_on]", item).hidden = state !== "cancelled" && state !== "not_begun";
  find("[data-do=show]", item).hidden = !each.done;
  return item;
}

// ---- review

async function review(id) {
  job = await told(`jobs/${id}`);
  find("#review").hidden = false;
  find("#review-name").textContent = `${W.show}: ${job.name}`;
  find("#which").value = job.needs_review ? "review" : "all";
  await list();
  find("#review").scrollIntoView();
  (find("#rows > li[tabindex]") ?? find("#review-name")).focus();
}

let listing = 0;                // counts lists, so that a slow answer does not take the place of a later one

async function list(after = 0) {
  const turn = after ? listing : ++listing, which = find("#which").value;
  const found = (await told(`jobs/${job.id}/rows?show=${which}&after=${after}&limit=${PAGE}`)).rows;
  if (turn !== listing) return;
  if (!after) find("#rows").replaceChildren();
  find("#rows").append(...found.map(rowItem));
  if (!find("#rows").children.length) find("#rows").append(make("li", { textContent: which === "review" ? W.all_decided : W.no_rows }));
  find("#more").hidden = found.length < PAGE;
}

const more = () => list(find("#rows > li:last-child").dataset.number);

function rowItem(row) {
  const item = make("li", { tabIndex: -1 });
  item.dataset.number = row.number;
  item.chosen = {};
  const called = row.title || row.id || `${row.number}`;
  const picture = row.thumbnail && make("img", { src: `data:image/jpeg;base64,${row.thumbnail}`, alt: filled(W.picture_of, { name: called }) });
  const { duplicates: listed = [], repeats_row: earlier = 0, repeats_row_kind: how } = row.suggestion ?? {};
  const repeats = earlier > 0 || listed.some((one) => one.kind !== "shared_picture");
  const unsure = row.suggestion && !row.sure && (repeats ? W.repeats : W.unsure);
  const said = row.kind ? W[`was_${row.kind}`] : row.state === "failed" ? filled(W.row_failed, { reason: row.reason }) : unsure || "";
  const state = make("p", { className: `state ${row.state === "failed" ? "bad" : row.kind ? "good" : unsure ? "unsure" : ""}`, textContent: said });
  const notes = (row.suggestion?.picture_notes ?? []).map((one) => make("p", { className: "state", textContent: filled(W.note, { n: one.picture + 1, words: W[one.kind] ?? one.message }) }));
  const others = [...earlier ? [`${filled(W.row, { n: earlier })} (${W[how || "same_file"]})`] : [], ...listed.slice(0, 3).map((one) => make("span", {}, make("a", { href: address(one.id), target: "_blank", textContent: one.id }), ` (${W[one.kind]})`))];
  const same = others.length > 0 && make("p", { className: "state" }, `${W.duplicates}: `, ...others.flatMap((one, i) => i ? [", ", one] : [one]));
  const alike = (row.suggestion?.neighbours ?? []).map((one) => one.id).filter(known).slice(0, 3);
  const evidence = alike.length > 0 && make("p", { className: "state" }, `${W.alike}: `, ...alike.flatMap((id, i) => [i > 0 && ", ", make("a", { href: address(id), target: "_blank", textContent: id })]));
  const fields = row.suggestion ? asked(row.suggestion).filter((one) => one.top.length || one.field === "category").map((one) => fieldItem(item, row, one)) : [];
  item.append(
    make("div", { className: picture ? "tile" : "" }, picture || null),
    make("div", {}, make("p", { className: "name" }, called, make("small", { textContent: ` ${filled(W.row, { n: row.number })}` })), state, ...fields, ...notes, same, evidence),
    make("p", { className: "buttons" }, ...row.suggestion ? [button(W.accept, () => decide(item, true)), button(W.decline, () => decide(item, false))] : []));
  return item;
}

function fieldItem(item, row, one) {
  const decided = row.decided[one.field];
  const names = [...new Set([...decided ? [decided] : [], ...one.top.map((each) => each.name)])];
  const shown = decided ?? (row.kind === "declined" ? "" : one.field === "category" ? names[0] : one.answer);
  const sure = new Map(one.top.map((each) => [each.name, each]));
  const options = names.map((value) => {
    const option = make("button", { type: "button", className: "option", tabIndex: -1, ariaPressed: String(value === shown), onclick: () => choose(item, one.field, value) },
      label(one.field, value), sure.has(value) ? make("small", { textContent: ` ${percent(sure.get(value).confidence)}` }) : null);
    option.dataset.value = value;
    return option;
  });
  const other = make("input", { type: "text", placeholder: W.other, ariaLabel: filled(W.other_for, { name: name(one.field) }), maxLength: 500 });
  other.setAttribute("list", `choices-${one.field}`);
  const taken = make("span", { className: "taken", ariaLive: "polite" });
  other.addEventListener("input", () => choose(item, one.field, meant(one.field, other.value), true));
  const field = make("div", { className: "field" }, make("span", { className: "what", textContent: name(one.field) }), ...options, other, taken);
  field.dataset.field = one.field;
  return field;
}

function choose(item, field, value, typed = false) {
  const box = find(`[data-field="${CSS.escape(field)}"]`, item), options = [...box.querySelectorAll(".option")];
  const isNew = typed && value && ![...values(field), ...options.map((each) => each.dataset.value)].includes(value);
  item.chosen[field] = value;
  for (const option of options) option.ariaPressed = String(option.dataset.value === value);
  box.className = isNew ? "field new" : "field";
  if (!typed) find("input", box).value = "";
  find(".taken", box).textContent = typed && value ? filled(isNew ? W.taken_new : W.taken, { value: label(field, value) }) : "";
}

// Ask, once, whether typed values that are new are meant; false when there is nothing to ask.
function asks(item) {
  const boxes = [...item.querySelectorAll(".field.new:not(.asked)")];
  for (const box of boxes) {
    box.classList.add("asked");
    find(".taken", box).textContent = filled(W.make_new, { value: item.chosen[box.dataset.field] });
  }
  return boxes.length > 0;
}

async function decide(item, accept) {
  if (item.busy || accept && asks(item)) return;
  item.busy = true;
  try {
    await sendDecision(item, accept);
  } finally {
    item.busy = false;
  }
}

async function sendDecision(item, accept) {
  const chosen = Object.entries(item.chosen).filter(([, value]) => accept && value);
  const row = { row: Number(item.dataset.number), ...accept ? { accept: true, values: Object.fromEntries(chosen) } : {} };
  changed(await send(`jobs/${job.id}/decisions`, { decisions: [row] }));
  for (const [field, value] of chosen) if (!values(field).includes(value)) (added[field] ??= []).push(value);
  const here = () => find(`#rows > li[data-number="${row.row}"]`);   // nothing when another list is shown by now
  if (here() && !here().nextElementSibling && !find("#more").hidden) await more();
  (here()?.nextElementSibling ?? find("#undo")).focus();
}

// Show what a step changed: its rows as they are now, whether or not they belong to the list that is shown.
function changed(answer) {
  job = answer.job;
  showJob(job);
  for (const row of answer.rows) {
    const shown = find(`#rows > li[data-number="${row.number}"]`);
    shown?.replaceWith(rowItem(row));
  }
  return answer.changed;
}

async function undo() {
  const answer = await send(`jobs/${job.id}/decisions`, { undo: true });
  const count = changed(answer);
  say(count ? filled(count === 1 ? W.undone_row : W.undone_rows, { n: count }) : W.nothing_to_undo);
  added = {};                   // some of it may be undone: it is asked about anew
  if (!count) return;
  const first = () => find(`#rows > li[data-number="${answer.rows[0].number}"]`);
  if (count > answer.rows.length || !first()) await list();
  first()?.focus();
}

find("#undo").addEventListener("click", (event) => attempt(undo, event.target));
find("#which").addEventListener("change", () => attempt(() => list()));
find("#more").addEventListener("click", (event) => attempt(() => more(), event.target));
find("#accept-all").addEventListener("click", (event) => attempt(async () => {
  const count = changed(await send(`jobs/${job.id}/decisions`, { accept_above: Number(find("#least").value) / 100 }));
  say(filled(count === 1 ? W.accepted_row : W.accepted_rows, { n: count }));
  await list();
}, event.target));
find("#download").addEventListener("click", (event) => attempt(() => download(`jobs/${job.id}/corrected.csv`, "corrected.csv"), event.target));

// Keys, while a row has the focus; in its text field letters are letters.
find("#rows").addEventListener("keydown", (event) => {
  const item = event.target.closest("#rows > li");
  if (!item?.dataset.number || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.matches("input");
  if (event.repeat && (event.key === "Enter" || !typing && ["Delete", "Backspace"].includes(event.key))) return event.preventDefault();   // a key held down decides once
  const does = (work) => { event.preventDefault(); attempt(work); };
  if (event.target.matches("button") && ["Enter", " "].includes(event.key)) return;
  if (event.key === "Enter") does(() => decide(item, true));
  else if (event.key === "Escape" && typing) item.focus();
  else if (typing) return;
  else if (event.key === "ArrowDown") does(async () => item.nextElementSibling?.focus());
  else if (event.key === "ArrowUp") does(async () => item.previousElementSibling?.focus());
  else if (event.key === "ArrowRight" || event.key === "ArrowLeft") does(async () => step(item, event.key === "ArrowRight" ? 1 : -1));
  else if (event.key === "Delete" || event.key === "Backspace") does(() => decide(item, false));
  else if (event.key.toLowerCase() === "u") does(undo);
  else if (event.key.length === 1) find("input", item)?.focus();   // the letter lands in the field
});

function step(item, by) {
  const options = [...find('[data-field="category"]', item)?.querySelectorAll(".option") ?? []];
  const at = options.findIndex((each) => each.ariaPressed === "true");
  const next = options[Math.min(options.length - 1, Math.max(0, at + by))];
  if (next) choose(item, "category", next.dataset.value);
}

open();
