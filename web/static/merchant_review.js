// The rows of a job under review: suggestions, decisions by mouse and keyboard, what is left before publishing.

const { find, W, filled, make } = globalThis.keyed;
const { desk } = globalThis;
const { say, getJson, send, attempt, once, button, name, label, values, percent, money, address } = desk;
const PAGE = 40;                // rows shown at once
const TITLE = 500;              // characters at most, as of every value
const ALIKE = 3;
const OWN = ["title", "id", "price"];   // fields of the row itself, which decide nothing else
const picked = new Set();       // numbers of the rows that are chosen for one value
let products = {};              // what is known of those named as evidence, by id

const known = (id) => !id.startsWith("decided:");

// Return the value that typed text means: one of the field's, or the first category whose last part starts with it, else a new one.
function meant(field, text) {
  const typed = text.trim().toLowerCase();
  const called = values(field).map((value) => [value, ...[value, label(field, value)].map((own) => own.toLowerCase())]);
  const last = (own) => own.slice(own.lastIndexOf(">") + 1).trim();
  const whole = called.find(([, ...own]) => own.includes(typed)) ?? called.find(([, ...own]) => own.map(last).includes(typed));
  const begun = field === "category" && typed && called.find(([, ...own]) => own.some((one) => last(one).startsWith(typed)));
  return (whole || begun || [text.trim()])[0];
}

async function review(id, all = false) {
  await desk.readChoices();
  desk.job = await getJson(`jobs/${id}`);
  products = {};
  picked.clear();
  bulkFields();
  find("#outcome").replaceChildren();
  find("#review-name").replaceChildren(`${W.show}: ${desk.job.name} `, make("small", { textContent: desk.made(desk.job) }));
  find("#which").value = desk.job.needs_review && !all ? "review" : "all";
  sum();
  await list();
  find("#review").scrollIntoView();
  (find("#rows > li[data-number]") ?? find("#review-name")).focus();
}

// Show what is left to do before the rows can be published.
function sum() {
  const { job } = desk;
  find("#review").hidden = !job;
  if (!job) return;
  counted(find("#publish"), job.to_publish, W.publish_one, W.publish);
  counted(find("#unpublish"), job.publication_rows, W.take_back_one, W.take_back);
  find("#picked").textContent = filled(W.picked, { n: picked.size });
  find("#bulk-set").disabled = !picked.size;
  const sure = job.needs_review ? 0 : job.sure_left ?? 0, left = find("#left");
  const lines = [[W.sure_left, sure], [W.untitled, job.untitled], [W.double_ids, job.double_ids]].filter(([, n]) => n).map(([words, n]) => filled(words, { n }));
  const key = JSON.stringify([sure, ...lines]);
  if (left.dataset.key === key) return;     // its button keeps the focus
  left.dataset.key = key;
  left.replaceChildren(...lines.map((line) => make("p", { className: "state unsure", textContent: line })), sure && button(sure === 1 ? W.accept_sure_one : filled(W.accept_sure, { n: sure }), acceptSure) || "");
}

function counted(button, count, one, many) {
  button.hidden = !count;
  button.textContent = count === 1 ? one : filled(many, { n: count });
}

const acceptSure = async () => accepted(changed(await send(`jobs/${desk.job.id}/decisions`, { accept_sure: true })));

async function accepted(count) {
  say(filled(count === 1 ? W.accepted_row : W.accepted_rows, { n: count }));
  await list();
  find("#rows > li").focus();
}

let listing = 0;                // counts lists, so that a slow answer does not take the place of a later one

