// The chosen photo on a canvas, with a box to drag, and buttons for the objects that the shop found in it.
// Calls `chosen` with [left, top, right, bottom] in fractions, or null for the whole photo.

const ALL = [0, 0, 1, 1];
const SHORTEST = 0.08;             // of the photo's side
const STEP = 0.02;
const SETTLED = 450;            // ms without a key before the box is searched
const SHOWN_SIDE = 640;         // pixels of the canvas
const THUMBNAIL = 80;           // pixels, twice the size on the page

const same = (one, other) => one.every((side, at) => Math.abs(side - other[at]) < 1e-3);
const within = (value, low, high) => Math.min(high, Math.max(low, value));

class Cropper {
  constructor(part, chosen) {
    this.part = part;
    this.chosen = chosen;
    this.frame = make("div", { className: "frame", tabIndex: 0, attributes: { role: "group", "aria-describedby": "crop-hint" } });
    for (const grip of ["nw", "ne", "sw", "se"]) this.frame.append(make("span", { className: "grip", attributes: { "data-grip": grip } }));
    this.canvas = make("canvas", { attributes: { role: "img", "aria-label": part.t("your_photo") } });
    this.area = make("div", { className: "area" }, this.canvas, this.frame);
    this.whole = this.pill(part.t("whole_photo"), ALL);
    this.toggle = make("button", { type: "button", className: "plain", textContent: part.t("choose_part"), attributes: { "aria-expanded": "false", "aria-controls": "cropper" } });
    this.strip = make("div", { className: "strip" }, this.whole, this.toggle);
    this.panel = make("div", { id: "cropper", className: "cropper", hidden: true }, this.area, make("p", { id: "crop-hint", className: "soft", textContent: part.t("crop_hint") }));
    this.spoken = make("p", { className: "quiet", attributes: { "aria-live": "polite" } });
    this.element = make("section", { className: "editor", hidden: true, attributes: { "aria-label": part.t("crop") } }, this.strip, this.panel, this.spoken);
    this.toggle.addEventListener("click", () => this.open(this.panel.hidden));
    this.frame.addEventListener("keydown", (event) => this.key(event));
    this.drags();
    this.clear();
  }

  clear() {
    for (const each of this.strip.querySelectorAll(".object")) each.remove();
    this.bitmap?.close();
    this.bitmap = null;
    this.announced = ALL;
    this.element.hidden = true;
    this.open(false);
    this.place(ALL);
  }

