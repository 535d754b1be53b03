// The merchant's desk. The key is kept in this tab alone and sent as a header; all text from the shop is set as text.

const find = (selector, within = document) => within.querySelector(selector);
const W = JSON.parse(document.body.dataset.words);
const PART = 4 * 2 ** 20;       // bytes sent at once
const WATCH = 1500;             // milliseconds between looks at the jobs
const say = (text, bad = false) => { const said = find("#said"); said.textContent = text; said.className = bad ? "bad" : ""; };
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
let key = sessionStorage.getItem("windowshop.key") ?? "";
let choices = {};
let job = null;                 // the one under review
let watching = 0;

function make(tag, props = {}, ...children) {
  const made = Object.assign(document.createElement(tag), props);
  made.append(...children.filter((one) => one !== null));
  return made;
}

// ---- asking the shop

async function ask(path, options = {}) {
  for (;;) {
    let answer;
    try {
      answer = await fetch(`/api/v1/${path}`, { ...options, headers: { ...options.headers, Authorization: `Bearer ${key}` }, credentials: "omit", cache: "no-store" });
    } catch {
      throw new Error(W.unreachable);
    }
    if (answer.status === 429) {
      await new Promise((done) => setTimeout(done, 1000 * (Number(answer.headers.get("Retry-After")) || 1)));
      continue;
    }
    if (answer.ok) return answer;
    const told = await answer.json().catch(() => null);
    if (answer.status === 401 || answer.status === 403) lock();
    throw new Error(told?.error ? `${told.error.message} ${told.error.hint}`.trim() : W.unreachable);
  }
}

const told = async (path, options) => (await ask(path, options)).json();
const send = (path, value, method = "POST") => told(path, { method, body: JSON.stringify(value), headers: { "Content-Type": "application/json" } });

// Do something, once at a time for its button, and say what went wrong.
async function attempt(work, button = null) {
  if (button) button.disabled = true;
  try {
    return await work();
  } catch (error) {
    say(error.message, true);
    return null;
  } finally {
    if (button) button.disabled = false;
  }
}

function lock() {
  key = "";
  sessionStorage.removeItem("windowshop.key");
  clearTimeout(watching);
  find("#door").hidden = false;
  find("#desk").hidden = find("#leave").hidden = true;
}

async function unlock() {
  choices = (await told("listings/choices")).fields;
  sessionStorage.setItem("windowshop.key", key);
  find("#door").hidden = true;
  find("#desk").hidden = find("#leave").hidden = false;
  for (const [field, names] of Object.entries(choices)) {
    const list = make("datalist", { id: `choices-${field}` }, ...names.map((value) => make("option", { value })));
    document.body.append(list);
  }
  say("");
  await watch();
}

find("#door").addEventListener("submit", (event) => {
  event.preventDefault();
  key = find("#key").value.trim();
  find("#key").value = "";
  attempt(unlock, event.submitter);
});
find("#leave").addEventListener("click", () => { lock(); say(""); find("#key").focus(); });

// ---- one listing

const percent = (share) => `${Math.round(100 * share)} %`;
const alike = (ids) => ids.slice(0, 5).map((id) => id.startsWith("decided:") ? W.decided_before : id).join(", ") || W.none;

function described(name, ...lines) {
  return make("div", {}, make("dt", { textContent: name }), ...lines.map((textContent) => make("dd", { textContent })));
}

function answered(found) {
  const fields = [found.category, ...found.attributes].filter((one) => one.top.length).map((one) =>
    described(W[one.field] ?? one.field,
      ...one.top.map((each, i) => `${each.name} · ${percent(each.confidence)}${i ? "" : one.answer === each.name ? ` · ${W.sure}` : ` · ${W.unsure}`}`),
      `${W.alike}: ${alike(one.top[0].neighbours)}`));
  const price = found.price && described(W.price, `${found.price.low.toFixed(2)} – ${found.price.high.toFixed(2)} ${found.price.currency} (${percent(found.price.level)})`);
  const words = found.title_words.length ? described(W.words, found.title_words.map((one) => one.word).join(" ")) : null;
  const notes = found.picture_notes.length ? described(W.notes, ...found.picture_notes.map((one) => `${one.picture + 1}: ${one.message}`)) : null;
  const same = found.duplicates?.length ? described(W.duplicates, ...found.duplicates.map((one) => `${one.id} · ${W[one.kind] ?? one.kind}`)) : null;
  return make("dl", {}, ...fields, price, words, notes, same);
}