async function list(after = 0) {
  const turn = after ? listing : ++listing, which = find("#which").value;
  const found = await getJson(`jobs/${desk.job.id}/rows?show=${which}&after=${after}&limit=${PAGE}`);
  if (turn !== listing || after && after !== find("#rows > li:last-child")?.dataset.number) return;   // or more rows were requested twice
  Object.assign(products, found.products);
  if (!after) find("#rows").replaceChildren();
  find("#rows").append(...found.rows.map(rowItem));
  const none = which !== "review" ? W.no_rows : desk.job.sure_left ? W.none_unsure : W.all_decided;
  if (!find("#rows").children.length) find("#rows").append(make("li", { textContent: none, tabIndex: -1 }));
  find("#more").hidden = found.rows.length < PAGE;
}

const more = () => list(find("#rows > li:last-child").dataset.number);

// ---- a row

// A product named as evidence: its picture if known, else its id.
function shown(id, text = "") {
  const one = products[id], title = one?.title || id;
  const link = make("a", { href: one?.url ?? address(id), target: "_blank", title });
  if (one?.picture_url) {
    const picture = make("img", { src: one.picture_url, alt: title, loading: "lazy" });
    picture.addEventListener("error", () => picture.replaceWith(id));
    link.append(picture);
  } else {
    link.append(id);
  }
  return make("span", {}, link, text && ` ${text}`);
}

const evidence = (title, content) => content.length > 0 && make("p", { className: "state shown" }, `${title}: `, ...content);

function rowItem(row) {
  const item = make("li", { tabIndex: -1 });
  const { duplicates: listed = [], repeats_row: earlier = 0, repeats_row_kind: how } = row.suggestion ?? {};
  item.dataset.number = row.number;
  item.chosen = Object.fromEntries(Object.entries(row.decided).filter(([field]) => OWN.includes(field) || fieldsOf(row).some((one) => one.field === field)));
  const called = row.decided.title || row.title || row.decided.id || row.id || `${row.number}`, id = row.decided.id ?? row.id;
  const picture = row.thumbnail && make("img", { src: `data:image/jpeg;base64,${row.thumbnail}`, alt: filled(W.picture_of, { name: called }) });
  const repeats = earlier > 0 || listed.some((one) => one.kind !== "shared_picture");
  const unsure = row.suggestion && !row.sure && (repeats ? W.repeats : W.unsure);
  const listed_as = row.published && make("p", { className: "state good" }, `${W.is_published} `, make("a", { href: products[id]?.url ?? address(id), target: "_blank", textContent: W.view_product }));
  const replaces = !row.published && id && products[id] && make("p", { className: "state unsure", textContent: W.id_exists });
  const outcome = row.kind ? W[`was_${row.kind}`] : row.state === "failed" ? filled(W.row_failed, { reason: row.reason }) : unsure || "";
  const state = make("p", { className: `state ${row.state === "failed" ? "bad" : row.kind ? "good" : unsure ? "unsure" : ""}`, textContent: outcome });
  const doubled = row.same_id_as > 0 && make("p", { className: "state unsure", textContent: filled(W.same_id, { n: row.same_id_as, id: row.id }) });
  const notes = (row.suggestion?.picture_notes ?? []).map((one) => make("p", { className: "state", textContent: desk.note(one) }));
  const others = [...earlier ? [make("span", { textContent: `${filled(W.row, { n: earlier })} (${W[how || "same_file"]})` })] : [], ...listed.slice(0, ALIKE).map((one) => shown(one.id, `(${W[one.kind]})`))];
  const alike = (row.suggestion?.neighbours ?? []).map((one) => one.id).filter(known).slice(0, ALIKE).map((id) => shown(id));
  const fields = fieldsOf(row).map((one) => fieldItem(item, row, one));
  const place = filled(row.line > 0 ? W.line_row : W.row, { line: row.line, n: row.number });
  item.append(
    picture ? enlarging(item, picture, row, called) : make("div"),
    make("div", {}, make("p", { className: "name" }, called, make("small", { textContent: ` ${place}` })), state, listed_as, doubled, replaces, ...fields, row.suggestion && titleItem(item, row), row.suggestion && ownFields(item, row), ...notes, make("div", { className: "evidence" }, evidence(W.duplicates, others), evidence(W.alike, alike))),
    make("p", { className: "buttons" }, ...row.suggestion ? [button(LISTED.includes(row.kind) ? W.save : W.accept, () => decide(item, true)), button(W.publish_row, () => publishRow(item)), button(W.decline, () => decide(item, false)), picking(row)] : []));
  return item;
}

