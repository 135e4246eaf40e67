"""Dossier files: what is wrong in one is told with file, line, what and why; what is right means what it says."""
from collections.abc import Callable
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.workflow.test_every_procedure import drawing
from workflow import dossiers, procedures
from workflow.dossiers import load
from workflow.procedure import DefinitionError

DRAW = drawing()
FILES = sorted(dossiers.HERE.glob("*.yaml"))
SMALL = """\
procedure: sample
version: 1
form: sections
opens: list
scenarios:
  - {key: first_one, title: {en: First, zh: 首次}, effect: {en: A licence, zh: 发证}, basis: 某条例}
sections:
  - name: body
    title: {en: The applicant, zh: 申请人}
    fields:
      - {name: name, kind: line, label: {en: Name, zh: 名称}, fact: place}
      - {name: items, kind: lines, label: {en: Items, zh: 项目}, columns: [{name: one, en: One, zh: 一}]}
certificate:
  title: {en: Licence, zh: 许可证}
  statement: {en: Granted, zh: 准予}
  number: {pattern: "S-{place}-{serial}", digits: 3}
  validity: some_validity
  annex: {title: {en: Items, zh: 项目}, source: body.items}
"""
Written = Callable[[str], Path]


def test_a_dossier_that_cases_are_pinned_to_never_changes() -> None:
    """What a released procedure asks for is entered in reference/dossiers/RELEASED and stays as it was: ask otherwise
    in a file with the next number."""
    entered = DRAW.released_dossiers()
    assert DRAW.asked_for().items() <= entered.items(), "enter new files with `draw.py --release`"
    now = {path.stem: load(path).digest for path in FILES}
    assert entered == {name: now.get(name) for name in entered}, "a released dossier was changed or taken away"


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """`written(text)`: the text as the file sample.v1.yaml."""
    def write(text: str) -> Path:
        path = tmp_path / "sample.v1.yaml"
        path.write_text(text, "utf-8")
        return path
    return write


def test_the_sample_is_sound(written: Written) -> None:
    sheet = load(written(SMALL))
    assert sheet.types({}) == ("first_one",) and [s.name for s in sheet.asked(())] == ["body"]


@pytest.mark.parametrize(("was", "is_", "line", "said"), [
    ("kind: line,", "kind: lien,", 11, "kind"),
    ("version: 1", "version: one", 2, "version"),
    ("form: sections", "form: sections\nfrom: nowhere", 4, "from"),
    ("source: body.items", "source: body.name", 18, "body.name is not a field of lines"),
    ("source: body.items", "source: soul.items", 18, "soul.items"),
    ("{place}", "{planet}", 13, "cannot be filled in"),
    ("-{serial}", "", 13, "one number"),
    (", columns: [{name: one, en: One, zh: 一}]", "", 12, "columns"),
    ("procedure: sample", "procedure: simple", 1, "is called sample.v1"),
    ("opens: list", "opens: certificate", 0, "whose certificates"),
])
def test_what_is_wrong_is_told_with_file_line_and_what(
        written: Written, was: str, is_: str, line: int, said: str) -> None:
    assert was in SMALL
    with pytest.raises(DefinitionError) as error:
        load(written(SMALL.replace(was, is_, 1)))
    told = str(error.value)
    assert told.startswith("sample.v1.yaml: ") and said in told
    if line:
        assert any(abs(fault.line - line) <= 6 and fault.line for fault in error.value.found), error.value.found


@pytest.mark.parametrize("twin", ["sections", "scenarios"])
def test_no_name_stands_twice(written: Written, twin: str) -> None:
    raw = YAML(typ="safe", pure=True).load(SMALL)
    path = written("")
    raw[twin].append(raw[twin][0])
    with path.open("w", encoding="utf-8") as stream:
        YAML(typ="safe", pure=True).dump(raw, stream)
    with pytest.raises(DefinitionError, match="stands here twice"):
        load(path)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_every_file_serves_a_procedure_that_exists(path: Path) -> None:
    spec = load(path).spec
    procedure = procedures.find(spec.procedure, spec.version)
    assert dossiers.find(spec.procedure, procedure.version) is not None
    for scenario in spec.scenarios:
        assert scenario.basis


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_what_is_not_confirmed_says_so(path: Path) -> None:
    """A paper of low confidence names no article, and its file is marked as a demo default."""
    spec = load(path).spec
    low = [m for m in spec.materials if m.confidence == "low"]
    assert all("演示默认值" in m.basis for m in low)
    assert not low or spec.status == "demo default"


def test_a_later_version_of_a_procedure_keeps_the_file_until_there_is_a_newer_one() -> None:
    assert dossiers.find("cma", 7) is dossiers.find("cma", 1)
    assert dossiers.find("cma", 0) is None


def test_the_strictest_route_comes_last() -> None:
    spec = next(d.spec for d in dossiers.every() if d.spec.routes)
    assert spec.routes.index("filing") < spec.routes.index("approval") < spec.routes.index("review")


def test_a_title_is_known_in_both_languages() -> None:
    assert dossiers.in_chinese("Fields of certification") == "认证领域"
    assert dossiers.in_chinese("Nothing of the kind") is None


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_what_a_file_names_beyond_itself_is_there(path: Path) -> None:
    """Departments, allowances, switches and the facts that its definition's guards read."""
    spec, reference = load(path).spec, dossiers.HERE.parent
    rows = {name: YAML(typ="safe", pure=True).load((reference / f"{name}.yaml").read_text("utf-8"))["rows"]
            for name in ("departments", "allowances", "switches")}
    departments = {row["key"] for row in rows["departments"]}
    called = {d for calls in spec.departments.by.values() for keys in calls.values() for d in keys}
    assert called | set(spec.departments.always) <= departments
    if spec.certificate:
        assert spec.certificate.validity in {row["name"] for row in rows["allowances"]}
    routes = {s.route.switch: set(s.route.values.values()) for s in spec.scenarios if s.route and s.route.switch}
    known = {row["key"]: set(row["values"]) for row in rows["switches"]}
    assert all(known[name] <= set(spec.routes) for name in routes)
    if spec.commitment:
        assert "sign_commitment" in procedures.find(spec.procedure, spec.version).by_name
