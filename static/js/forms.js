// Three courtesies of a form: errors take the focus, a second press is ignored, leaving with unsaved text asks.
const guarded = new Set();

function snapshot(form) {
  const data = new FormData(form);
  data.delete("csrf_token");
  return JSON.stringify([...data].map(([name, value]) => [name, value instanceof File ? value.name : value]));
}

export function markSaved(form) {
  form.dataset.asSaved = snapshot(form);
}

function isDirty(form) {
  return form.isConnected && form.dataset.asSaved !== undefined && form.dataset.asSaved !== snapshot(form);
}

// What stands in it reached nobody yet, although it was not typed here and now.
export function changed(form) {
  form.dataset.asSaved = "";
  form.dispatchEvent(new Event("input", { bubbles: true }));
}

export function startForms(root) {
  root.querySelector("[data-takes-focus]")?.focus();
  for (const form of root.querySelectorAll("form[data-dirty-guard]")) {
    if (guarded.has(form)) continue;
    guarded.add(form);
    markSaved(form);
    if (!("autosave" in form.dataset) && form.querySelector("[aria-invalid], .has-error")) form.dataset.asSaved = "";
  }
}

window.addEventListener("beforeunload", (event) => {
  if ([...guarded].some((form) => !form.dataset.sending && isDirty(form))) event.preventDefault();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method === "dialog" || form.method === "get") return;
  if (form.dataset.sending) { event.preventDefault(); return; }
  form.dataset.sending = "1";
  const button = event.submitter;
  // After the browser has read the form: a disabled button would not be sent with it.
  setTimeout(() => {
    for (const each of form.querySelectorAll("button:not([type=button])")) each.setAttribute("aria-disabled", "true");
    if (button) {
      button.setAttribute("aria-busy", "true");
      if (button.dataset.busy) { button.dataset.idle = button.textContent; button.textContent = button.dataset.busy; }
    }
  });
});

function rest(form) {
  delete form.dataset.sending;
  for (const button of form.querySelectorAll("button[aria-disabled]")) {
    button.removeAttribute("aria-disabled");
    button.removeAttribute("aria-busy");
    if (button.dataset.idle) { button.textContent = button.dataset.idle; delete button.dataset.idle; }
  }
}

// Back from the next page, or a download that left us here: the form can be sent again.
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sending]").forEach(rest));
document.addEventListener("htmx:afterRequest", (event) => { if (event.target.matches("form")) rest(event.target); });
