// The page where merchants moderate reviews: the queue, decisions by mouse and keyboard, replies. Customers' words are
// set as text, never as markup.

const { find, W, filled, make } = globalThis.keyed;
const PAGE = 30;                // reviews shown at once
const SAID = 6000;              // milliseconds that good news stays
const LANGUAGE = document.documentElement.lang;
const PAUSE = 250;              // milliseconds without typing before a search
const DID = { approved: ["approved_one", "approved_many"], rejected: ["rejected_one", "rejected_many"], pending: ["held_one", "held_many"] };
let hushed = 0, typing = 0, turn = 0;
let done = [];                  // decisions that can be undone: [[id, state before] ...], the last one last
const picked = new Set();

// In Chinese an error includes the API's English message in brackets.
const bracketed = (text) => text.replace(/^(.*?。) (.+)$/s, "$1（$2）");

function say(text, bad = false) {
  const status = find("#said");
  clearTimeout(hushed);
  status.textContent = bad ? bracketed(text) : text;
  status.className = bad ? "bad" : "";
  if (text && !bad) hushed = setTimeout(() => { status.textContent = ""; }, SAID);
}

const { getJson, send, fetched, attempt, keep, open } = globalThis.keyed.door({
  name: "windowshop.key", unlock, lock, say,
  refused: () => { find("#key").focus(); return W.bad_key; },
  entered: () => (find("#reviews > li[data-id]") ?? find("#state")).focus(),
});
const items = () => [...find("#reviews").querySelectorAll(":scope > li[data-id]")];
const state = () => find("#state").value;

function lock() {
  find("#reviews").replaceChildren();
  picked.clear();
  done = [];
  find("#desk").hidden = find("#leave").hidden = true;
}

async function unlock() {
  await list();
  keep();
  find("#desk").hidden = find("#leave").hidden = false;
  say("");
}

// ---- the list

const query = (offset) => new URLSearchParams({ state: state(), contains: find("#contains").value.trim(), offset, k: PAGE });

async function list() {
  const mine = ++turn, page = await getJson(`reviews?${query(0)}`);
  if (mine !== turn) return;    // a later one is on its way
  picked.clear();
  find("#reviews").replaceChildren(...page.reviews.map(item));
  shown(page);
}

async function more() {
  const last = items().at(-1), page = await getJson(`reviews?${query(items().length)}`);
  const known = new Set(items().map((each) => each.dataset.id));
  find("#reviews").append(...page.reviews.filter((each) => !known.has(each.id)).map(item));
  shown(page);
  last?.nextElementSibling?.focus();
}

function shown(page) {
  for (const option of find("#state").options) {
    const n = page.counts?.[option.value];
    option.textContent = n === undefined ? W[`state_${option.value}`] : filled(W.counted, { name: W[`state_${option.value}`], n: n.toLocaleString(LANGUAGE) });
  }
  find("#more").hidden = items().length >= page.total;
  rest();
}

// What follows from the list as it is: a line in place of none, the buttons for what is selected.
function rest() {
  const empty = !items().length;
  for (const each of find("#reviews").querySelectorAll(":scope > li:not([data-id])")) each.remove();
  if (empty) find("#reviews").append(make("li", { tabIndex: -1, textContent: state() === "pending" && !find("#contains").value.trim() ? W.none_pending : W.none_found }));
  find("#bulk-reviews").hidden = empty;
  find("#picked").textContent = filled(W.picked, { n: picked.size });
  find("#approve-picked").disabled = !picked.size || state() === "approved";
  find("#reject-picked").disabled = !picked.size || state() === "rejected";
  find("#pick-all").checked = !empty && picked.size === items().length;
  find("#undo").disabled = !done.length;
}

const reason = (code) => W[`reason_${code.split(":")[0]}`] ?? code;
const day = (at) => new Date(1000 * at).toLocaleDateString(LANGUAGE, { dateStyle: "medium" });
const button = (textContent, work, data = {}) => make("button", { type: "button", textContent, data, onclick: (event) => { if (event.detail < 2) attempt(work, event.target); } });

