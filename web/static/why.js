// Why a result: with the photo at hand, where it matches can be shown too.

const find = (selector, within = document) => within.querySelector(selector);
const why = find("[data-why]");
if (why?.dataset.shown) {
  const photos = new Map(JSON.parse(sessionStorage.getItem("photos") ?? "[]").map(([name, part]) => [name, part]));
  const source = photos.get(why.dataset.shown);
  if (source) showMatch(why, source);
}

function picture(kind, source) {
  const made = new Image();
  made.className = kind;
  made.alt = "";
  made.src = source;
  return made;
}

async function showMatch(place, source) {
  const fields = { image: source };
  const answer = await fetch(`/api/v1/products/${encodeURIComponent(place.dataset.why)}/why`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(fields),
  }).catch(() => null);
  if (!answer?.ok) return;
  const explanation = await answer.json();
  if (!explanation.found_region || !explanation.asked_region) return;
  const figure = find('[data-side="asked"]', place);
  const found = find('[data-side="found"]', place);
  find(".over", figure).replaceChildren(picture("", source), picture("veil", explanation.asked_region.png));
  find(".over", found).replaceChildren(picture("", why.dataset.picture), picture("veil", explanation.found_region.png));
  figure.hidden = false;
  find(".where", place).hidden = false;
}
