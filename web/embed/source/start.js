for (const [name, part] of [["windowshop-search", WindowshopSearch], ["windowshop-similar", WindowshopSimilar], ["windowshop-feed", WindowshopFeed], ["windowshop-assistant", WindowshopAssistant]]) {
  if (!customElements.get(name)) customElements.define(name, part);      // a page may hold the script twice
}

// A page with the script alone gets the box, and the products like data-product, where the script stands.
function place() {
  if (document.querySelector("windowshop-search, windowshop-similar, windowshop-feed, windowshop-assistant") || !document.body.contains(script)) return;
  const similar = settings.product && make("windowshop-similar", { attributes: { product: settings.product } });
  if (similar) similar.style.marginTop = "2rem";
  script.after(...[make("windowshop-search"), similar].filter(Boolean));
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", place);
else place();
