// A queue by keyboard: j and k walk the rows by focusing each row's first link, so Enter needs no code of ours.
const typing = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";

function rows() {
  return [...document.querySelectorAll("[data-queue] tbody tr")].filter((row) => row.querySelector("a[href]"));
}

function step(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))];
  next.querySelector("a[href]").focus();
  next.scrollIntoView({ block: "nearest" });
}

export function startQueues() {
  const opener = document.querySelector('[data-opens="wj-keys"]');
  if (opener && document.querySelector("[data-queue]")) opener.hidden = false;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.matches(typing) || document.querySelector("dialog[open]")) return;
    const here = document.activeElement && document.activeElement.closest("[data-queue] tbody tr");
    if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === "x" && here) {
      const box = here.querySelector("input[type=checkbox]");
      if (!box) return;
      box.click();
    } else if (event.key === "/") {
      const search = document.querySelector("[data-search], input[type=search]");
      if (!search) return;
      search.focus();
    } else if (event.key === "?") {
      const keys = document.getElementById("wj-keys");
      if (!keys) return;
      keys.showModal();
    } else return;
    event.preventDefault();
  });
}
