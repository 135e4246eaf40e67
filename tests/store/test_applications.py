"""The dossier on real packages: what is read, what follows for the case, who may change it and when."""
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from store.applications import Received
from store.audit import broken_links
from store.database import Database
from store.dossier_uploads import TABLE_TWICE
from store.records.cases import CaseRecord
from tests.store.dossiers import CORPUS, PDF, Applicant, expected, refused
from tests.store.factories import WINDOW_OFFICER

# -- reading packages --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("package", ["P01", "P05", "P10", pytest.param("P13", marks=pytest.mark.slow)])
def test_a_package_is_in_the_dossier_as_it_was_read(applicant: Callable[..., Applicant], package: str) -> None:
    mine = applicant(package)
    assert mine.upload() == 5
    tables, want = mine.dossier.tables, expected(package)
    counts: dict[tuple[str, str], int] = {}
    for table, _severity, code, number in mine.store.problem_counts(mine.public_id, mine.actor):
        counts[table, code] = counts.get((table, code), 0) + number
    for file in want["files"]:
        state = tables[file["table"]]
        assert (state.data_rows, state.accepted) == (file["rows"]["data_rows"], file["rows"]["accepted"])
        assert {c: n for (t, c), n in counts.items() if t == file["table"]} == file["problem_counts"]
    capability = next(f for f in want["files"] if f["table"] == "capability")
    assert mine.facts["rows_total"] == mine.facts["rows_open"] == capability["rows"]["accepted"]


def test_the_facts_of_the_case_follow_from_the_tables(applicant: Callable[..., Applicant]) -> None:
    mine = applicant("P05")
    mine.upload()
    facts = mine.facts
    assert facts["application_types"] == ["renewal"] and facts["certificate_held"] == "241605341739"
    assert facts["agency_name"] == "平顶山澜鉴机动车检测有限公司"
    assert facts["sectors"] == ["机动车/机动车检验"] and facts["field_code"] == "05" and facts["industry_code"] == "34"
    assert facts["departments"] == ["public_security", "ecology", "transport"]
    assert facts["mandatory_standards"] is True and facts["commitment_bars"] == []


@pytest.mark.slow
def test_food_anywhere_makes_the_field_food_and_an_excluded_word_closes_the_track(
        applicant: Callable[..., Applicant]) -> None:
    mine = applicant("P13")
    mine.upload()
    assert mine.facts["field_code"] == "00" and mine.facts["commitment_bars"] == ["excluded_field"]


def test_two_sites_and_a_hidden_sheet_are_told(applicant: Callable[..., Applicant]) -> None:
    mine = applicant("P10")
    mine.upload()
    summary = mine.dossier.tables["capability"].summary
    assert len(summary["sites"]) == 2 and mine.facts["sites"] == summary["sites"]
    assert mine.dossier.sections["resources"].values["sites"].splitlines() == summary["sites"]
    assert ["旧版能力表", "hidden"] in summary["ignored"]


@pytest.mark.slow
def test_the_largest_package_is_read_searched_and_paged(applicant: Callable[..., Applicant]) -> None:
    mine = applicant("P14")
    mine.upload()
    assert mine.facts["rows_total"] == 20075
    first = mine.store.rows(mine.public_id, mine.actor, search="GB/T")
    assert len(first.lines) == 50 and first.after
    second = mine.store.rows(mine.public_id, mine.actor, search="GB/T", after=first.after)
    assert second.lines[0].ordinal > first.lines[-1].ordinal


def test_a_table_sent_again_takes_the_place_of_the_earlier_one(applicant: Callable[..., Applicant]) -> None:
    mine = applicant("P10")
    mine.upload()
    other = CORPUS / "P01" / "附表1_检验检测能力申请表.xlsx"
    assert mine.send([Received("another name.xlsx", other.read_bytes())]) == 1
    assert mine.facts["rows_total"] == 30 and mine.facts["sectors"] == ["生态环境/水和废水"]
    assert len(mine.store.rows(mine.public_id, mine.actor, limit=1000).lines) == 30
    assert mine.dossier.tables["equipment"].data_rows == 219


def test_a_file_that_cannot_be_used_changes_nothing_that_was_read(applicant: Callable[..., Applicant]) -> None:
    mine = applicant("P01")
    mine.upload()
    before = mine.facts
    assert mine.send([Received("附表1.xlsx", b"no workbook at all")]) == 0
    assert mine.facts == before
    assert [u.name for u in mine.dossier.refused] == ["附表1.xlsx"] and mine.dossier.refused[0].refusal["code"]


