// Personal shelves of the front page and the list "For you": what this browser knows goes to the shop in the body of a
// request, and HTML comes back. The switch, "Forget me" and "Not for me" are here too.

const MOST = 24, MOST_DISMISSED = 100;   // products; see web/personal/routes.py
const PATIENCE = 5000;                   // milliseconds until a page goes without what is personal; less than in rows.js
const find = (selector, within = document) => within.querySelector(selector);
const untracked = navigator.doNotTrack === "1" || navigator.globalPrivacyControl === true;
const rows = find("#personal");
const settings = find(".personal-settings");
const note = settings && find(".personal-note", settings);
const asServed = [...rows.childNodes].map((node) => node.cloneNode(true));   // what everybody sees
const announce = (text) => { find("#announce").textContent = text; };

function read(name) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? null;
  } catch {
    return null;
  }
}

function store(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {                     // storage is full or not allowed: nothing is remembered
  }
}

const ids = (name, most) => (Array.isArray(read(name)) ? read(name) : []).filter((each) => typeof each === "string").slice(0, most);
const switchedOff = () => read("personalise") === "off";
const personal = () => !untracked && !switchedOff() && Boolean(read("visitor") || ids("viewed", 1).length);

function fields(offset = 0) {
  const sent = new URLSearchParams();
  if (typeof read("visitor") === "string") sent.append("visitor", read("visitor"));
  for (const each of ids("viewed", MOST)) sent.append("viewed", each);
  for (const each of ids("dismissed", MOST_DISMISSED)) sent.append("dismissed", each);
  if (offset) sent.append("offset", offset);
  return sent;
}

async function fetched(offset = 0, signal = undefined) {
  const options = personal() ? { method: "POST", body: fields(offset) } : {};
  const answer = await fetch(personal() ? rows.dataset.list : `${rows.dataset.list}?part=list&offset=${offset}`, { ...options, signal });
  if (!answer.ok) throw new Error(answer.statusText);
  return document.adoptNode(new DOMParser().parseFromString(await answer.text(), "text/html").body);
}

async function fill() {
  try {
    if (personal()) rows.replaceChildren(...(await fetched(0, AbortSignal.timeout(PATIENCE))).childNodes);
  } catch {                     // the page is whole without them
  } finally {
    document.documentElement.classList.remove("rows-to-come");
  }
}

fill();

// ---- more of the list: each product once, also when the shop has learnt something meanwhile

let removed = 0;                // products of the list that the shop leaves out by now, so that those below moved up

async function more(link) {
  link.setAttribute("aria-disabled", "true");
  try {
    const page = await fetched(Math.max(0, link.dataset.more - removed));
    removed = 0;
    const list = find(".for-you-list", rows);
    const present = new Set([...list.querySelectorAll(".foot")].map((each) => each.dataset.id));
    const fresh = [...page.querySelectorAll(".card")].filter((each) => !present.has(find(".foot", each).dataset.id));
    list.append(...fresh);
    find(".paging", rows).replaceWith(find(".paging", page));
    fresh[0] ? find("h3 a", fresh[0]).focus() : find(".paging a", rows)?.focus();
  } catch {
    location.assign(link.href);
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("#personal [data-more]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (!link.hasAttribute("aria-disabled")) more(link);
});

// ---- the switch

function showState() {
  document.documentElement.classList.toggle("personal-off", switchedOff());
  find("[data-personalise]")?.setAttribute("aria-checked", String(!switchedOff()));
}

function say(text) {
  note.textContent = text;
}

// The server cannot see what the browser asks of scripts alone. What was stored before can be deleted all the same.
if (untracked && settings?.dataset.untracked) {
  find("[data-personalise]")?.remove();
  const said = document.createElement("p");
  said.textContent = settings.dataset.untracked;
  settings.prepend(said);
}
showState();
addEventListener("storage", showState);   // switched in another tab

find("[data-personalise]")?.addEventListener("click", () => {
  store("personalise", switchedOff() ? "on" : "off");
  showState();
  say(switchedOff() ? settings.dataset.stopped : settings.dataset.begun);
  if (switchedOff()) rows.replaceChildren(...asServed.map((node) => node.cloneNode(true)));
  else fill();
});

const FORGOTTEN = ["viewed", "visitor", "dismissed", "searches"];
const unreached = new Set();    // ids that the shop may still know, for as long as this page is open

async function forgottenByShop(visitor) {
  try {
    const answer = await fetch(`/api/v1/visitors/${encodeURIComponent(visitor)}`, { method: "DELETE" });
    return answer.ok || (answer.status < 500 && answer.status !== 429);   // it has nothing under an id that it refuses
  } catch {
    return false;
  }
}

// Here first, so that a shop that does not answer keeps nothing in the browser.
find("[data-forget]")?.addEventListener("click", async ({ currentTarget: button }) => {
  if (typeof read("visitor") === "string") unreached.add(read("visitor"));
  try {
    for (const name of FORGOTTEN) localStorage.removeItem(name);
  } catch {                     // storage is not allowed: nothing is there
  }
  rows.replaceChildren(...asServed.map((node) => node.cloneNode(true)));
  for (const visitor of [...unreached]) if (await forgottenByShop(visitor)) unreached.delete(visitor);
  say(unreached.size ? button.dataset.failed : button.dataset.done);
});

// ---- not for me

const words = JSON.parse(document.body.dataset.words);

function dismissButton(card) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "like not-for-me";
  made.append(words.not_for_me);
  const title = document.createElement("span");
  title.className = "hidden-words";
  title.textContent = `: ${find("h3", card).textContent.trim()}`;
  made.append(title);
  made.addEventListener("click", () => {
    const id = find(".foot", card).dataset.id;
    store("dismissed", [id, ...ids("dismissed", MOST_DISMISSED).filter((each) => each !== id)].slice(0, MOST_DISMISSED));
    document.dispatchEvent(new CustomEvent("dismiss", { detail: id }));   // visits.js tells the shop
    const next = card.nextElementSibling ?? card.previousElementSibling;
    const shelf = card.closest(".shelf");
    card.remove();
    removed += 1;
    if (next) find("h3 a", next).focus();
    else shelf?.remove();
    announce(words.not_for_me_done);
  });
  return made;
}

function decorate() {
  if (!personal()) return;
  for (const card of rows.querySelectorAll("[data-surface] .card, .for-you-list .card")) {
    if (!find(".not-for-me", card)) find(".steer", card).append(dismissButton(card));
  }
}

new MutationObserver(decorate).observe(rows, { childList: true, subtree: true });
