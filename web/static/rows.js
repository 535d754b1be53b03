// Runs before the first paint of the front page: room is kept for rows that are to come, so that nothing moves.
try {
  if (JSON.parse(localStorage.getItem("viewed") ?? "[]").length) document.documentElement.classList.add("rows-to-come");
} catch {                       // no storage, or something else in it: there are no rows either
}
