// "Help" opens a panel, which comes with the first click; where it does not, the link leads to the assistant's page.

const help = document.querySelector("#help");
let panel;

async function open(focus) {
  try {
    panel ??= (await import(help.dataset.panel)).openHere(help);
    panel.open(focus);
  } catch {
    if (focus) location.assign(help.href);
  }
}

help.ariaHasPopup = "dialog";
help.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open(true);
});
// It was open on the page before; a phone's would cover this one.
if (innerWidth > 900 && /"open":true/.test(sessionStorage["windowshop-assistant"])) open(false);
