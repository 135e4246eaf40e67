// On a phone a row becomes a card and each cell needs its column's name. Templates give data-label; this fills gaps.
export function labelCells(root) {
  for (const table of root.querySelectorAll("table.is-cards")) {
    const names = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim());
    for (const row of table.querySelectorAll("tbody tr")) {
      [...row.cells].forEach((cell, index) => {
        if (!cell.dataset.label && cell.colSpan === 1 && names[index]) cell.dataset.label = names[index];
      });
    }
  }
}
