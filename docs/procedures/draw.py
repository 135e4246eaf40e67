"""Draw every procedure, and freeze the ones that are released.

    python docs/procedures/draw.py             write NAME.vN.mmd, NAME.vN.bpmn and index.md from the definitions
    python docs/procedures/draw.py --release   also enter every definition in workflow/procedures/RELEASED, and the
                                               dossiers they ask for in reference/dossiers/RELEASED
    python docs/procedures/draw.py --prove     prove what is released and has no proof of its text by this checker in
                                               workflow/procedures/PROOFS; the release does it too (minutes)
    python docs/procedures/draw.py --prove-all prove all of it again

A released version never changes: cases run on it. Its digest stands in RELEASED, and the digest of what its verbs
and its file come to; the law in tests/workflow/test_every_procedure.py fails when either is another. Change a
procedure by writing the next version beside it. As long as no bureau runs a definition its release may be taken
back: remove its line from RELEASED and run this again.
"""
import hashlib
import json
import sys
from pathlib import Path
from time import process_time
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from ruamel.yaml import YAML  # noqa: E402

from workflow import dossiers, procedures  # noqa: E402  # found through the path above
from workflow.allowances import Allowance  # noqa: E402
from workflow.bpmn import bpmn  # noqa: E402
from workflow.diagram import mermaid  # noqa: E402
from workflow.exploration import prove  # noqa: E402
from workflow.procedure import Procedure  # noqa: E402
from workflow.proofs import CHECKER  # noqa: E402

HERE = Path(__file__).resolve().parent
RELEASED = ROOT / "workflow" / "procedures" / "RELEASED"
PROOFS = ROOT / "workflow" / "procedures" / "PROOFS"
DOSSIERS = ROOT / "reference" / "dossiers" / "RELEASED"
ALLOWANCES = ROOT / "reference" / "allowances.yaml"


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


def released_dossiers() -> dict[str, str]:
    """Name and version -> digest of every dossier that cases may be pinned to."""
    lines = [line.split() for line in DOSSIERS.read_text("utf-8").splitlines()] if DOSSIERS.exists() else []
    return {line[0]: line[1] for line in lines if line and not line[0].startswith("#")}


def asked_for() -> dict[str, str]:
    """The same of the files as they are: the dossiers that released procedures ask for."""
    known = released()
    found = [dossiers.find(p.name, p.version) for p in procedures.shipped() if name_of(p) in known]
    return {f"{d.spec.procedure}.v{d.spec.version}": d.digest for d in found if d}


def release_dossiers() -> None:
    """Enter what is not entered yet; as with procedures, what is entered stays."""
    text = "# Released dossiers: procedure.version, the SHA-256 of the file. Cases are pinned to them; none changes.\n"
    both = {**asked_for(), **released_dossiers()}
    DOSSIERS.write_text(text + "".join(f"{name} {digest}\n" for name, digest in sorted(both.items())), "utf-8")


def shipped_allowances() -> list[Allowance]:
    """The limits that a new installation is given."""
    rows = YAML(typ="safe", pure=True).load(ALLOWANCES.read_text("utf-8"))["rows"]
    return [Allowance.from_plain(json.loads(json.dumps(row, default=str))) for row in rows]


def proved(procedure: Procedure) -> dict[str, Any]:
    """The proof that is released with a definition: verbs by twos, without people, timed by the processor."""
    begun = process_time()
    proof = prove(procedure, allowances=shipped_allowances(), pairs=True)
    return proof.timed(process_time() - begun).plain()


def kept_proofs() -> dict[str, dict[str, Any]]:
    """Name and version -> the proof in PROOFS."""
    lines = PROOFS.read_text("utf-8").splitlines() if PROOFS.exists() else []
    return {f"{found['procedure']}.v{found['version']}": found for found in map(json.loads, lines)}


def is_fresh(procedure: Procedure, found: dict[str, Any] | None) -> bool:
    return found is not None and (found["digest"], found["checker"]) == (procedure.digest, CHECKER)


def write_proofs(again: bool) -> None:
    """Prove what is released; kept proofs stand as long as they are of this text and by this checker."""
    kept, known = kept_proofs(), released()
    found = {}
    for procedure in procedures.shipped():
        if (name := name_of(procedure)) in known:
            found[name] = kept[name] if is_fresh(procedure, kept.get(name)) and not again else proved(procedure)
            print(name, found[name]["verdict"], found[name]["states_visited"], found[name]["seconds"])
    lines = (json.dumps(f, ensure_ascii=False, sort_keys=True) for _, f in sorted(found.items()))
    PROOFS.write_text("".join(f"{line}\n" for line in lines), "utf-8")


if __name__ == "__main__":
    for path, content in drawings().items():
        path.write_text(content, encoding="utf-8")
    if "--release" in sys.argv[1:]:
        release()
        release_dossiers()
    if {"--release", "--prove", "--prove-all"} & set(sys.argv[1:]):
        write_proofs(again="--prove-all" in sys.argv[1:])
