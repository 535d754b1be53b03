// Suggestions while typing: a combobox over the search box, by the pattern of WAI-ARIA with focus in the box. Without this
// file the box is a field like any other.

const DELAY = 120;                    // milliseconds between the last letter and the request
const MOST = { words: 6, kinds: 3, brands: 2, products: 4 };
const LEAST = 240;                    // pixels of height, however little room there is below the box
const RECENT = 8;                     // searches that the browser remembers, and sends to nobody
const LONGEST = 80;                   // characters of these

const find = (selector, within = document) => within.querySelector(selector);
const words = JSON.parse(document.body.dataset.words);
const form = find("#search");
const box = find("input.words", form);

function make(tag, props = {}, ...children) {
  const { attributes = {}, ...rest } = props;
  const made = Object.assign(document.createElement(tag), rest);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter(Boolean));
  return made;
}

// ---- recent searches

function recent() {
  try {
    return (JSON.parse(localStorage.getItem("searches")) ?? []).filter((text) => typeof text === "string").slice(0, RECENT);
  } catch {
    return [];
  }
}

function remember(text) {
  try {
    if (text === null) localStorage.removeItem("searches");
    else localStorage.setItem("searches", JSON.stringify([text, ...recent().filter((other) => other !== text)].slice(0, RECENT)));
  } catch {                           // storage is full or not allowed: nothing is remembered
  }
}

// ---- the combobox; a shop that reads no words has no box for them

