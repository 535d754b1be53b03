// Help: a conversation with the shop's assistant, in a panel. A module of its own, which a page loads when somebody wants
// help. The server puts the files of this folder together, with the styles and the words in it.

const STYLES = "@styles@";
const WORDS = "@words@";

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  close: ["m6.5 6.5 11 11m0-11-11 11"],
  photo: ["M6 4.5h12A2.5 2.5 0 0 1 20.5 7v10a2.5 2.5 0 0 1-2.5 2.5H6A2.5 2.5 0 0 1 3.5 17V7A2.5 2.5 0 0 1 6 4.5z", "m4 17.5 4.6-4.1a1.5 1.5 0 0 1 2 0l2.2 2 2.6-2.6a1.5 1.5 0 0 1 2.1 0l3 2.9M9 8.3v2.9M7.6 9.7h2.8"],
};

function make(tag, props = {}, ...children) {
  const { attributes = {}, ...rest } = props;
  const made = Object.assign(document.createElement(tag), rest);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child || child === 0));
  return made;
}

function icon(name) {
  const made = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" })) made.setAttribute(key, value);
  for (const path of ICONS[name]) {
    const shape = document.createElementNS(SVG, "path");
    shape.setAttribute("d", path);
    made.append(shape);
  }
  return made;
}

function button(text, act, props = {}) {
  const made = make("button", { type: "button", textContent: text, ...props });
  made.addEventListener("click", act);
  return made;
}

// An address that a page may link to; "" for any other.
function addressOf(address, base) {
  try {
    const made = new URL(address, base);
    return address && ["http:", "https:"].includes(made.protocol) ? made.href : "";
  } catch {
    return "";
  }
}
