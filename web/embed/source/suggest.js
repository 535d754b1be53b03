// Suggestions while typing: a combobox by the pattern of WAI-ARIA, with the focus in the box.

const DELAY = 120;              // milliseconds between the last letter and the request
const LIMITS = { words: 6, kinds: 3, brands: 2, products: 4 };

class Suggestions {
  constructor(part, box, choose) {
    Object.assign(this, { part, box, choose, active: null, running: null, waiting: 0 });
    this.list = make("div", { id: "suggestions", attributes: { role: "listbox", "aria-label": part.t("suggestions") } });
    this.element = make("div", { className: "suggestions", hidden: true }, this.list);
    for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-controls": "suggestions", "aria-expanded": "false" })) box.setAttribute(name, value);
    box.addEventListener("input", (event) => { if (!event.isComposing) this.typed(); });
    box.addEventListener("compositionend", () => this.typed());
    box.addEventListener("keydown", (event) => this.key(event));
    box.addEventListener("blur", () => this.close());
    this.element.addEventListener("mousedown", (event) => event.preventDefault());   // the focus stays in the box
  }

  get options() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  typed() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.ask(), DELAY);
  }

  async ask() {
    this.running?.abort();
    const mine = this.running = new AbortController();
    const query = { q: this.box.value.slice(0, 300), limit: 6, ...(WORDS[this.part.language] ? { lang: this.part.language } : {}) };
    try {
      const found = await call("suggest", { query, signal: mine.signal });
      if (this.running === mine && this.part.shadowRoot.activeElement === this.box) this.show(found);
    } catch {                   // nobody who types needs to know that there are no suggestions
    }
  }

  show(found) {
    const say = (key) => this.part.t(key);
    const named = [...found.kinds.map((kind) => kind.name), ...found.brands.map((brand) => brand.brand)].map((text) => text.toLowerCase());
    const texts = found.words.filter((word) => !named.includes(word.text)).slice(0, LIMITS.words);
    const groups = [
      ["texts", say(found.spelling ? "did_you_mean" : this.box.value.trim() ? "suggestions" : "popular"), texts.map((word) => this.option(word.marked, () => this.choose({ text: word.text })))],
      ["kinds", say("kinds"), found.kinds.slice(0, LIMITS.kinds).map((kind) => this.option(kind.marked, () => this.choose({ filter: { category: kind.category }, name: kind.name }), kind.products))],
      ["brands", say("brands"), found.brands.slice(0, LIMITS.brands).map((brand) => this.option(brand.marked, () => this.choose({ filter: { brand: brand.brand }, name: brand.brand }), brand.products))],
      ["products", say("products"), found.products.slice(0, LIMITS.products).map((product) => this.product(product))],
    ].filter(([, , options]) => options.length);
    this.list.replaceChildren(...groups.map(([name, label, options]) => {
      const heading = make("p", { id: `suggested-${name}`, className: "soft", textContent: label });
      return make("div", { attributes: { role: "group", "aria-labelledby": heading.id } }, heading, ...options);
    }));
    this.activate(null);
    this.options.forEach((option, at) => { option.id = `option-${at}`; });
    this.element.hidden = !this.options.length;
    this.box.setAttribute("aria-expanded", String(!this.element.hidden));
    if (this.options.length) this.part.say("suggested", { count: this.options.length });
  }

  // Every second part was typed.
  option(marked, act, count) {
    const text = make("span", { className: "text", dir: "auto" }, ...marked.map((piece, at) => (at % 2 && piece ? make("mark", { textContent: piece }) : piece)));
    const made = make("div", { className: "option", attributes: { role: "option", "aria-selected": "false" } }, text, count ? make("small", { textContent: count.toLocaleString(this.part.locale) }) : "");
    made.addEventListener("click", () => {
      this.close();
      act();
    });
    return made;
  }

  product(product) {
    const link = linkOf(product);
    const made = this.option(product.marked, () => { if (follow(this.part, product, { rank: 0, link })) location.assign(link); });
    const source = addressOf(product.picture_url);
    made.prepend(source ? make("img", { src: source, alt: "", width: 40, height: 40 }) : make("span", { className: "blank" }));
    made.append(make("small", { textContent: priceOf(this.part, product.price, product.currency) }));
    return made;
  }

  activate(option) {
    this.active?.setAttribute("aria-selected", "false");
    this.active = option;
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) this.box.setAttribute("aria-activedescendant", option.id);
    else this.box.removeAttribute("aria-activedescendant");
  }

  key(event) {
    if (event.isComposing) return;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) {
      event.preventDefault();
      if (this.element.hidden) {
        this.ask();
        return;
      }
      const at = this.options.indexOf(this.active) + by;      // past the ends the box itself is next
      this.activate(this.active || by > 0 ? this.options[at] ?? null : this.options.at(-1));
    } else if (event.key === "Enter" && this.active) {
      event.preventDefault();
      this.active.click();
    } else if (event.key === "Escape" && !this.element.hidden) {
      event.preventDefault();   // a second one clears the box
      this.close();
    }
  }

  close() {
    clearTimeout(this.waiting);
    this.running?.abort();
    this.running = null;
    this.activate(null);
    this.element.hidden = true;
    this.box.setAttribute("aria-expanded", "false");
  }
}
