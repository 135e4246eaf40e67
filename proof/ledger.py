"""Where results of proofs are kept, and the page that is made of them."""
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.machine import ROOT, commit

LEDGER = ROOT / "proof" / "results.jsonl"
PAGE = ROOT / "docs" / "proof.md"
OPENING = """# Proof

Written by `./run proof` from `proof/results.jsonl`: the latest result of each claim. A claim holds when
nothing unexpected was seen in all its tries.

| proof | claim | tries | unexpected | when, commit | note |
|---|---|---:|---:|---|---|
"""


@dataclass(frozen=True)
class Result:
    """What one proof saw: `unexpected` of `tries` (numbers) spoke against the claim; `at` is ISO 8601 UTC."""

    proof: str
    claim: str
    tries: int
    unexpected: int
    note: str = ""
    at: str = ""
    commit: str = ""


def keep(results: Iterable[Result], ledger: Path = LEDGER) -> None:
    """Append results, stamped with now and the commit."""
    at, standing = datetime.now(UTC).isoformat(timespec="seconds"), commit()
    with ledger.open("a", encoding="utf-8") as file:
        for result in results:
            stamped = asdict(result) | {"at": result.at or at, "commit": result.commit or standing}
            file.write(json.dumps(stamped, ensure_ascii=False) + "\n")


def latest(ledger: Path = LEDGER) -> list[Result]:
    """The newest result of each claim, ordered by proof and claim."""
    lines = ledger.read_text(encoding="utf-8").splitlines() if ledger.is_file() else []
    newest = {(kept.proof, kept.claim): kept for kept in (Result(**json.loads(line)) for line in lines)}
    return [newest[key] for key in sorted(newest)]


def page(results: Iterable[Result]) -> str:
    """The results as a page of Markdown."""
    def cell(text: str) -> str:
        return text.replace("|", "\\|").replace("\n", " ")

    return OPENING + "".join(
        f"| {kept.proof} | {cell(kept.claim)} | {kept.tries} | {kept.unexpected} "
        f"| {kept.at[:16].replace('T', ' ')}, {kept.commit} | {cell(kept.note)} |\n" for kept in results)


def write_page() -> None:
    """Write docs/proof.md anew."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(latest()), encoding="utf-8")
