// Makes the page quicker to use: photos by choosing, dropping, pasting or camera, shown before they are searched for.
// Without this file the same form still searches by words and by an uploaded photo.

const LONGEST_SIDE = 1280;      // more pixels than the shop looks at only cost upload time
const SHRINK_ABOVE = 400_000;   // bytes; smaller files are sent as they are

const find = (selector, within = document) => within.querySelector(selector);
const body = document.body;
const form = find("#search");
const words = find("input.words", form);
const preview = find("#preview");
const message = find("#message");

let photo = null;
let running = null;             // the search under way, so that a newer one can call it off

// ---- the photo

async function usePhoto(file) {
  if (!file) return;
  say("");
  photo = await shrunk(file);
  showPreview();
  await searchWithPhoto();
}

function showPreview() {
  const picture = new Image(32, 32);
  const name = find(".chip-words", preview);
  picture.alt = "Your photo";
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

function forgetPhoto() {
  photo = null;
  running?.abort();
  preview.hidden = true;
  for (const field of form.querySelectorAll("input[type=file]")) field.value = "";
  say("");
  words?.focus();
}

async function shrunk(file) {
  if (file.size <= SHRINK_ABOVE) return file;
  try {
    const bitmap = await createImageBitmap(file);
    const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(bitmap.width * scale));
    canvas.height = Math.max(1, Math.round(bitmap.height * scale));
    const brush = canvas.getContext("2d");
    brush.fillStyle = "white";
    brush.fillRect(0, 0, canvas.width, canvas.height);
    brush.imageSmoothingQuality = "high";
    brush.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    return await jpegOf(canvas) ?? file;
  } catch {
    return file;                // the server knows more formats, and says it well when it does not
  }
}

const jpegOf = (canvas) => new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.9));

// ---- searching

async function searchWithPhoto(offset = 0) {
  if (photo.size > Number(body.dataset.limit) - 4096) {
    say("This picture is too large. Choose a smaller one.");
    return;
  }
  const fields = new FormData(form);
  fields.set("photo", photo, "photo");
  fields.set("offset", String(offset));
  const page = await load("/", { method: "POST", body: fields });
  if (!page) return;
  if (offset) append(page);
  else show(page);
}

async function load(address, options = {}) {
  running?.abort();
  const mine = running = new AbortController();
  busy(true);
  say("");
  try {
    const answer = await fetch(address, { ...options, signal: mine.signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (answer.ok && find("#results", page)) return page;
    say(reasonOn(page));
    return null;
  } catch (error) {
    if (error.name !== "AbortError") say("The shop cannot be reached. Check the connection and try again.");
    return null;
  } finally {
    if (running === mine) busy(false);
  }
}

// What an error page of the shop says; a proxy's page would only say "Bad gateway".
function reasonOn(page) {
  const lines = page.querySelectorAll("#results .reason");
  return [...lines].map((line) => line.textContent.trim()).join(" ") || "The shop cannot answer at the moment. Try again later.";
}

function show(page) {
  find("#tried")?.remove();     // the photo that was sent took its place
  find("#results").replaceWith(document.adoptNode(find("#results", page)));
  document.title = page.title;
  body.classList.add("searched");
  if (location.pathname + location.search !== "/") history.pushState(null, "", "/");
  scrollTo({ top: 0 });
}

function append(page) {
  const cards = [...page.querySelectorAll("#results .grid > li")].map((card) => document.adoptNode(card));
  find("#results .grid").append(...cards);
  find(".paging").replaceWith(document.adoptNode(find(".paging", page) ?? document.createElement("span")));
  find("a", cards[0] ?? document)?.focus({ preventScroll: true });
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
  const asked = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string" && value.trim()) asked.set(name, value.trim());
  const query = asked.toString();
  if (query) {
    busy(true);
    location.assign(`/?${query}`);
  } else {
    (words ?? find("#photo")).focus();
    if (!words) find("#photo").click();
  }
});

find(".remove", preview).addEventListener("click", forgetPhoto);
for (const field of form.querySelectorAll("input[type=file]")) field.addEventListener("change", () => usePhoto(field.files[0]));

document.addEventListener("click", async (event) => {
  const more = event.target.closest(".more");
  if (!more) return;
  event.preventDefault();
  if (more.dataset.offset) {
    await searchWithPhoto(Number(more.dataset.offset));
  } else {
    const page = await load(more.href);
    if (page) append(page);
  }
});

addEventListener("popstate", () => location.reload());
addEventListener("pageshow", () => busy(false));   // a page that comes back from the browser's cache may look busy

// ---- drop and paste, anywhere on the page

const dropArea = find("#drop");
let depth = 0;                  // enter and leave come for every element underneath

const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
const pictureIn = (files) => [...(files ?? [])].find((file) => file.type.startsWith("image/")) ?? files?.[0];

function drag(by) {
  depth = Math.max(0, depth + by);
  dropArea.hidden = depth === 0;
}

addEventListener("dragenter", (event) => carriesFiles(event) && drag(+1));
addEventListener("dragleave", (event) => carriesFiles(event) && drag(-1));
addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  drag(-depth);
  usePhoto(pictureIn(event.dataTransfer.files));
});
addEventListener("paste", (event) => {
  const file = [...(event.clipboardData?.files ?? [])].find((each) => each.type.startsWith("image/"));
  if (!file) return;
  event.preventDefault();
  usePhoto(file);
});

// ---- camera: phones open their own; elsewhere a small viewfinder

const viewfinder = find("#viewfinder");
const video = find("video", viewfinder);

find("#camera").addEventListener("click", async (event) => {
  if (matchMedia("(pointer: coarse)").matches || !navigator.mediaDevices?.getUserMedia) return;
  event.preventDefault();
  say("");
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    viewfinder.showModal();
  } catch {
    say("The camera cannot be used. Choose a picture instead.");
  }
});

viewfinder.addEventListener("close", () => {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  video.srcObject = null;
});

viewfinder.addEventListener("click", async (event) => {
  const wanted = event.target.dataset.do;
  if (wanted === "take") {
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d").drawImage(video, 0, 0);
    viewfinder.close();
    usePhoto(await jpegOf(canvas));
  } else if (wanted === "close") {
    viewfinder.close();
  }
});
