// What the page has set: the shop, the key, the languages and the words. The server puts the styles and the words in.

const STYLES = "@styles@";
const WORDS = "@words@";

const script = document.currentScript ?? document.querySelector('script[src*="/embed.js"]');
const settings = script.dataset;              // read when it is used: a consent banner may change data-tracking later
const shop = new URL(settings.shop || "/", script.src).origin;

const sheet = new CSSStyleSheet();            // style elements and attributes are what a strict policy refuses
sheet.replaceSync(STYLES);

const hostWords = settings.words ? readWords(settings.words) : Promise.resolve({});

async function readWords(address) {
  try {
    return await (await fetch(new URL(address, document.baseURI))).json();
  } catch (error) {
    console.warn(`Windowshop: the words of ${address} could not be read. ${error.message}`);
    return {};
  }
}

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  search: [["circle", { cx: 11, cy: 11, r: 6 }], ["path", { d: "m15.5 15.5 4 4" }]],
  photo: [
    ["rect", { x: 3.5, y: 4.5, width: 17, height: 15, rx: 2.5 }], ["circle", { cx: 9, cy: 10, r: 1.75 }],
    ["path", { d: "m4 17.5 4.6-4.1a1.5 1.5 0 0 1 2 0l2.2 2 2.6-2.6a1.5 1.5 0 0 1 2.1 0l3 2.9" }],
  ],
  camera: [
    ["path", { d: "M4 8.5A1.5 1.5 0 0 1 5.5 7h2l1.2-2h6.6l1.2 2h2A1.5 1.5 0 0 1 20 8.5v9a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 17.5z" }],
    ["circle", { cx: 12, cy: 13, r: 3.25 }],
  ],
  microphone: [["rect", { x: 9, y: 3.5, width: 6, height: 10.5, rx: 3 }], ["path", { d: "M5.75 11.5a6.25 6.25 0 0 0 12.5 0M12 17.75v3" }]],
  close: [["path", { d: "m6.5 6.5 11 11m0-11-11 11" }]],
};

function icon(name) {
  const made = document.createElementNS(SVG, "svg");
  made.setAttribute("viewBox", "0 0 24 24");
  made.setAttribute("class", "icon");
  made.setAttribute("aria-hidden", "true");
  for (const [tag, attributes] of ICONS[name]) {
    const shape = document.createElementNS(SVG, tag);
    for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
    made.append(shape);
  }
  return made;
}

function make(tag, props = {}, ...children) {
  const { attributes = {}, ...rest } = props;
  const made = Object.assign(document.createElement(tag), rest);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child || child === 0));
  return made;
}

// The element that all of ours extend: a shadow root with our styles, the page's language, and its words.
class Part extends HTMLElement {
  constructor() {
    super();
    this.attachShadow({ mode: "open" });
    this.shadowRoot.adoptedStyleSheets = [sheet];
  }

  async connectedCallback() {
    if (this.words) return;                     // the page moved the element
    const own = await hostWords;
    if (this.words || !this.isConnected) return;
    this.locale = this.closest("[lang]")?.lang || navigator.language || "en";
    this.language = this.locale.split("-")[0].toLowerCase();
    this.spoken = WORDS[this.language] ? this.language : "en";   // of the server's own words
    this.words = { ...WORDS.en, ...WORDS[this.language], ...flat(own), ...own[this.language] };
    this.draw();
  }

  t(key, values = {}) {
    return this.words[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  }

  announce(type, detail) {
    return this.dispatchEvent(new CustomEvent(`windowshop-${type}`, { detail, bubbles: true, composed: true, cancelable: true }));
  }
}

const flat = (own) => Object.fromEntries(Object.entries(own).filter(([, text]) => typeof text === "string"));
