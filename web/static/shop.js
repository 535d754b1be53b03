// Searches without leaving the page: photos, boxes in them, filters, order and pages of the results.
// Without this file the same forms and links still search, one page after another.

const MAX_PHOTOS = 8;                 // photos that the browser remembers, for results that are opened again
const PHOTO_SIDE = 480;            // CSS pixels
const REFUSALS = [400, 413, 415, 422];   // statuses that mean this very picture; others may pass

const find = (selector, within = document) => within.querySelector(selector);
const body = document.body;
const words = JSON.parse(body.dataset.words);
const form = find("#search");
const textInput = find("input.words", form);
const preview = find("#preview");
const message = find("#message");

let photo = null;
let crop = null;
let accepted = null;            // the photo and box that the shop has answered, and what was searched before that photo
let before = "";
let shown = "";                 // the name under which the photo, or what was cut out of it, is remembered
let refused = false;            // whether the shop refused the last picture
let running = null;             // the search under way, so that a newer one can call it off

// ---- the photo

// A new photo starts a search of its own: words and pictures of the search before are taken out of the box, and the
// results offer to combine both. A refused one leaves everything as it was.
document.addEventListener("photo", async ({ detail: file }) => {
  if (!file) return;
  const searched = Object.fromEntries([...find("#searched").children].map((each) => [each.name, each.value]));
  const typed = textInput?.value ?? "", earlier = before;
  photo = file;
  crop = null;
  before = searched.before ?? "";
  if (textInput && typed.trim() === searched.was) write("");
  showPreview();
  remember();
  if (await searchWithPhoto() || photo !== file || !refused) return;
  if (textInput) write(typed);
  before = earlier;
  forget();
  if (accepted) {
    ({ photo, crop } = accepted);
    showPreview();
  }
  document.dispatchEvent(new CustomEvent("restored", { detail: accepted }));
});

document.addEventListener("crop", async ({ detail: box }) => {
  if (!photo) {                   // the photo of results that were opened again
    photo = reopened;
    showPreview();
  }
  crop = box;
  remember();
  await searchWithPhoto();
});

function write(text) {
  textInput.value = text;
  find(".clear", form).hidden = !text;
}

function forget() {
  photo = crop = null;
  preview.hidden = true;
  for (const field of form.querySelectorAll("input[type=file]")) field.value = "";
}

function showPreview() {
  const picture = new Image(32, 32);
  const name = find(".chip-words", preview);
  picture.alt = words.your_photo;
  picture.addEventListener("load", () => URL.revokeObjectURL(picture.src));
  picture.addEventListener("error", () => {   // a format that the shop may read and this browser does not
    picture.remove();
    name.hidden = false;
  });
  picture.src = URL.createObjectURL(photo);
  find("img", preview)?.remove();
  name.hidden = true;
  preview.prepend(picture);
  preview.hidden = false;
}

find(".remove", preview).addEventListener("click", () => {
  running?.abort();
  const shownResults = accepted;
  forget();
  say("");
  if (shownResults) {             // results of a photo that is gone would be results of nothing
    busy(true);
    const text = textInput?.value.trim();
    location.assign(text ? `/?${new URLSearchParams({ q: text })}` : "/");
    return;
  }
  document.dispatchEvent(new CustomEvent("photo", { detail: null }));
  textInput?.focus();
});

// Small copies, stored while this tab is open: results have a URL, the uploaded photo has none. `part` is what was cut
// out, to show; `whole` is for the box, when the results are opened again.
async function remember() {
  const name = shown = Math.random().toString(36).slice(2, 12);
  const box = crop ?? [0, 0, 1, 1];
  try {
    const bitmap = await createImageBitmap(photo);
    const whole = copied(bitmap, [0, 0, 1, 1]);
    const photos = JSON.parse(sessionStorage.getItem("photos") ?? "[]");
    photos.unshift([name, crop ? copied(bitmap, box) : whole, crop ? whole : "", crop]);
    sessionStorage.setItem("photos", JSON.stringify(photos.slice(0, MAX_PHOTOS)));
    recall();
  } catch {                     // no room, not allowed, or not a format of this browser
  }
}

