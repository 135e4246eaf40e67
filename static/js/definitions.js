// The editor of a definition: line numbers beside the text, and a fault leads to its line.
const editor = document.querySelector("[data-editor]");
const gutter = document.querySelector("[data-gutter]");

function number() {
  const count = editor.value.split("\n").length;
  if (gutter.dataset.count === String(count)) return;
  gutter.dataset.count = String(count);
  gutter.textContent = Array.from({ length: count }, (_, n) => n + 1).join("\n") + "\n\n\n";
}

function goTo(line) {
  const lines = editor.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  editor.focus();
  editor.setSelectionRange(start, start + (lines[line - 1] || "").length);
  editor.scrollTop = Math.max(0, (line - 6) * parseFloat(getComputedStyle(editor).lineHeight));
}

if (editor) {
  number();
  editor.addEventListener("input", number);
  editor.addEventListener("scroll", () => { gutter.scrollTop = editor.scrollTop; });
  document.addEventListener("click", (event) => {
    const leads = event.target.closest("[data-goes-to-line]");
    if (leads) goTo(Number(leads.dataset.goesToLine));
  });
}
