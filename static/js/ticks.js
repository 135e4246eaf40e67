// Lines ticked in a list: how many, all at once, and a button that waits until there is one. Without it the server asks.
const started = new WeakSet();

export function startTicks(root) {
  for (const bar of root.querySelectorAll("[data-tick-bar]")) {
    const form = bar.closest("form");
    if (started.has(bar) || !form) continue;
    started.add(bar);
    const boxes = () => [...form.querySelectorAll("tbody input[type=checkbox]")];
    const all = bar.querySelector("[data-tick-all]");
    const show = () => {
      const ticked = boxes().filter((box) => box.checked);
      for (const box of boxes()) box.closest("tr")?.classList.toggle("is-ticked", box.checked);
      bar.querySelector("[data-tick-count]").textContent = bar.dataset.words.replace("{n}", ticked.length.toLocaleString());
      const needed = bar.querySelector("[data-tick-needed]");
      if (needed) needed.disabled = !ticked.length;
    };
    const tickAll = () => {
      const on = boxes().some((box) => !box.checked);
      for (const box of boxes()) box.checked = on;
      show();
    };
    if (all) {
      all.hidden = false;
      all.addEventListener("click", tickAll);
    }
    document.addEventListener("keydown", (event) => {
      if (event.key !== "a" || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      if (event.target.matches("input:not([type=checkbox]), textarea, select") || document.querySelector("dialog[open]")) return;
      tickAll();
      event.preventDefault();
    });
    form.addEventListener("change", show);
    window.addEventListener("pageshow", show);
    show();
  }
}
