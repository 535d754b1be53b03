// <windowshop-similar product="id">: products like one that the page shows.

const LISTS = { similar: "hits", substitutes: "items", "goes-with": "items" };

class WindowshopSimilar extends Part {
  static observedAttributes = ["product", "kind", "hits"];

  attributeChangedCallback(name, before, value) {
    if (this.words && value !== before) this.load();
  }

  draw() {
    this.hidden = true;                         // until there is something to show
    this.list = make("ul", { className: "grid row", attributes: { part: "grid" } });
    this.heading = make("h2", { attributes: { part: "heading" } });
    this.shadowRoot.append(make("section", { className: "whole", attributes: { "aria-label": this.t("similar_products") } }, this.heading, this.list));
    this.load();
  }

  async load() {
    const product = this.getAttribute("product");
    const kind = LISTS[this.getAttribute("kind")] ? this.getAttribute("kind") : "similar";
    if (!product) return;
    this.heading.textContent = this.getAttribute("heading") ?? this.t({ similar: "similar_products", substitutes: "substitutes", "goes-with": "goes_with" }[kind]);
    this.shadowRoot.querySelector("section").setAttribute("aria-label", this.heading.textContent);
    const found = await call(`products/${encodeURIComponent(product)}/${kind}`, { query: { k: this.getAttribute("hits") || "6" } }).catch(() => null);
    if (product !== this.getAttribute("product")) return;       // the page has gone on to another product
    const items = found?.[LISTS[kind]] ?? [];
    this.list.replaceChildren(...items.map((item, at) => card(this, item, item.rank ?? at + 1)));
    this.hidden = !items.length;
    if (kind === "similar" && found) logEvent("view", product);
    this.announce("results", { total: items.length, hits: items });
  }
}
