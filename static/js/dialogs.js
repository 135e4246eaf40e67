// <button data-confirm="id"> asks in the <dialog id> first. Without script the form is simply sent and the server checks.
const confirmed = new WeakSet();

export function startDialogs() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) document.getElementById(opener.dataset.opens)?.showModal();
    const closer = event.target.closest("[data-closes]");
    if (closer) closer.closest("dialog")?.close();
    if (event.target.closest("[data-prints]")) window.print();
    if (event.target.closest('a[aria-disabled="true"]')) event.preventDefault();
  });
  // Capture, so that nothing else (the double-send guard, autosave) sees a send that was not meant yet.
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    const dialog = button?.dataset.confirm && document.getElementById(button.dataset.confirm);
    if (!dialog || confirmed.has(button)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    dialog.returnValue = "";
    dialog.addEventListener("close", () => {
      if (dialog.returnValue !== "confirm") { button.focus(); return; }
      confirmed.add(button);
      button.form.requestSubmit(button);
      confirmed.delete(button);
    }, { once: true });
    dialog.showModal();
  }, true);
}
