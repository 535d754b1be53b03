// A photo made ready to be sent, and a viewfinder for cameras that are not a phone's.

const LONGEST_SIDE = 1280;      // more pixels than the shop looks at only cost upload time
const SHORTEST_SIDE = 640;      // so that a long screenshot is not squeezed to a strip
const SHRINK_ABOVE = 400_000;   // bytes; smaller files are sent as they are

async function shrunk(file) {
  if (file.size <= SHRINK_ABOVE) return file;
  try {
    const bitmap = await createImageBitmap(file);
    const sides = [bitmap.width, bitmap.height];
    const scale = Math.min(1, Math.max(LONGEST_SIDE / Math.max(...sides), SHORTEST_SIDE / Math.min(...sides)));
    const canvas = make("canvas", { width: Math.max(1, Math.round(bitmap.width * scale)), height: Math.max(1, Math.round(bitmap.height * scale)) });
    const brush = canvas.getContext("2d");
    brush.fillStyle = "white";
    brush.fillRect(0, 0, canvas.width, canvas.height);
    brush.imageSmoothingQuality = "high";
    brush.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    return await jpegOf(canvas) ?? file;
  } catch {
    return file;                // the shop reads more formats, and says it well when it does not
  }
}

const jpegOf = (canvas) => new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.9));
const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
const pictureIn = (files) => [...(files ?? [])].find((file) => file.type.startsWith("image/"));
const onPhone = () => matchMedia("(pointer: coarse)").matches;

async function takePhoto(part) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  const video = make("video", { muted: true, autoplay: true, playsInline: true, srcObject: stream });
  const take = make("button", { type: "button", className: "go", textContent: part.t("take") });
  const close = make("button", { type: "button", className: "plain", textContent: part.t("close") });
  const dialog = make("dialog", { attributes: { "aria-label": part.t("take_photo") } }, video, make("p", { className: "buttons" }, take, close));
  part.whole.append(dialog);
  dialog.showModal();
  return new Promise((done) => {
    take.addEventListener("click", async () => {
      const canvas = make("canvas", { width: video.videoWidth, height: video.videoHeight });
      canvas.getContext("2d").drawImage(video, 0, 0);
      done(await jpegOf(canvas));
      dialog.close();
    });
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      for (const track of stream.getTracks()) track.stop();
      dialog.remove();
      done(null);
    });
  });
}