find("#one").addEventListener("submit", (event) => {
  event.preventDefault();
  const fields = new FormData();
  for (const file of find("#one-pictures").files) fields.append("pictures", file);
  fields.set("title", find("#one-title").value);
  find("#answer").replaceChildren(W.thinking);
  attempt(async () => {
    const found = await told("listings/suggest", { method: "POST", body: fields });
    find("#answer").replaceChildren(answered(found));
    say("");
  }, event.submitter).then((_) => { if (find("#answer").textContent === W.thinking) find("#answer").replaceChildren(); });
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
  for (const file of files) {
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
  const bar = find("#sending");
  attempt(async () => {
    bar.hidden = false;
    const single = files.length === 1 && /\.zip$/i.test(files[0].name);
    const whole = single ? files[0] : await zipped(files);
    const made = await send("jobs", { name: single ? files[0].name : `${files.length} files`, bytes: whole.size });
    for (let at = 0; at < whole.size; at += PART) {
      await ask(`jobs/${made.id}/file?offset=${at}`, { method: "PUT", body: whole.slice(at, at + PART), headers: { "Content-Type": "application/octet-stream" } });
      bar.value = 100 * Math.min(1, (at + PART) / whole.size);
      say(filled(W.sending, { n: Math.round(bar.value) }));
    }
    try {
      await send(`jobs/${made.id}/state`, { state: "waiting" });
    } catch (error) {
      await ask(`jobs/${made.id}`, { method: "DELETE" });
      throw error;
    }
    say("");
    find("#many").reset();
    await watch();
  }, event.submitter).finally(() => { bar.hidden = true; bar.value = 0; });
});

// ---- jobs

async function watch() {
  clearTimeout(watching);
  const listed = (await told("jobs")).jobs;
  const known = new Map([...find("#jobs").children].map((item) => [item.dataset.id, item]));
  find("#jobs").replaceChildren(...listed.map((each) => jobItem(each, known.get(each.id))));
  if (!listed.length) find("#jobs").replaceChildren(make("li", { textContent: W.no_jobs }));
  if (job) job = listed.find((each) => each.id === job.id) ?? null;
  find("#review").hidden = !job;
  if (listed.some((each) => ["waiting", "working"].includes(each.state))) watching = setTimeout(() => attempt(watch), WATCH);
}

// A job's entry is changed in place, so that a button keeps the focus.
function jobItem(each, item = null) {
  if (!item) {
    const button = (textContent, work, name) => { const made = make("button", { type: "button", textContent, onclick: () => attempt(work, made) }); made.dataset.do = name; return made; };
    const change = (state) => () => send(`jobs/${each.id}/state`, { state }).then(watch);
    const remove = async () => { if (confirm(W.delete_sure)) { await ask(`jobs/${each.id}`, { method: "DELETE" }); await watch(); } };
    item = make("li", {},
      make("div", {}, make("p", { className: "name", textContent: each.name }), make("p", { className: "state" })),
      make("p", { className: "buttons" }, button(W.show, () => review(each.id), "show"), button(W.cancel, change("cancelled"), "cancel"), button(W.go_on, change("waiting"), "go_on"), button(W.delete, remove, "delete")),
      make("progress", { ariaLabel: each.name }));
    item.dataset.id = each.id;
  }
  const busy = ["waiting", "working"].includes(each.state);
  const counts = [`${each.done} / ${each.total} ${W.rows}`, each.rows_per_second && `${each.rows_per_second} ${W.per_second}`, each.failed && `${each.failed} ${W.failed}`, `${each.needs_review} ${W.review}`, `${each.decided} ${W.decided}`];
  find(".state", item).textContent = [W[each.state], ...counts.filter(Boolean)].join(" · ");
  Object.assign(find("progress", item), { max: each.total || 1, value: each.done, hidden: !busy });
  find("[data-do=cancel]", item).hidden = !busy;
  find("[data-do=go_on]", item).hidden = each.state !== "cancelled";
  find("[data-do=show]", item).hidden = !each.done;
  return item;
}

// ---- review

async function review(id) {
  job = await told(`jobs/${id}`);
  find("#review").hidden = false;
  find("#review-name").textContent = job.name;
  find("#which").value = job.needs_review ? "review" : "all";
  await list();
  find("#review").scrollIntoView();
  find("#rows > li[tabindex]")?.focus();
}

async function list(after = 0) {
  const found = (await told(`jobs/${job.id}/rows?show=${find("#which").value}&after=${after}`)).rows;
  if (!after) find("#rows").replaceChildren();
  find("#rows").append(...found.map(rowItem));
  if (!find("#rows").children.length) find("#rows").append(make("li", { textContent: W.no_rows }));
  find("#more").hidden = found.length < 40;
}

function rowItem(row) {
  const item = make("li", { tabIndex: -1 });
  item.dataset.number = row.number;
  item.chosen = {};
  const name = row.title || row.id || `${row.number}`;
  const picture = row.thumbnail && make("img", { src: `data:image/jpeg;base64,${row.thumbnail}`, alt: filled(W.picture_of, { name }) });
  const said = row.kind ? W[`was_${row.kind}`] : row.reason || (row.suggestion && !row.sure ? W.unsure : "");
  const state = make("p", { className: `state ${row.reason ? "bad" : row.kind ? "good" : ""}`, textContent: said });
  const fields = row.suggestion ? [row.suggestion.category, ...row.suggestion.attributes].filter((one) => one.top.length || one.field === "category").map((one) => fieldItem(item, row, one)) : [];
  const button = (textContent, work) => { const made = make("button", { type: "button", textContent, onclick: () => attempt(work, made) }); return made; };
  item.append(
    make("div", { className: "tile" }, picture || null),
    make("div", {}, make("p", { className: "name", textContent: name }), state, ...fields),
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
      value, sure.has(value) ? make("small", { textContent: ` ${percent(sure.get(value).confidence)}` }) : null);
    option.dataset.value = value;
    if (sure.has(value)) option.title = `${W.alike}: ${alike(sure.get(value).neighbours)}`;
    return option;
  });
  const other = make("input", { type: "text", placeholder: W.other, ariaLabel: `${W.other}: ${W[one.field] ?? one.field}`, maxLength: 500 });
  other.setAttribute("list", `choices-${one.field}`);
  other.addEventListener("input", () => choose(item, one.field, other.value.trim()));
  const field = make("div", { className: "field" }, make("span", { className: "what", textContent: W[one.field] ?? one.field }), ...options, other);
  field.dataset.field = one.field;
  return field;
}

