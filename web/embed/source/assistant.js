// <windowshop-assistant>: a button that opens the shop's assistant. Its panel comes with the first click, as a module.

class WindowshopAssistant extends Part {
  static observedAttributes = ["product"];

  attributeChangedCallback(name, before, value) {
    if (this.panel) this.panel.product = value ?? "";
  }

  draw() {
    this.button = make("button", { type: "button", className: "help", textContent: this.t("help"), attributes: { part: "button", "aria-haspopup": "dialog", "aria-expanded": "false" } });
    this.button.addEventListener("click", () => this.open());
    this.message = make("p", { className: "message", hidden: true, attributes: { role: "alert" } });
    this.whole = make("div", { className: "whole assistant" }, this.button, this.message);
    this.shadowRoot.append(this.whole);
    if (innerWidth > 900 && wasOpen()) this.open(false);     // on a phone it would cover the page
  }

  // What the page may call too: `focus` moves the focus into the panel.
  async open(focus = true) {
    try {
      this.panel ??= await this.load();
      this.panel.open(focus);
    } catch (error) {
      console.warn(`Windowshop: ${shop}/embed/assistant.js could not be loaded. Does this page's policy allow it (script-src)? ${error.message}`);
    }
    this.message.textContent = this.panel ? "" : this.t("unreachable");
    this.message.hidden = Boolean(this.panel);
  }

  close() {
    this.panel?.close();
  }

  async load() {
    const { Panel } = await import(new URL("/embed/assistant.js", shop).href);
    const search = document.querySelector("windowshop-search");
    const own = await hostWords;
    const panel = new Panel({
      shop,
      key: settings.key,
      language: this.language,
      locale: this.locale,
      product: this.getAttribute("product") ?? "",
      words: { ...flat(own), ...own[this.language] },
      links: {
        product: linkOf,
        follow: (product, rank, link) => follow(this, product, { rank, link }),
        similar: (product) => search && (() => this.searchWith(() => search.like(product, product.title))),
        search: (address) => {
          const text = search && new URL(address, shop).searchParams.get("q");
          return text && (() => this.searchWith(() => search.search(text)));
        },
      },
      visitor: () => (tracked() ? knownVisitor() : ""),
      opener: this.button,
      className: "embedded",
      theme: this.getAttribute("theme") ?? "",
    });
    this.whole.append(panel.host);
    return panel;
  }

  // The page's own search box shows what was found; a panel that covers the page makes way.
  searchWith(search) {
    if (innerWidth <= 900) this.close();
    search();
  }
}

function wasOpen() {
  try {
    return JSON.parse(sessionStorage.getItem("windowshop-assistant"))?.open === true;
  } catch {
    return false;
  }
}
