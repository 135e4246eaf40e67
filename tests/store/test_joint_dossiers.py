"""The dossier of several licences: what they share is asked once, and each adds its own block."""

from collections.abc import Callable
from typing import Any

from store.cases import CaseStore
from tests.store import joint
from tests.store.dossiers import Applicant, refused
from tests.store.factories import person
from tests.store.joint import LICENCES, Joint, annex
from workflow import procedures
from workflow.vocabulary import Role


def test_the_dossier_asks_once_and_adds_a_block_for_each_licence(
        applicant: Callable[..., Applicant], store: Any, cases: CaseStore) -> None:
    """A sample package of a laboratory with feed and building materials, applied for jointly."""
    one = applicant("P12")
    one.public_id = store.start(one.actor, "joint_testing")
    assert list(one.dossier.sections)[:2] == ["licences", "cover"] and "agriculture" not in one.dossier.sections
    assert one.facts["licences"] == [] and "Licences applied for together" in one.facts["dossier_gaps"]
    one.save("licences", chosen=["joint_cma"])
    assert one.dossier.sections["licences"].faults == ("chosen",)  # one alone is not applied for together
    one.save("licences", chosen=list(LICENCES))
    assert one.facts["licences"] == list(LICENCES)
    assert one.facts["deciding_departments"] == ["agriculture", "construction"]
    assert list(one.dossier.sections)[-2:] == ["agriculture", "construction"]
    assert {"sampling_training", "engineer_certificates"} <= {m.code for m in one.dossier.materials}
    assert "Annex 1, rows for every licence applied for" in one.facts["dossier_gaps"]
    one.save("cover", types=["first"], certificate_held="")
    one.complete()
    one.save("agriculture", products=["crops"], sampling_persons="4", independence=["no_trade", "same_list"])
    assert "Qualification for construction quality" in one.facts["dossier_gaps"]
    one.save("construction", grade="special", fields=["materials"], registered_engineers="3",
             independence=["no_ties", "no_supply"])
    assert one.facts["dossier_gaps"] == []
    assert one.dossier.file.subject.startswith("检验检测机构联合许可（检验检测机构资质认定（CMA）、")
    one.perform("submit")
    one.perform("accept", actor=person("window", Role.WINDOW_OFFICER))
    hand = Joint(cases, one.public_id, one.dossier.case.id, one.dossier.agency.id)
    joint.experts(cases.database)
    hand.review()
    listed = {name: annex(cases.database, hand.decide(name).file.case.fact("certificate_number")) for name in LICENCES}
    sections = {name: {section for section, _ in rows} for name, rows in listed.items()}
    assert "饲料" in sections["agricultural_testing"] and "建筑材料" in sections["construction_testing"]
    for name in LICENCES[1:]:
        assert listed[name] == [row for row in listed["joint_cma"] if row[0] in sections[name]]


def test_a_licence_of_which_nothing_is_in_force_is_told_before_submission(
        applicant: Callable[..., Applicant], store: Any) -> None:
    one = applicant("P01")
    one.public_id = store.start(one.actor, "joint_testing")
    procedures.put_in_force([], ("construction_testing",))
    try:
        one.save("licences", chosen=list(LICENCES))
        assert "Only licences that can be applied for at present" in one.facts["dossier_gaps"]
    finally:
        procedures.forget()
        store.cases.laws.forget()


def test_a_block_that_was_not_chosen_cannot_be_filled_in(applicant: Callable[..., Applicant], store: Any) -> None:
    one = applicant("P01")
    one.public_id = store.start(one.actor, "joint_testing")
    one.save("licences", chosen=["joint_cma", "agricultural_testing"])
    assert refused(lambda: store.save_section(one.public_id, one.actor, "construction", {"grade": "special"}, 0)) \
        == "unknown"


def test_a_renewal_is_not_taken_in_where_nothing_watches_over_its_expiry(
        applicant: Callable[..., Applicant], store: Any) -> None:
    """Licensing Law art. 50(2): what is filed in time is deemed renewed; no limit of the joint handling says so."""
    one = applicant("P01")
    one.public_id = store.start(one.actor, "joint_testing")
    one.save("licences", chosen=["joint_cma", "agricultural_testing"])
    gap = "Another application type: a renewal is applied for on its own"
    one.save("cover", types=["renewal"], certificate_held="242713340001")
    assert gap in one.facts["dossier_gaps"]
    one.save("cover", types=["extension"], certificate_held="242713340001")
    assert gap not in one.facts["dossier_gaps"]