const LISTED = ["accepted", "corrected"];

// The id and the price of a row, which are typed.
function ownFields(item, row) {
  const range = row.suggestion.price;
  const price = row.decided.price ?? row.price;
  const box = (field, words, value, hint) => {
    const input = make("input", { type: "text", value, placeholder: hint, maxLength: TITLE });
    input.addEventListener("input", () => { item.chosen[field] = input.value.trim(); });
    return make("label", {}, words, input);
  };
  return make("div", { className: "own" }, box("id", W.row_id, row.decided.id ?? row.id, ""), box("price", W.price, price, range ? `${money(range.low, range.currency)} – ${money(range.high, range.currency)}` : ""));
}

function picking(row) {
  const box = make("input", { type: "checkbox", checked: picked.has(row.number) });
  box.addEventListener("change", () => { picked[box.checked ? "add" : "delete"](row.number); sum(); });
  return make("label", { className: "pick" }, box, W.pick);
}

// ---- pictures, enlarged

// By mouse and touch; by keyboard + does the same, so that Tab leads from the row to its first field.
function enlarging(item, picture, row, called) {
  const opener = make("button", { type: "button", className: "tile", title: W.enlarge, tabIndex: -1 }, picture);
  item.enlarge = () => enlarge(row, called, 0);
  opener.addEventListener("click", () => once(() => enlarge(row, called, 0), opener));
  return opener;
}

async function enlarge(row, called, position) {
  const dialog = find("#large"), job = desk.job.id;
  const blob = await (await desk.ask(`jobs/${job}/rows/${row.number}/pictures/${position}`)).blob();
  const picture = make("img", { src: URL.createObjectURL(blob), alt: filled(W.picture_of, { name: called }) });
  picture.addEventListener("load", () => URL.revokeObjectURL(picture.src));
  const turn = (by, words) => row.pictures > 1 && button(words, () => enlarge(row, called, (position + by + row.pictures) % row.pictures));
  find("#large-picture").replaceChildren(picture);
  find("#large-turn").replaceChildren(...[turn(-1, W.picture_before), turn(1, W.picture_after)].filter(Boolean));
  if (!dialog.open) dialog.showModal();
}

const fieldsOf = ({ suggestion }) => suggestion ? desk.editableFields(suggestion).filter((one) => one.top.length || one.field === "category") : [];

function fieldBox(title, under, taken, ...content) {
  return make("div", { className: "field", role: "group", ariaLabel: title }, make("span", { className: "what" }, title, under && make("small", { textContent: under })), make("div", { className: "options" }, ...content), taken);
}

function fieldItem(item, row, one) {
  const decided = row.decided[one.field];
  const names = [...new Set([...decided ? [decided] : [], ...one.top.map((each) => each.name)])];
  const current = decided ?? (row.kind === "declined" ? "" : one.field === "category" ? names[0] : one.answer);
  const sure = new Map(one.top.map((each) => [each.name, each]));
  const options = names.map((value) => {
    const option = make("button", { type: "button", className: "option", ariaPressed: String(value === current), onclick: () => choose(item, one.field, value) },
      label(one.field, value), sure.has(value) ? make("small", { textContent: ` ${percent(sure.get(value).confidence)}` }) : null);
    option.dataset.value = value;
    return option;
  });
  const other = make("input", { type: "text", placeholder: W.other, ariaLabel: filled(W.other_for, { name: name(one.field) }), maxLength: TITLE });
  other.setAttribute("list", `choices-${one.field}`);
  other.addEventListener("input", () => choose(item, one.field, meant(one.field, other.value), true));
  const field = fieldBox(name(one.field), desk.sureFrom(one), make("span", { className: "taken", ariaLive: "polite" }), ...options, other);
  field.dataset.field = one.field;
  reach(field);
  return field;
}

