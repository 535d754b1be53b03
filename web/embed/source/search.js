// <windowshop-search>: a box for words and photos, with its results below.

const REMEMBERED = "windowshop-search";         // the last search of this page, for somebody who comes back from a product

class WindowshopSearch extends Part {
  static observedAttributes = ["q"];

  attributeChangedCallback(name, before, text) {
    if (this.words && text !== before && text) this.search(text);
  }

  draw() {
    this.state = {};
    this.hint = this.getAttribute("placeholder") ?? this.t("words_hint");
    this.box = make("input", { type: "search", className: "words", dir: "auto", maxLength: 300, autocomplete: "off", enterKeyHint: "search", placeholder: this.hint, attributes: { "aria-label": this.t("words"), part: "input" } });
    this.thumbnail = make("canvas", { width: 72, height: 72, attributes: { role: "img", "aria-label": this.t("your_photo") } });
    this.chip = make("span", { className: "chip", hidden: true }, this.thumbnail, this.tool("close", "remove_photo", () => this.removePhoto()));
    this.filterName = make("span", { dir: "auto" });
    this.filterChip = make("span", { className: "chip", hidden: true }, this.filterName, this.tool("close", "remove_filter", () => this.removeFilter()));
    this.file = this.fileField({});
    this.capture = this.fileField({ capture: "environment" });
    const camera = this.tool("camera", "take_photo", () => this.camera());
    camera.hidden = !onPhone() && !navigator.mediaDevices?.getUserMedia;
    const microphone = make("button", { type: "button", className: "tool microphone", hidden: true }, icon("microphone"));
    const go = make("button", { className: "go", attributes: { part: "button", "aria-label": this.t("search") } }, icon("search"));
    this.suggestions = new Suggestions(this, this.box, (chosen) => this.choose(chosen));
    this.form = make("form", { className: "box", attributes: { role: "search", "aria-label": this.t("shop_search"), part: "box" } }, this.chip, this.filterChip, this.box, microphone, this.tool("photo", "choose_photo", () => this.file.click()), camera, go, this.suggestions.element);
    this.message = make("p", { className: "message", hidden: true, attributes: { role: "alert" } });
    this.cropper = new Cropper(this, (crop) => this.run({ crop }));
    this.results = make("section", { className: "results", hidden: true, tabIndex: -1, attributes: { "aria-label": this.t("results"), part: "results" } });
    this.spoken = make("p", { className: "quiet", attributes: { "aria-live": "polite" } });
    this.whole = make("div", { className: "whole" }, this.form, this.file, this.capture, this.message, this.cropper.element, this.results, this.spoken);
    this.shadowRoot.append(this.whole);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.receivePhotos();
    offerVoice(this, microphone);
    this.begin();
  }

  // ---- what the page may call

  search(text) {
    this.box.value = text;
    return this.submit();
  }

  searchPhoto(file) {
    return this.usePhoto(file);
  }

  // ---- parts of the box

  tool(name, key, act) {
    const made = make("button", { type: "button", className: `tool ${name}`, title: this.t(key), attributes: { "aria-label": this.t(key) } }, icon(name));
    made.addEventListener("click", act);
    return made;
  }

  fileField(more) {
    const made = make("input", { type: "file", hidden: true, accept: "image/*", tabIndex: -1, ...more });
    made.addEventListener("change", () => {
      this.usePhoto(made.files[0]);
      made.value = "";
    });
    return made;
  }

  async camera() {
    if (onPhone() || !navigator.mediaDevices?.getUserMedia) {
      this.capture.click();
      return;
    }
    try {
      this.usePhoto(await takePhoto(this));
    } catch {                                   // refused by its user, by the page's policy, or there is none
      this.warn("no_camera");
    }
  }

