// An entry of the conversation as elements. Texts are never markup, and links come from the fields of the answer alone.

const SPEAKERS = { you: "you", assistant: "assistant", person: "person" };

function drawEntry(panel, entry) {
  const who = SPEAKERS[entry.role] ? entry.role : "assistant";
  const made = make("article", { className: `entry ${who}` }, make("p", { className: "who", textContent: panel.t(who) }));
  if (entry.photo) made.append(panel.thumbnail(entry) ?? make("p", { className: "soft", textContent: panel.t("photo") }));
  if (entry.text) made.append(make("p", { className: "text", dir: "auto", textContent: entry.text, ...(entry.language ? { lang: entry.language } : {}) }));
  const reference = entry.handed_over?.reference;
  if (reference && !entry.text?.includes(reference)) made.append(make("p", { className: "reference", textContent: panel.t("reference", { reference }) }));
  if (entry.products?.length) made.append(drawProducts(panel, entry.products));
  const all = entry.search && wayTo(panel.links.search(entry.search), { className: "all", textContent: panel.t("all_results") });
  if (all) made.append(make("p", {}, all));
  if (entry.sources?.length) made.append(drawSources(panel, entry));
  return made;
}

// What is said of the lowest price before a discount; "" where none is known.
function lowestOf(panel, product) {
  const lowest = product.on_sale && product.lowest_30_days;
  if (!lowest) return "";
  const price = panel.price(lowest.price, lowest.currency);
  return panel.t(lowest.complete ? "lowest" : "lowest_on_record", { price });
}

function drawProducts(panel, products) {
  return make("ul", { className: "products", attributes: { "aria-label": panel.t("products") } }, ...products.map((product, at) => {
    const link = panel.links.product(product);
    const anchor = make("a", { href: link, dir: "auto", textContent: product.title });
    for (const name of ["click", "auxclick"]) {
      anchor.addEventListener(name, (event) => {
        if (event.button < 2 && panel.links.follow?.(product, at + 1, link) === false) event.preventDefault();
      });
    }
    const price = panel.price(product.price, product.currency);
    const costs = make("p", { className: "price" }, price && make("span", { textContent: price }));
    if (product.on_sale && product.list_price) costs.append(make("s", {}, make("span", { className: "quiet", textContent: `${panel.t("price_before")} ` }), panel.price(product.list_price, product.currency)));
    if (product.in_stock === false) costs.append(make("span", { className: "out", textContent: panel.t("out_of_stock") }));
    const lowest = lowestOf(panel, product);
    return make("li", { className: "product" }, make("div", { className: "tile" }, pictureOf(panel, product)), make("h3", {}, anchor), costs, lowest && make("p", { className: "low", textContent: lowest }), similarOf(panel, product));
  }));
}

const similarOf = (panel, product) => wayTo(panel.links.similar(product), { className: "like", textContent: panel.t("similar"), attributes: { "aria-label": panel.t("similar_to", { title: product.title }) } });

// A link to an address, or a button that does something; null where there is neither.
function wayTo(target, props) {
  if (!target) return null;
  return typeof target === "string" ? make("a", { href: target, ...props }) : button(props.textContent, target, props);
}

function pictureOf(panel, product) {
  const blank = make("span", { className: "blank", textContent: panel.t("no_picture") });
  const source = addressOf(product.picture_url, panel.shop);
  if (!source) return blank;
  const image = make("img", { alt: "", loading: "lazy", decoding: "async", src: source });
  image.addEventListener("error", () => image.replaceWith(blank));
  return image;
}

function drawSources(panel, entry) {
  const lines = entry.sources.map((source) => {
    const key = `source_${source.kind}`;
    const name = panel.words[key] ? panel.t(key, { title: source.title ?? "" }) : `${source.title}:`;
    const link = addressOf(source.url, panel.shop);
    const said = make("q", { dir: "auto", textContent: source.text ?? "" });
    return make("li", {}, make("span", { className: "soft", textContent: `${name} ` }), link ? make("a", { href: link }, said) : said);
  });
  return make("details", { className: "sources" }, make("summary", { textContent: panel.t("sources") }), make("ul", entry.language ? { lang: entry.language } : {}, ...lines));
}

// What the last answer asks for: one of several texts, an order's number and address, or where to reach the customer.
function drawChoices(panel, suggestions) {
  const choices = suggestions.map((text) => make("li", {}, button(text, () => panel.send({ message: text }), { className: "pill", dir: "auto" })));
  return make("div", {}, make("p", { className: "quiet", textContent: panel.t("suggestions") }), make("ul", { className: "choices" }, ...choices));
}

function field(label, props) {
  return make("label", {}, make("span", { textContent: label }), make("input", { required: true, maxLength: 254, ...props }));
}

function drawForm(legend, fields, sending, send) {
  const made = make("form", { className: "form" }, make("fieldset", {}, make("legend", { textContent: legend }), ...fields, make("button", { className: "go", textContent: sending })));
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    send(Object.fromEntries([...new FormData(made)].map(([name, value]) => [name, value.trim()])));
  });
  return made;
}

function drawOrderForm(panel) {
  const number = field(panel.t("order_number"), { name: "number", autocomplete: "off", autocapitalize: "characters", spellcheck: false, maxLength: 40, enterKeyHint: "next" });
  const email = field(panel.t("order_email"), { name: "email", type: "email", autocomplete: "email", enterKeyHint: "send" });
  return drawForm(panel.t("order"), [number, email], panel.t("order_send"), (order) => panel.send({ order }, panel.t("order_sent", { number: order.number })));
}

function drawContactForm(panel) {
  const email = field(panel.t("contact_email"), { name: "email", type: "email", autocomplete: "email" });
  const name = field(panel.t("contact_name"), { name: "name", autocomplete: "name", required: false, maxLength: 100, enterKeyHint: "send" });
  return drawForm(panel.t("contact"), [email, name], panel.t("contact_send"), (contact) => panel.send({ contact }, panel.t("contact_sent")));
}