def test_two_files_of_the_same_table_sent_together_are_told_apart(applicant: Callable[..., Applicant]) -> None:
    mine = applicant("P01")
    content = (CORPUS / "P01" / "附表2_授权签字人汇总表.xlsx").read_bytes()
    again = (CORPUS / "P05" / "附表2_授权签字人汇总表.xlsx").read_bytes()
    assert mine.send([Received("a.xlsx", content), Received("b.xlsx", again)]) == 1
    assert [u.refusal["code"] for u in mine.dossier.refused] == [TABLE_TWICE]


def test_a_file_is_put_in_once_though_two_workers_read_it(applicant: Callable[..., Applicant]) -> None:
    mine = applicant("P01")
    files = [Received(p.name, p.read_bytes()) for p in (CORPUS / "P01").glob("附表1*")]
    case_id = mine.store.receive_tables(mine.public_id, mine.actor, files)
    faster: list[int] = []

    def slow(given: Any) -> Any:
        faster.append(mine.store.read_waiting(case_id, mine.read))
        return mine.read(given)

    mine.store.read_waiting(case_id, slow)
    assert faster == [1] and mine.facts["rows_total"] == 30
    assert mine.store.read_waiting(case_id, mine.read) == 0


def test_signatories_are_looked_for_in_staff_that_came_later(applicant: Callable[..., Applicant]) -> None:
    mine = applicant("P01")
    mine.upload("附表2")
    other = CORPUS / "P05" / "附表4_检验检测人员表.xlsx"
    mine.send([Received(other.name, other.read_bytes())])
    codes = {code for _, _, code, _ in mine.store.problem_counts(mine.public_id, mine.actor)}
    assert "SIGNATORY_NOT_IN_STAFF" in codes
    mine.upload("附表4")
    assert not mine.store.problem_counts(mine.public_id, mine.actor)


def test_submission_waits_for_files_that_are_still_read(applicant: Callable[..., Applicant]) -> None:
    mine = applicant("P01")
    mine.complete()
    mine.store.receive_tables(mine.public_id, mine.actor, [Received("b.xlsx", b"x")])
    assert mine.dossier.gaps == ("Files still being checked",)


# -- sections ------------------------------------------------------------------------------------------------------


def test_what_the_registers_know_is_not_asked_again(applicant: Callable[..., Applicant]) -> None:
    mine = applicant("P01")
    values = mine.dossier.sections["overview"].values
    assert values["name"] == "恩施土家族苗族泓检环境检测有限公司" and values["legal_person"] == "戴喆轩"
    assert mine.dossier.sections["cover"].values["types"] == ["first"]


def test_the_uploaded_form_fills_what_is_empty_and_leaves_what_was_typed(applicant: Callable[..., Applicant]) -> None:
    mine = applicant("P01")
    mine.save("overview", contact="手填联系人")
    mine.upload("申请书")
    overview = mine.dossier.sections["overview"]
    assert overview.values["contact"] == "手填联系人" and overview.values["postcode"] == "422800"
    assert "postcode" in overview.from_table and "contact" not in overview.from_table
    told = {d.field: (d.typed, d.in_table) for d in mine.dossier.differences}
    assert told["contact"] == ("手填联系人", "郑静新")
    assert mine.store.take_over(mine.public_id, mine.actor, ["overview.contact"]) == 1
    assert mine.dossier.sections["overview"].values["contact"] == "郑静新"
    assert "contact" not in {d.field for d in mine.dossier.differences}


def test_another_agencys_form_is_noticed_by_its_credit_code(applicant: Callable[..., Applicant]) -> None:
    mine = applicant("P01")
    other = CORPUS / "P05" / "申请书基本信息.xlsx"
    mine.send([Received(other.name, other.read_bytes())])
    assert "uscc" in {d.field for d in mine.dossier.differences}
    assert mine.store.take_over(mine.public_id, mine.actor, ["overview.uscc"]) == 0


def test_a_save_from_an_older_page_is_refused_and_loses_nothing(applicant: Callable[..., Applicant]) -> None:
    mine = applicant("P01")
    mine.store.save_section(mine.public_id, mine.actor, "overview", {"name": "甲"}, 0)
    assert refused(lambda: mine.store.save_section(
        mine.public_id, mine.actor, "overview", {"name": "乙"}, 0)) == "stale"
    assert mine.dossier.sections["overview"].values == {"name": "甲"}


def test_two_sections_are_saved_side_by_side(applicant: Callable[..., Applicant]) -> None:
    mine = applicant("P01")
    revisions = {name: state.revision for name, state in mine.dossier.sections.items()}
    for section in ("overview", "cover"):
        mine.store.save_section(mine.public_id, mine.actor, section, {"note": section}, revisions[section])
    assert mine.dossier.sections["overview"].values == {"note": "overview"}


