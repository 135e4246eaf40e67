"""What every procedure must be, whoever writes it: its own table of who does what where, its drawing, its freeze.

The table is read from the YAML by itself, not through the grammar, and compared with what the engine offers to a
person of every role in every state on every track.
"""
import importlib.util
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.store.factories import applicant_of, department_officer, person
from workflow import procedures
from workflow.case import Case
from workflow.engine import offers
from workflow.procedure import Procedure
from workflow.vocabulary import SYSTEM, Actor, Role

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(procedures.HERE.glob("*.yaml"))
AGENCY = 7
CHINESE = re.compile(r"[\u4e00-\u9fff]")
DOCUMENT_NUMBER = re.compile(r"[\u4e00-\u9fff]+〔\d{4}〕\d+号")  # stands as it is in every language
PARTIES = {"departments": ["ecology"], "deciding_departments": ["ecology"],
           "team": ["leads", "member"], "team_leader": "leads"}
# rule -> who satisfies it, by hand: this is the second opinion
WHO: dict[str, tuple[str, ...]] = {
    "is_the_applicant": ("applicant",), "window_officer": ("window_officer",),
    "review_organiser": ("review_organiser",), "leads_the_team": ("leads",), "is_on_the_team": ("leads", "member"),
    "answers_for_a_department_asked": ("ecology",), "leader": ("leader",), "issuing_clerk": ("issuing_clerk",),
    "inspector": ("inspector",), "is_the_system": ("system",),
    "works_for_the_deciding_department": ("ecology",), "decides_for_the_department": ("leads_ecology",)}
PEOPLE: dict[str, Actor] = {
    "applicant": applicant_of(AGENCY), "other_applicant": applicant_of(AGENCY + 1),
    "leads": person("leads", Role.TEAM_LEADER), "member": person("member", Role.REVIEWER),
    "stranger": person("stranger", Role.REVIEWER, Role.TEAM_LEADER), "ecology": department_officer("ecology"),
    "transport": department_officer("transport"),
    **{f"leads_{d}": person(f"leads_{d}", Role.DEPARTMENT_LEADER, department=d) for d in ("ecology", "transport")},
    "system": SYSTEM, "nobody": person("nobody"),
    **{role.value: person(role.value, role) for role in (
        Role.WINDOW_OFFICER, Role.REVIEW_ORGANISER, Role.LEADER, Role.ISSUING_CLERK, Role.INSPECTOR,
        Role.ADMINISTRATOR)}}


