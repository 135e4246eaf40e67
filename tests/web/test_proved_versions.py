"""The real proof behind the real door: what ships may be put into force with the people of the demonstration, and a
draft with a planted fault may not, and its page tells how a case comes to grief."""

import re
from collections.abc import Callable
from typing import Any

import pytest

import app as root
from store.procedure_versions import ProcedureVersions
from store.version_values import VersionLine
from tests.web.test_procedures import sent
from tests.workflow.test_exploration import _signed_off as signed_off
from tests.workflow.test_exploration import as_yaml
from web.cast import Cast
from workflow import procedures
from workflow.procedure import Procedure

pytestmark = pytest.mark.usefixtures("shelf")

# Shipped versions whose proof takes longer than a moment on a busy machine.
LONG = {"cma.v2", "joint_testing.v1"}


def name_of(procedure: Procedure) -> str:
    return f"{procedure.name}.v{procedure.version}"


@pytest.fixture
def versions(house: Any) -> ProcedureVersions:
    return ProcedureVersions(house.database, house.laws)


@pytest.fixture
def administrator(client_of: Any, house: Any) -> Any:
    """Signed in, in a bureau with the people of the demonstration."""
    Cast(house.accounts, house.reference).assemble()
    return client_of("administrator")


def draft_of(administrator: Any, versions: ProcedureVersions, name: str, version: int,
             change: Callable[[str], str] = lambda text: text) -> VersionLine:
    answer = sent(administrator, f"/procedures/{name}/{version}/draft")
    number = int(answer.location.split("/")[-2])
    found = versions.get(name, number)
    text, edition = change(found.definition), str(found.line.edition)
    if text != found.definition:
        path = f"/procedures/{name}/{number}/edit"
        assert sent(administrator, path, definition=text, edition=edition).status_code == 303
    return versions.get(name, number).line


def proved(administrator: Any, house: Any, versions: ProcedureVersions, line: VersionLine) -> VersionLine:
    answer = sent(administrator, f"/procedures/{line.name}/{line.version}/prove")
    assert answer.status_code == 303, answer.text
    assert root.work_off(house) == []
    return versions.get(line.name, line.version).line


def activate(administrator: Any, line: VersionLine) -> Any:
    return sent(administrator, f"/procedures/{line.name}/{line.version}/activate", edition=str(line.edition),
                reason="新版施行")


@pytest.mark.parametrize("shipped", [
    pytest.param(p, id=name_of(p), marks=[pytest.mark.slow] if name_of(p) in LONG else [])
    for p in procedures.shipped()
])
def test_what_ships_may_be_put_into_force_with_the_people_of_the_demonstration(
    administrator: Any, house: Any, versions: ProcedureVersions, shipped: Procedure
) -> None:
    line = draft_of(administrator, versions, shipped.name, shipped.version)
    assert activate(administrator, line).status_code == 409, "not without its proof"
    line = proved(administrator, house, versions, line)
    unproved = [p for p in line.proof["properties"] if p["standing"] != "holds"]
    assert line.is_proved, str(unproved)
    assert activate(administrator, line).status_code == 303
    house.laws.current()
    assert procedures.current(shipped.name).version == line.version
    page = administrator.get(f"/procedures/{line.name}/{line.version}?part=proof&lang=en").text
    assert "Proved: it may be put into force" in page and "Version of the checker" in page


def test_the_page_of_a_shipped_version_shows_its_proof_and_how_far_it_reaches(administrator: Any) -> None:
    page = administrator.get("/procedures/cma/2?part=proof&lang=en").text
    assert "Proved at release" in page and "not at the people of this bureau" in page
    assert "three on one case were not looked at together" in page
    assert "Proved at release" in administrator.get("/procedures?lang=en").text
    assert "Proved at release" in administrator.get("/procedures/cma/2?lang=en").text


# -- planted faults --------------------------------------------------------------------------------------------------


def without_action(name: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        return re.sub(rf"(?m)^  {name}:\n(    .*\n|\n)+", "", text)

    return change


def the_clerk_is_nobody(text: str) -> str:
    head, at, rest = text.partition("\n  printed:\n")
    return head + at + rest.replace("{role: issuing_clerk}", "{role: inspector}", 1)


def the_signature_is_skipped(text: str) -> str:
    head, at, rest = text.partition("\n  grant:\n")
    return head + at + rest.replace("    reauthenticate: true\n", "", 1)


def a_quorum_beyond_reach(text: str) -> str:
    """Two have to agree, and an application may call for one department only; there is no refusing either."""
    number = re.search(r"(?m)^version: (\d+)$", text)
    assert number
    raw = signed_off({"at_least": 2, "of": {"each": "departments"}})
    del raw["actions"]["refuse"], raw["states"]["refused"]
    return as_yaml({**raw, "name": "cma", "version": int(number[1])}).decode()


@pytest.mark.parametrize("version, change, told, ending", [
    (1, without_action("resubmit"), "“Request correction”",
     "From “Awaiting correction by the applicant” a case may never be finished"),
    (1, a_quorum_beyond_reach, "“Submit”", "From “Awaiting decision” a case may never be finished"),
    (1, the_clerk_is_nobody, "“Print the certificate”",
     "“Printed, to be delivered” waits for an inspector, and nobody of them may take any step there."),
    (1, the_signature_is_skipped, "“Grant”", "A grant is reached without a signature."),
    pytest.param(2, the_signature_is_skipped, "“Grant”", "A grant is reached without a signature.",
                 marks=pytest.mark.slow),
], ids=["a lost correction path", "an unreachable quorum", "a state without a person", "a grant without a signature",
        "the same among the verbs"])  # fmt: skip
def test_a_planted_fault_is_refused_with_its_story_on_the_page(
    administrator: Any, house: Any, versions: ProcedureVersions, version: int, change: Callable[[str], str],
    told: str, ending: str,
) -> None:
    line = draft_of(administrator, versions, "cma", version, change)
    kept = procedures.find("cma", version)
    assert kept.digest != line.digest
    line = proved(administrator, house, versions, line)
    assert line.proof["verdict"] == "refused" and not line.is_proved
    page = administrator.get(f"/procedures/cma/{line.version}?part=proof&lang=en").text
    assert "Not proved: it may not be put into force" in page
    story = page[page.index("wj-story"):]
    assert told in story and ending in story
    before = procedures.current("cma")
    answer = activate(administrator, line)
    assert answer.status_code == 409 and "has not passed its proof" in answer.text
    assert procedures.current("cma") == before
