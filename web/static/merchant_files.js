// Chosen or dropped files: the pictures of one listing, with the suggestions for them; or many files, sent as a job.

const { find, W, filled, make } = globalThis.keyed;
const { desk } = globalThis;
const { say, getJson, send, name, label, percent, money, address } = desk;
const PART = 4 * 2 ** 20;       // bytes sent at once
const MOST = 7;                 // pictures of one listing
const LONGEST_SIDE = 1280;      // more pixels than the shop looks at only cost upload time
const SHRINK_ABOVE = 1_000_000; // bytes; smaller files are sent as they are, since the very file tells what is listed already
const PICTURES = [".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".avif", ".gif", ".heic", ".heif", ".hif"];

const ends = (...endings) => (file) => endings.some((ending) => file.name.toLowerCase().endsWith(ending));
const [isPicture, isTable, isZip] = [ends(...PICTURES), ends(".csv", ".tsv"), ends(".zip")];

// ---- dropping: on a form it chooses the files, elsewhere the page stays

const forms = [find("#one"), find("#many")];

for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  addEventListener(kind, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    const form = forms.find((each) => each.contains(event.target));
    if (kind === "dragover") event.dataTransfer.dropEffect = form ? "copy" : "none";
    const left = kind === "drop" || kind === "dragleave" && !event.relatedTarget;
    for (const each of forms) each.classList.toggle("over", !left && each === form);
    if (kind === "drop" && form) take(form, event.dataTransfer);
  });
}

function take(form, dropped) {
  const files = new DataTransfer();
  for (const item of dropped.items) {
    if (item.kind === "file" && !item.webkitGetAsEntry?.()?.isDirectory) files.items.add(item.getAsFile());
  }
  if (!files.files.length) return say(W.no_folders, true);
  find("input[type=file]", form).files = files.files;
  find("button.main", form).focus();
  say("");
}

// ---- one listing

async function shrunk(file) {
  if (file.size <= SHRINK_ABOVE) return file;
  try {
    const bitmap = await createImageBitmap(file);
    const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
    const canvas = make("canvas", { width: Math.max(1, Math.round(bitmap.width * scale)), height: Math.max(1, Math.round(bitmap.height * scale)) });
    const brush = canvas.getContext("2d");
    Object.assign(brush, { fillStyle: "white", imageSmoothingQuality: "high" });
    brush.fillRect(0, 0, canvas.width, canvas.height);
    brush.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    return await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.9)) ?? file;
  } catch {
    return file;                // the server knows more formats, and says it well when it does not
  }
}

function part(title, ...content) {
  return make("section", {}, make("h3", { textContent: title }), ...content);
}

function product(id, products, text = "") {
  const one = products[id];
  const link = make("a", { href: one?.url ?? address(id), target: "_blank" });
  if (one?.picture_url) {
    const picture = make("img", { src: one.picture_url, alt: "", loading: "lazy" });
    picture.addEventListener("error", () => picture.remove());
    link.append(make("span", { className: "tile" }, picture));
  }
  link.append(make("span", { textContent: one?.title || id }), text && make("small", { textContent: text }));
  return make("li", {}, link);
}

function labelled(one) {
  const state = !one.top.length || one.answer === one.top[0].name ? "" : one.answer ? filled(W.only_parent, { name: label(one.field, one.answer) }) : W.unsure;
  const lines = one.top.map((each) => make("li", {}, make("span", { textContent: label(one.field, each.name) }), make("meter", { min: 0, max: 1, value: each.confidence, ariaLabel: label(one.field, each.name) }), make("small", { textContent: percent(each.confidence) })));
  return part(name(one.field), make("ol", { className: "tops" }, ...lines), make("p", { className: "state", textContent: [state, desk.sureFrom(one)].filter(Boolean).join(" · ") }));
}

// The chosen pictures, which a click enlarges.
function chosen(files) {
  const shown = (file) => make("img", { src: URL.createObjectURL(file), alt: file.name });
  const tiles = files.map((file) => {
    const picture = shown(file), tile = make("button", { type: "button", className: "tile", title: W.enlarge }, picture);
    picture.addEventListener("error", () => tile.remove());     // a format that the shop reads and this browser does not
    tile.addEventListener("click", () => {
      find("#large-turn").replaceChildren();
      find("#large-picture").replaceChildren(shown(file));
      find("#large").showModal();
    });
    return tile;
  });
  return make("div", { className: "options chosen" }, ...tiles);
}

function answered(found) {
  const fields = desk.editableFields(found).filter((one) => one.top.length).map(labelled);
  const { price, products } = found;
  const range = price && part(W.price, make("p", { textContent: filled(W.price_range, { low: money(price.low, price.currency), high: money(price.high, price.currency), level: percent(price.level) }) }));
  const words = found.title_words.length ? part(W.words, make("p", { textContent: found.title_words.map((one) => one.word).join(" ") })) : null;
  const notes = part(W.notes, ...found.picture_notes.length ? found.picture_notes.map((one) => make("p", { textContent: desk.note(one) })) : [make("p", { className: "state", textContent: W.no_notes })]);
  const same = part(W.duplicates, found.duplicates.length ? make("ul", { className: "products" }, ...found.duplicates.slice(0, 8).map((one) => product(one.id, products, W[one.kind]))) : make("p", { className: "state", textContent: W.no_duplicates }));
  const alike = [...new Set([...found.category.top.slice(0, 1).flatMap((one) => one.neighbours), ...found.neighbours.map((one) => one.id)])].filter((id) => products[id]).slice(0, 6);
  const evidence = alike.length ? part(W.alike, make("ul", { className: "products" }, ...alike.map((id) => product(id, products)))) : null;
  return make("div", { className: "answers" }, ...fields, range, words, notes, same, evidence);
}

