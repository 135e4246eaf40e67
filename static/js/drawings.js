// <div data-bpmn="address" hidden> shows the BPMN 2.0 model from that address. What a case has been through carries
// its colours in the model. Without this script, or when anything fails, the words on the page say the same.
const STEP = 1.25;
const LEAST = 0.55; // below this no word of a drawing can be read

async function draw(box) {
  const tools = document.querySelector("[data-drawing-tools]");
  box.hidden = false;
  try {
    const answer = await fetch(box.dataset.bpmn, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(String(answer.status));
    const viewer = new window.BpmnJS({ container: box });
    await viewer.importXML(await answer.text());
    const canvas = viewer.get("canvas");
    const current = viewer.get("elementRegistry").filter((e) => e.businessObject?.$attrs["wujian:place"] === "current" && !e.labelTarget)[0];
    const start = viewer.get("elementRegistry").get("start");
    const atStart = () => {
      const { width, height } = canvas.getContainer().getBoundingClientRect();
      canvas.viewbox({ x: (start?.x || 0) - 40, y: (start?.y || 0) - height / 2 / LEAST, width: width / LEAST, height: height / LEAST });
    };
    const fit = () => canvas.zoom("fit-viewport", "auto");
    const show = () => {
      if (!current) { fit(); if (canvas.zoom() < LEAST) atStart(); return; }
      const { width, height } = canvas.getContainer().getBoundingClientRect();
      canvas.zoom(0.9);
      const view = canvas.viewbox();
      canvas.viewbox({ ...view, x: current.x + current.width / 2 - width / 1.8, y: current.y + current.height / 2 - height / 1.8, width: width / 0.9, height: height / 0.9 });
    };
    show();
    const acts = { in: () => canvas.zoom(canvas.zoom() * STEP), out: () => canvas.zoom(canvas.zoom() / STEP), fit, current: show };
    tools?.querySelector('[data-zoom="current"]')?.toggleAttribute("hidden", !current);
    tools?.addEventListener("click", (event) => acts[event.target.closest("[data-zoom]")?.dataset.zoom]?.());
    if (tools) tools.hidden = false;
    box.dataset.drawn = "1";
  } catch {
    box.hidden = true;
    const said = document.createElement("p");
    said.className = "wj-soft";
    said.textContent = box.dataset.failed;
    box.after(said);
  }
}

for (const box of document.querySelectorAll("[data-bpmn]")) draw(box);
