// The filter of a list of reviews, which acts at once, and the form to leave one, which carries the random number under
// which the shop knows this browser: so a second review takes the place of the first, and "Forget me" deletes both.

const find = (selector) => document.querySelector(selector);

function visitor() {
  try {
    let name = JSON.parse(localStorage.getItem("visitor"));
    if (!name) {
      name = `v-${Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
      localStorage.setItem("visitor", JSON.stringify(name));
    }
    return name;
  } catch {                     // no storage: the shop makes a number for this review alone
    return "";
  }
}

const form = find("#review-form");
form?.addEventListener("submit", () => {
  form.elements.visitor.value ||= visitor();
  form.querySelector(".button").disabled = true;   // a second click would send it twice
});
addEventListener("pageshow", () => { if (form) form.querySelector(".button").disabled = false; });
find(".form-errors")?.focus();

// A tick acts at once, and so does a choice by mouse; by keyboard, where arrows pass through values, the button does.
const filter = find(".review-filter");
let pointed = false;
filter?.addEventListener("pointerdown", () => { pointed = true; });
filter?.addEventListener("keydown", () => { pointed = false; });
filter?.addEventListener("change", (event) => { if (pointed || event.target.type === "checkbox") filter.requestSubmit(); });
filter?.addEventListener("formdata", ({ formData }) => {
  for (const [name, value] of [...formData]) if (!value) formData.delete(name);
});
