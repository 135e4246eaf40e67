"""Staff read every version of a procedure and get its model; only the administrator changes one."""

import re
import xml.etree.ElementTree as Tree
from datetime import timedelta
from typing import Any

import pytest

import app as root
from store.procedure_versions import ProcedureVersions
from web.versionfaces import PARTS
from workflow import procedures
from workflow.proofs import Proof, Property, Standing, Verdict
from workflow.stories import say

pytestmark = pytest.mark.usefixtures("shelf")

NAME = "cma"


@pytest.fixture
def versions(house: Any) -> ProcedureVersions:
    return ProcedureVersions(house.database, house.laws)


@pytest.fixture
def administrator(client_of: Any) -> Any:
    return client_of("administrator")


@pytest.fixture
def proof(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`proof(Standing.FAILS)`: what the next proof will find."""

    def finds(standing: Standing) -> None:
        def explored(procedure: Any, **_: Any) -> Proof:
            prop = Property("finishes", say("A case can always end", "案件总能办结"), standing)
            verdict = Verdict.PROVED if standing is Standing.HOLDS else Verdict.REFUSED
            return Proof(verdict, procedure.name, procedure.version, procedure.digest, (prop,), 12, 34)

        monkeypatch.setattr("jobs.proving.explore", explored)

    return finds


def newest() -> int:
    return max(p.version for p in procedures.shipped() if p.name == NAME)


def sent(browser: Any, path: str, **fields: Any) -> Any:
    return browser.post(path, data={"csrf_token": browser.csrf, **fields})


def proved(browser: Any, house: Any, number: int) -> None:
    """Ask for the proof and let the worker do it."""
    assert sent(browser, f"/procedures/{NAME}/{number}/prove").status_code == 303
    assert 'hx-trigger="every 2s"' in browser.get(f"/procedures/{NAME}/{number}?part=proof").text
    assert root.work_off(house) == []


def begun(browser: Any) -> int:
    answer = sent(browser, f"/procedures/{NAME}/{newest()}/draft")
    assert answer.status_code == 303
    return int(answer.location.split("/")[-2])


# -- reading -----------------------------------------------------------------------------------------------------------


def test_staff_open_the_model_that_runs(client_of: Any) -> None:
    current = procedures.current(NAME)
    answer = client_of("leader").get(f"/procedures/{NAME}/{current.version}.bpmn")
    assert answer.status_code == 200
    names = {element.get("name") for element in Tree.fromstring(answer.text).iter()}
    assert current.states["awaiting_decision"].label.zh in names


def test_an_applicant_and_a_wrong_version_get_none(client_of: Any, administrator: Any) -> None:
    for path in ("", f"/{NAME}/1", f"/{NAME}/1.bpmn", f"/{NAME}/compare"):
        assert client_of("applicant").get(f"/procedures{path}").status_code == 403
    for path in (f"{NAME}/9999.bpmn", f"{NAME}/9999", "nothing/1", "nothing/compare", "nothing/migrations"):
        assert administrator.get(f"/procedures/{path}").status_code == 404


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("part", PARTS)
def test_every_part_of_every_version_can_be_read(administrator: Any, part: str, language: str) -> None:
    for procedure in procedures.every():
        answer = administrator.get(f"/procedures/{procedure.name}/{procedure.version}?part={part}&lang={language}")
        assert answer.status_code == 200, (procedure.name, procedure.version)


def test_the_table_of_roles_says_who_decides(administrator: Any) -> None:
    page = administrator.get(f"/procedures/{NAME}/{newest()}?part=roles").text
    row = page[page.index(procedures.current(NAME).states["awaiting_decision"].label.zh):]
    assert procedures.current(NAME).by_name["grant"].label.zh in row[: row.index("</tr>")]


def test_two_versions_are_compared_entry_by_entry(administrator: Any) -> None:
    page = administrator.get(f"/procedures/{NAME}/compare?before=1&after=2").text
    assert "<del>role: department_officer, each: departments</del>" in page
    same = administrator.get(f"/procedures/{NAME}/compare?before=1&after=1&lang=en").text
    assert "Nothing differs" in same and "<del>" not in same


def test_a_draft_is_the_administrators_own(administrator: Any, client_of: Any) -> None:
    number = begun(administrator)
    assert administrator.get(f"/procedures/{NAME}/{number}").status_code == 200
    leader = client_of("leader")
    assert leader.get(f"/procedures/{NAME}/{number}").status_code == 404
    assert str(number) not in leader.get("/procedures").text


# -- drafts ---------------------------------------------------------------------------------------------------


def test_what_is_typed_is_checked_with_its_line_and_nothing_is_kept(
    administrator: Any, versions: ProcedureVersions
) -> None:
    number = begun(administrator)
    kept = versions.get(NAME, number)
    wrong = kept.definition.replace("initial: draft", "initial: drafft")
    line = wrong.splitlines().index("initial: drafft") + 1
    page = sent(administrator, f"/procedures/{NAME}/{number}/check?lang=en", definition=wrong).text
    assert f'data-goes-to-line="{line}"' in page and "There is no state called drafft" in page
    assert "Did you mean <code>draft</code>" in re.sub(r"\s+", " ", page)
    assert versions.get(NAME, number) == kept


@pytest.mark.parametrize("text", ["", "- list", "a: [", "a: &x [*x]", "<script>alert(1)</script>", "名: 值",
                                  "a: " + "[" * 5000, "version: " + "9" * 5000, "a: 2026-02-30", "a" * 400_001,
                                  "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]"])
def test_whatever_is_typed_is_answered_with_its_faults(administrator: Any, text: str) -> None:
    number = begun(administrator)
    answer = sent(administrator, f"/procedures/{NAME}/{number}/check", definition=text)
    assert answer.status_code == 200
    assert "wj-faults" in answer.text and "<script>" not in answer.text


def test_a_wrong_draft_is_saved_shown_and_edited_again(administrator: Any) -> None:
    number = begun(administrator)
    answer = sent(administrator, f"/procedures/{NAME}/{number}/edit", definition="name: [half", edition="1")
    assert answer.status_code == 303
    for path in (f"{NAME}/{number}", f"{NAME}/{number}?part=drawing", f"{NAME}/{number}?part=text",
                 f"{NAME}/{number}/edit", f"{NAME}/compare?after={number}"):
        answer = administrator.get(f"/procedures/{path}")
        assert answer.status_code == 200 and "wj-faults" in answer.text, path
    assert administrator.get(f"/procedures/{NAME}/{number}.bpmn").status_code == 409


def test_two_who_edit_at_once_lose_nothing(administrator: Any, client_of: Any) -> None:
    number = begun(administrator)
    path = f"/procedures/{NAME}/{number}/edit"
    assert sent(client_of("administrator"), path, definition="theirs: 1", edition="1").status_code == 303
    answer = sent(administrator, path, definition="mine: 1", edition="1")
    assert answer.status_code == 409
    assert "mine: 1" in answer.text and "theirs: 1" in answer.text
    edition = re.search(r'name="edition"[^>]*value="(\d+)"', answer.text)
    assert edition and sent(administrator, path, definition="mine: 1", edition=edition[1]).status_code == 303


def test_the_editor_saves_by_itself(administrator: Any, versions: ProcedureVersions) -> None:
    number = begun(administrator)
    path = f"/procedures/{NAME}/{number}/edit"
    answer = administrator.post(path, data={"csrf_token": administrator.csrf, "definition": "half", "edition": "1"},
                                headers={"X-Autosave": "1"})
    assert answer.get_json()["fields"] == {"edition": 2}
    assert versions.get(NAME, number).definition == "half"
    again = administrator.post(path, data={"csrf_token": administrator.csrf, "definition": "x", "edition": "1"},
                               headers={"X-Autosave": "1"})
    assert again.status_code == 409


def test_a_settled_version_is_not_edited(administrator: Any, versions: ProcedureVersions) -> None:
    line = versions.get(NAME, newest()).line
    answer = sent(administrator, f"/procedures/{NAME}/{newest()}/edit", definition="mine: 1",
                  edition=str(line.edition))
    assert answer.status_code == 409 and "mine: 1" in answer.text
    assert versions.get(NAME, newest()).line == line


# -- proof, force, retirement ------------------------------------------------------------------------------------------


def test_without_a_proof_that_passed_nothing_comes_into_force(
    administrator: Any, versions: ProcedureVersions, proof: Any, house: Any
) -> None:
    number = begun(administrator)
    proof(Standing.FAILS)
    proved(administrator, house, number)
    page = administrator.get(f"/procedures/{NAME}/{number}?part=proof&lang=en").text
    assert "Not proved" in page and "A case can always end" in page
    line = versions.get(NAME, number).line
    answer = sent(administrator, f"/procedures/{NAME}/{number}/activate", edition=str(line.edition), reason="试行")
    assert answer.status_code == 409 and "试行" in answer.text
    assert versions.get(NAME, number).line == line


def test_a_proved_draft_is_put_into_force_with_a_reason(
    administrator: Any, versions: ProcedureVersions, proof: Any, house: Any
) -> None:
    number = begun(administrator)
    proof(Standing.HOLDS)
    proved(administrator, house, number)
    edition = str(versions.get(NAME, number).line.edition)
    path = f"/procedures/{NAME}/{number}/activate"
    assert sent(administrator, path, edition=edition, reason="").status_code == 422
    assert sent(administrator, path, edition=edition, reason="新办法施行").status_code == 303
    house.laws.current()
    assert procedures.current(NAME).version == number
    assert "新办法施行" in administrator.get(f"/procedures/{NAME}/{number}").text


@pytest.mark.parametrize("days, status", [(0, 422), (-1, 422), (5, 303)])
def test_a_version_is_scheduled_for_a_day_to_come(
    administrator: Any, versions: ProcedureVersions, proof: Any, house: Any, days: int, status: int
) -> None:
    number = begun(administrator)
    proof(Standing.HOLDS)
    proved(administrator, house, number)
    on = versions.database.clock.today() + timedelta(days=days)
    answer = sent(administrator, f"/procedures/{NAME}/{number}/schedule", reason="定日", on=on.isoformat(),
                  edition=str(versions.get(NAME, number).line.edition))
    assert answer.status_code == status
    if status == 422:
        assert on.isoformat() in answer.text and "定日" in answer.text


def test_a_draft_that_is_no_definition_is_not_proved(administrator: Any) -> None:
    number = begun(administrator)
    sent(administrator, f"/procedures/{NAME}/{number}/edit", definition="name: [half", edition="1")
    assert sent(administrator, f"/procedures/{NAME}/{number}/prove").status_code == 409


def test_a_draft_is_thrown_away_and_a_version_in_force_is_not(
    administrator: Any, versions: ProcedureVersions
) -> None:
    number = begun(administrator)
    assert sent(administrator, f"/procedures/{NAME}/{number}/discard", edition="1").status_code == 303
    assert administrator.get(f"/procedures/{NAME}/{number}").status_code == 404
    edition = str(versions.get(NAME, newest()).line.edition)
    assert sent(administrator, f"/procedures/{NAME}/{newest()}/discard", edition=edition).status_code == 409
    assert sent(administrator, f"/procedures/{NAME}/{number}/explode").status_code == 404


# -- migrations -----------------------------------------------------------------------------------------------


def test_open_cases_are_looked_at_and_moved_from_the_page(administrator: Any, house: Any) -> None:
    from store.case_migrations import CaseMigrations
    from tests.store import factories

    hand = factories.cma_case(house.cases, "submitted")
    number = begun(administrator)
    store = ProcedureVersions(house.database, house.laws)
    line = store.get(NAME, number).line
    actor = factories.STAFF["leader"]
    line = store.keep_proof(NAME, number, {"digest": line.digest, "may_activate": True}, actor)
    store.activate(NAME, number, line.edition, "施行", actor)
    answer = sent(administrator, f"/procedures/{NAME}/migrations", source=newest(), target=number)
    assert answer.status_code == 303
    public_id, migrations = answer.location.split("/")[-1], CaseMigrations(house.database, house.laws)
    assert 'hx-trigger="every 2s"' in administrator.get(answer.location).text
    while migrations.advance(public_id):
        pass
    page = administrator.get(answer.location)
    assert page.status_code == 200 and "hx-trigger" not in page.text
    assert administrator.get(f"{answer.location}?standing=ready&after=²").status_code == 422
    assert sent(administrator, f"{answer.location}/proceed", reason="").status_code == 422
    assert sent(administrator, f"{answer.location}/proceed", reason="新版施行").status_code == 303
    while migrations.advance(public_id):
        pass
    assert hand.file.procedure.version == number
    assert "新版施行" in administrator.get(answer.location).text
    assert administrator.get(f"/procedures/cma_verification/migrations/{public_id}").status_code == 404


def test_a_failing_story_is_walked_step_by_step(administrator: Any, client_of: Any, house: Any) -> None:
    number = begun(administrator)
    versions_ = ProcedureVersions(house.database, house.laws)
    line = versions_.get(NAME, number).line
    steps = [{"kind": "act", "action": action, "role": "applicant", "to": to, "en": f"Step {n}.", "zh": f"第{n}步。"}
             for n, (action, to) in enumerate((("submit", "submitted"), ("accept", "accepted")), 1)]
    story = {"steps": steps, "state": "accepted", "en": "Nobody is left.", "zh": "无人可办。"}
    told = {"key": "finishes", "en": "It ends", "zh": "能办结", "standing": "fails", "finding": None, "story": story}
    versions_.keep_proof(NAME, number, {"digest": line.digest, "verdict": "refused", "may_activate": False,
                                        "properties": [told]}, administrator_of(house))
    place = f"/procedures/{NAME}/{number}/stories/finishes"
    assert place in administrator.get(f"/procedures/{NAME}/{number}?part=proof").text
    states = procedures.current(NAME).states
    for at, current in ((0, "draft"), (1, "submitted"), (2, "accepted"), (99, "accepted")):
        over = current == "accepted"
        page = administrator.get(f"{place}?step={at}").text
        assert (">无人可办。<" in page) is over and (f"step={at + 1}" in page) is not over, at
        assert states[current].label.zh in page[page.index("案件所处状态"):][:400]
        drawn = administrator.get(f"{place}/drawing.bpmn?step={at}").text
        assert drawn.count('place="current"') == 1 and drawn.count('place="past"') == drawn.count('"past"'), at
    assert administrator.get(f"{place}?step=x").status_code == 200
    assert administrator.get(place.replace("finishes", "bounded")).status_code == 404
    assert client_of("leader").get(place).status_code == 404, "a draft is the administrator's own"
    kept = versions_.get(NAME, number)
    versions_.save(NAME, number, kept.definition + "\n# x", kept.line.edition, administrator_of(house))
    assert administrator.get(place).status_code == 404, "it was another text"


def administrator_of(house: Any) -> Any:
    return house.accounts.find("administrator").actor()


def test_a_proof_that_ends_between_two_looks_is_still_waited_for(
    administrator: Any, house: Any, proof: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = begun(administrator)
    proof(Standing.HOLDS)
    assert sent(administrator, f"/procedures/{NAME}/{number}/prove").status_code == 303
    read_before = ProcedureVersions(house.database, house.laws).get(NAME, number)
    assert root.work_off(house) == []
    address = f"/procedures/{NAME}/{number}?part=proof"
    with monkeypatch.context() as patched:
        patched.setattr("web.procedures.version_shown", lambda *_: read_before)
        assert 'hx-trigger="every 2s"' in administrator.get(address).text
    assert "hx-trigger" not in administrator.get(address).text