def test_the_case_moves_on_only_when_a_fact_changes(applicant: Callable[..., Applicant], database: Database) -> None:
    mine = applicant("P01")
    before = mine.dossier.case.version
    mine.save("overview", fax="029-12345678")
    assert mine.dossier.case.version == before
    mine.save("overview", name="改名检测有限公司")
    assert mine.dossier.case.version == before + 1 and mine.dossier.file.agency_name == "改名检测有限公司"
    with database.reading() as connection:
        assert broken_links(connection) == []
        head = connection.execute(select(CaseRecord.audit_seq).where(
            CaseRecord.public_id == mine.public_id)).scalar_one()
    assert head == mine.dossier.case.version


def test_a_double_click_begins_one_application(applicant: Callable[..., Applicant]) -> None:
    mine = applicant("P01")
    assert mine.store.start(mine.actor) == mine.public_id
    mine.save("overview", fax="029-12345678")
    assert mine.store.start(mine.actor) != mine.public_id
    assert len(mine.store.list_(mine.actor).lines) == 2


# -- who and when --------------------------------------------------------------------------------------------------


def test_another_agency_finds_nothing_to_read_or_change(applicant: Callable[..., Applicant]) -> None:
    mine, other = applicant("P01"), applicant("P05")
    mine.upload()
    upload = mine.dossier.tables["capability"].upload.public_id
    store, foreign, actor = mine.store, mine.public_id, other.actor
    for act in (
            lambda: store.get(foreign, actor), lambda: store.rows(foreign, actor),
            lambda: store.problems(foreign, actor), lambda: store.table_rows(foreign, actor, "staff"),
            lambda: store.file(foreign, actor, upload), lambda: store.file(other.public_id, actor, upload),
            lambda: store.documents(foreign, actor), lambda: store.certificate(foreign, actor),
            lambda: store.save_section(foreign, actor, "overview", {}, 0), lambda: store.take_over(foreign, actor, []),
            lambda: store.receive_tables(foreign, actor, []), lambda: store.remove_file(foreign, actor, upload),
            lambda: store.hand_in(foreign, actor, "typical_report", Received("a.pdf", PDF), None),
            lambda: store.answer_correction(foreign, actor, 1, "好")):
        assert refused(act) == "unknown"
    assert [line.public_id for line in store.list_(actor).lines] == [other.public_id]


def test_an_official_may_read_but_never_edit(applicant: Callable[..., Applicant]) -> None:
    mine = applicant("P01")
    assert refused(lambda: mine.store.get(mine.public_id, WINDOW_OFFICER)) == "unknown"
    mine.complete()
    mine.perform("submit")
    assert mine.store.get(mine.public_id, WINDOW_OFFICER).case.state == "submitted"
    assert refused(lambda: mine.store.save_section(mine.public_id, WINDOW_OFFICER, "overview", {}, 0)) == "forbidden"


def test_nothing_can_be_changed_once_it_is_submitted(applicant: Callable[..., Applicant]) -> None:
    mine = applicant("P01")
    mine.complete()
    assert mine.dossier.gaps == ()
    mine.perform("submit")
    upload = mine.dossier.tables["staff"].upload.public_id
    store, own, actor = mine.store, mine.public_id, mine.actor
    for act in (lambda: store.save_section(own, actor, "overview", {}, 9), lambda: store.take_over(own, actor, []),
                lambda: store.receive_tables(own, actor, []), lambda: store.remove_file(own, actor, upload),
                lambda: store.hand_in(own, actor, "typical_report", Received("a.pdf", PDF), None),
                lambda: store.answer_correction(own, actor, 1, "好")):
        assert refused(act) == "unavailable"
    assert mine.store.file(own, actor, upload)[1]  # reading one's own files stays possible


def test_what_is_missing_is_named_until_it_is_there(applicant: Callable[..., Applicant]) -> None:
    mine = applicant("P01")
    assert {"Overview of the agency", "Annex 1, capabilities", "Typical report of each category",
            "Right to use each site"} <= set(mine.dossier.gaps)
    assert refused(lambda: mine.perform("submit")) == "unmet"
    mine.complete()
    assert mine.dossier.gaps == ()


def test_a_part_of_a_legal_person_names_its_parent(applicant: Callable[..., Applicant]) -> None:
    mine = applicant("P01")
    mine.complete()
    mine.save("overview", legal_setting="dependent")
    assert {"Parent legal person", "Authorisation by the parent"} <= set(mine.dossier.gaps)
    assert "establishment_approval" in {m.code for m in mine.dossier.materials}
