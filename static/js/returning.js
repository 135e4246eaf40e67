// A form that nobody was signed in for any more was not taken. The page that says so holds what was typed; when the
// same window opens the form again, it is put back. It is kept for this window only, and forgotten on signing out.
import { changed } from "./forms.js";

const KEY = "wujian:typed:";

export function startReturning(root) {
  try {
    const typed = root.querySelector("[data-typed]");
    if (typed) sessionStorage.setItem(KEY + typed.dataset.typedInto, typed.dataset.typed);
    for (const form of root.querySelectorAll("form[method=post]")) putBack(form);
  } catch { /* a browser that keeps nothing still showed the words to copy */ }
}

function putBack(form) {
  const key = KEY + new URL(form.action).pathname;
  const kept = sessionStorage.getItem(key);
  if (!kept || document.querySelector("[data-typed]")) return;
  sessionStorage.removeItem(key);
  const seen = {};
  for (const [name, value] of JSON.parse(kept)) {
    const fields = [...form.elements].filter((each) => each.name === name && each.type !== "hidden");
    const choice = fields.find((each) => ["checkbox", "radio"].includes(each.type) && each.value === value);
    const line = fields[seen[name] || 0];
    seen[name] = (seen[name] || 0) + 1;
    if (choice) choice.checked = true;
    else if (line && !["checkbox", "radio", "file", "password"].includes(line.type)) line.value = value;
  }
  changed(form);
}

document.addEventListener("submit", (event) => {
  if (!new URL(event.target.action, location).pathname.endsWith("/sign-out")) return;
  for (const key of Object.keys(sessionStorage)) if (key.startsWith(KEY)) sessionStorage.removeItem(key);
});
