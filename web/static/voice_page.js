// Search by voice on the pages of the shop. Only this file comes with a page; the rest when somebody wants to speak. What
// was heard is passed to the page of its results in this tab's storage.

const SPOKEN = "spoken";          // the name in the storage

const find = (selector, within = document) => within.querySelector(selector);
const button = find("#voice");
const form = find("#search");
const box = find("input.words", form);
const messages = JSON.parse(button.dataset.messages);

// Whether this browser, on this page, can do what a mode needs. The embedded search has the same, in `source/voice.js`.
function supports(mode) {
  const policy = document.permissionsPolicy ?? document.featurePolicy;
  if (!isSecureContext || policy?.allowsFeature("microphone") === false) return false;
  if (mode === "browser") return Boolean(globalThis.SpeechRecognition ?? globalThis.webkitSpeechRecognition);
  return mode === "server" && Boolean(navigator.mediaDevices?.getUserMedia && globalThis.AudioContext && globalThis.AudioWorkletNode);
}

function fail(text) {
  find("#message").textContent = text;
  find("#message").hidden = !text;
}

// ---- the files that do the work

const FILES = ["style", "recorder", "voice", "search"];   // whose addresses the button's data has
const loads = {};
let begun = null;

function load(name) {
  return loads[name] ??= new Promise((resolve, reject) => {
    const address = button.dataset[name];
    const made = name === "style" ? Object.assign(document.createElement("link"), { rel: "stylesheet", href: address }) : Object.assign(document.createElement("script"), { src: address });
    made.onload = resolve;
    made.onerror = () => {
      delete loads[name];       // the next click tries again
      reject(new Error(name));
    };
    document.head.append(made);
  });
}

// Loads and starts the search by voice, once. Returns whether that worked.
function begin() {
  return begun ??= Promise.all(FILES.map(load)).then(() => {
    button.removeEventListener("click", firstClick);
    voiceSearch.start({ button, form, box, messages, fail, stored, spokenHere, name: SPOKEN });
    return true;
  }, () => {
    begun = null;
    fail(messages.voice_unavailable);
    return false;
  });
}

async function firstClick() {
  button.removeEventListener("click", firstClick);   // more clicks while it loads mean the same
  fail("");
  if (await begin()) button.click();
  else button.addEventListener("click", firstClick);
}

// ---- what was said

// What was said, where this page answers it.
function spokenHere() {
  const found = stored();
  return found?.text === new URLSearchParams(location.search).get("q")?.trim() ? found : null;
}

function stored() {
  try {
    return JSON.parse(sessionStorage.getItem(SPOKEN));
  } catch {
    return null;
  }
}

if (box && supports(button.dataset.mode)) {
  button.hidden = false;
  button.addEventListener("click", firstClick);
  if (spokenHere()) begin();
}
