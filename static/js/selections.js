// Accept all, then except. The choice is a mode (all or none) and the rows that differ from it; both survive paging
// because the rows of other pages stay as hidden fields, kept for the tab under the selection's id.
const started = new WeakSet();

function remembered(key) {
  try { return JSON.parse(sessionStorage.getItem(key)); } catch { return null; }
}

export function startSelections(root) {
  for (const bar of root.querySelectorAll("[data-selection]")) {
    if (started.has(bar) || !bar.closest("form")) continue;
    started.add(bar);
    const form = bar.closest("form");
    const mode = bar.querySelector("[data-selection-mode]");
    const key = `wujian:selection:${bar.dataset.selection}`;
    const total = Number(bar.dataset.total);
    const old = remembered(key);
    const state = old || { mode: mode.value, except: [...bar.querySelectorAll("[data-selection-kept]")].map((field) => field.value) };
    const except = new Set(state.except);
    const boxes = () => [...form.querySelectorAll("input[data-row]")];

    const show = () => {
      mode.value = state.mode;
      for (const field of bar.querySelectorAll("[data-selection-kept]")) field.remove();
      for (const row of except) {
        const field = document.createElement("input");
        field.type = "hidden"; field.name = "except"; field.value = row; field.dataset.selectionKept = "";
        bar.append(field);
      }
      for (const box of boxes()) {
        box.checked = (state.mode === "all") !== except.has(box.value);
        box.closest("tr")?.classList.toggle("is-excepted", except.has(box.value));
      }
      const words = state.mode === "all" ? bar.dataset.wordsAll : bar.dataset.wordsNone;
      bar.querySelector("output").textContent = words.replace("{n}", except.size.toLocaleString()).replace("{total}", total.toLocaleString());
      try { sessionStorage.setItem(key, JSON.stringify({ mode: state.mode, except: [...except] })); } catch { /* only paging would forget */ }
    };

    bar.addEventListener("click", (event) => {
      const set = event.target.closest("[data-selection-set]")?.dataset.selectionSet;
      if (!set) return;
      state.mode = set;
      except.clear();
      show();
    });
    form.addEventListener("change", (event) => {
      const box = event.target;
      if (!box.matches("input[data-row]")) return;
      if (box.checked === (state.mode === "all")) except.delete(box.value); else except.add(box.value);
      show();
    });
    form.addEventListener("submit", (event) => {
      if (!event.defaultPrevented) try { sessionStorage.removeItem(key); } catch { /* nothing kept, nothing to drop */ }
    });
    show();
  }
}