def drawing() -> Any:
    spec = importlib.util.spec_from_file_location("draw", ROOT / "docs" / "procedures" / "draw.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def written(path: Path) -> dict[str, Any]:
    return dict(YAML(typ="safe", pure=True).load(path.read_text("utf-8")))


def of(path: Path) -> Procedure:
    raw = written(path)
    return procedures.find(raw["name"], raw["version"])


every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def test_there_is_a_file_for_every_procedure():
    assert FILES and {(written(f)["name"], written(f)["version"]) for f in FILES} == {
        (p.name, p.version) for p in procedures.every()}


@every_file
def test_a_button_is_there_exactly_for_whom_the_definition_names(path: Path) -> None:
    raw, procedure = written(path), of(path)
    for state, track, (name, actor) in product(raw["states"], raw["tracks"], PEOPLE.items()):
        case = Case(1, procedure.name, procedure.version, state, track, AGENCY, facts=PARTIES)
        expected = {action for action, spec in raw["actions"].items()
                    if state in spec["from"] and spec.get("track", track) == track and not spec.get("automatic")
                    and name in WHO[spec["who"]]}
        offered = {offer.action.name for offer in offers(procedure, case, actor) if offer.action.spec.verb is None}
        assert offered == expected, (state, track, name)


@every_file
def test_nobody_reads_a_reason_in_one_language_only(path: Path) -> None:
    raw = written(path)
    pairs = list(texts(raw))
    assert pairs
    for pair in pairs:
        assert set(pair) == {"en", "zh"} and all(str(text).strip() for text in pair.values()), pair
        assert names_in(pair["en"]) == names_in(pair["zh"]), pair
        english = DOCUMENT_NUMBER.sub("", pair["en"])
        assert CHINESE.search(pair["zh"]) and not CHINESE.search(english), pair


def texts(value: Any) -> Iterator[dict[str, str]]:
    """Every text in two languages inside a definition."""
    if isinstance(value, dict):
        if {"en", "zh"} & set(value):
            yield value
        else:
            for inner in value.values():
                yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def names_in(text: str) -> set[str]:
    return set(re.findall(r"%\((\w+)\)s", text))


@every_file
def test_every_open_state_is_somebodys_work_and_leads_on(path: Path) -> None:
    raw = written(path)
    for state, spec in raw["states"].items():
        leaving = [a for a in raw["actions"].values() if state in a["from"] and a.get("to") not in (None, state)]
        assert bool(spec.get("final")) != bool(leaving), state
        assert spec.get("final") or spec.get("duties"), state


@every_file
def test_what_cannot_be_undone_is_asked_twice(path: Path) -> None:
    """An act of a person that ends a case asks whether they are sure, unless the end is good and can be followed."""
    raw = written(path)
    for name, action in raw["actions"].items():
        target = raw["states"].get(action.get("to") or "", {})
        if target.get("final") and action["who"] != "is_the_system":
            assert action.get("irreversible"), name


@every_file
def test_a_decision_to_grant_refuse_or_annul_is_taken_under_ones_own_name(path: Path) -> None:
    raw = written(path)
    for name, action in raw["actions"].items():
        if action["who"] == "leader" and action.get("irreversible"):
            assert action.get("reauthenticate") and action.get("apart_from"), name
            assert action["command"] in ("Decide", "Refuse", "Annul"), name


def test_the_drawings_are_fresh() -> None:
    draw = drawing()
    stale = [path.name for path, content in draw.drawings().items()
             if not path.exists() or path.read_text(encoding="utf-8") != content]
    assert stale == [], "run: python docs/procedures/draw.py"
    left_over = {path.name for path in draw.HERE.glob("*.mmd")} - {path.name for path in draw.drawings()}
    assert left_over == set()


def test_a_drawing_shows_every_state_and_every_step() -> None:
    draw = drawing()
    for procedure in procedures.every():
        text = draw.drawings()[draw.HERE / f"{draw.name_of(procedure)}.mmd"]
        for state, spec in procedure.states.items():
            assert f"  {state}: {spec.label.en}\n" in text
            assert (f"  {state} --> [*]\n" in text) == spec.final
        for action in procedure.actions:
            for source in action.sources if action.target else ():
                assert f"  {source} --> {action.target}: {action.spec.label.en}" in text


def test_a_released_procedure_is_frozen() -> None:
    known = drawing().released()
    assert known
    present = {drawing().name_of(p): drawing().frozen(p) for p in procedures.every()}
    assert {name: present.get(name) for name in known} == known, \
        "a released definition was changed: put it back and write the next version beside it"


def test_only_the_newest_version_may_be_unreleased_and_is_marked() -> None:
    draw = drawing()
    index = (draw.HERE / "index.md").read_text("utf-8")
    for procedure in procedures.every():
        name, free = draw.name_of(procedure), draw.name_of(procedure) not in draw.released()
        assert not free or procedure.version == max(p.version for p in procedures.every() if p.name == procedure.name)
        assert (f"| {name} | **not yet** |" in index, f"| {name} | released |" in index) == (free, not free)


def test_the_freeze_notices_a_changed_file(tmp_path: Path) -> None:
    from workflow.procedure import load

    changed = tmp_path / FILES[0].name
    changed.write_bytes(FILES[0].read_bytes() + b"\n# one more word\n")
    assert load(changed).digest != of(FILES[0]).digest


def test_the_freeze_notices_verbs_that_come_to_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same file under other words for its verbs is another procedure to the people whose case runs on it."""
    from workflow.procedure import load
    from workflow.verbs import section

    path = next(path for path in FILES if (verbs := of(path).spec.verbs) and verbs.suspend)
    monkeypatch.setattr(section, "WHILE_SUSPENDED", frozenset())
    same_file, another = drawing().frozen(load(path)), drawing().frozen(of(path))
    assert same_file[0] == another[0] and same_file[1] != another[1]
