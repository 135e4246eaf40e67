// The checklist by keyboard: j and k walk the lines, 1 2 3 answer the line in hand and go on to the next.
// An answer that needs facts stays, with the cursor where they are written; Escape leads back to the answers.
const list = document.querySelector("[data-checklist]");
if (list) {
  const lines = () => [...list.querySelectorAll(":scope li[data-line]")];
  const choices = (line) => [...line.querySelectorAll("input[type=radio]")];
  const here = () => lines().findIndex((line) => line.contains(document.activeElement));
  const go = (at) => {
    const line = lines()[at];
    if (!line) return;
    (choices(line).find((one) => one.checked) || choices(line)[0]).focus();
    line.scrollIntoView({ block: "nearest" });
  };
  const mark = (line) => line.classList.toggle("is-failed", choices(line).some((one) => one.checked && one.value === "does_not_meet"));
  list.addEventListener("change", (event) => { const line = event.target.closest("li[data-line]"); if (line) mark(line); });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
    const at = here();
    if (event.key === "Escape" && at >= 0 && event.target.matches("textarea")) go(at);
    else if (event.target.matches("input:not([type=radio]):not([type=checkbox]), textarea, select")) return;
    else if (event.key === "j") go(at < 0 ? 0 : Math.min(lines().length - 1, at + 1));
    else if (event.key === "k") go(at < 0 ? 0 : Math.max(0, at - 1));
    else if (at >= 0 && "123".includes(event.key)) {
      const line = lines()[at], chosen = choices(line)[Number(event.key) - 1];
      if (!chosen) return;
      chosen.click();
      if (chosen.value === "does_not_meet") line.querySelector("textarea").focus();
      else go(at + 1 < lines().length ? at + 1 : at);
    } else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
}