find("#one").addEventListener("submit", (event) => {
  event.preventDefault();
  const files = [...find("#one-pictures").files];
  if (files.length > MOST) return say(filled(W.too_many, { n: files.length, most: MOST }), true);
  if (files.some((file) => isTable(file) || isZip(file))) return say(W.only_pictures, true);
  find("#answer").hidden = false;
  find("#answer").replaceChildren(W.thinking);
  desk.once(async () => {
    const fields = new FormData();
    for (const file of files) fields.append("pictures", await shrunk(file), file.name);
    fields.set("title", find("#one-title").value);
    const found = await getJson("listings/suggest", { method: "POST", body: fields });
    find("#answer").replaceChildren(chosen(files), answered(found), make("p", { className: "buttons" }, desk.button(W.edit_one, () => edit(files, fields.get("title")), { do: "edit" })));
    find("#answer [data-do=edit]").classList.add("main");
    find("#answer").scrollIntoView({ block: "nearest" });
    say("");
    return true;
  }, event.submitter).then((done) => { find("#answer").hidden = !done; });
});

// Make the listing a job of one row, whose fields can be edited and published.
async function edit(files, title) {
  const stem = files[0].name.replace(/\.[^.]*$/, ""), quoted = (text) => `"${text.replaceAll('"', '""')}"`;
  const named = files.map((file, i) => new File([file], `${i + 1}${/\.[^.]*$/.exec(file.name)?.[0] ?? ""}`));
  const row = [stem, title, named.map((file) => file.name).join("|")].map(quoted).join(",");
  const id = await upload(await zipped([...named, new File([`id,title,image\n${row}\n`], "listing.csv")]), title || files[0].name);
  say(W.preparing);
  while (id && !desk.done(id)) {
    await new Promise((wait) => setTimeout(wait, 500));
    await desk.watch();
  }
  say("");
  if (id) await desk.review(id, true);
}

// ---- many: files become a zip that stores them as they are, sent in parts

const CRC = Uint32Array.from({ length: 256 }, (_, n) => { for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1; return n; });

async function crc(file) {
  let sum = -1;
  for (let at = 0; at < file.size; at += PART) {
    for (const byte of new Uint8Array(await file.slice(at, at + PART).arrayBuffer())) sum = CRC[(sum ^ byte) & 255] ^ (sum >>> 8);
  }
  return (sum ^ -1) >>> 0;
}

async function zipped(files) {
  const parts = [], directory = [];
  let at = 0;
  for (const [i, file] of files.entries()) {
    say(filled(W.packing, { n: i + 1, total: files.length }));
    const name = new TextEncoder().encode(file.name);
    const common = new DataView(new ArrayBuffer(26));
    common.setUint16(0, 20, true); common.setUint16(2, 0x800, true); common.setUint16(8, 33, true);
    common.setUint32(10, await crc(file), true); common.setUint32(14, file.size, true); common.setUint32(18, file.size, true); common.setUint16(22, name.length, true);
    const tail = new DataView(new ArrayBuffer(14));
    tail.setUint32(10, at, true);
    parts.push("PK\x03\x04", common, name, file);
    directory.push("PK\x01\x02", new Uint8Array([20, 0]), common, tail, name);
    at += 30 + name.length + file.size;
  }
  const listed = new Blob(directory);
  const end = new DataView(new ArrayBuffer(18));
  end.setUint16(4, files.length, true); end.setUint16(6, files.length, true); end.setUint32(8, listed.size, true); end.setUint32(12, at, true);
  return new Blob([...parts, listed, "PK\x05\x06", end]);
}

// Return why the chosen files cannot be sent, or "".
function fault(files) {
  if (!files.length) return W.no_files;
  if (files.some(isZip)) return files.length > 1 ? W.zip_alone : "";
  return files.some(isPicture) ? "" : files.some(isTable) ? W.table_alone : W.no_use;
}

function called(files) {
  const first = files.find(isTable) ?? files[0];
  return files.length === 1 || isTable(first) ? first.name : filled(W.and_more, { name: first.name, n: files.length - 1 });
}

find("#many").addEventListener("submit", (event) => {
  event.preventDefault();
  const files = [...find("#many-files").files], wrong = fault(files);
  if (wrong) return say(wrong, true);
  desk.once(async () => {
    await upload(isZip(files[0]) ? files[0] : await zipped(files), called(files));
    say("");
    find("#many").reset();
    await desk.watch();
  }, event.submitter);
});

// Send a file as a new job, start it, and return its id; null when it was deleted meanwhile.
async function upload(whole, name) {
  const { id } = await send("jobs", { name, bytes: whole.size });
  desk.sending = id;
  try {
    await desk.watch();
    for (let at = 0; at < whole.size; at += PART) {
      say(filled(W.sending, { n: Math.floor(100 * at / whole.size) }));
      desk.showJob(await getJson(`jobs/${id}/file?offset=${at}`, { method: "PUT", body: whole.slice(at, at + PART), headers: { "Content-Type": "application/octet-stream" } }));
    }
    const begun = send(`jobs/${id}/state`, { state: "waiting" });
    desk.showJob(await begun.catch(async (error) => { await desk.ask(`jobs/${id}`, { method: "DELETE" }); await desk.watch(); throw error; }));
    return id;
  } catch (error) {
    if (desk.sending) throw error;   // else it was deleted meanwhile
    return null;
  } finally {
    desk.sending = null;
    desk.showJobs();
  }
}