  async show(photo) {
    this.clear();
    try {
      this.bitmap = await createImageBitmap(photo);
    } catch {                   // a format that the shop may read and this browser does not: searched without a box
      return;
    }
    const { width, height } = this.bitmap, scale = Math.min(1, SHOWN_SIDE / Math.max(width, height));
    Object.assign(this.canvas, { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) });
    this.canvas.getContext("2d").drawImage(this.bitmap, 0, 0, this.canvas.width, this.canvas.height);
    this.element.hidden = false;
  }

  offer(regions) {
    if (regions.length < 2 || !this.bitmap) return;      // the whole photo shows it already
    const names = regions.map((region) => region[`kind_${this.part.language}`] || region.kind || this.part.t("object"));
    regions.forEach((region, at) => {
      const twins = names.filter((name) => name === names[at]).length;
      const number = names.slice(0, at + 1).filter((name) => name === names[at]).length;
      this.toggle.before(this.pill(twins > 1 ? `${names[at]} ${number}` : names[at], region.box));
    });
    this.pressed();
  }

  pill(name, box) {
    const made = make("button", { type: "button", className: box === ALL ? "pill" : "pill object", box });
    if (box !== ALL) made.append(this.thumbnail(box));
    made.append(make("span", { textContent: name, dir: "auto" }));
    made.addEventListener("click", () => {
      this.place(box);
      this.announce();
    });
    return made;
  }

  thumbnail([left, top, right, bottom]) {
    const made = make("canvas", { width: THUMBNAIL, height: THUMBNAIL, attributes: { "aria-hidden": "true" } });
    const width = (right - left) * this.bitmap.width, height = (bottom - top) * this.bitmap.height;
    const scale = Math.min(THUMBNAIL / width, THUMBNAIL / height);
    made.getContext("2d").drawImage(
      this.bitmap, left * this.bitmap.width, top * this.bitmap.height, width, height,
      (THUMBNAIL - width * scale) / 2, (THUMBNAIL - height * scale) / 2, width * scale, height * scale,
    );
    return made;
  }

  open(yes) {
    this.panel.hidden = !yes;
    this.toggle.setAttribute("aria-expanded", String(yes));
    if (yes) this.frame.focus({ preventScroll: true });
  }

  place(box) {
    this.box = box;
    const [left, top, right, bottom] = box;
    Object.assign(this.frame.style, { left: `${left * 100}%`, top: `${top * 100}%`, width: `${(right - left) * 100}%`, height: `${(bottom - top) * 100}%` });
    this.frame.classList.toggle("all", same(box, ALL));
    this.frame.setAttribute("aria-label", this.described());
    this.pressed();
  }

  pressed() {
    this.whole.hidden = same(this.box, ALL) && !this.strip.querySelector(".object");
    for (const each of this.strip.querySelectorAll(".pill")) each.setAttribute("aria-pressed", String(same(each.box, this.box)));
  }

  described() {
    const [left, top, right, bottom] = this.box.map((share) => Math.round(share * 100));
    return this.part.t("crop_box", { left, top, width: right - left, height: bottom - top });
  }

  announce() {
    clearTimeout(this.waiting);
    if (same(this.box, this.announced)) return;
    this.announced = this.box;
    this.spoken.textContent = this.described();
    this.chosen(same(this.box, ALL) ? null : this.box);
  }

  moved([left, top, right, bottom], across, down) {
    across = within(across, -left, 1 - right);
    down = within(down, -top, 1 - bottom);
    return [left + across, top + down, right + across, bottom + down];
  }

  resized([left, top, right, bottom], grip, across, down) {
    if (grip.includes("w")) left = within(left + across, 0, right - SHORTEST);
    if (grip.includes("e")) right = within(right + across, left + SHORTEST, 1);
    if (grip.includes("n")) top = within(top + down, 0, bottom - SHORTEST);
    if (grip.includes("s")) bottom = within(bottom + down, top + SHORTEST, 1);
    return [left, top, right, bottom];
  }

  // Inside the box it moves, on a corner it resizes, outside (or on the whole photo) a new one is drawn.
  drags() {
    let drag = null;
    const shares = (event, place) => [within((event.clientX - place.left) / place.width, 0, 1), within((event.clientY - place.top) / place.height, 0, 1)];
    this.area.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      const place = this.area.getBoundingClientRect(), at = shares(event, place), grip = event.target.dataset.grip;
      const fresh = !grip && (event.target !== this.frame || same(this.box, ALL));
      drag = { at, place, grip, fresh, from: this.box };
      this.area.setPointerCapture(event.pointerId);
      this.frame.focus({ preventScroll: true });
    });
    this.area.addEventListener("pointermove", (event) => {
      if (!drag) return;
      const { at, place, grip, fresh, from } = drag, now = shares(event, place);
      const across = now[0] - at[0], down = now[1] - at[1];
      if (fresh) {
        const drawn = [Math.min(at[0], now[0]), Math.min(at[1], now[1]), Math.max(at[0], now[0]), Math.max(at[1], now[1])];
        if (drawn[2] - drawn[0] >= SHORTEST && drawn[3] - drawn[1] >= SHORTEST) this.place(drawn);
      } else {
        this.place(grip ? this.resized(from, grip, across, down) : this.moved(from, across, down));
      }
    });
    for (const name of ["pointerup", "pointercancel"]) {
      this.area.addEventListener(name, () => {
        if (drag) this.announce();
        drag = null;
      });
    }
  }

  key(event) {
    const arrow = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
    if (arrow) {
      const from = same(this.box, ALL) ? [0.1, 0.1, 0.9, 0.9] : this.box;   // the whole photo cannot be moved
      this.place(event.shiftKey ? this.resized(from, "se", ...arrow) : this.moved(from, ...arrow));
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.announce(), SETTLED);
    } else if (event.key === "Escape") {
      this.place(ALL);
      this.announce();
    } else if (event.key === "Enter") {
      this.announce();
    } else {
      return;
    }
    event.preventDefault();
  }
}
