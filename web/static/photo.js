// Photos by choosing, dropping, pasting or camera. Announces each with the event "photo".

const LONGEST_SIDE = 1280;      // more pixels than the shop looks at only cost upload time
const SHORTEST_SIDE = 640;      // so that a long screenshot is not squeezed to a strip
const SHRINK_ABOVE = 400_000;   // bytes; smaller files are sent as they are

const find = (selector, within = document) => within.querySelector(selector);
const words = JSON.parse(document.body.dataset.words);
const message = find("#message");

async function use(file) {
  if (!file) return;
  say("");
  document.dispatchEvent(new CustomEvent("photo", { detail: await shrunk(file) }));
}

async function shrunk(file) {
  if (file.size <= SHRINK_ABOVE) return file;
  try {
    const bitmap = await createImageBitmap(file);
    const sides = [bitmap.width, bitmap.height];
    const scale = Math.min(1, Math.max(LONGEST_SIDE / Math.max(...sides), SHORTEST_SIDE / Math.min(...sides)));
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

function say(text) {
  message.textContent = text;
  message.hidden = !text;
}

for (const field of document.querySelectorAll("#search input[type=file]")) field.addEventListener("change", () => use(field.files[0]));

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
  use(pictureIn(event.dataTransfer.files));
});
addEventListener("paste", (event) => {
  const file = [...(event.clipboardData?.files ?? [])].find((each) => each.type.startsWith("image/"));
  if (!file) return;
  event.preventDefault();
  use(file);
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
    say(words.no_camera);
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
    use(await jpegOf(canvas));
  } else if (wanted === "close") {
    viewfinder.close();
  }
});