  receivePhotos() {
    const drop = (yes) => this.whole.classList.toggle("dropping", yes);
    this.whole.dataset.drop = this.t("drop");
    this.whole.addEventListener("dragover", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      drop(true);
    });
    this.whole.addEventListener("dragleave", (event) => { if (!this.whole.contains(event.relatedTarget)) drop(false); });
    this.whole.addEventListener("drop", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      drop(false);
      this.usePhoto(pictureIn(event.dataTransfer.files) ?? event.dataTransfer.files[0]);
    });
    document.addEventListener("paste", (event) => {
      const file = pictureIn(event.clipboardData?.files);
      const ours = event.composedPath().includes(this) || (event.target === document.body && document.querySelector("windowshop-search") === this);
      if (!file || !ours || !this.isConnected) return;
      event.preventDefault();
      this.usePhoto(file);
    });
  }

  // ---- searches

  submit() {
    this.suggestions.close();
    const text = this.box.value.trim();
    if (!text && !this.state.photo && !this.state.filter) {
      this.box.focus();
      return null;
    }
    return this.run({ text, like: null });
  }

  choose({ text, filter, name }) {
    this.box.value = text ?? "";
    if (filter) this.removePhoto(false);
    this.setFilter(filter ?? null, name);
    return this.run({ text: text ?? "", like: null });
  }

  setFilter(filter, name = "") {
    this.state.filter = filter;
    this.state.name = name;
    this.filterName.textContent = name;
    this.filterChip.hidden = !filter;
  }

  removeFilter() {
    this.setFilter(null);
    this.again();
  }

  removePhoto(search = true) {
    this.cropper.clear();
    this.chip.hidden = true;
    this.box.placeholder = this.hint;
    this.thumbnail.getContext("2d").clearRect(0, 0, 72, 72);
    Object.assign(this.state, { photo: null, crop: null, refine: null });
    if (search) this.again();
  }

  again() {
    if (this.box.value.trim() || this.state.photo || this.state.filter) this.run({ text: this.box.value.trim() });
    else this.clear();
    this.box.focus();
  }

  clear() {
    this.running?.abort();
    this.setFilter(null);
    this.removePhoto(false);
    this.voice?.hide();
    this.state = {};
    this.box.value = "";
    this.results.hidden = true;
    this.results.replaceChildren();
    this.warn("");
    remember(null);
  }

  // A new photo begins a new search.
  async usePhoto(file) {
    if (!file) return null;
    this.suggestions.close();
    this.box.value = "";
    this.setFilter(null);
    const photo = await shrunk(file);
    await this.cropper.show(photo);
    this.chip.hidden = false;
    this.box.placeholder = this.t("more_words_hint");
    if (this.cropper.bitmap) this.thumbnail.getContext("2d").drawImage(this.cropper.thumbnail(ALL), 0, 0, 72, 72);
    const page = await this.run({ text: "", photo, crop: null, like: null, refine: null });
    if (page === null) this.removePhoto(false);   // a file that was refused leaves no trace
    else if (this.state.photo === photo) this.findObjects(photo);
    return page;
  }

  async findObjects(photo) {
    const fields = new FormData();
    for (const [name, value] of Object.entries({ regions: "true", k: "1" })) fields.set(name, value);
    fields.set("image", photo, "photo");
    const found = await call("search", { fields }).catch(() => null);     // an offer: the photo was searched without
    if (found && this.state.photo === photo) this.cropper.offer(found.regions ?? []);
  }

  fields(offset) {
    const { text, filter, photo, crop, like, sort, refine } = this.state;
    const fields = photo ? new FormData() : new URLSearchParams();
    const values = { k: this.getAttribute("hits") || "12", group_variants: "true", offset: offset || "", text, sort, filter: filter && JSON.stringify(filter), product_id: like?.id };
    if (refine) Object.assign(values, { refine, text: "", product_id: "" });       // it holds words, photo and box
    else if (photo) fields.set("image", photo, "photo");
    if (crop && fields.has("image")) values.crop = JSON.stringify(crop.map((side) => Number(side.toFixed(4))));
    for (const [name, value] of Object.entries(values)) if (value) fields.set(name, value);
    return fields;
  }

  async run(change, offset = 0) {
    this.running?.abort();
    const mine = this.running = new AbortController();
    Object.assign(this.state, { title: "" }, change);
    if (!change.refine) this.state.refine = null;
    this.warn("");
    if ("text" in change) this.voice?.hide();
    this.busy(true);
    try {
      const page = await call("search", { fields: this.fields(offset), signal: mine.signal });
      performance.mark("windowshop-answer");
      this.show(page, offset);
      return page;
    } catch (error) {
      if (error.name !== "AbortError") this.warn(error.word ?? "unanswered");
      return error.name === "AbortError" ? undefined : null;
    } finally {
      if (this.running === mine) this.busy(false);
    }
  }

  // ---- results

  show(page, offset) {
    if (page.redirect && addressOf(page.redirect)) {
      location.assign(addressOf(page.redirect));
      return;
    }
    this.state.refine = page.refine;
    const found = { more: (product, title) => this.like(product, title), query: page.query_id };
    const cards = page.hits.map((hit) => card(this, hit, hit.rank, found));
    const known = offset ? this.results.querySelector("ul") : null;
    if (known) known.append(...cards);
    else this.results.replaceChildren(this.heading(page), make("ul", { className: "grid", attributes: { part: "grid" } }, ...cards));
    this.results.querySelector(".next")?.remove();
    const shown = this.results.querySelector("ul").children.length;
    if (page.total > shown && page.hits.length) this.results.append(this.next(shown));
    else if (page.near.length) this.results.append(make("h2", { textContent: this.t("near") }), make("ul", { className: "grid row" }, ...page.near.map((hit) => card(this, hit, hit.rank, found))));
    this.results.hidden = false;
    if (known) cards[0]?.querySelector("a").focus({ preventScroll: true });
    this.say("found", { count: shown });
    remember({ title: this.results.querySelector("h2").textContent, text: this.state.text, filter: this.state.filter, name: this.state.name, sort: this.state.sort, refine: this.state.photo || this.state.like ? page.refine : "" });
    this.announce("results", { total: page.total, hits: page.hits, verdict: page.verdict });
    requestAnimationFrame(() => setTimeout(() => performance.measure("windowshop-painted", "windowshop-answer")));
  }

  heading(page) {
    const kind = page.verdict?.kind, { text, like, name, photo } = this.state;
    const values = { count: (page.total ?? page.hits.length).toLocaleString(this.locale), text: text || name || "", title: like?.title ?? "" };
    const key = like ? "like" : { exact: "exact", similar: "similar", no_match: "no_match", near: "near_answers", nothing: "no_answers" }[kind] ?? (values.text ? "answers" : photo ? "similar" : "results_count");
    const title = make("h2", { textContent: this.state.title || this.t(page.hits.length ? key : values.text ? "no_answers" : "no_results", values), dir: "auto" });
    const close = this.tool("close", "close_results", () => {
      this.clear();
      this.box.focus();
    });
    return make("div", { className: "heading" }, title, make("div", {}, page.hits.length > 1 && kind !== "near" && this.order(), close));
  }

  order() {
    const made = make("select", { attributes: { "aria-label": this.t("sort") } }, ...["relevance", "price", "-price", "newest"].map((value) => make("option", { value, textContent: this.t(`sort_${value}`), selected: value === (this.state.sort || "relevance") })));
    made.addEventListener("change", async () => {
      await this.run({ sort: made.value, refine: this.state.refine });
      this.results.querySelector("select")?.focus();
    });
    return made;
  }

  next(shown) {
    const made = make("button", { type: "button", className: "plain next", textContent: this.t("show_more") });
    made.addEventListener("click", () => this.run({ refine: this.state.refine }, shown));
    return made;
  }

  async like(product, title) {
    this.box.value = "";
    this.setFilter(null);
    this.removePhoto(false);
    await this.run({ text: "", like: { id: product.id, title }, sort: "" });
    this.results.focus({ preventScroll: true });
    this.scrollIntoView({ block: "nearest" });
  }

  busy(yes) {
    this.whole.setAttribute("aria-busy", String(yes));
  }

  warn(key) {
    this.warning(key && this.t(key));
  }

  warning(text) {
    this.message.textContent = text;
    this.message.hidden = !text;
  }

  say(key, values) {
    this.spoken.textContent = this.t(key, values);
  }

  // The answer in one sentence, to be read aloud.
  summary() {
    const first = this.results.querySelector(".card");
    if (!first) return this.results.textContent;
    const [title, price] = ["h3", ".price > :first-child"].map((part) => first.querySelector(part)?.textContent ?? "");
    return `${this.results.querySelector("h2").textContent}\n${this.t("voice_first", { title, price })}`;
  }

  // A search that the page asks for, or the last one, for somebody who comes back from a product.
  begin() {
    const last = performance.getEntriesByType("navigation")[0]?.type === "back_forward" ? remembered() : null;
    const text = this.getAttribute("q") ?? "";
    if (!last && !text) return;
    this.box.value = last ? last.text : text;
    this.setFilter(last?.filter ?? null, last?.name);
    this.run(last ? { title: last.title, text: last.text, sort: last.sort, refine: last.refine } : { text });
  }
}

function remember(search) {
  try {
    if (search) sessionStorage.setItem(REMEMBERED + location.pathname, JSON.stringify(search));
    else sessionStorage.removeItem(REMEMBERED + location.pathname);
  } catch {                                     // storage is full or not allowed
  }
}

function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem(REMEMBERED + location.pathname));
  } catch {
    return null;
  }
}
