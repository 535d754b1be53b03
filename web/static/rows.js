// Runs before the first paint of pages with a personal part: it shows the state of the switch, and room is kept for rows
// that are to come, so that nothing moves.
try {
  const known = (name) => JSON.parse(localStorage.getItem(name) ?? "null");
  const page = document.documentElement.classList;
  if (known("personalise") === "off") page.add("personal-off");
  else if (navigator.doNotTrack !== "1" && navigator.globalPrivacyControl !== true && (known("visitor") || known("viewed")?.length)) {
    page.add("rows-to-come");
    setTimeout(() => page.remove("rows-to-come"), 6000);   // whatever becomes of them
  }
} catch {                       // no storage, or something else in it: there are no rows either
}
