// "Help" opens a panel, which comes with the first click; where it does not, the link leads to the assistant's page.

const help = document.querySelector("#help");
let panel;

async function open(focus, { href } = help) {
  try {
    panel ??= (await import(help.dataset.panel)).openHere(help);
    panel.open(focus);
    const message = new URL(href).searchParams.get("message");
    if (message) panel.send({ message });
  } catch {
    if (focus) location.assign(href);
  }
}

help.ariaHasPopup = "dialog";
document.addEventListener("click", (event) => {
  const link = event.target.closest?.('a[href^="/assistant"]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open(true, link);
});
// It was open on the page before; a phone's would cover this one.
if (innerWidth > 900 && /"open":true/.test(sessionStorage["windowshop-assistant"])) open(false);