function choose(item, field, value) {
  item.chosen[field] = value;
  for (const option of item.querySelectorAll(`[data-field="${CSS.escape(field)}"] .option`)) option.ariaPressed = String(option.dataset.value === value);
}

async function decide(item, accept) {
  const values = Object.fromEntries(Object.entries(item.chosen).filter(([, value]) => value));
  const row = { row: Number(item.dataset.number), ...accept ? { accept: true, values } : {} };
  const next = item.nextElementSibling ?? item.previousElementSibling;
  changed(await send(`jobs/${job.id}/decisions`, { decisions: [row] }));
  (next ?? find("#undo")).focus();
}

// Show what a step changed: its rows as they are now, whether or not they belong to the list that is shown.
function changed(answer) {
  job = answer.job;
  const item = [...find("#jobs").children].find((each) => each.dataset.id === job.id);
  if (item) jobItem(job, item);
  for (const row of answer.rows) {
    const shown = find(`#rows > li[data-number="${row.number}"]`);
    shown?.replaceWith(rowItem(row));
  }
  return answer.changed;
}

async function undo() {
  const answer = await send(`jobs/${job.id}/decisions`, { undo: true });
  const count = changed(answer);
  say(count ? filled(W.undone, { n: count }) : W.nothing_to_undo);
  if (!count) return;
  const first = () => find(`#rows > li[data-number="${answer.rows[0].number}"]`);
  if (count > answer.rows.length || !first()) await list();
  first()?.focus();
}

find("#undo").addEventListener("click", (event) => attempt(undo, event.target));
find("#which").addEventListener("change", () => attempt(() => list()));
find("#more").addEventListener("click", (event) => attempt(() => list(find("#rows > li:last-child").dataset.number), event.target));
find("#accept-all").addEventListener("click", (event) => attempt(async () => {
  const count = changed(await send(`jobs/${job.id}/decisions`, { accept_above: Number(find("#least").value) }));
  say(filled(W.accepted, { n: count }));
  await list();
}, event.target));
find("#download").addEventListener("click", (event) => attempt(async () => {
  const address = URL.createObjectURL(await (await ask(`jobs/${job.id}/corrected.csv`)).blob());
  make("a", { href: address, download: "corrected.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}, event.target));

// Keys, while a row has the focus; in its text field letters are letters.
find("#rows").addEventListener("keydown", (event) => {
  const item = event.target.closest("#rows > li");
  if (!item?.dataset.number || event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.matches("input");
  const does = (work) => { event.preventDefault(); attempt(work); };
  if (event.target.matches("button") && ["Enter", " "].includes(event.key)) return;
  if (event.key === "Enter") does(() => decide(item, true));
  else if (event.key === "Escape" && typing) item.focus();
  else if (typing) return;
  else if (event.key === "ArrowDown") does(async () => item.nextElementSibling?.focus());
  else if (event.key === "ArrowUp") does(async () => item.previousElementSibling?.focus());
  else if (event.key === "ArrowRight" || event.key === "ArrowLeft") does(async () => step(item, event.key === "ArrowRight" ? 1 : -1));
  else if (event.key === "Delete" || event.key === "Backspace") does(() => decide(item, false));
  else if (event.key === "u") does(undo);
  else if (event.key.length === 1) find("input", item)?.focus();   // the letter lands in the field
});

function step(item, by) {
  const options = [...find('[data-field="category"]', item)?.querySelectorAll(".option") ?? []];
  const at = options.findIndex((each) => each.ariaPressed === "true");
  const next = options[Math.min(options.length - 1, Math.max(0, at + by))];
  if (next) choose(item, "category", next.dataset.value);
}

if (key) attempt(unlock);
