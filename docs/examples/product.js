// A shop that writes its pages on the server puts the id into the attribute there, and needs no script for it.
const id = new URLSearchParams(location.search).get("id") ?? "mug-1a";
document.querySelector("#id").textContent = id;
for (const block of document.querySelectorAll("windowshop-similar, windowshop-assistant")) block.setAttribute("product", id);