// The title: typed, or the suggested words where the feed has none.
function titleItem(item, row) {
  const words = row.suggestion.title_words.map((one) => one.word).join(" ").slice(0, TITLE);
  const input = make("input", { type: "text", value: row.decided.title ?? row.title, placeholder: row.title ? "" : W.title_needed, ariaLabel: W.row_title, maxLength: TITLE });
  const put = () => { item.chosen.title = input.value.trim(); };
  input.addEventListener("input", put);
  const take = make("button", { type: "button", className: "option", textContent: words, title: W.take_words, onclick: () => { input.value = words; put(); input.focus(); } });
  const field = fieldBox(W.row_title, "", null, input, !row.title && words && take);
  field.classList.add("title");
  return field;
}

// Tab stops once per field, at its chosen value or its first; the arrow keys move within the field.
const stops = (field) => [...field.querySelectorAll(".option, input")];
const pressed = (field) => find(".option[aria-pressed=true]", field);

function reach(field) {
  const at = pressed(field) ?? (find("input", field).value ? find("input", field) : stops(field)[0]);
  for (const stop of stops(field)) stop.tabIndex = stop === at ? 0 : -1;
}

function choose(item, field, value, typed = false) {
  const box = find(`[data-field="${CSS.escape(field)}"]`, item), options = [...box.querySelectorAll(".option")];
  const isNew = typed && value && ![...values(field), ...options.map((each) => each.dataset.value)].includes(value);
  item.chosen[field] = value;
  for (const option of options) option.ariaPressed = String(option.dataset.value === value);
  box.className = isNew ? "field new" : "field";
  if (!typed) find("input", box).value = "";
  find(".taken", box).textContent = typed && value ? filled(isNew ? W.taken_new : W.taken, { value: label(field, value) }) : "";
  reach(box);
}

// ---- decisions

// Ask once to confirm new typed values; return false when there is nothing to confirm.
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
  const chosen = Object.entries(item.chosen).filter(([field, value]) => accept && (value || OWN.includes(field)));   // an empty title takes back the one before
  const row = { row: Number(item.dataset.number), ...accept ? { accept: true, values: Object.fromEntries(chosen) } : {} };
  const ends = !item.nextElementSibling && !find("#more").hidden;    // the next row is read before this one is replaced, so that it gets the focus at once
  const [answer] = await Promise.all([send(`jobs/${desk.job.id}/decisions`, { decisions: [row] }), ends && attempt(more)]);
  changed(answer);
  for (const [field, value] of chosen) if (!OWN.includes(field) && !values(field).includes(value)) (desk.added[field] ??= []).push(value);
  const here = () => find(`#rows > li[data-number="${row.row}"]`);   // nothing when another list is shown by now
  (here()?.nextElementSibling ?? find("#undo")).focus();
}

// Show the rows that a step changed in their present state, whether or not they match the list shown.
function changed(answer) {
  desk.showJob(answer.job);
  if (desk.job?.id !== answer.job.id) return answer.changed;
  desk.job = answer.job;
  Object.assign(products, answer.products);
  sum();
  for (const row of answer.rows) {
    const shown = find(`#rows > li[data-number="${row.number}"]`), item = shown && rowItem(row), focused = shown?.contains(document.activeElement);
    shown?.replaceWith(item);
    if (focused) item.focus();
  }
  return answer.changed;
}

// ---- publishing

