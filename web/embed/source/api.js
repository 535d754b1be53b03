// Requests to the shop, and what is logged there of clicks.

class Refused extends Error {
  constructor(word) {
    super(word);
    this.word = word;                           // the key of the text that a shopper reads
  }
}

const REFUSALS = { 400: "bad_picture", 413: "too_large", 415: "bad_picture", 429: "too_many" };

// Forms, and GET without a key, need no preflight.
async function call(path, { fields, query, signal } = {}) {
  const address = new URL(`/api/v1/${path}`, shop);
  if (query) address.search = new URLSearchParams(query);
  let answer;
  try {
    answer = await fetch(address, { method: fields ? "POST" : "GET", body: fields, headers: keyHeader(), signal, credentials: "omit" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    console.warn(`Windowshop: no answer from ${shop}. Where it runs: does WINDOWSHOP_CORS_ORIGINS name ${location.origin}, and does this page's policy allow it (connect-src)?`);
    throw new Refused("unreachable");
  }
  if (answer.ok) return answer.json();
  const reason = (await answer.json().catch(() => ({}))).error;
  if (answer.status !== 429) console.warn(`Windowshop: ${answer.status} ${reason?.message ?? ""} ${reason?.hint ?? ""}`);
  throw new Refused(REFUSALS[answer.status] ?? "unanswered");
}

const keyHeader = () => (settings.key ? { Authorization: `Bearer ${settings.key}` } : {});

// ---- events: under a random name, and none where the browser or the page asks not to track

const VISITOR = "windowshop-visitor";
const LOGGED = ["view", "cart", "purchase"];
const tracked = () => settings.tracking !== "off" && navigator.doNotTrack !== "1" && navigator.globalPrivacyControl !== true;

function knownVisitor() {
  try {
    return localStorage.getItem(VISITOR) ?? "";
  } catch {                                     // storage is not allowed
    return "";
  }
}

function visitor() {
  try {
    let name = knownVisitor();
    if (!name) {
      name = `v-${Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
      localStorage.setItem(VISITOR, name);
    }
    return name;
  } catch {                                     // storage is not allowed: there is no name, and nothing is logged
    return "";
  }
}

// What a page's own script knows, such as its cart, comes as an event of the document.
document.addEventListener("windowshop-log", ({ detail }) => {
  if (LOGGED.includes(detail?.type) && detail.product) logEvent(detail.type, String(detail.product));
});

function logEvent(type, product, { rank, query } = {}) {
  const name = tracked() && visitor();
  if (!name) return;
  const event = { type, product_id: product, ...(rank ? { rank } : {}), ...(query ? { query_id: query } : {}) };
  fetch(new URL("/api/v1/events", shop), {
    method: "POST",
    keepalive: true,                            // the page is being left
    credentials: "omit",
    headers: { ...keyHeader(), "Content-Type": "text/plain" },   // JSON by name would need a preflight first
    body: JSON.stringify({ visitor: name, events: [event] }),
  }).catch(() => {});
}
