// A strip with the objects that the shop found in the chosen photo, and on request the photo with a box to drag.
// Listens to "photo"; announces each new box with "crop": [left, top, right, bottom] in fractions, or null for all of it.

const LEAST = 0.08;             // of the photo's side
const THUMBNAIL = 88;           // pixels, twice the size on the page
const STEP = 0.02;
const SETTLED = 450;            // ms without a key before the box is searched

const find = (selector, within = document) => within.querySelector(selector);
const words = JSON.parse(document.body.dataset.words);
const editor = find("#editor");
const canvas = find(".canvas", editor);
const picture = new Image();
const frame = find("#crop", editor);
const boxes = find(".found", canvas);
const choices = find(".choices", editor);
const whole = find("[data-whole]", choices);
const choosePart = find("#choose-part", choices);
const cropper = find("#cropper", editor);
picture.alt = words.your_photo;
picture.draggable = false;
canvas.prepend(picture);

const ALL = [0, 0, 1, 1];
let box = ALL;
let announced = ALL;
let waiting = 0;
let asking = null;

document.addEventListener("photo", ({ detail: file }) => {
  asking?.abort();
  clear();
  URL.revokeObjectURL(picture.src);
  editor.hidden = true;
  if (!file) return;
  picture.addEventListener("load", () => { editor.hidden = false; }, { once: true });
  picture.src = URL.createObjectURL(file);      // a format that this browser cannot show is searched without a box
});

// A photo that was searched before takes its place again, with its box, without another search.
document.addEventListener("restored", ({ detail }) => {
  asking?.abort();
  clear();
  URL.revokeObjectURL(picture.src);
  editor.hidden = true;
  if (!detail) return;
  picture.addEventListener("load", () => {
    editor.hidden = false;
    place(detail.crop ?? ALL);
    announced = box;
    propose(detail.photo);
  }, { once: true });
  picture.src = URL.createObjectURL(detail.photo);
});

// The boxes are requested after the results, so that they do not delay them.
document.addEventListener("searched", ({ detail: file }) => { if (file && !choices.dataset.asked) propose(file); });

function clear() {
  boxes.replaceChildren();
  for (const each of choices.querySelectorAll("[data-box]")) each.remove();
  delete choices.dataset.asked;
  open(false);
  place(ALL);
  announced = ALL;
}

async function propose(file) {
  choices.dataset.asked = "yes";
  asking = new AbortController();
  const fields = new FormData();
  fields.set("image", file, "photo");
  fields.set("regions", "true");
  fields.set("k", "1");
  try {
    const answer = await fetch("/api/v1/search", { method: "POST", body: fields, signal: asking.signal });
    if (answer.ok) show((await answer.json()).regions ?? []);
  } catch {                     // boxes are an offer; the photo was searched without them
  }
}

function show(regions) {
  if (regions.length < 2) return;               // the whole photo shows it already
  const names = regions.map(nameOf);
  regions.forEach((region, at) => {
    const twins = names.filter((name) => name === names[at]).length;
    const number = names.slice(0, at + 1).filter((name) => name === names[at]).length;
    const name = twins > 1 ? `${names[at]} ${number}` : names[at];
    const pill = button("pill object", region.box);
    const label = document.createElement("span");
    label.textContent = name;
    label.dir = "auto";
    pill.append(thumbnail(region.box), label);
    choosePart.before(pill);
    const mark = document.createElement("div");
    mark.className = "mark";
    mark.setAttribute("aria-hidden", "true");   // the same choice is offered in the strip, for keyboards and screen readers
    const badge = button("badge", region.box);
    badge.textContent = name;
    badge.tabIndex = -1;
    mark.append(badge);
    mark.toggleAttribute("data-high", region.box[1] < 0.1);   // no room above it
    lay(mark, region.box);
    boxes.append(mark);
  });
  pressed();
}

function nameOf(region) {
  return region[`kind_${document.documentElement.lang.slice(0, 2)}`] || region.kind || words.object;
}

function thumbnail([left, top, right, bottom]) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = THUMBNAIL;
  const width = (right - left) * picture.naturalWidth, height = (bottom - top) * picture.naturalHeight;
  const scale = Math.min(THUMBNAIL / width, THUMBNAIL / height);
  canvas.getContext("2d").drawImage(
    picture, left * picture.naturalWidth, top * picture.naturalHeight, width, height,
    (THUMBNAIL - width * scale) / 2, (THUMBNAIL - height * scale) / 2, width * scale, height * scale,
  );
  return canvas;
}

function button(kind, region) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = kind;
  made.dataset.box = JSON.stringify(region);
  return made;
}

function open(yes) {
  cropper.hidden = !yes;
  choosePart.setAttribute("aria-expanded", String(yes));
}

