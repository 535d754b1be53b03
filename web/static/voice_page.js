// Search by voice on the pages of the shop. What was heard is passed to the page of its results in this tab's storage.

const SPOKEN = "spoken";          // the name in the storage

const find = (selector, within = document) => within.querySelector(selector);
const button = find("#voice");
const form = find("#search");
const box = find("input.words", form);
const messages = JSON.parse(button.dataset.messages);
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const t = (key, values = {}) => filled(messages[key], values);

function start() {
  const search = new voice.Voice({
    button, t, accept, answer,
    mode: button.dataset.mode,
    unproved: "unproved" in button.dataset,
    language: document.documentElement.lang === "zh-Hans" ? "zh-CN" : document.documentElement.lang,
    worklet: button.dataset.worklet,
    address: "/api/v1/speech",
    headers: {},
    announce: (text) => { find("#announce").textContent = text; },
    fail(text) {
      find("#message").textContent = text;
      find("#message").hidden = !text;
    },
  });
  find(".box", form).after(search.panel);
  find("#results").before(search.result);

  let result = null;            // of this page

  function accept(found) {
    searchFor(found, found.readings[0]);
  }

  function searchFor(found, text) {
    result = found;
    store({ ...found, text, fresh: true });
    search.hide();
    box.value = text;
    find(".clear", form).hidden = false;
    form.requestSubmit();
  }

  function show({ text, fresh, ...found }) {
    result = found;
    search.show(found, text, (reading) => searchFor(found, reading));
    if (!fresh) return;
    store({ ...found, text });  // read aloud once, not again when this page is opened again
    search.read();
  }

  // Words that are searched for together with a photo are answered in this page.
  document.addEventListener("replaced", () => {
    const found = stored();
    if (found?.fresh) show(found);
    else if (result && box.value.trim() !== found?.text) search.hide();
  });
  const found = stored();
  if (found && found.text === new URLSearchParams(location.search).get("q")?.trim()) show(found);
}

function stored() {
  try {
    return JSON.parse(sessionStorage.getItem(SPOKEN));
  } catch {
    return null;
  }
}

function store(found) {
  try {
    sessionStorage.setItem(SPOKEN, JSON.stringify(found));
  } catch {                     // no storage: the words are searched for, and nothing offers other readings
  }
}

// The answer in short: what kind of answer, or how many products, and the first.
function answer() {
  const results = find("#results"), card = find(".grid > .card", results);
  const verdict = find(".verdict, .empty h2", results)?.textContent.trim();
  const first = card && filled(messages.voice_first, { title: find("h3", card).textContent.trim().replace(/\s+/g, " "), price: priceOn(card) });
  const count = "total" in results.dataset ? filled(messages.voice_count, { count: Number(results.dataset.total).toLocaleString(document.documentElement.lang) }) : "";
  return [verdict || count, first].filter(Boolean).join(" ");
}

// The price without its labels, the price before and the discount, which have elements of their own.
function priceOn(card) {
  const parts = [...find(".price", card)?.childNodes ?? []].filter((part) => part.nodeType === Node.TEXT_NODE);
  return parts.map((part) => part.textContent).join("").trim();
}

if (box && recorder.supports(button.dataset.mode)) start();