function item(review) {
  const made = make("li", { tabIndex: -1, data: { id: review.id } });
  const name = review.title || review.text.slice(0, 60) || filled(W.stars, { n: review.rating });
  const box = make("input", { type: "checkbox", checked: picked.has(review.id), ariaLabel: `${W.pick}: ${name}` });
  box.addEventListener("change", () => { picked[box.checked ? "add" : "delete"](review.id); rest(); });
  const stars = make("span", { className: "stars", role: "img", ariaLabel: filled(W.stars, { n: review.rating }), textContent: "★".repeat(review.rating) + "☆".repeat(5 - review.rating) });
  const product = make("a", { href: `/products/${encodeURIComponent(review.product_id)}`, target: "_blank", textContent: review.product_title || review.product_id });
  const about = [review.author || W.anonymous, review.at && day(review.at), review.verified && W.verified].filter(Boolean).join(" · ");
  const why = (review.reasons ?? []).map(reason);
  const photos = (review.photos ?? []).map((photo, i) => {
    const label = filled(W.photo, { n: i + 1 }), picture = make("img", { alt: label, loading: "lazy" });
    show(photo, picture);
    return make("button", { type: "button", className: "tile", title: label, onclick: () => enlarge(picture, label) }, picture);
  });
  made.review = review;
  made.append(
    make("label", { className: "pick" }, box),
    make("div", {},
      make("p", { className: "name" }, stars, " ", review.title),
      make("p", { className: "about" }, product, ` · ${about}`),
      make("p", { className: "said", lang: review.language || "", textContent: review.text || W.no_text }),
      why.length > 0 && make("p", { className: "why", textContent: `${W.why} ${why.join(LANGUAGE.startsWith("zh") ? "，" : ", ")}` }),
      photos.length > 0 && make("div", { className: "photos" }, ...photos),
      review.reply && make("div", { className: "answer" }, make("small", { className: "hint", textContent: W.reply_shown }), make("p", { textContent: review.reply }))),
    make("p", { className: "buttons" },
      review.state !== "approved" && button(W.approve, () => decide([review.id], "approved"), { do: "approve" }),
      review.state !== "rejected" && button(W.reject, () => decide([review.id], "rejected"), { do: "reject" }),
      review.state !== "pending" && button(W.hold, () => decide([review.id], "pending"), { do: "hold" }),
      button(review.reply ? W.edit_reply : W.reply, async () => replying(made), { do: "reply" }),
      button(W.remove, () => remove(made), { do: "remove" })));
  return made;
}

// ---- decisions

async function decide(ids, to) {
  const rows = items().filter((each) => ids.includes(each.dataset.id));
  const before = rows.map((each) => [each.dataset.id, each.review.state]);
  await send("reviews/decisions", { ids, state: to });
  done.push(before);
  const next = after(rows);
  for (const each of rows) { picked.delete(each.dataset.id); each.remove(); }
  rest();
  const focus = () => (next?.isConnected ? next : find("#reviews > li"))?.focus();
  focus();                      // before the list is read, so that a key pressed meanwhile is not lost
  say(told(DID[to], ids.length));
  if (items().length) return;
  await list();
  focus();
}

const told = ([one, many], n) => n === 1 ? W[one] : filled(W[many], { n: n.toLocaleString(LANGUAGE) });

// The review that has the focus once these are gone: the next one that stays, else the one before.
function after(rows) {
  const gone = new Set(rows), all = items(), last = all.indexOf(rows.at(-1));
  return all.slice(last + 1).find((each) => !gone.has(each)) ?? all.slice(0, last).reverse().find((each) => !gone.has(each));
}

async function undo() {
  const last = done.at(-1);
  if (!last) return say(W.nothing_to_undo);
  for (const before of new Set(last.map(([, was]) => was))) {
    await send("reviews/decisions", { ids: last.filter(([, was]) => was === before).map(([id]) => id), state: before });
  }
  done.pop();
  await list();
  say(filled(W.undone, { n: last.length.toLocaleString(LANGUAGE) }));
  (items().find((each) => each.dataset.id === last[0][0]) ?? find("#reviews > li"))?.focus();
}

