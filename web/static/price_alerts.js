// Price alerts carry the random number under which the shop knows this browser, so that all of them are in one list, and
// "Forget me" deletes them. The page "My price alerts" sends the number once and gets an address without it.

const find = (selector) => document.querySelector(selector);

function stored() {
  try {
    const name = JSON.parse(localStorage.getItem("visitor"));
    return typeof name === "string" ? name : "";
  } catch {
    return "";
  }
}

function visitor() {
  const name = stored() || `v-${Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  try {
    localStorage.setItem("visitor", JSON.stringify(name));
    return name;
  } catch {                     // no storage: the shop makes a number for this alert alone
    return "";
  }
}

const form = find(".alert-form");
form?.addEventListener("submit", () => { form.elements.visitor.value ||= visitor(); });

const opener = find("#open-alerts");
if (opener && stored()) {
  opener.elements.visitor.value = stored();
  opener.hidden = false;
  opener.requestSubmit();
}
