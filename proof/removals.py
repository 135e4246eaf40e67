"""Every guard, rule, check, effect, register, constraint and trigger is missed by a test once it is taken away.

What there is to take away is read from the registries, the models and the database itself. Which tests could notice is
known beforehand: those in which the thing made a difference when they last ran whole (kept in proof/out, made anew for
every test file that has changed). One at a time, the tests are run without it, the quickest first, and the first that
fails by what it promises ends the search; see tests/removals.

./run proof removals                         all of it
python -m proof.removals guard:team_is_lawful [WORD...]   some words, and which test notices
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from bench.machine import ROOT

KNOWN = ROOT / "proof" / "out" / "removals.json"
ROOMS = ("tests/workflow", "tests/store", "tests/jobs")
# These compare one writing of a thing with another and would miss anything whatever; they are not asked.
MIRRORS = ("test_migrations.py", "test_constraints.py", "test_release_proofs.py",
           "test_a_pair_does_what_the_page_says", "is_fresh", "are_fresh")
ENOUGH = 40.0  # seconds of tests that are asked, the quickest first, before a thing counts as missed by nobody
ENDS = {0, 1, 5}  # of pytest: all passed, some failed, there was none


def pytest_run(arguments: Iterable[str], without: str = "") -> Any:
    """What `tests.removals.plugin` kept of one run. Raises RuntimeError when pytest itself broke."""
    with tempfile.TemporaryDirectory() as directory:
        keep = Path(directory) / "kept.json"
        told = {**os.environ, "REMOVALS_KEEP": str(keep), "REMOVALS_WITHOUT": without}
        command = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider",
                   "-p", "tests.removals.plugin", *arguments]  # fmt: skip
        ran = subprocess.run(command, cwd=ROOT, env=told, capture_output=True, text=True)
        if ran.returncode not in ENDS | {2} or not keep.exists():
            raise RuntimeError(f"{without}: {ran.stdout[-2000:]}{ran.stderr[-2000:]}")
        return json.loads(keep.read_text("utf-8"))


# -- who could notice ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Witness:
    """A test, how long it takes (seconds) and what made a difference in it."""

    test: str
    took: float
    seen: frozenset[str]


def known() -> list[Witness]:
    """What every test leans on, the quickest first. Test files that changed since are run and watched again, and all
    of them when there is another word to watch."""
    from tests.removals import words

    names = "\n".join(sorted(words.every()))
    kept: dict[str, Any] = json.loads(KNOWN.read_text("utf-8")) if KNOWN.exists() else {}
    files = sorted(p for room in ROOMS for p in (ROOT / room).glob("test_*.py") if p.name not in MIRRORS)
    digests = {path.relative_to(ROOT).as_posix(): _digest(path, names) for path in files}
    stale = [name for name, digest in digests.items() if kept.get(name, {}).get("digest") != digest]
    for name in stale:
        print(f"watching {name}", flush=True)
        seen = pytest_run(["-k", "not postgresql", name])
        kept[name] = {"digest": digests[name], "tests": seen}
        KNOWN.parent.mkdir(exist_ok=True)
        KNOWN.write_text(json.dumps(kept, ensure_ascii=False), "utf-8")
    return sorted(
        (
            Witness(test, said["took"], frozenset(said["seen"]))
            for name in digests
            for test, said in kept[name]["tests"].items()
            if not any(mirror in test for mirror in MIRRORS)
        ),
        key=lambda witness: witness.took,
    )


def _digest(path: Path, names: str) -> str:
    return hashlib.sha256(path.read_bytes() + names.encode()).hexdigest()


def asked(witnesses: Iterable[Witness], leans: Any) -> list[str]:
    """The tests to run: those that lean on the thing, no more than take `ENOUGH` together."""
    chosen, time = list[str](), 0.0
    for witness in witnesses:
        if leans(witness):
            time += witness.took
            chosen.append(witness.test)
            if time > ENOUGH:
                break
    return chosen


# -- one at a time -------------------------------------------------------------------------------------------------


@dataclass
class Outcome:
    """What became of each thing that was taken away: the test that noticed, or nothing."""

    noticed: dict[str, str] = field(default_factory=dict)
    survived: dict[str, str] = field(default_factory=dict)
    idle: list[str] = field(default_factory=list)

    def result(self, claim: str) -> dict[str, Any]:
        note = f"{len(self.noticed)} noticed"
        note += f", {len(self.idle)} stand in no definition" if self.idle else ""
        note += "".join(f"; {thing}: {why}" for thing, why in self.survived.items())
        tries = len(self.noticed) + len(self.survived)
        return {"claim": claim, "tries": tries, "unexpected": len(self.survived), "note": note}


def without(thing: str, tests: list[str], outcome: Outcome, run: Callable[[list[str], str], Any]) -> None:
    """Run the tests without the thing and write down what came of it."""
    if not tests:
        outcome.survived[thing] = "no test leans on it"
        print(f"{thing}: NO TEST LEANS ON IT", flush=True)
        return
    try:
        seen = run(tests, thing)
    except RuntimeError as broken:
        seen = {"noticed": [], "otherwise": [str(broken)], "tried": 0}
    if seen["noticed"]:
        outcome.noticed[thing] = seen["noticed"][0]
    else:
        broke = f", {len(seen['otherwise'])} broke otherwise: {seen['otherwise'][0]}" if seen["otherwise"] else ""
        outcome.survived[thing] = f"{seen['tried']} tests noticed nothing{broke}"
    told = outcome.noticed.get(thing) or f"NOBODY NOTICES ({outcome.survived[thing]})"
    print(f"{thing}: {told}", flush=True)


@cache
def in_use() -> frozenset[str]:
    """The words that the shipped definitions write."""
    from workflow import procedures

    found: set[str] = set()
    for procedure in procedures.every():
        for action in procedure.actions:
            spec = action.spec
            found |= {f"guard:{g}" for g in spec.guards if isinstance(g, str)}
            found |= {f"effect:{e}" for e in spec.effects if isinstance(e, str)}
            found |= {f"register:{r}" for r in spec.registers} | {f"rule:{spec.who}"}
    return frozenset(found)


def words_away(wanted: Iterable[str] = ()) -> Mapping[str, Outcome]:
    """Kind of word -> what became of each; a word in no definition that no test leans on either is idle.

    Everything is imported once, behind a switch for every word; each word is off in a child of its own.
    """
    from tests.removals import words

    switch = words.Switch()
    words.install(switch.wrap)
    from tests.removals.noticing import in_a_child
    from tests.services import databases
    from tests.store import factories

    witnesses, outcomes = known(), dict[str, Outcome]()
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        made = (databases.migrate, factories.seeded)
        templates = {by.__name__: databases.sqlite_template(home / f"{by.__name__}.sqlite3", by) for by in made}

        def run(tests: list[str], word: str) -> Any:
            return in_a_child(tests, lambda: setattr(switch, "off", word), home / "kept.json", templates)

        for word in list(wanted) or words.every():
            kind = word.partition(":")[0]
            outcome = outcomes.setdefault(kind, Outcome())
            tests = asked(witnesses, lambda witness, word=word: word in witness.seen)
            if not tests and kind != "check" and word.partition("#")[0] not in in_use():
                outcome.idle.append(word)
            else:
                without(word, tests, outcome, run)
    return outcomes


def triggers_away() -> Mapping[str, Outcome]:
    """Database -> what became of each of its triggers."""
    from proof.races import both
    from store.database import Database
    from tests.removals.schema import triggers

    witnesses, outcomes = known(), {}
    with both() as urls:
        made = {}
        for kind, url in urls.items():
            database = Database(url)
            with database.reading() as connection:
                made[kind] = triggers(connection)
            database.close()
    spoken: dict[str, set[str]] = {}  # by the same trigger on either database
    for found in made.values():
        for name, (_, said) in found.items():
            spoken.setdefault(name, set()).update(_sentences(said))
    for kind, found in made.items():
        outcome = outcomes[kind] = Outcome()
        for name, (table, _) in found.items():
            speaks = spoken[name] | {f"{table} is append-only"}
            tests = asked(witnesses, lambda witness, speaks=speaks: _spoke(witness, speaks))
            beside = {test.partition("::")[0] for test in tests}
            tests += [w.test for w in witnesses if "skipped" in w.seen and w.test.partition("::")[0] in beside]
            tests = [test.replace("[sqlite", f"[{kind.lower()}") for test in tests]
            without(f"trigger:{name}", tests, outcome, pytest_run)
    return outcomes


def _sentences(said: str) -> list[str]:
    """What a trigger says when it refuses."""
    return [part for part in said.split("'") if " " in part and not any(sign in part for sign in "=;()")]


def _spoke(witness: Witness, sentences: Iterable[str]) -> bool:
    return any(what.startswith("said:") and any(s in what for s in sentences) for what in witness.seen)


EACH = {
    "tests/store/test_constraints.py": "every constraint of the schema, on both databases",
    "tests/workflow/test_conditions.py": "every condition that a definition writes on one fact",
}


def each_away(file: str) -> dict[str, Any]:
    """The tests of a file that are about one thing each, every one run without that very thing."""
    seen = pytest_run([file], "each")
    return {
        "claim": f"{EACH[file]}, taken away, is missed by its test",
        "tries": len(seen["noticed"]) + len(seen["survived"]),
        "unexpected": len(seen["survived"]),
        "note": "; ".join(seen["survived"]) or f"{len(seen['noticed'])} noticed",
    }


def prove() -> Iterator[dict[str, Any]]:
    """What was seen of words, constraints, conditions and triggers."""
    with tempfile.TemporaryDirectory() as directory:
        keep = Path(directory) / "words.json"  # a process of its own: the words are switched before anything is read
        subprocess.run([sys.executable, "-m", "proof.removals", "--keep", str(keep)], cwd=ROOT, check=True)
        yield from json.loads(keep.read_text("utf-8"))
    for file in EACH:
        yield each_away(file)
    for kind, outcome in triggers_away().items():
        yield outcome.result(f"every trigger of {kind}, taken away, is missed by a test")


def main(arguments: list[str]) -> int:
    keep = Path(arguments[1]) if arguments[:1] == ["--keep"] else None
    outcomes = words_away(() if keep else arguments)
    if keep:
        found = [outcome.result(f"every {kind}, taken away, is missed by a test") for kind, outcome in outcomes.items()]
        keep.write_text(json.dumps(found, ensure_ascii=False), "utf-8")
        return 0
    return int(any(outcome.survived for outcome in outcomes.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
