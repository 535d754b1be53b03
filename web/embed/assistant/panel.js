// The panel: a dialog with the conversation and a box to write in. On a phone it covers the page and holds the focus.

const POLL = 30_000;              // milliseconds between two looks for the answer of a person
const NARROW = "(max-width: 34rem), (max-height: 26rem)";
const BOX_LINES = 6;

// `links` has `product(product)`, an address, and `similar(product)` and `search(address)`: an address, what to do instead, or "".
// `visitor()` is the visitor's name where that may be stored. `opener` gets the focus back.
export class Panel {
  constructor({ shop, key = "", language, locale, product = "", about = "", search = "", links, visitor = () => "", opener, words = {}, className = "", theme = "" }) {
    Object.assign(this, { shop, key, locale: locale || language, product, search, links, visitor, opener });
    this.language = WORDS[language] ? language : "en";
    this.words = { ...WORDS.en, ...WORDS[this.language], ...words };
    this.thread = new Thread();
    this.photos = new Map();      // of entries, while this page is open
    this.sending = null;
    this.host = make("div");      // the page puts it somewhere
    const root = this.host.attachShadow({ mode: "open" }), sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLES);
    root.adoptedStyleSheets = [sheet];
    this.#draw(about, className, theme);
    root.append(this.dialog);
    this.#restore();
  }

  t(key, values = {}) {
    return this.words[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  }

  price(amount, currency) {
    if (amount === null || amount === undefined) return "";
    try {
      return new Intl.NumberFormat(this.locale, { style: "currency", currency }).format(amount);
    } catch {                     // not a currency that the browser knows
      return `${amount} ${currency ?? ""}`.trim();
    }
  }

  // ---- opening and closing

  get isOpen() {
    return this.dialog.open;
  }

  open(focus = true) {
    if (this.isOpen) return;
    if (matchMedia(NARROW).matches) this.dialog.showModal();
    else this.#showBeside();
    this.opener.setAttribute("aria-expanded", "true");
    this.thread.open = true;
    this.thread.store();
    this.#grow();
    this.entries.lastElementChild?.scrollIntoView();
    if (focus) (matchMedia("(pointer: coarse)").matches ? this.heading : this.box).focus();
    this.#look();
  }

  close() {
    this.dialog.close();
  }

  // A dialog takes the focus when it is shown, but a panel that a page opens again must leave it where it is.
  #showBeside() {
    const focused = document.activeElement;
    this.dialog.show();
    if (focused && focused !== document.body) focused.focus?.({ preventScroll: true });
    else this.dialog.getRootNode().activeElement?.blur();
  }

  // Where the focus waits: on a phone the box would call up the keyboard.
  #rest() {
    (matchMedia("(pointer: coarse)").matches ? this.log : this.box).focus({ preventScroll: true });
  }

  #closed() {
    this.opener.setAttribute("aria-expanded", "false");
    this.thread.open = false;
    this.thread.store();
    clearTimeout(this.timer);
    this.opener.focus();
  }

  // ---- the conversation

  // Sends fields of the API. `text` is what the conversation shows of them.
  async send(fields, text = fields.message, photo = null) {
    if (this.sending) return;
    for (const entry of this.thread.entries.filter((each) => each.failed && each.form && each.form === formOf(fields))) this.#remove(entry);
    const entry = this.thread.add({ role: "you", text, photo: Boolean(photo), form: formOf(fields) });
    this.photos.set(entry, photo);
    this.#append(entry);
    await this.#deliver(entry, fields);
  }

  async #deliver(entry, fields) {
    if (this.sending) return;
    this.sending = entry;
    if (this.tray.contains(this.dialog.getRootNode().activeElement)) this.#rest();
    this.tray.inert = true;       // what it asks for stays until the answer is there
    this.#say("answering");
    this.whole.setAttribute("aria-busy", "true");
    this.#unmark(entry);
    try {
      const answer = await ask(this.shop, this.key, { ...this.#common(), ...fields }, this.photos.get(entry));
      this.thread.token = answer.token ?? this.thread.token;
      this.#receive(answer);
      this.#later(true);
    } catch (error) {
      if (!(error instanceof NotSent)) throw error;
      if (error.reason === "expired") this.thread.token = "";
      this.#fail(entry, fields, error);
    } finally {
      this.sending = null;
      this.tray.inert = false;
      this.whole.removeAttribute("aria-busy");
      this.#say("");
    }
  }

  #receive(answer) {
    this.thread.handedOver ||= Boolean(answer.handed_over || answer.messages?.length);
    for (const each of answer.messages ?? []) if (each.text) this.#append(this.thread.add({ role: "person", text: each.text }));
    if (answer.reply.text) {
      const entry = this.thread.add(entryOf(answer, this.language));
      this.#append(entry);
      this.#showForms(entry);
    }
    this.#later();
  }

  // The entry stays with what went wrong and a button: what was written is not lost.
  #fail(entry, fields, { reason, seconds }) {
    entry.failed = true;
    this.thread.store();
    const text = `${this.t("not_sent")} ${this.t(reason, { seconds: seconds || 10 })}`;
    this.#mark(entry, text, fields);
    this.alert.textContent = text;
  }

  #mark(entry, text, fields) {
    this.elements.get(entry)?.append(make("p", { className: "problem" }, make("span", { textContent: text }), button(this.t("retry"), () => {
      this.#rest();
      this.#deliver(entry, fields);
    }, { className: "pill" })));
    this.elements.get(entry)?.scrollIntoView({ block: "nearest" });
  }

  #unmark(entry) {
    this.alert.textContent = "";
    delete entry.failed;
    this.elements.get(entry)?.querySelector(".problem")?.remove();
  }

  #append(entry) {
    const made = drawEntry(this, entry);
    this.elements.set(entry, made);
    this.entries.append(made);
    made.scrollIntoView();        // an answer longer than the panel is read from its beginning
  }

  #remove(entry) {
    this.elements.get(entry)?.remove();
    this.thread.remove(entry);
  }

  // Shows what the last answer asks for, and takes away what an earlier one asked for.
  #showForms(entry) {
    const parts = [];
    if (entry?.suggestions?.length) parts.push(drawChoices(this, entry.suggestions));
    if (["order_number", "order_email"].includes(entry?.expects)) parts.push(drawOrderForm(this));
    if (entry?.expects === "contact") parts.push(drawContactForm(this));
    this.tray.replaceChildren(...parts);
    this.tray.hidden = !parts.length;
    this.entries.lastElementChild?.scrollIntoView();
  }

  #restore() {
    for (const entry of this.thread.entries) {
      this.#append(entry);
      if (!entry.failed) continue;
      if (entry.form || !entry.text) this.#remove(entry);       // what a form held is not stored
      else this.#mark(entry, this.t("not_sent"), { message: entry.text });
    }
    this.earlier.hidden = !this.thread.shortened;
    this.box.value = this.thread.draft;
    const last = this.thread.entries.findLast((each) => each.role !== "person");
    if (last?.role === "assistant") this.#showForms(last);
    this.log.setAttribute("aria-live", "polite");                // from now on, so that nothing old is read out
  }

  async #startAgain() {
    const { token } = this.thread;
    this.thread.clear();
    this.photos.clear();
    this.entries.replaceChildren();
    this.earlier.hidden = true;
    this.box.value = "";
    this.#usePhoto(null);
    this.#showForms(null);
    this.#grow();
    this.#say("restarted");
    this.box.focus();
    if (token) await ask(this.shop, this.key, { token, action: "restart", language: this.language }).catch(() => null);
  }

  // An empty message opens a conversation; without an answer to it there is still the box.
  async #greet() {
    const answer = await ask(this.shop, this.key, this.#common()).catch(() => null);
    if (!answer || this.thread.entries.length || this.sending) return;
    this.thread.token = answer.token ?? "";
    this.#receive(answer);
  }

  #common() {
    return { token: this.thread.token, product_id: this.product, page_search: this.search, language: this.language, visitor: this.visitor() };
  }

  // ---- answers of people, which come later

  // Staff may write in any conversation: one look after a message, more where a person has it.
  #later(once = false) {
    clearTimeout(this.timer);
    if (this.isOpen && (once || this.thread.handedOver)) this.timer = setTimeout(() => this.#look(), POLL);
  }

  async #look() {
    if (!this.thread.entries.length) return this.#greet();
    if (!this.thread.token) return;
    if (!this.sending && document.visibilityState === "visible") {
      const answer = await ask(this.shop, this.key, { token: this.thread.token, language: this.language }).catch(() => null);
      if (answer && !this.sending) {
        this.thread.token = answer.token ?? this.thread.token;
        this.#receive(answer);
      }
    }
    this.#later(document.visibilityState !== "visible");
  }

  // ---- the box

  #submit() {
    const message = this.box.value.trim();
    if (this.sending) return;
    if (!message && !this.photo) {
      this.#say("empty");
      this.box.focus();
      return;
    }
    const photo = this.photo;
    this.box.value = this.thread.draft = "";
    this.#usePhoto(null);
    this.#grow();
    this.send({ message }, message, photo);
  }

  // What is in the box goes along, so that nobody has to write it again.
  #callPerson() {
    const message = this.box.value.trim();
    if (this.sending) return;
    this.box.value = this.thread.draft = "";
    this.#grow();
    this.send({ message, action: "human" }, message || this.t("human"));
  }

  async #usePhoto(file) {
    this.photo = file ? await smaller(file) : null;
    this.chip.hidden = !file;
    this.file.value = "";
    if (!file) return;
    this.#paint(this.photo, this.preview);
    this.#say("photo_added");
    this.box.focus();
  }

  thumbnail(entry) {
    const photo = this.photos.get(entry);
    if (!photo) return null;
    const made = make("canvas", { className: "sent-photo", width: 160, height: 160, attributes: { role: "img", "aria-label": this.t("photo") } });
    this.#paint(photo, made);
    return made;
  }

  // A canvas, since a page's policy may allow no pictures of its own (blob:).
  async #paint(photo, canvas) {
    try {
      const bitmap = await createImageBitmap(photo);
      const scale = Math.min(canvas.width / bitmap.width, canvas.height / bitmap.height);
      const [width, height] = [bitmap.width * scale, bitmap.height * scale];
      const brush = canvas.getContext("2d");
      brush.clearRect(0, 0, canvas.width, canvas.height);
      brush.drawImage(bitmap, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
      bitmap.close();
    } catch {                     // a format that the shop may read and this browser does not
    }
  }

  #grow() {
    this.box.rows = Math.min(BOX_LINES, Math.max(1, this.box.value.split("\n").length));
    while (this.box.rows < BOX_LINES && this.box.scrollHeight > this.box.clientHeight + 2) this.box.rows += 1;
  }

  #say(key) {
    this.status.textContent = key && this.t(key);
  }

  // ---- elements

  #draw(about, className, theme) {
    const close = button("", () => this.close(), { className: "tool close", title: this.t("close"), attributes: { "aria-label": this.t("close") } });
    close.append(icon("close"));
    this.heading = make("h2", { id: "panel-title", tabIndex: -1, textContent: this.t("title") });
    const ways = make("p", { className: "ways" }, button(this.t("human"), () => this.#callPerson(), { className: "pill" }), button(this.t("restart"), () => this.#startAgain(), { className: "pill plain" }));
    this.elements = new Map();
    this.earlier = make("p", { className: "note", hidden: true, textContent: this.t("earlier") });
    this.entries = make("div", { className: "entries" });
    this.tray = make("div", { className: "tray", hidden: true });
    this.log = make("div", { className: "log", tabIndex: 0, attributes: { role: "log", "aria-label": this.t("conversation"), "aria-live": "off" } },
      make("p", { className: "note", textContent: this.t("intro") }), make("p", { className: "note", textContent: this.t("stored") }), about && make("p", { className: "note", textContent: this.t("about_product", { title: about }) }), this.earlier, this.entries, this.tray);
    this.status = make("p", { className: "status", attributes: { role: "status" } });
    this.alert = make("p", { className: "quiet", attributes: { role: "alert" } });
    this.whole = make("div", { className: "panel" }, make("div", { className: "head" }, this.heading, close, ways), this.log, this.status, this.alert, this.#composer());
    this.dialog = make("dialog", { className, attributes: { "aria-labelledby": "panel-title", ...(theme ? { "data-theme": theme } : {}) } }, this.whole);
    this.dialog.addEventListener("close", () => this.#closed());
    this.dialog.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.isComposing) {
        event.preventDefault();
        event.stopPropagation();
        this.close();
      }
    });
    this.#takePhotos();
  }

  #composer() {
    this.box = make("textarea", { className: "words", rows: 1, maxLength: 1000, dir: "auto", enterKeyHint: "send", attributes: { "aria-label": this.t("message"), "aria-describedby": "panel-keys", placeholder: this.t("message") } });
    this.box.addEventListener("input", () => {
      this.thread.draft = this.box.value;
      this.thread.store();
      this.#grow();
    });
    this.box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
    this.file = make("input", { type: "file", hidden: true, tabIndex: -1, accept: "image/jpeg,image/png,image/webp,image/avif,image/gif", attributes: { "aria-label": this.t("add_photo") } });
    this.file.addEventListener("change", () => this.#usePhoto(this.file.files[0]));
    const choose = button("", () => this.file.click(), { className: "tool", title: this.t("add_photo"), attributes: { "aria-label": this.t("add_photo") } });
    choose.append(icon("photo"));
    this.preview = make("canvas", { width: 88, height: 88, attributes: { role: "img", "aria-label": this.t("photo_added") } });
    const remove = button("", () => {
      this.#usePhoto(null);
      this.box.focus();
    }, { className: "tool", title: this.t("remove_photo"), attributes: { "aria-label": this.t("remove_photo") } });
    remove.append(icon("close"));
    this.chip = make("div", { className: "chip", hidden: true }, this.preview, remove);
    const made = make("form", { className: "composer" }, this.chip, this.box, this.file, choose, make("button", { className: "go", textContent: this.t("send") }), make("p", { id: "panel-keys", className: "keys", textContent: this.t("keys") }));
    made.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    return made;
  }

  // Photos that are pasted or dropped here are no search of the page around.
  #takePhotos() {
    const picture = (files) => [...(files ?? [])].find((file) => file.type.startsWith("image/"));
    this.dialog.addEventListener("paste", (event) => {
      const file = picture(event.clipboardData?.files);
      event.stopPropagation();
      if (!file) return;
      event.preventDefault();
      this.#usePhoto(file);
    });
    for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
      this.dialog.addEventListener(name, (event) => {
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        event.stopPropagation();
        if (name === "drop") this.#usePhoto(picture(event.dataTransfer.files) ?? null);
      });
    }
  }
}

const formOf = (fields) => fields.order ? "order" : fields.contact ? "contact" : "";