// Publish the accepted rows, or these, part by part; show what was not published, and why.
async function publish(rows = null) {
  const totals = { created: 0, updated: 0, unchanged: 0, failed: 0 }, faults = [], job = desk.job.id, all = desk.job.to_publish;
  let [after, publication] = [0, 0];
  for (;;) {
    const part = await send(`jobs/${job}/publish`, { after, publication, ...rows ? { rows } : {} });
    if (!part.results.length) break;
    [after, publication] = [part.last, part.publication];
    for (const status of Object.keys(totals)) totals[status] += part[status];
    faults.push(...part.results.filter((one) => one.error));
    changed(part);
    const done = totals.created + totals.updated + totals.unchanged + totals.failed;
    if (!rows && done < all) say(filled(W.publishing, { n: done, total: all }));
  }
  const told = [[W.published_new, totals.created], [W.published_changed, totals.updated], [W.published_same, totals.unchanged], [W.published_not, totals.failed]].filter(([, n]) => n).map(([words, n]) => filled(words, { n }));
  const reasons = faults.map((one) => make("li", {}, make("a", { href: "#review", textContent: filled(W.row, { n: one.row }), onclick: (event) => toRow(event, one.row) }), ` ${one.error.message} ${one.error.hint}`));
  find("#outcome").replaceChildren(make("p", { textContent: told.join(" ") || W.nothing_to_publish }), reasons.length ? make("ul", {}, ...reasons) : "");
  say("");
  return totals;
}

async function toRow(event, number) {
  event.preventDefault();
  await attempt(async () => {
    if (!find(`#rows > li[data-number="${number}"]`)) { find("#which").value = "decided"; await list(number - 1); }
    find(`#rows > li[data-number="${number}"]`)?.focus();
  });
}

async function publishRow(item) {
  const number = Number(item.dataset.number);
  await decide(item, true);
  if (item.isConnected) return;            // a new value is to be confirmed first
  await publish([number]);
  find("#outcome").focus();
}

async function takeBack() {
  if (!confirm(desk.job.publication_rows === 1 ? W.take_back_one_sure : filled(W.take_back_sure, { n: desk.job.publication_rows }))) return;
  const totals = { removed: 0, restored: 0, unchanged: 0 };
  for (let left = 1; left;) {
    const part = await send(`jobs/${desk.job.id}/unpublish`, {});
    for (const name of Object.keys(totals)) totals[name] += part[name];
    changed(part);
    ({ left } = part);
  }
  const told = [[W.back_removed, totals.removed], [W.back_restored, totals.restored], [W.back_unchanged, totals.unchanged]].filter(([, n]) => n).map(([words, n]) => filled(words, { n }));
  find("#outcome").replaceChildren(make("p", { textContent: told.join(" ") }));
  find("#outcome").focus();
}

// ---- one value for many rows

function bulkFields() {
  const field = find("#bulk-field"), fields = [...desk.fields(), "price"];
  field.replaceChildren(...fields.map((one) => make("option", { value: one, textContent: one === "price" ? W.price : name(one) })));
  bulkField();
}

function bulkField() {
  find("#bulk-value").value = "";
  find("#bulk-value").setAttribute("list", `choices-${find("#bulk-field").value}`);
}

async function setMany() {
  const field = find("#bulk-field").value, typed = find("#bulk-value").value.trim();
  if (!typed) return find("#bulk-value").focus();
  const value = field === "price" ? typed : meant(field, typed), isNew = field !== "price" && !values(field).includes(value);
  if (isNew && !confirm(filled(W.new_for_many, { value }))) return;
  const rows = [...picked].sort((one, other) => one - other);
  const answer = await send(`jobs/${desk.job.id}/decisions`, { set_field: { field, value, rows } });
  if (isNew) (desk.added[field] ??= []).push(value);
  const count = changed(answer);
  if (count > answer.rows.length) await list();
  say(filled(count === 1 ? W.set_one : W.set_many, { n: count, value: field === "price" ? value : label(field, value) }));
  find("#bulk-value").focus();
}

function pickShown() {
  const boxes = [...document.querySelectorAll("#rows .pick input")], all = boxes.every((box) => box.checked);
  for (const box of boxes) {
    box.checked = !all;
    picked[all ? "delete" : "add"](Number(box.closest("li").dataset.number));
  }
  sum();
}

