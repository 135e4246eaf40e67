"""Draw every procedure, and freeze the ones that are released.

    python docs/procedures/draw.py             write NAME.vN.mmd, NAME.vN.bpmn and index.md from the definitions
    python docs/procedures/draw.py --release   also enter every definition in workflow/procedures/RELEASED

A released version never changes: cases run on it. Its digest stands in RELEASED, and the digest of what its verbs
and its file come to; the law in tests/workflow/test_every_procedure.py fails when either is another. Change a
procedure by writing the next version beside it. As long as no bureau runs a definition its release may be taken
back: remove its line from RELEASED and run this again.
"""
import hashlib
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from workflow import procedures  # noqa: E402  # found through the path above
from workflow.bpmn import bpmn  # noqa: E402
from workflow.diagram import mermaid  # noqa: E402
from workflow.procedure import Procedure  # noqa: E402

HERE = Path(__file__).resolve().parent
RELEASED = ROOT / "workflow" / "procedures" / "RELEASED"


def name_of(procedure: Procedure) -> str:
    return f"{procedure.name}.v{procedure.version}"


def index() -> str:
    """The table of all procedures, as Markdown."""
    known = released()
    lines = ["# Procedures", "", "Drawn from the definitions by `python docs/procedures/draw.py`. What is not released "
             "may still change.", "",
             "| Procedure | Released | 名称 | Basis | States | Actions | Drawing |", "|---|---|---|---|---|---|---|"]
    for procedure in procedures.every():
        spec = procedure.spec
        freed = "released" if name_of(procedure) in known else "**not yet**"
        lines.append(f"| {name_of(procedure)} | {freed} | {spec.title.zh} | {spec.basis.zh} | {len(spec.states)} | "
                     f"{len(spec.actions)} | [{name_of(procedure)}.mmd]({name_of(procedure)}.mmd), "
                     f"[BPMN]({name_of(procedure)}.bpmn) |")
    return "\n".join(lines) + "\n"


def drawings() -> dict[Path, str]:
    """Every file of this directory that is drawn, with what it must hold."""
    drawn = {HERE / f"{name_of(procedure)}.mmd": mermaid(procedure) for procedure in procedures.every()}
    models = {HERE / f"{name_of(procedure)}.bpmn": bpmn(procedure, "zh") for procedure in procedures.every()}
    return {**drawn, **models, HERE / "index.md": index()}


def frozen(procedure: Procedure) -> tuple[str, str]:
    """The SHA-256 of the file, and of all that it comes to once its verbs are written out as actions.

    What the grammar adds by default is left out, so a grammar that grows does not change what was released."""
    written_out = procedure.spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    text = json.dumps(written_out, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return procedure.digest, hashlib.sha256(text.encode()).hexdigest()


def released() -> dict[str, tuple[str, str]]:
    """Name and version -> both digests of every released definition."""
    if not RELEASED.exists():
        return {}
    lines = [line.split() for line in RELEASED.read_text(encoding="utf-8").splitlines()]
    return {line[0]: (line[1], line[2]) for line in lines if line and not line[0].startswith("#")}


def release() -> None:
    """Enter what is not entered yet. What is entered stays, so a changed release is not hidden by running this."""
    known = released()
    known |= {name_of(p): frozen(p) for p in procedures.every() if name_of(p) not in known}
    text = "# Released procedures: name.version, the SHA-256 of its file and of what it comes to. They never change.\n"
    RELEASED.write_text(text + "".join(f"{name} {' '.join(both)}\n" for name, both in sorted(known.items())), "utf-8")


if __name__ == "__main__":
    for path, content in drawings().items():
        path.write_text(content, encoding="utf-8")
    if "--release" in sys.argv[1:]:
        release()
