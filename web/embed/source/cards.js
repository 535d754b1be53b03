// A product on a card, and where it leads: its page in the merchant's own shop, if that is known.

const NEARLY_SQUARE = 0.95;     // short side to long side

function addressOf(address, base = shop) {
  try {
    const made = new URL(address, base);
    return address && ["http:", "https:"].includes(made.protocol) ? made.href : "";
  } catch {
    return "";
  }
}

function linkOf(product) {
  const pattern = settings.link?.replace("{id}", encodeURIComponent(product.id));
  return (pattern && addressOf(pattern, document.baseURI)) || addressOf(product.link) || addressOf(product.url);
}

function priceOf(part, price, currency) {
  if (!price) return "";
  try {
    return new Intl.NumberFormat(part.locale, { style: "currency", currency }).format(price);
  } catch {                     // not a currency that the browser knows
    return `${price} ${currency}`.trim();
  }
}

// Log the click and tell the page; return whether the browser may follow the link.
// `query` is the id of the search that found the product, "" for other lists.
function follow(part, product, { rank, link, query = "" }) {
  logEvent("click", product.id, { rank, query });
  return part.announce("click", { id: product.id, link, rank, product });
}

// What a card says of the lowest price before a discount; "" where none is known.
function lowestOf(part, product) {
  const lowest = product.on_sale && product.lowest_30_days;
  if (!lowest) return "";
  const price = priceOf(part, lowest.price, lowest.currency);
  return part.t(lowest.complete ? "lowest" : "lowest_on_record", { price });
}

function card(part, product, rank, { more, query, reason } = {}) {
  const link = linkOf(product);
  const title = product.attributes?.[`title_${part.language}`] || product.title;
  const anchor = make("a", { href: link, dir: "auto", textContent: title, attributes: { part: "title" } });
  for (const name of ["click", "auxclick"]) {
    anchor.addEventListener(name, (event) => {
      if (event.button < 2 && !follow(part, product, { rank, link, query })) event.preventDefault();
    });
  }
  const made = make("li", { className: "card", attributes: { part: "card" } }, make("div", { className: "tile" }, pictureOf(part, product)), make("h3", {}, anchor));
  if (product.brand) made.append(make("p", { className: "soft", textContent: product.brand, dir: "auto" }));
  if (reason) made.append(make("p", { className: "soft", textContent: reason, dir: "auto", attributes: { part: "reason" } }));
  const price = priceOf(part, product.price, product.currency), before = priceOf(part, product.list_price, product.currency);
  const costs = make("p", { className: "price", attributes: { part: "price" } }, price && make("span", { textContent: price }));
  if (product.on_sale) {
    made.classList.add("sale");
    costs.append(make("s", {}, make("span", { className: "quiet", textContent: part.t("before") }), before));
    if (product.discount) made.firstChild.append(make("span", { className: "badge", textContent: part.t("discount", { percent: product.discount }) }));
  }
  if (!product.in_stock) costs.append(make("span", { className: "out", textContent: part.t("out_of_stock") }));
  made.append(costs);
  const lowest = lowestOf(part, product);
  if (lowest) made.append(make("p", { className: "lowest", textContent: lowest, attributes: { part: "lowest" } }));
  if (more) {
    const like = make("button", { type: "button", className: "like", textContent: part.t("more_like"), attributes: { "aria-label": part.t("more_like_this", { title }) } });
    like.addEventListener("click", () => more(product, title));
    made.append(like);
  }
  return made;
}

function pictureOf(part, product) {
  const blank = make("span", { className: "blank", textContent: part.t("no_picture") });
  const source = addressOf(product.picture_url);
  if (!source) return blank;
  const large = addressOf(product.picture_urls?.[640]);
  const image = make("img", { alt: "", loading: "lazy", decoding: "async", sizes: "(max-width: 30rem) 45vw, 14rem", srcset: large ? `${source} 320w, ${large} 640w` : "", src: source });
  // Pictures that are nearly square need no space around them; all are shown whole.
  image.addEventListener("load", () => {
    const [short, long] = [image.naturalWidth, image.naturalHeight].sort((one, other) => one - other);
    image.parentElement.classList.toggle("full", short >= NEARLY_SQUARE * long);
  });
  image.addEventListener("error", () => image.replaceWith(blank));
  return image;
}
