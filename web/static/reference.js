// The form that tries a search. Without scripts the browser sends it and shows the JSON; here the products are shown too.

const find = (selector) => document.querySelector(selector);
const form = find("#try form");
const words = JSON.parse(document.body.dataset.words);
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const LISTED = 12;

function card(hit) {
  const item = document.createElement("li"), link = document.createElement("a");
  link.href = new URL(hit.url, location.href).pathname;
  if (hit.picture_url) {
    const picture = new Image();
    picture.src = new URL(hit.picture_url, location.href).pathname;   // this very server, whatever address it is known by
    picture.alt = "";
    picture.addEventListener("error", () => picture.remove());   // a shop may show its pictures only to those with a key
    item.append(picture);
  }
  link.textContent = hit.title;
  link.dir = "auto";
  item.append(link);
  return item;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = new FormData(form), button = form.querySelector("button"), status = find("#try-status"), key = find("#try-key")?.value.trim();
  if (!body.get("text").trim()) body.delete("text");
  if (!body.get("image").size) body.delete("image");
  button.disabled = true;
  const began = performance.now();
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: key ? { Authorization: `Bearer ${key}` } : {} });
    const page = await answer.json();
    const lines = [filled(words.answered, { status: answer.status, ms: Math.round(performance.now() - began) })];
    if (page.hits) lines.push(filled(words.found, { n: page.total ?? page.hits.length }));
    status.textContent = lines.join(" · ");
    status.className = answer.ok ? "" : "bad";
    find("#try-hits").replaceChildren(...(page.hits ?? []).slice(0, LISTED).map(card));
    find("#try-hits").hidden = !page.hits?.length;
    find("#try-answer").textContent = JSON.stringify(page, null, 2);
    find("#try-answer").hidden = false;
  } catch {
    status.textContent = words.unreachable;
    status.className = "bad";
  }
  button.disabled = false;
});