function combobox() {
  const clear = find(".clear", form);
  const list = make("div", { id: "suggestions", attributes: { role: "listbox", "aria-label": words.suggestions } });
  const forget = make("button", { type: "button", className: "pill plain", textContent: words.clear_recent });
  const panel = make("div", { className: "suggestions", hidden: true }, list, forget);
  let running = null, waiting = 0;    // the request under way, so that a newer one can call it off, and the one to come
  let active = null;
  const options = () => [...list.querySelectorAll("[role=option]")];
  const isOpen = () => !panel.hidden;

  function close() {
    clearTimeout(waiting);
    running?.abort();
    activate(null);
    panel.hidden = true;
    box.setAttribute("aria-expanded", "false");
  }

  function activate(option) {
    active?.setAttribute("aria-selected", "false");
    active = option;
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) box.setAttribute("aria-activedescendant", option.id);
    else box.removeAttribute("aria-activedescendant");
  }

  // Every second part was typed.
  const marked = (parts) => make("span", { className: "text", dir: "auto" }, ...parts.map((part, at) => (at % 2 && part ? make("mark", { textContent: part }) : part)));

  const option = (href, ...children) => make("a", { href, tabIndex: -1, attributes: { role: "option", "aria-selected": "false" } }, ...children);

  function textOption(text, parts, href) {
    const made = option(href, marked(parts));
    made.dataset.text = text;
    return made;
  }

  // The shop may have another address for the world than the one that this page came from, whose policy allows no other.
  const path = (address) => new URL(address, location).pathname;

  function money(amount, currency) {
    return Number(amount).toLocaleString(document.documentElement.lang, /^[A-Z]{3}$/.test(currency) ? { style: "currency", currency } : {});
  }

  function productOption(product) {
    const picture = product.picture_url ? make("img", { src: path(product.picture_url), alt: "", width: 40, height: 40 }) : make("span", { className: "blank" });
    const price = product.price ? make("small", { textContent: money(product.price, product.currency) }) : "";
    return option(path(product.url), picture, marked(product.marked), price);
  }

  const counted = (entry) => option(entry.url, marked(entry.marked), make("small", { textContent: entry.products.toLocaleString(document.documentElement.lang) }));

  function group(name, label, made) {
    if (!made.length) return null;
    const heading = make("p", { id: `suggested-${name}`, textContent: label });
    return make("div", { className: name, attributes: { role: "group", "aria-labelledby": heading.id } }, heading, ...made);
  }

  function show(found) {
    const typed = box.value.trim().toLowerCase();
    const own = recent().filter((text) => text.toLowerCase().startsWith(typed) && text.toLowerCase() !== typed).slice(0, typed ? 2 : RECENT);
    const named = [...own, ...found.kinds.map((kind) => kind.name), ...found.brands.map((brand) => brand.brand)].map((text) => text.toLowerCase());
    const texts = [...found.words].filter((word) => !named.includes(word.text)).slice(0, MOST.words);
    const label = found.spelling ? words.did_you_mean : typed ? words.suggestions : words.popular_searches;
    list.replaceChildren(...[
      group("recent", words.recent_searches, own.map((text) => textOption(text, ["", text.slice(0, typed.length), text.slice(typed.length)], `/?${new URLSearchParams({ q: text })}`))),
      group("texts", label, texts.map((word) => textOption(word.text, word.marked, word.url))),
      group("kinds", words.kinds, found.kinds.slice(0, typed ? MOST.kinds : MOST.words).map(counted)),
      group("brands", words.brands, found.brands.slice(0, MOST.brands).map(counted)),
      group("products", words.products, found.products.slice(0, MOST.products).map(productOption)),
    ].filter(Boolean));
    activate(null);
    const shown = options();
    shown.forEach((each, number) => { each.id = `suggestion-${number}`; });
    forget.hidden = typed || !own.length;
    panel.hidden = !shown.length;
    panel.style.maxHeight = `${Math.max(LEAST, (window.visualViewport?.height ?? innerHeight) - form.getBoundingClientRect().bottom - 16)}px`;
    box.setAttribute("aria-expanded", String(isOpen()));
    if (isOpen()) find("#announce").textContent = words.suggested.replace("{count}", shown.length);
  }

  async function ask() {
    clearTimeout(waiting);
    running?.abort();
    const mine = running = new AbortController();
    const fields = new URLSearchParams({ q: box.value, limit: Math.max(...Object.values(MOST)), lang: document.documentElement.lang.slice(0, 2) });
    try {
      const answer = await fetch(`/api/v1/suggest?${fields}`, { signal: mine.signal });
      const found = answer.ok ? await answer.json() : null;
      if (running !== mine || document.activeElement !== box) return;
      if (found) show(found);
      else close();
    } catch (error) {                 // nobody who types needs to know that there are no suggestions
      if (error.name !== "AbortError") close();
    }
  }

  function typed() {
    clear.hidden = !box.value;
    clearTimeout(waiting);
    waiting = setTimeout(ask, DELAY);
  }
  function step(by) {
    const shown = options(), at = shown.indexOf(active) + by;
    activate(active || by > 0 ? shown[at] ?? null : shown.at(-1));   // past the ends the box itself is next
  }

  box.addEventListener("input", (event) => { if (!event.isComposing) typed(); });
  box.addEventListener("compositionend", typed);
  box.addEventListener("click", () => { if (!isOpen()) ask(); });
  box.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) {
      event.preventDefault();
      if (isOpen()) step(by);
      else ask();
    } else if (event.key === "Enter" && active) {
      event.preventDefault();
      active.click();
    } else if (event.key === "Escape" && isOpen()) {
      event.preventDefault();         // a second one clears the box
      close();
    }
  });
  box.parentElement.addEventListener("focusout", (event) => { if (!panel.contains(event.relatedTarget) && event.relatedTarget !== box) close(); });
  panel.addEventListener("mousedown", (event) => event.preventDefault());   // the focus stays in the box
  list.addEventListener("click", (event) => {
    const made = event.target.closest("[data-text]");
    if (!made || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    box.value = made.dataset.text;
    clear.hidden = false;
    form.requestSubmit();
  });
  forget.addEventListener("click", () => {
    remember(null);
    box.focus();
    ask();
  });
  clear.addEventListener("click", () => {
    box.value = "";
    clear.hidden = true;
    box.focus();
    ask();
  });
  form.addEventListener("submit", close);
  addEventListener("pagehide", close);
  document.addEventListener("keydown", (event) => {
    const busy = event.ctrlKey || event.metaKey || event.altKey || find("dialog[open]") || event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || busy) return;
    event.preventDefault();
    box.focus();
    box.select();
  });

  for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-controls": list.id, "aria-expanded": "false" })) box.setAttribute(name, value);
  clear.hidden = !box.value;
  clear.after(panel);
}

if (box) combobox();
const searched = new URLSearchParams(location.search).get("q")?.trim() ?? "";
if (searched && searched.length <= LONGEST && find("#results .grid > li")) remember(searched);