choosePart.addEventListener("click", () => {
  open(cropper.hidden);
  if (!cropper.hidden) frame.focus({ preventScroll: true });
});

editor.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-box], [data-whole]");
  if (!chosen) return;
  place(chosen.dataset.box ? JSON.parse(chosen.dataset.box) : ALL);
  tell();
});

// ---- the box

function place(next) {
  box = next;
  lay(frame, box);
  frame.classList.toggle("all", same(box, ALL));
  frame.setAttribute("aria-label", described());
  pressed();
}

function lay(element, [left, top, right, bottom]) {
  Object.assign(element.style, {
    left: `${left * 100}%`, top: `${top * 100}%`, width: `${(right - left) * 100}%`, height: `${(bottom - top) * 100}%`,
  });
}

function pressed() {
  whole.hidden = same(box, ALL) && !find("[data-box]", choices);
  for (const each of choices.querySelectorAll("[data-box], [data-whole]")) {
    const its = each.dataset.box ? JSON.parse(each.dataset.box) : ALL;
    each.setAttribute("aria-pressed", String(same(its, box)));
  }
}

const same = (one, other) => one.every((side, at) => Math.abs(side - other[at]) < 1e-3);
const percent = (share) => Math.round(share * 100);
const within = (value, low, high) => Math.min(high, Math.max(low, value));

function described() {
  const [left, top, right, bottom] = box;
  const values = { left: percent(left), top: percent(top), width: percent(right - left), height: percent(bottom - top) };
  return words.crop_box.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function moved([left, top, right, bottom], across, down) {
  across = within(across, -left, 1 - right);
  down = within(down, -top, 1 - bottom);
  return [left + across, top + down, right + across, bottom + down];
}

function resized([left, top, right, bottom], grip, across, down) {
  if (grip.includes("w")) left = within(left + across, 0, right - LEAST);
  if (grip.includes("e")) right = within(right + across, left + LEAST, 1);
  if (grip.includes("n")) top = within(top + down, 0, bottom - LEAST);
  if (grip.includes("s")) bottom = within(bottom + down, top + LEAST, 1);
  return [left, top, right, bottom];
}

function tell() {
  clearTimeout(waiting);
  if (same(box, announced)) return;
  announced = box;
  find("#crop-told").textContent = described();
  document.dispatchEvent(new CustomEvent("crop", { detail: same(box, ALL) ? null : box }));
}

// ---- mouse and touch: inside the box it moves, on a corner it resizes, outside (or on the whole photo) it draws a new one

let drag = null;

canvas.addEventListener("pointerdown", (event) => {
  if (event.button || event.target.closest("[data-box]")) return;
  event.preventDefault();
  const area = canvas.getBoundingClientRect();
  const at = [(event.clientX - area.left) / area.width, (event.clientY - area.top) / area.height];
  const grip = event.target.dataset.grip;
  const fresh = !grip && (event.target !== frame || same(box, ALL));
  drag = { at, area, grip, fresh, from: fresh ? [at[0], at[1], at[0], at[1]] : box };
  canvas.setPointerCapture(event.pointerId);
  frame.focus({ preventScroll: true });
});

canvas.addEventListener("pointermove", (event) => {
  if (!drag) return;
  const { at, area, grip, fresh, from } = drag;
  const now = [within((event.clientX - area.left) / area.width, 0, 1), within((event.clientY - area.top) / area.height, 0, 1)];
  const across = now[0] - at[0], down = now[1] - at[1];
  if (fresh) {
    const drawn = [Math.min(at[0], now[0]), Math.min(at[1], now[1]), Math.max(at[0], now[0]), Math.max(at[1], now[1])];
    if (drawn[2] - drawn[0] >= LEAST && drawn[3] - drawn[1] >= LEAST) place(drawn);
  } else {
    place(grip ? resized(from, grip, across, down) : moved(from, across, down));
  }
});

for (const name of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(name, () => {
    if (!drag) return;
    drag = null;
    tell();
  });
}

// ---- keys

const ARROWS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };

frame.addEventListener("keydown", (event) => {
  const arrow = ARROWS[event.key];
  if (arrow) {
    // The whole photo cannot be moved: the first key makes a box of it.
    const from = same(box, ALL) ? [0.1, 0.1, 0.9, 0.9] : box;
    place(event.shiftKey ? resized(from, "se", ...arrow) : moved(from, ...arrow));
    clearTimeout(waiting);
    waiting = setTimeout(tell, SETTLED);
  } else if (event.key === "Escape") {
    place(ALL);
    tell();
  } else if (event.key === "Enter") {
    tell();
  } else {
    return;
  }
  event.preventDefault();
});
