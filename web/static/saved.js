// Favourites, and products to compare: lists of ids that only this browser stores. Their pages have the ids in the address,
// so without this file a link to them still works.

const MOST = { favourites: 100, compare: 4 };   // see web/saved/routes.py
const LONGEST_ADDRESS = 7000;   // characters; the server reads about 8,000
const HEART = "M12 20s-7-4.4-7-9.6A3.9 3.9 0 0 1 12 8a3.9 3.9 0 0 1 7 2.4C19 15.6 12 20 12 20z";
const SCALES = "M12 5v14M8 19h8M5 8h14M5 8l-2.5 6a2.7 2.7 0 0 0 5 0zm14 0-2.5 6a2.7 2.7 0 0 0 5 0z";

const find = (selector, within = document) => within.querySelector(selector);
const words = JSON.parse(document.body.dataset.words);
const link = find("#favourites-link");
const announce = (text) => { find("#announce").textContent = text; };

function stored(list) {
  try {
    const ids = JSON.parse(localStorage.getItem(list));
    return Array.isArray(ids) ? ids.filter((each) => typeof each === "string").slice(0, MOST[list]) : [];
  } catch {
    return [];
  }
}

function store(list, ids) {
  try {
    localStorage.setItem(list, JSON.stringify(ids));
  } catch {                     // storage is full or not allowed: nothing is remembered
  }
  refresh();
}

function address(list, ids = stored(list)) {
  return ids.length ? `/${list}?${new URLSearchParams(ids.map((id) => ["ids", id]))}` : `/${list}`;
}

function toggle(list, id) {
  const ids = stored(list);
  const own = location.pathname + location.search === address(list, ids);   // not a list that somebody shared
  if (ids.includes(id)) {
    store(list, ids.filter((each) => each !== id));
  } else if (list === "compare" && ids.length >= MOST.compare) {
    note.textContent = words.compare_full;
    announce(words.compare_full);
  } else {
    const more = [id, ...ids].slice(0, MOST[list]);
    while (address(list, more).length > LONGEST_ADDRESS) more.pop();
    store(list, more);
  }
  if (!own) return;
  history.replaceState(null, "", address(list));   // so that a reload shows the list as it is
  find(".list-actions .share")?.setAttribute("href", location.href);
}

// ---- buttons on cards

function icon(path) {
  const drawn = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  drawn.setAttribute("viewBox", "0 0 24 24");
  drawn.setAttribute("class", "icon");
  drawn.setAttribute("aria-hidden", "true");
  drawn.append(document.createElementNS(drawn.namespaceURI, "path"));
  drawn.firstChild.setAttribute("d", path);
  return drawn;
}

function button(list, title, path) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = `save save-${list}`;
  made.dataset.save = list;
  made.title = list === "compare" ? words.compare : words.save_favourite;
  made.setAttribute("aria-label", `${made.title}: ${title}`);
  made.append(icon(path));
  return made;
}

function decorate() {
  for (const card of document.querySelectorAll(".card:not(:has(.save))")) {
    const title = find("h3", card).textContent.trim();
    card.append(button("favourites", title, HEART), button("compare", title, SCALES));
  }
}

const idOf = (control) => (control.closest("[data-id]") ?? find(".foot", control.closest(".card"))).dataset.id;

document.addEventListener("click", (event) => {
  const control = event.target.closest?.("[data-save], [data-uncompare]");
  if (!control) return;
  if (control.dataset.save) toggle(control.dataset.save, idOf(control));
  else store("compare", stored("compare").filter((each) => each !== control.dataset.uncompare));   // its link follows
});

// ---- sharing

document.addEventListener("click", (event) => {
  const shared = event.target.closest?.("a.share");
  if (!shared || event.button || event.ctrlKey || event.metaKey || event.shiftKey || !(navigator.share || navigator.clipboard)) return;
  event.preventDefault();
  share(shared);
});

// The device's own list of apps to share with, else the link is copied.
async function share(shared) {
  try {
    if (navigator.share) {
      await navigator.share({ title: document.title, url: shared.href });
      return;
    }
  } catch (error) {
    if (error.name === "AbortError") return;   // the list was closed
  }
  try {
    await navigator.clipboard.writeText(shared.href);
    shared.textContent = words.copied;
    announce(words.copied);
  } catch {
    location.assign(shared.href);
  }
}

// ---- what is saved, in the header and below

const bar = document.createElement("div");
const go = document.createElement("a");
const clear = document.createElement("button");
const note = document.createElement("span");
bar.className = "compare-bar";
bar.setAttribute("role", "region");
bar.setAttribute("aria-label", words.compare);
go.className = "button";
Object.assign(clear, { type: "button", className: "pill plain", textContent: words.clear });
clear.addEventListener("click", () => store("compare", []));
bar.append(go, note, clear);

function refresh() {
  decorate();
  const saved = { favourites: new Set(stored("favourites")), compare: new Set(stored("compare")) };
  for (const control of document.querySelectorAll("[data-save]")) control.setAttribute("aria-pressed", String(saved[control.dataset.save].has(idOf(control))));
  link.href = address("favourites");
  find(".count-badge", link).textContent = saved.favourites.size || "";
  go.href = address("compare");
  go.textContent = words.compare_count.replace("{count}", saved.compare.size);
  note.textContent = "";
  const wanted = saved.compare.size > 0 && location.pathname !== "/compare";
  if (wanted && !bar.isConnected) document.body.append(bar);
  else if (!wanted) bar.remove();
}

// Cards come with results that are swapped and rows that are fetched.
let waiting = 0;
new MutationObserver((changes) => {
  if (waiting || !changes.some((change) => [...change.addedNodes].some((each) => each.nodeType === 1 && (each.matches(".card, [data-save]") || find(".card", each))))) return;
  waiting = requestAnimationFrame(() => {
    waiting = 0;
    refresh();
  });
}).observe(find("main"), { childList: true, subtree: true });

addEventListener("storage", refresh);    // saved in another tab
addEventListener("pageshow", refresh);   // or on a page before this one
if (find('#favourites[data-listed="0"]') && stored("favourites").length && !location.search) location.replace(address("favourites"));
if (find("#nothing-compared") && stored("compare").length > 1 && !location.search) location.replace(address("compare"));
