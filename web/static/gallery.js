// The pictures of a product: a thumbnail puts its picture in the large place, and that opens over the page, where arrows
// change it and a click enlarges it. Without this file thumbnails and the large picture are plain links.

const SIZES = [320, 640, 1280];       // see THUMBNAIL_SIZES in web/urls.py
const MOST = 4;                       // times that a tiny picture may be enlarged on the whole screen
const LARGER = 2.2;                   // times that a click enlarges a picture

const find = (selector, within = document) => within.querySelector(selector);
const words = JSON.parse(document.body.dataset.words);
const gallery = find("[data-gallery]");
const main = gallery && find(".main", gallery);
const thumbnails = gallery ? [...gallery.querySelectorAll(".thumbnails a")] : [];
const pictures = thumbnails.length ? thumbnails : [main];
let at = Math.max(0, thumbnails.findIndex((each) => each.hasAttribute("aria-current")));

const address = (picture, size) => `/pictures/${picture.dataset.picture}/${size}.jpg`;
const plain = (event) => !event.button && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;

function choose(number) {
  at = (number + pictures.length) % pictures.length;
  const chosen = pictures[at];
  if (chosen === main) return;
  const [width, height] = chosen.dataset.size.split(" ");
  const shown = new Image(width, height);
  shown.alt = find("img", main).alt;
  shown.sizes = `${Math.max(width, height)}px`;
  shown.srcset = SIZES.map((size) => `${address(chosen, size)} ${size}w`).join(", ");
  shown.src = address(chosen, 640);
  find("img", main).replaceWith(shown);
  main.href = address(chosen, 1280);
  main.classList.toggle("full", "full" in chosen.dataset);
  for (const each of thumbnails) each.removeAttribute("aria-current");
  chosen.setAttribute("aria-current", "true");
}

// ---- over the page

const picture = new Image();
const frame = element("div", { className: "frame", tabIndex: 0 }, picture);
const counter = element("span", {});
const enlarge = control(words.zoom_in, () => zoom());
const close = control(words.close, () => dialog.close());
const steps = [control("‹", () => step(-1), words.picture_before), control("›", () => step(+1), words.picture_after)];
const dialog = element(
  "dialog", { className: "zoom" },
  element("p", {}, counter, element("span", {}, enlarge, " ", close)), frame, element("p", {}, ...(thumbnails.length ? [steps[0], " ", steps[1]] : [])),
);

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function control(text, act, label = "") {
  const made = element("button", { type: "button", textContent: text });
  if (label) made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  return made;
}

function present() {
  const chosen = pictures[at];
  const [width, height] = chosen.dataset.file.split(" ").map(Number);
  const most = MOST * Math.max(width, height);
  picture.src = address(chosen, 1280);
  picture.alt = find("img", main).alt;
  picture.dataset.most = most || "";
  counter.textContent = words.picture_of.replace("{number}", at + 1).replace("{count}", pictures.length);
  zoom(false);
}

// As large as the frame allows, or LARGER than that, with what was clicked in the middle.
function zoom(yes = !frame.classList.contains("large"), [across, down] = [0.5, 0.5]) {
  frame.classList.toggle("large", yes);
  enlarge.setAttribute("aria-pressed", String(yes));
  enlarge.textContent = yes ? words.zoom_out : words.zoom_in;
  if (!picture.naturalWidth) return;
  const { naturalWidth: width, naturalHeight: height, dataset } = picture;
  const fit = Math.min(frame.clientWidth / width, frame.clientHeight / height, (Number(dataset.most) || Infinity) / Math.max(width, height));
  const scale = yes ? fit * LARGER : fit;
  Object.assign(picture.style, { width: `${Math.round(width * scale)}px`, height: `${Math.round(height * scale)}px` });
  if (yes) frame.scrollTo(frame.scrollWidth * across - frame.clientWidth / 2, frame.scrollHeight * down - frame.clientHeight / 2);
}

function step(by) {
  choose(at + by);
  present();
}

function open() {
  if (!dialog.isConnected) document.body.append(dialog);
  dialog.setAttribute("aria-label", find("img", main).alt);
  frame.setAttribute("role", "group");
  frame.setAttribute("aria-label", words.picture_frame);
  counter.setAttribute("aria-live", "polite");
  present();
  dialog.showModal();
  zoom(false);
  close.focus();
}

if (gallery) {
  main.addEventListener("click", (event) => {
    if (!plain(event)) return;
    event.preventDefault();
    open();
  });
  thumbnails.forEach((each, number) => each.addEventListener("click", (event) => {
    if (!plain(event)) return;
    event.preventDefault();
    choose(number);
  }));
  picture.addEventListener("load", () => zoom(false));
  picture.addEventListener("click", (event) => zoom(undefined, [event.offsetX / picture.clientWidth, event.offsetY / picture.clientHeight]));
  addEventListener("resize", () => { if (dialog.open) zoom(false); });
  dialog.addEventListener("close", () => main.focus());   // the large picture is the one that was looked at last
  dialog.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || frame.classList.contains("large") || pictures.length < 2) return;
    event.preventDefault();
    step(by);
  });
}
