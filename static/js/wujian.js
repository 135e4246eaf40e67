// Every page loads this one file. Each part looks for its own marks and leaves the rest alone, so a page works
// without any of them. Words for people come from the page, never from here.
import { startAutosave } from "./autosave.js";
import { startDialogs } from "./dialogs.js";
import { startForms } from "./forms.js";
import { startQueues } from "./queues.js";
import { startReturning } from "./returning.js";
import { startSelections } from "./selections.js";
import { labelCells } from "./tables.js";
import { startTicks } from "./ticks.js";
import { startUploads } from "./uploads.js";

function start(root) {
  labelCells(root);
  startAutosave(root);
  startForms(root);
  startUploads(root);
  startSelections(root);
  startTicks(root);
  startReturning(root);
}

start(document);
startDialogs();
startQueues();

// htmx swaps parts of pages: what arrives gets the same treatment, and writes carry the token.
document.addEventListener("htmx:load", (event) => start(event.detail.elt));
document.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector('meta[name="csrf-token"]');
  if (token) event.detail.headers["X-CSRFToken"] = token.content;
});

document.body.dataset.ready = "1";
