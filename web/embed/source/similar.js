// Rows of products: <windowshop-similar product="id"> for what is like a product or goes with it, and
// <windowshop-feed surface="for_you"> for what the shop recommends to the visitor.

class Row extends Part {
  attributeChangedCallback(name, before, value) {
    if (this.words && value !== before) this.load();
  }

  draw() {
    this.hidden = true;                         // until there is something to show
    this.list = make("ul", { className: "grid row", attributes: { part: "grid" } });
    this.heading = make("h2", { attributes: { part: "heading" } });
    this.section = make("section", { className: "whole" }, this.heading, this.list);
    this.shadowRoot.append(this.section);
    this.load();
  }

  // An answer that a later request has overtaken is dropped.
  async fill(ask, heading) {
    const mine = this.asked = {};
    const found = await ask.catch(() => null);
    if (this.asked !== mine) return null;
    const items = found?.items ?? found?.hits ?? [];
    this.heading.textContent = this.getAttribute("heading") ?? heading(found);
    this.section.setAttribute("aria-label", this.heading.textContent);
    this.list.replaceChildren(...items.map((item, at) => card(this, item, item.rank ?? at + 1, { query: found.feed_id, reason: item.reason?.text })));
    this.hidden = !items.length;
    this.announce("results", { total: items.length, hits: items });
    return found;
  }
}

const KINDS = { similar: "similar_products", substitutes: "substitutes", "goes-with": "goes_with", "bought-together": "bought_together" };

class WindowshopSimilar extends Row {
  static observedAttributes = ["product", "kind", "hits"];

  async load() {
    const product = this.getAttribute("product");
    const kind = KINDS[this.getAttribute("kind")] ? this.getAttribute("kind") : "similar";
    if (!product) return;
    const k = this.getAttribute("hits") || "6";
    const ask = kind === "bought-together"
      ? call("feed", { query: { surface: "bought_together", product, k, lang: this.spoken } })
      : call(`products/${encodeURIComponent(product)}/${kind}`, { query: { k } });
    if (await this.fill(ask, () => this.t(KINDS[kind])) && kind === "similar") logEvent("view", product);
  }
}

const SURFACES = ["for_you", "buy_again", "new_for_you", "trending", "because_you_looked"];

class WindowshopFeed extends Row {
  static observedAttributes = ["surface", "hits", "cart"];

  async load() {
    const surface = SURFACES.includes(this.getAttribute("surface")) ? this.getAttribute("surface") : "for_you";
    const query = new URLSearchParams({ surface, k: this.getAttribute("hits") || "6", lang: this.spoken });
    for (const id of this.getAttribute("cart")?.split(/\s+/).filter(Boolean) ?? []) query.append("cart", id);
    const name = tracked() && knownVisitor();   // a visitor of whom nothing is logged needs no name
    if (name) query.append("visitor", name);
    else query.append("personalise", "false");
    await this.fill(call("feed", { query }), (found) => found?.title ?? "");
  }
}
