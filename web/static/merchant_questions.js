// The page on which the shop answers customers' questions. It holds no data: everything comes from the API, with a key.
const { find, W, filled, make, door } = globalThis.keyed;
const said = find("#said"), list = find("#questions"), which = find("#which"), more = find("#more");
let last = "";

function say(text, bad = false) {
  said.textContent = text;
  said.classList.toggle("bad", bad);
}

const { getJson, send, attempt, keep, fetched, open } = door({
  name: "windowshop-questions",
  unlock: async () => {
    await show();
    keep();
    find("#desk").hidden = find("#leave").hidden = false;
  },
  lock: () => {
    find("#desk").hidden = find("#leave").hidden = true;
    list.replaceChildren();
  },
  refused: (status) => (status === 401 ? W.unknown_key : W.weak_key),
  say,
  entered: () => which.focus(),
});

async function show(older = false) {
  const state = which.value, before = older ? `&before=${last}` : "";
  const found = await getJson(`questions?state=${state}&limit=50${before}`);
  if (state !== which.value) return;
  if (!older) list.replaceChildren();
  list.append(...found.questions.map(row));
  if (!list.children.length) list.append(make("li", { className: "hint", textContent: W.nothing }));
  last = found.questions.at(-1)?.id ?? "";
  more.hidden = found.questions.length < 50;
  count(found.counts.open);
}

function count(waiting) {
  find("#waiting").textContent = filled(W.waiting, { count: waiting });
}

function row(question) {
  const field = `answer-${question.id}`, box = make("textarea", { id: field, rows: 3, maxLength: 4000, value: question.answer ?? "", dir: "auto" });
  const day = new Date(question.at * 1000).toLocaleDateString(document.documentElement.lang);
  const product = question.product_title
    ? make("a", { href: `/products/${encodeURIComponent(question.product_id)}#questions`, textContent: question.product_title })
    : make("span", { className: "hint", textContent: `${question.product_id} · ${W.gone_product}` });
  const publish = make("button", { type: "button", className: "main", textContent: W.publish });
  const save = make("button", { type: "button", textContent: W.save_private });
  const remove = make("button", { type: "button", textContent: W.delete });
  const made = make("li", { className: "panel", tabIndex: -1 },
    make("p", { className: "text", lang: question.language, textContent: question.text }),
    make("p", { className: "hint" }, product, ` · ${filled(W.asked_on, { date: day })}`),
    make("label", { htmlFor: field, textContent: W.your_answer }), box,
    make("p", { className: "buttons" }, publish, save, remove));
  const answer = (published, button) => attempt(async () => {
    if (!box.value.trim()) {
      box.focus();
      throw new Error(W.answer_empty);
    }
    await send(`questions/${question.id}/answer`, { answer: box.value, publish: published }, "PUT");
    done(made, published ? W.published : W.saved);
  }, button);
  publish.addEventListener("click", () => answer(true, publish));
  save.addEventListener("click", () => answer(false, save));
  remove.addEventListener("click", () => {
    if (confirm(W.delete_sure)) attempt(async () => {
      await fetched(`/api/v1/questions/${question.id}`, { method: "DELETE" });
      done(made, W.deleted);
    }, remove);
  });
  return made;
}

// Take a question out of the list, and put the focus on the next one.
async function done(made, text) {
  const next = made.nextElementSibling ?? made.previousElementSibling;
  made.remove();
  say(text);
  (next ?? which).focus();
  const { counts } = await getJson("questions?limit=1");
  count(counts.open);
  if (!list.children.length) await show();
}

which.addEventListener("change", () => attempt(() => show()));
more.addEventListener("click", () => attempt(() => show(true), more));
open();
