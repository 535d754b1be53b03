// The microphone in the search box, where the shop or the browser turns speech into words.

const VOICE = "windowshop-voice-offer";         // what the shop offers, for this tab

// Whether this browser, on this page, can do what a mode needs. `voice_page.js` has the same for the shop's pages.
function supports(mode) {
  const policy = document.permissionsPolicy ?? document.featurePolicy;
  if (!isSecureContext || policy?.allowsFeature("microphone") === false) return false;
  if (mode === "browser") return Boolean(globalThis.SpeechRecognition ?? globalThis.webkitSpeechRecognition);
  return mode === "server" && Boolean(navigator.mediaDevices?.getUserMedia && globalThis.AudioContext && globalThis.AudioWorkletNode);
}

async function offerVoice(part, button) {
  if (settings.voice === "off" || !["server", "browser"].some(supports)) return;
  const offer = await voiceOffer();
  if (!offer?.languages.includes(part.language) || !supports(offer.mode)) return;
  const search = new voice.Voice({
    button,
    mode: offer.mode,
    unproved: offer.mode === "server" && !offer.measured.includes(part.language),
    language: part.language === "zh" ? "zh-CN" : part.locale,
    worklet: new URL("/embed/recorder_worklet.js", shop).href,
    address: new URL("/api/v1/speech", shop).href,
    headers: keyHeader(),
    t: (key, values) => part.t(key, values),
    announce: (text) => { part.spoken.textContent = text; },
    fail: (text) => part.warning(text),
    accept: (result) => searchFor(result, result.readings[0]),
    answer: () => part.summary(),
  });
  part.form.append(search.panel);
  part.message.after(search.result);
  part.voice = search;

  async function searchFor(result, text) {
    search.hide();
    if (!await part.search(text)) return;
    search.show(result, text, (reading) => searchFor(result, reading));
    search.read();
  }
}

async function voiceOffer() {
  try {
    const known = sessionStorage.getItem(VOICE);
    if (known) return JSON.parse(known);
  } catch {                                     // storage is not allowed
  }
  const offer = await call("speech").catch(() => null);
  try {
    if (offer) sessionStorage.setItem(VOICE, JSON.stringify(offer));
  } catch {
  }
  return offer;
}
