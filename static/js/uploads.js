// [data-drop]: a file input that also takes a drop, lists what was chosen, and shows how far the sending is.
// The form is sent by XMLHttpRequest only to see the progress; the page that comes back is shown as usual.
const started = new WeakSet();

function size(bytes) {
  return bytes < 1024 * 1024 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

function list(drop, input) {
  const items = drop.querySelector("[data-drop-files]");
  items.replaceChildren(...[...input.files].map((file) => {
    const item = document.createElement("li");
    const name = document.createElement("span");
    name.textContent = `${file.name} · ${size(file.size)}`;
    item.append(name);
    return item;
  }));
}

function send(form, drop, submitter) {
  const items = drop.querySelector("[data-drop-files]");
  const bar = document.createElement("progress");
  bar.max = 100; bar.value = 0;
  const words = document.createElement("span");
  const line = document.createElement("li");
  line.append(bar, words);
  items.append(line);
  const body = new FormData(form, submitter?.name ? submitter : undefined);
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "text/html");
  request.upload.addEventListener("progress", (event) => {
    if (!event.lengthComputable) return;
    const percent = Math.floor((100 * event.loaded) / event.total);
    bar.value = percent;
    bar.setAttribute("aria-valuetext", `${percent}%`);
    words.textContent = percent < 100 ? drop.dataset.wordsSending.replace("{percent}", `${percent}%`) : drop.dataset.wordsChecking;
  });
  request.addEventListener("load", () => {
    // The page that came back, whatever its status: a 422 page says what is wrong with the file. It is shown as it
    // is and not asked for again, because its messages are told only once.
    if (request.responseURL && request.responseURL !== location.href) history.pushState(null, "", request.responseURL);
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    document.title = page.title;
    document.body.replaceWith(page.body);
    window.htmx?.process(document.body);
    document.dispatchEvent(new CustomEvent("htmx:load", { detail: { elt: document.body } }));
    document.body.dataset.ready = "1";
  });
  request.addEventListener("error", () => {
    words.textContent = drop.dataset.wordsFailed;
    delete form.dataset.sending;
    for (const button of form.querySelectorAll("button[aria-disabled]")) { button.removeAttribute("aria-disabled"); button.removeAttribute("aria-busy"); }
  });
  request.send(body);
}

export function startUploads(root) {
  for (const drop of root.querySelectorAll("[data-drop]")) {
    if (started.has(drop)) continue;
    started.add(drop);
    const input = drop.querySelector("input[type=file]");
    if (!input) continue;
    drop.querySelector("[data-drop-hint]")?.removeAttribute("hidden");
    input.addEventListener("change", () => list(drop, input));
    for (const kind of ["dragover", "dragenter"]) drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("is-over"); });
    for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("is-over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      const files = new DataTransfer();
      for (const file of [...event.dataTransfer.files].slice(0, input.multiple ? undefined : 1)) files.items.add(file);
      if (files.files.length) { input.files = files.files; input.dispatchEvent(new Event("change", { bubbles: true })); }
    });
    const form = input.form;
    form?.addEventListener("submit", (event) => {
      if (event.defaultPrevented || !input.files.length || form.dataset.sending) return;
      event.preventDefault();
      form.dataset.sending = "1";
      event.submitter?.setAttribute("aria-disabled", "true");
      send(form, drop, event.submitter);
    });
  }
}
