// Lists of values stay as they were left when the results are replaced, and long ones can be searched.
// Without this file every value is in its list, folded under "more".

const states = new Map();        // by the name of a folded part: whether it was opened or closed by hand
let scrolled = 0;                // where the sheet of a phone was scrolled to
const typed = new Map();         // by facet: the text that its list is searched for

document.addEventListener("click", (event) => {
  const summary = event.target.closest("summary");
  const part = summary?.parentElement;
  if (part?.dataset.open) states.set(part.dataset.open, !part.open);   // the click opens or closes it after this
});

document.addEventListener("scroll", (event) => {
  if (event.target.matches?.(".sheet-body")) scrolled = event.target.scrollTop;
}, { capture: true, passive: true });

function restore() {
  const top = scrolled;
  requestAnimationFrame(() => document.querySelector(".sheet-body")?.scrollTo(0, top));   // once the sheet is open again
  for (const part of document.querySelectorAll("details[data-open]")) {
    if (states.has(part.dataset.open)) part.open = states.get(part.dataset.open);
  }
  for (const field of document.querySelectorAll(".find-value")) {
    field.hidden = false;
    if (typed.has(field.dataset.list)) field.value = typed.get(field.dataset.list);
    if (field.value) narrow(field);
  }
}

// Shows the values that hold the text, also those that are folded away.
function narrow(field) {
  const wanted = plain(field.value);
  const panel = field.parentElement;
  const items = [...panel.querySelectorAll("li")];
  for (const item of items) item.hidden = !plain(item.querySelector(".value").textContent).includes(wanted);
  panel.querySelector(".no-value").hidden = items.some((item) => !item.hidden);
  panel.classList.toggle("searched-list", wanted !== "");
  const rest = panel.querySelector("details.rest");
  if (rest) rest.open = wanted !== "" || (states.get(rest.dataset.open) ?? false);
}

const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();

document.addEventListener("input", (event) => {
  const field = event.target;
  if (!field.matches(".find-value")) return;
  typed.set(field.dataset.list, field.value);
  narrow(field);
});

document.addEventListener("replaced", restore);
restore();

// ---- the menus of categories and languages

const openMenus = () => document.querySelectorAll(".menu[open], .languages[open]");
document.addEventListener("click", (event) => {
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
