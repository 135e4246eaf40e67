// The confirmation page by keyboard: a and r press the two buttons for the ticked rows, or for the row in hand.
const form = document.querySelector("[data-rows]");
if (form) {
  const boxes = () => [...form.querySelectorAll("input[data-row]")];
  const all = form.querySelector("[data-rows-all]");
  const count = form.querySelector("[data-rows-count]");
  const show = () => {
    const ticked = boxes().filter((box) => box.checked).length;
    if (count) count.textContent = ticked ? count.dataset.words.replace("{n}", ticked) : "";
    for (const box of boxes()) box.closest("tr").classList.toggle("is-ticked", box.checked);
  };
  if (all) {
    all.hidden = false;
    all.addEventListener("click", () => { const on = boxes().some((box) => !box.checked); for (const box of boxes()) box.checked = on; show(); });
  }
  form.addEventListener("change", show);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.matches("input:not([type=checkbox]), textarea, select") || document.querySelector("dialog[open]")) return;
    const rows = boxes();
    const at = rows.indexOf(document.activeElement);
    if (event.key === "j" || event.key === "k") {
      const next = rows[Math.min(rows.length - 1, Math.max(0, at + (event.key === "j" ? 1 : -1)))];
      if (next) { next.focus(); next.closest("tr").scrollIntoView({ block: "nearest" }); }
    } else if (event.key === "x" && at >= 0) {
      rows[at].click();
    } else if (event.key === "a" || event.key === "r") {
      if (at >= 0 && !rows.some((box) => box.checked)) { rows[at].checked = true; show(); }
      form.querySelector(event.key === "a" ? "[data-rows-accept]" : "[data-rows-refuse]")?.click();
    } else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
  show();
}
