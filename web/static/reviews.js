// Votes and photos of reviews: review_actions.js, which does the work, loads at the first of them, so that pages stay light.
// Without scripts a vote is a form and a photo a link.

const place = document.querySelector("[data-actions]");

async function act(event, name, of) {
  event.preventDefault();
  const { submitter } = event;
  try {
    (await import(place.dataset.actions))[name](of, submitter, place.dataset.failed);
  } catch {                     // it could not be loaded: the browser does what it would do without it
    if (name === "vote") of.submit();
    else location.assign(of.href);
  }
}

const plain = (event) => !event.button && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;

place?.addEventListener("submit", (event) => { if (event.target.matches(".helpful form")) act(event, "vote", event.target); });
place?.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-photo]");
  if (link && plain(event)) act(event, "enlarge", link);
});
