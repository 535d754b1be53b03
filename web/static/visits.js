// What was viewed, remembered by this browser alone: rows for it on the front page. Views and clicks are sent to the shop
// under a random name, so that it can recommend by them, unless the browser asks not to be tracked.

const MOST = 24;
const find = (selector, within = document) => within.querySelector(selector);
const untracked = navigator.doNotTrack === "1" || navigator.globalPrivacyControl === true;

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

function tell(type, product, rank) {
  if (untracked) return;
  const event = { type, product_id: product };
  if (rank) event.rank = Number(rank);
  const query = find("#results")?.dataset.query;
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
  if (picked) tell("click", picked.dataset.id, picked.dataset.rank);
});

const viewed = () => (read("viewed") ?? []).filter((each) => typeof each === "string").slice(0, MOST);

const product = find("[data-product]")?.dataset.product;
if (product) {
  keep("viewed", [product, ...viewed().filter((each) => each !== product)].slice(0, MOST));
  tell("view", product);
}

// ---- the front page's rows

const rows = find("#personal");
if (rows && viewed().length) {
  const fields = new URLSearchParams();
  for (const each of viewed()) fields.append("viewed", each);
  fetch("/", { method: "POST", body: fields })
    .then(async (answer) => {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const filled = find("#personal", page);
      if (answer.ok && filled) rows.replaceChildren(...document.adoptNode(filled).childNodes);
    })
    .catch(() => {})            // the page is whole without them
    .finally(() => document.documentElement.classList.remove("rows-to-come"));
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-forget]")) return;
  for (const name of ["viewed", "visitor"]) localStorage.removeItem(name);
  find("#personal").replaceChildren();
  find("#search input.words, #photo").focus();
});

// ---- why a result: with the photo at hand, where it matches can be shown too

const why = find("[data-why]");
if (why?.dataset.shown) {
  const photos = new Map(JSON.parse(sessionStorage.getItem("photos") ?? "[]").map(([name, part]) => [name, part]));
  const source = photos.get(why.dataset.shown);
  if (source) showMatch(why, source);
}

function picture(kind, source) {
  const made = new Image();
  made.className = kind;
  made.alt = "";
  made.src = source;
  return made;
}

async function showMatch(place, source) {
  const fields = { image: source };
  const answer = await fetch(`/api/v1/products/${encodeURIComponent(place.dataset.why)}/why`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(fields),
  }).catch(() => null);
  if (!answer?.ok) return;
  const explanation = await answer.json();
  if (!explanation.found_region || !explanation.asked_region) return;
  const figure = find('[data-side="asked"]', place);
  const found = find('[data-side="found"]', place);
  find(".over", figure).replaceChildren(picture("", source), picture("veil", explanation.asked_region.png));
  find(".over", found).replaceChildren(picture("", why.dataset.picture), picture("veil", explanation.found_region.png));
  figure.hidden = false;
  find(".where", place).hidden = false;
}