async function remove(row) {
  if (!confirm(W.remove_sure)) return;
  await fetched(`/api/v1/reviews/${encodeURIComponent(row.dataset.id)}`, { method: "DELETE" });
  const next = after([row]);
  done = done.map((each) => each.filter(([id]) => id !== row.dataset.id)).filter((each) => each.length);
  picked.delete(row.dataset.id);
  row.remove();
  rest();
  say(W.removed);
  (next ?? find("#reviews > li"))?.focus();
}

// ---- replies

function replying(row) {
  const begun = find("form", row);
  if (begun) return find("textarea", begun).focus();
  const text = make("textarea", { id: `reply-${row.dataset.id}`, value: row.review.reply ?? "", maxLength: 2000, dir: "auto" });
  const label = make("label", { textContent: W.reply_label, htmlFor: text.id });
  const form = make("form", {}, label, text, make("p", { className: "buttons" }, make("button", { className: "main", textContent: W.reply_save }), make("button", { type: "button", textContent: W.reply_cancel, onclick: () => { form.remove(); row.focus(); } })));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => {
      const review = await send(`reviews/${encodeURIComponent(row.dataset.id)}/reply`, { text: text.value.trim() }, "PUT");
      const fresh = item({ ...row.review, reply: review.reply ?? text.value.trim() });
      row.replaceWith(fresh);
      fresh.focus();
      say(text.value.trim() ? W.reply_saved : W.reply_removed);
    }, event.submitter);
  });
  row.children[1].append(form);
  text.focus();
}

// ---- photos of reviews that wait are shown to keys alone, so they are fetched, not linked

async function show(photo, picture) {
  try {
    const answer = await fetched(`/api/v1/reviews/photos/${photo}.jpg`, { cache: "default" });
    picture.src = URL.createObjectURL(await answer.blob());
  } catch {                     // the words say the rest
    picture.replaceWith(picture.alt);
  }
}

function enlarge(picture, label) {
  if (!picture.src) return;
  const dialog = find("#large");
  dialog.setAttribute("aria-label", label);
  find("#large-picture").replaceChildren(make("img", { src: picture.src, alt: label }));
  dialog.showModal();
}

find("#large-close").addEventListener("click", () => find("#large").close());

// ---- mouse and keyboard

find("#state").addEventListener("change", () => attempt(list));
find("#search").addEventListener("submit", (event) => { event.preventDefault(); attempt(list); });
find("#contains").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(() => attempt(list), PAUSE); });
find("#more").addEventListener("click", (event) => attempt(more, event.target));
find("#undo").addEventListener("click", (event) => attempt(undo, event.target));
find("#approve-picked").addEventListener("click", (event) => attempt(() => decide([...picked], "approved"), event.target));
find("#reject-picked").addEventListener("click", (event) => attempt(() => decide([...picked], "rejected"), event.target));
find("#pick-all").addEventListener("change", ({ target }) => {
  for (const each of items()) {
    find("input[type=checkbox]", each).checked = target.checked;
    picked[target.checked ? "add" : "delete"](each.dataset.id);
  }
  rest();
});

find("#reviews").addEventListener("keydown", (event) => {
  const { key, target } = event, row = target.closest("#reviews > li");
  if (!row || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (key === "Escape" && find("form", row)) { find("form", row).remove(); return row.focus(); }
  if (target.matches("textarea") || target !== row && ["Enter", " "].includes(key)) return;   // keys of their own
  const does = (work) => { event.preventDefault(); if (!event.repeat) attempt(work); };
  const id = row.dataset.id;
  if (key === "ArrowDown" || key === "ArrowUp") {
    event.preventDefault();
    (key === "ArrowDown" ? row.nextElementSibling : row.previousElementSibling)?.focus();
  } else if (key.toLowerCase() === "u") does(undo);
  else if (!id) return;
  else if (key === "Enter" && row.review.state !== "approved") does(() => decide([id], "approved"));
  else if ((key === "Delete" || key === "Backspace") && row.review.state !== "rejected") does(() => decide([id], "rejected"));
  else if (key === " ") does(async () => find("input[type=checkbox]", row).click());
  else if (key.toLowerCase() === "r") does(async () => replying(row));
});

open();