async function undo() {
  const answer = await send(`jobs/${desk.job.id}/decisions`, { undo: true });
  const count = changed(answer);
  say(count ? filled(count === 1 ? W.undone_row : W.undone_rows, { n: count }) : W.nothing_to_undo);
  desk.added = {};              // some of it may be undone, so it is confirmed again
  if (!count) return;
  const first = () => find(`#rows > li[data-number="${answer.rows[0].number}"]`);
  if (count > answer.rows.length || !first()) await list();
  (first() ?? find("#undo")).focus();
}

const clicked = (id, work) => find(id).addEventListener("click", (event) => once(work, event.target));
clicked("#undo", undo);
clicked("#publish", async () => {
  await publish();
  find("#outcome").focus();
});
clicked("#unpublish", takeBack);
clicked("#pick-shown", async () => pickShown());
find("#bulk").addEventListener("submit", (event) => {
  event.preventDefault();
  once(setMany, event.submitter);
});
find("#bulk-field").addEventListener("change", bulkField);
find("#large-close").addEventListener("click", () => find("#large").close());
clicked("#more", async () => {
  const last = find("#rows > li:last-child");
  await more();
  last.nextElementSibling?.focus();
});
clicked("#accept-all", async () => accepted(changed(await send(`jobs/${desk.job.id}/decisions`, { accept_above: Number(find("#least").value) / 100 }))));
for (const file of ["corrected", "listings"]) {
  clicked(`#${file}`, () => desk.download(`jobs/${desk.job.id}/${file}.csv`));
}
find("#which").addEventListener("change", () => attempt(() => list()));

// Keyboard commands while a row, or an element in it, has the focus; in text fields letters are text.
find("#rows").addEventListener("keydown", (event) => {
  const { key, target } = event, item = target.closest("#rows > li");
  if (!item?.dataset.number || target.type === "checkbox" || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = target.matches("input"), field = target.closest("[data-field]"), option = field && !typing;
  if (event.repeat && (key === "Enter" || !typing && ["Delete", "Backspace"].includes(key))) return event.preventDefault();   // a key held down decides once
  const does = (work) => { event.preventDefault(); attempt(work); };
  if (key === " " && !typing || key === "Enter" && target.matches("button, a") && !option) return;
  if (key === "Enter") does(() => decide(item, true));
  else if (key === "Escape" && typing) item.focus();
  else if (key === "ArrowLeft" && field && typing && !target.value) does(async () => step(field, target, -1));
  else if (typing) return;
  else if (key === "ArrowDown") does(async () => item.nextElementSibling?.focus());
  else if (key === "ArrowUp") does(async () => item.previousElementSibling?.focus());
  else if (key === "ArrowRight" || key === "ArrowLeft") does(async () => step(field ?? find("[data-field=category]", item), target, key === "ArrowRight" ? 1 : -1));
  else if (key === "Delete" || key === "Backspace") does(() => decide(item, false));
  else if (key.toLowerCase() === "u") does(undo);
  else if (key === "+") does(async () => item.enlarge?.());
  else if (key.length === 1) find("input", field ?? find("[data-field]", item) ?? item)?.focus();   // the letter lands in the field
});

// Choose the next of a field's values; after the last comes the box for another value, when the focus is in the field.
function step(field, from, by) {
  if (!field) return;
  const all = stops(field), within = all.includes(from), most = all.length - (within ? 1 : 2);
  const at = all.indexOf(within ? from : pressed(field)), first = within && from.matches(".option") && !pressed(field);
  const next = first && by > 0 ? from : all[Math.min(most, Math.max(0, at + by))];
  if (next?.matches(".option")) choose(field.closest("li"), field.dataset.field, next.dataset.value);
  if (within) next.focus();
}

Object.assign(desk, { review, sum });
desk.open();                    // by now all of the page's script is there