function copied(bitmap, [left, top, right, bottom]) {
  const width = (right - left) * bitmap.width, height = (bottom - top) * bitmap.height;
  const scale = Math.min(1, PHOTO_SIDE / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  canvas.getContext("2d").drawImage(bitmap, left * bitmap.width, top * bitmap.height, width, height, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/jpeg", 0.85);
}

function recall() {
  try {
    const photos = new Map(JSON.parse(sessionStorage.getItem("photos") ?? "[]").map(([name, ...copies]) => [name, copies]));
    for (const place of document.querySelectorAll("img[data-shown]")) {
      const copies = photos.get(place.dataset.shown);
      if (!copies) continue;
      place.src = copies[0];
      place.hidden = false;
    }
    return photos;
  } catch {
    return new Map();
  }
}

// Results of a photo that are opened again, by Back, reload or a link in this tab, get their box back.
let reopened = null;
function reopen() {
  const [part, whole, box] = recall().get(find("#results .asked-photo[data-shown]")?.dataset.shown) ?? [];
  if (!part || photo) return;
  const bytes = atob((whole || part).split(",")[1]);
  reopened = new Blob([Uint8Array.from(bytes, (each) => each.charCodeAt(0))], { type: "image/jpeg" });
  document.dispatchEvent(new CustomEvent("restored", { detail: { photo: reopened, crop: box ?? null } }));
}

// ---- searching

async function searchWithPhoto() {
  if (!photo) return false;
  refused = photo.size > Number(body.dataset.limit) - 4096;
  if (refused) {
    say(words.too_large);
    return false;
  }
  const fields = new FormData(form);
  for (const name of ["refine", "filter", "sort", "like", "was"]) fields.delete(name);   // of the search before this photo
  fields.set("before", before);
  fields.set("photo", photo, "photo");
  fields.set("shown", shown);
  if (crop) fields.set("crop", JSON.stringify(crop.map((side) => Number(side.toFixed(4)))));
  const sent = { photo, crop };
  const page = await load("/", { method: "POST", body: fields });
  if (!page) return false;
  accepted = sent;
  show(page, find("#results", page).dataset.link ?? "/");
  document.dispatchEvent(new CustomEvent("searched", { detail: photo }));
  return true;
}

async function load(address, options = {}) {
  running?.abort();
  const mine = running = new AbortController();
  busy(true);
  say("");
  refused = false;
  try {
    const answer = await fetch(address, { ...options, signal: mine.signal });
    const text = await answer.text();
    performance.mark("answer");
    const page = new DOMParser().parseFromString(text, "text/html");
    if (answer.ok && find("#results", page)) return page;
    refused = REFUSALS.includes(answer.status);
    say(reasonOn(page));
    return null;
  } catch (error) {
    if (error.name !== "AbortError") say(words.unreachable);
    return null;
  } finally {
    if (running === mine) busy(false);
  }
}

// The message of the shop's error page; a proxy's page would only say "Bad gateway".
function reasonOn(page) {
  const lines = page.querySelectorAll("#results .reason");
  return [...lines].map((line) => line.textContent.trim()).join(" ") || words.unanswered;
}

function show(page, address) {
  const key = document.activeElement?.dataset?.key;
  const sheet = find("#facets")?.matches(":popover-open");
  for (const chip of form.querySelectorAll("#tried, #refined, #liked")) if (photo) chip.remove();   // the photo took their place
  for (const place of ["#results", "#searched"]) find(place).replaceWith(document.adoptNode(find(place, page)));
  document.dispatchEvent(new Event("replaced"));
  document.title = page.title;
  body.classList.add("searched");
  if (location.pathname + location.search !== address) history.pushState(null, "", address);
  const links = find(".languages");
  links.replaceWith(document.adoptNode(find(".languages", page)));
  recall();
  if (sheet) find("#facets")?.showPopover?.();
  else if (!key) scrollTo({ top: 0 });
  if (key) find(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
  find("#announce").textContent = words.found.replace("{count}", document.querySelectorAll("#results .grid > li").length);
  requestAnimationFrame(() => setTimeout(() => performance.measure("painted", "answer")));
}

function busy(yes) {
  body.classList.toggle("busy", yes);
  find("#results").setAttribute("aria-busy", String(yes));
}

function say(text) {
  message.textContent = text;
  message.hidden = !text;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (photo) {
    searchWithPhoto();
    return;
  }
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string" && value.trim()) fields.set(name, value.trim());
  for (const name of ["was", "before"]) fields.delete(name);
  const query = fields.toString();
  if (fields.has("q") || !textInput || query) {
    busy(true);
    location.assign(`/?${query}`);
  } else {
    textInput.focus();
  }
});

// ---- filters, order and pages: the same forms and links, shown in place

addEventListener("submit", async (event) => {
  const sent = event.target;
  if (!sent.closest("#results") && sent.id !== "steer") return;
  if (!sent.hasAttribute("data-swap") && !photo) return;   // the search box changes too: a page of its own
  event.preventDefault();
  const fields = new URLSearchParams(new FormData(sent, event.submitter));
  await swap(`/?${fields}`);
});

addEventListener("change", (event) => {
  if (event.target.id === "sort") event.target.form.requestSubmit();
});

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a");
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (link.matches("[data-swap]")) {
    event.preventDefault();
    if (await swap(link.getAttribute("href"))) find("#results").focus({ preventScroll: true });
  } else if (link.closest(".back") && history.length > 1 && document.referrer.split("#")[0] === link.href.split("#")[0]) {
    event.preventDefault();         // the very page, where it was left
    history.back();
  }
});

async function swap(address) {
  const page = await load(address);
  if (page) show(page, address);
  return page;
}

addEventListener("popstate", () => location.reload());
addEventListener("pageshow", () => busy(false));   // a page that comes back from the browser's cache may look busy

// The cookie stores the chosen language; remove it from the URL, which may be sent to other people.
const address = new URL(location.href);
if (address.searchParams.has("lang")) {
  address.searchParams.delete("lang");
  history.replaceState(null, "", address.pathname + address.search);
}
reopen();
