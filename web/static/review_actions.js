// A vote without a new page, and a photo over the page. A vote carries the random number under which the shop knows this
// browser, so that it counts once and "Forget me" deletes it.

const find = (selector, within = document) => within.querySelector(selector);
const announce = (text) => { find("#announce").textContent = text; };

function visitor() {
  try {
    let name = JSON.parse(localStorage.getItem("visitor"));
    if (!name) {
      name = `v-${Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
      localStorage.setItem("visitor", JSON.stringify(name));
    }
    return name;
  } catch {                     // no storage: the shop makes a number for this vote alone
    return "";
  }
}

export async function vote(form, submitter, failed) {
  const buttons = [...form.querySelectorAll("button")];
  for (const each of buttons) each.disabled = true;
  try {
    const sent = new URLSearchParams({ visitor: visitor(), helpful: submitter?.value ?? "1", part: "1" });
    const answer = await fetch(form.action, { method: "POST", body: sent });
    if (!answer.ok) throw new Error(answer.statusText);
    const made = document.adoptNode(find(".helpful", new DOMParser().parseFromString(await answer.text(), "text/html")));
    const said = find("[role=status]", made);
    form.closest(".helpful").replaceWith(made);
    said.tabIndex = -1;
    said.focus();
    announce(said.textContent);
  } catch {
    for (const each of buttons) each.disabled = false;
    submitter?.focus();
    announce(failed);
    const note = find(".message", form.parentElement) ?? form.parentElement.appendChild(document.createElement("p"));
    note.className = "message";
    note.textContent = failed;
  }
}

// ---- a photo over the page

const dialog = Object.assign(document.createElement("dialog"), { className: "review-photo" });
const picture = new Image();
const close = Object.assign(document.createElement("button"), { type: "button", className: "button" });
let opener = null;
dialog.append(picture, close);
close.addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
dialog.addEventListener("close", () => opener?.focus());

export function enlarge(link) {
  opener = link;
  if (!dialog.isConnected) document.body.append(dialog);
  close.textContent = JSON.parse(document.body.dataset.words).close;
  picture.src = link.href;
  picture.alt = find("img", link).alt;
  dialog.setAttribute("aria-label", picture.alt);
  dialog.showModal();
  close.focus();
}
