"""The play: registration, application, and either track to its end, each act through the one door."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

from forms.identifiers import IdentifierError, parse_uscc
from store.casework import Casework
from store.certificate_import import OldCertificate
from store.commitment import text_sha256
from store.dossier_values import Dossier
from web.cast import PASSWORD
from web.rehearsal.package import Package, PackageRefused, reader, stand_in
from web.rehearsal.report import Report
from web.rehearsal.stage import Stage
from workflow.commands import (
    Command,
    ConfirmRows,
    Decide,
    OrganiseReview,
    Plain,
    RecordFindings,
    RecordSignOff,
    SignCommitment,
)
from workflow.deadlines import expiry, in_force
from workflow.vocabulary import Actor, Verdict

APPLICANT = "shenqing"


class Stopped(Exception):
    """The chain ended before a certificate; the text says why."""


class Play:
    """One package, one track, on one stage. Every act is noted in the report. `procedure` is what is applied for, the
    one of the official form unless told otherwise."""

    procedure: str | None = None

    def __init__(self, stage: Stage, package: Package, report: Report, applicant: str = APPLICANT) -> None:
        self.stage, self.package, self.report, self.applicant = stage, package, report, applicant
        self.case = ""

    # -- acts ----------------------------------------------------------------------------------------------

    def take(
        self, login: str | Actor, action: str, command: Command | None = None, *, case: str = ""
    ) -> None:
        """One action as the screens take it: with the version that was seen and a command id of its own."""
        cases, public_id = self.stage.house.cases, case or self.case
        actor = self.stage.cast.actor(login) if isinstance(login, str) else login
        seen = cases.get(public_id, actor)
        done = cases.perform(
            public_id,
            action,
            actor,
            command or Plain(),
            command_id=uuid4().hex,
            expected_version=seen.case.version,
            reauthenticated=True,
        )
        self.report.note(cases.get(public_id, actor), done.steps, self.stage.clock.at)

    # -- the applicant -------------------------------------------------------------------------------------

    def register(self) -> None:
        facts = self.package.facts
        try:
            uscc = parse_uscc(facts.uscc)
        except IdentifierError as error:
            raise Stopped(f"registration refused: {error.message}") from error
        self.stage.house.accounts.register_agency(
            uscc=uscc,
            agency_name=facts.name,
            division=facts.region_code or facts.uscc[2:8],
            address=facts.registered_address or facts.address,
            legal_person=facts.legal_person,
            phone=facts.phone or facts.mobile,
            email=facts.email,
            login=self.applicant,
            password=PASSWORD,
            name=facts.contact or facts.legal_person,
        )
        self.report.agency = {"name": facts.name, "uscc": facts.uscc, "division": facts.region_code}

    def enter_old_certificate(self) -> None:
        """A renewal or an extension builds on a certificate: entered as a bureau enters its old register."""
        number = self.package.facts.certificate_number
        if not number:
            return
        law, today = self.stage.house.laws.current(), self.stage.clock.today()
        from_on = today.replace(year=2000 + int(number[:2]), month=1, day=4)
        validity = in_force(law.allowances, "certificate_validity", today)
        old = OldCertificate(number, from_on, max(expiry(from_on, validity), today + timedelta(days=120)))
        agency = self.stage.cast.actor(self.applicant).agency_id
        assert agency is not None
        self.stage.old_certificates.import_certificate(self.stage.cast.actor("guanli"), agency, old)

    def fill_in(self, track: str) -> Dossier:
        """The dossier as an applicant fills it: tables, what they offer, the few fields no table says, materials."""
        applications, actor = self.stage.applications, self.stage.cast.actor(self.applicant)
        self.case = applications.start(actor, self.procedure)
        case_id = applications.receive_tables(self.case, actor, self.package.tables)
        applications.read_waiting(case_id, reader(self.stage.catalogue))
        dossier = applications.get(self.case, actor)
        applications.take_over(self.case, actor, [f"{d.section}.{d.field}" for d in dossier.differences])
        self._answer_sections(actor)
        if track == "commitment":
            self._choose_commitment(actor)
        self._hand_in_materials(actor)
        return self._settled(applications.get(self.case, actor))

    def _hand_in_materials(self, actor: Actor) -> None:
        """The package's files, each to its material; a blank page, reported as such, where the package lacks one."""
        applications = self.stage.applications
        wanted = applications.get(self.case, actor).materials
        for code, files in self.package.placed(wanted).items():
            for file, judged in files:
                refusal = None
                if judged.outcome != "ok" and judged.problems:
                    refusal = {"code": judged.problems[0].code, "detail": dict(judged.problems[0].detail)}
                applications.hand_in(self.case, actor, code, file, refusal)
                self.report.materials.append({"file": file.name, "material": code, "outcome": judged.outcome})
        for state in applications.get(self.case, actor).materials:
            if state.is_missing:
                applications.hand_in(self.case, actor, state.code, stand_in(state.row["zh"]), None)
                self.report.materials.append({"file": None, "material": state.code, "outcome": "stand-in"})

    def _answer_sections(self, actor: Actor) -> None:
        applications, facts = self.stage.applications, self.package.facts
        today = self.stage.clock.today().isoformat()
        answers: dict[str, dict[str, Any]] = {
            "cover": {"applied_on": today},
            "overview": {
                "legal_setting": "independent",
                "legal_kind": "enterprise",
                "premises": ["fixed"],
                "contact": facts.contact,
                "contact_phone": facts.phone or facts.mobile,
            },
            "resources": {
                "sites": facts.address or facts.registered_address,
                "site_right": "rented",
                "equipment_right": "owned",
            },
            "parent": {"unit": f"{facts.name}（所属法人，演练代填）", "uscc": facts.uscc,
                       "address": facts.registered_address or facts.address},
            "declaration": {
                "declared": ["lawful", "criteria", "truthful"],
                "signer": facts.legal_person,
                "capacity": "legal_person",
                "signed_on": today,
            },
        }
        for section, given in answers.items():
            state = applications.get(self.case, actor).sections[section]
            kept = {k: v for k, v in state.values.items() if v}
            if state.asked and (state.faults or not state.revision):
                applications.save_section(self.case, actor, section, {**given, **kept}, state.revision)

    def _choose_commitment(self, actor: Actor) -> None:
        self.stage.applications.renew(self.case, actor)
        dossier = self.stage.applications.get(self.case, actor)
        self.report.eligibility = [
            {"criterion": str(c.what), "met": c.met, "article": c.article, "why": str(c.why or "")}
            for c in dossier.eligibility.criteria
        ]
        if dossier.case.fact("commitment_bars"):
            raise Stopped(
                "not eligible for the commitment track: "
                + "; ".join(
                    f"{c.why or c.what} ({c.article})" for c in dossier.eligibility.criteria if not c.met
                )
            )
        self.take(actor, "choose_commitment_track")
        self.stage.applications.renew(self.case, actor)

    def _settled(self, dossier: Dossier) -> Dossier:
        """The finished dossier; stops where something is still missing."""
        capability = dossier.tables["capability"]
        self.report.rows = {"read": capability.data_rows, "accepted": capability.accepted,
                            "refused": capability.refused_rows}
        self.report.application = {"types": list(dossier.case.fact("application_types") or ()),
                                   "sectors": list(dossier.case.fact("sectors") or ()),
                                   "departments": list(dossier.case.fact("departments") or ())}
        if dossier.gaps:
            raise Stopped("the application is not complete: " + "; ".join(dossier.gaps))
        return dossier

    # -- the authority -------------------------------------------------------------------------------------

    def general(self) -> None:
        """Submit, accept, review row by row, sign off side by side, decide."""
        self.submit()
        self.accept()
        self.organise()
        self.review()
        self.conclude()
        self.sign_off(self.report.application["departments"])
        self.grant()

    def submit(self) -> None:
        self.take(self.applicant, "submit")
        self.stage.next_working_day()

    def accept(self) -> None:
        self.take("chuangkou", "accept")
        self.stage.next_working_day(2)

    def organise(self) -> None:
        self._organise("zuzhi", "organise_review", self.case)
        self.stage.next_working_day(5)

    def review(self) -> None:
        self._findings(self.case)
        self.take(
            "pingshen1",
            "confirm_rows",
            ConfirmRows(every=True, ways=("site_test", "records", "equipment_check")),
        )

    def conclude(self) -> None:
        self.take("zuzhang", "conclude_meets")
        self.stage.next_working_day()

    def sign_off(self, departments: Sequence[str]) -> None:
        for department in departments:
            self.take(
                self.stage.cast.officer_of(department),
                "sign_off",
                RecordSignOff(verdict=Verdict.AGREE, opinion="同意"),
            )
        self.stage.next_working_day()

    def grant(self) -> None:
        self.take(
            "lingdao",
            "grant",
            Decide(grounds="经审查，申请材料齐全，技术评审结论为符合，各部门会签同意，准予许可。"),
        )

    def commitment(self) -> None:
        """Sign, submit, check the form, decide."""
        applications, actor = self.stage.applications, self.stage.cast.actor(self.applicant)
        file = self.stage.house.cases.get(self.case, actor)
        version, text, digest = applications.commitment_text(file)
        assert applications.keep_commitment(text) == digest == text_sha256(text)
        self.take(
            self.applicant,
            "sign_commitment",
            SignCommitment(
                notice_version=version, text_sha256=digest, signer=self.package.facts.legal_person
            ),
        )
        self.take(self.applicant, "submit_on_commitment")
        self.stage.next_working_day()
        self.take("chuangkou", "pass_formal_check")
        self.stage.next_working_day()
        self.take(
            "lingdao",
            "grant_on_commitment",
            Decide(grounds="申请人已签署告知承诺书，申请材料齐全，准予许可。"),
        )

    def issue(self) -> None:
        """Render, print, deliver."""
        if failed := self.stage.work_off():
            raise Stopped("a job failed: " + "; ".join(failed))
        self.stage.next_working_day()
        self.take("zhizheng", "print_certificate")
        self.take("zhizheng", "deliver")
        if failed := self.stage.work_off():
            raise Stopped("a job failed: " + "; ".join(failed))

    def verify_on_site(self) -> None:
        """The verification case that the grant opened, to its good end."""
        child = self._verification_case()
        self.stage.next_working_day(20)
        self._organise("hecha", "organise_verification", child)
        self.stage.next_working_day(3)
        self._findings(child)
        self.take("zuzhang", "find_true", case=child)
        self.stage.work_off()

    def _verification_case(self) -> str:
        inspector = self.stage.cast.actor("hecha")
        file = self.stage.house.cases.get(self.case, inspector)
        opened = [r for r in Casework(self.stage.house.database).related(file, inspector) if not r.is_parent]
        if not opened:
            raise Stopped("the grant on commitment opened no verification case")
        return opened[0].public_id

    def _organise(self, login: str, action: str, case: str) -> None:
        cast = self.stage.cast
        leader, members = (
            cast.actor("zuzhang").person_id,
            [cast.actor(n).person_id for n in ("zuzhang", "pingshen1")],
        )
        planned = self.stage.house.laws.current().calendar.nth_after(self.stage.clock.today(), 5)
        self.take(
            login,
            action,
            OrganiseReview(mode="on_site", leader=leader, members=tuple(members), planned_on=planned),
            case=case,
        )

    def _findings(self, case: str) -> None:
        lines: Sequence[dict[str, Any]] = self.stage.house.reference.catalogue("checklist")
        self.take(
            "zuzhang",
            "record_findings",
            RecordFindings(lines=tuple((str(line["no"]), "meets", "") for line in lines)),
            case=case,
        )


__all__ = ["Package", "PackageRefused", "Play", "Stopped"]
