// What is sent to the shop, and what went wrong, as the key of a text that a customer reads.

const PATIENCE = 60_000;          // milliseconds
const REASONS = { 400: "unanswered", 413: "too_large", 415: "bad_photo", 429: "too_many", 502: "busy", 503: "busy", 504: "busy" };
const OF_TOKENS = ["bad_conversation", "expired_conversation"];
const LONGEST_SIDE = 1280;        // pixels of a photo; more does not find more

class NotSent extends Error {
  constructor(reason, seconds = 0) {
    super(reason);
    this.reason = reason;
    this.seconds = seconds;
  }
}

// Fields without a value are left out. A photo makes it a form, whose other fields are texts.
async function ask(shop, key, fields, photo) {
  const sent = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== "" && value !== null && value !== undefined));
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  let body;
  if (photo) {
    body = new FormData();
    for (const [name, value] of Object.entries(sent)) body.set(name, value);
    body.set("image", photo, "photo");
  } else {
    body = JSON.stringify(sent);
    headers["Content-Type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch(new URL("/api/v1/assistant", shop), { method: "POST", headers, body, credentials: "omit", signal: AbortSignal.timeout(PATIENCE) });
  } catch (error) {
    throw new NotSent(error.name === "TimeoutError" ? "busy" : navigator.onLine ? "unreachable" : "offline");
  }
  const found = await answer.json().catch(() => null);
  if (answer.ok && found?.reply) return found;
  if (found?.error && shop !== location.origin) console.warn(`Windowshop: ${answer.status} ${found.error.message ?? ""} ${found.error.hint ?? ""}`);
  if (OF_TOKENS.includes(found?.error?.code)) throw new NotSent("expired");
  throw new NotSent(REASONS[answer.status] ?? "unanswered", Number(answer.headers.get("Retry-After")) || 0);
}

async function smaller(file) {
  try {
    const bitmap = await createImageBitmap(file);
    const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
    const canvas = make("canvas", { width: Math.max(1, Math.round(bitmap.width * scale)), height: Math.max(1, Math.round(bitmap.height * scale)) });
    const brush = canvas.getContext("2d");
    brush.fillStyle = "white";
    brush.fillRect(0, 0, canvas.width, canvas.height);
    brush.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    return await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.9)) ?? file;
  } catch {
    return file;                  // the shop reads more formats, and says it when it does not
  }
}
