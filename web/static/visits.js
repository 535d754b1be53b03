// Views and clicks, sent to the shop under a random number so that it can recommend by them; what was viewed last is
// remembered here too. Nothing is where the browser asks not to be tracked, or personal recommendations are off.

const MOST = 24;
const find = (selector, within = document) => within.querySelector(selector);
const untracked = navigator.doNotTrack === "1" || navigator.globalPrivacyControl === true;
const recorded = () => !untracked && read("personalise") !== "off";

function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? null;
  } catch {
    return null;
  }
}

function keep(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {                     // storage is full or not allowed: nothing is remembered
  }
}

function visitor() {
  let name = read("visitor");
  if (!name) keep("visitor", name = `v-${Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("")}`);
  return name;
}

function tell(type, product, rank, list) {
  if (!recorded()) return;
  const event = { type, product_id: product };
  if (rank) event.rank = Number(rank);
  const query = list?.dataset.query;
  if (query && type === "click") event.query_id = query;
  fetch("/api/v1/events", {
    method: "POST",
    keepalive: true,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ visitor: visitor(), events: [event] }),
  }).catch(() => {});
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.(".card h3 a, a[data-id]");
  const picked = link?.matches("[data-id]") ? link : link && find(".foot", link.closest(".card"));
  if (picked) tell("click", picked.dataset.id, picked.dataset.rank, picked.closest("[data-query]"));
});

document.addEventListener("dismiss", ({ detail }) => tell("dismiss", detail));   // "Not for me", in personal.js

const viewed = () => (read("viewed") ?? []).filter((each) => typeof each === "string").slice(0, MOST);

const product = find("[data-product]")?.dataset.product;
if (product && recorded()) {
  keep("viewed", [product, ...viewed().filter((each) => each !== product)].slice(0, MOST));
  tell("view", product);
}
