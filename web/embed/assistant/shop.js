// The panel on the shop's own pages: `help` is the link that opens it.

const STORED = (name) => {
  try {
    return JSON.parse(localStorage.getItem(name));
  } catch {
    return null;
  }
};

export function openHere(help) {
  const untracked = navigator.doNotTrack === "1" || navigator.globalPrivacyControl === true;
  const panel = new Panel({
    shop: location.origin,
    language: document.documentElement.lang.split("-")[0],
    locale: document.documentElement.lang,
    product: new URL(help.href).searchParams.get("product_id") ?? "",
    about: document.querySelector(".product h1")?.textContent ?? "",
    search: location.pathname === "/" ? new URLSearchParams(location.search).get("q") ?? "" : "",
    links: {
      product: (product) => addressOf(product.url, location.origin),
      similar: (product) => `/?${new URLSearchParams({ like: product.id })}`,
      search: (address) => addressOf(address, location.origin),
    },
    visitor: () => (untracked || STORED("personalise") === "off" ? "" : STORED("visitor") ?? ""),
    opener: help,
  });
  document.body.append(panel.host);
  return panel;
}
