"""The play of a joint application: one dossier, one review, a decision by each authority, one delivery."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from store.dossier_values import Dossier
from store.joint_cases import JointCases, JointLine
from store.reviews import ReviewStore
from web.rehearsal.package import Package
from web.rehearsal.play import APPLICANT, Play, Stopped
from web.rehearsal.report import Report
from web.rehearsal.stage import Stage
from workflow import dossiers
from workflow.commands import Command, Decide, OrganiseReview, RecordFindings, Refuse
from workflow.dossiers import FieldSpec
from workflow.joint_commands import DecideSeparately, NominateExperts
from workflow.vocabulary import Actor

FIRST = {"types": ["first"], "certificate_held": ""}  # a package renews; a renewal is applied for on its own
USUAL = {"number": "6", "paragraph": "按规定执行。"}


class JointPlay(Play):
    """As Play, for the procedure whose file joins licences; `chosen` are those applied for, all of them unless told."""

    def __init__(self, stage: Stage, package: Package, report: Report, applicant: str = APPLICANT,
                 chosen: Sequence[str] = ()) -> None:
        super().__init__(stage, package, report, applicant)
        self.form = next(d for d in dossiers.every() if d.spec.joins)
        self.procedure, self.chosen = self.form.spec.procedure, tuple(chosen)

    # -- the applicant -------------------------------------------------------------------------------------

    def _answer_sections(self, actor: Actor) -> None:
        """Which licences first, since that decides what else is asked; then the official form; then their blocks."""
        place = self.form.field_at(self.form.spec.joins or "")
        assert place is not None
        section, _, name = (self.form.spec.joins or "").partition(".")
        self._save(actor, section, {name: list(self.chosen or [option.key for option in place.choices])})
        super()._answer_sections(actor)
        self._save(actor, "cover", {}, FIRST)
        for file in self._dossier(actor).added[1:]:
            for block in file.spec.sections:
                self._save(actor, block.name, {field.name: _usual(field) for field in block.fields})

    def enter_old_certificate(self) -> None:
        """None is held: licences are applied for together for the first time."""

    def _save(self, actor: Actor, section: str, values: Mapping[str, Any],
              instead: Mapping[str, Any] = MappingProxyType({})) -> None:
        """What is there already stays, but what stands in `instead`."""
        state = self._dossier(actor).sections[section]
        self.stage.applications.save_section(
            self.case, actor, section, {**values, **state.values, **instead}, state.revision)

    def _dossier(self, actor: Actor) -> Dossier:
        return self.stage.applications.get(self.case, actor)

    # -- the authorities -----------------------------------------------------------------------------------

    def lines(self) -> tuple[JointLine, ...]:
        """Every licence as it stands, once what the cases have to tell each other is told."""
        if failed := self.stage.work_off():
            raise Stopped("a job failed: " + "; ".join(failed))
        applicant = self.stage.cast.actor(self.applicant)
        file = self.stage.house.cases.get(self.case, applicant)
        board = JointCases(self.stage.house.database).board(file, applicant)
        assert board is not None
        return board.lines

    def nominate(self) -> None:
        """Every department that decides a licence names its expert."""
        for department in self.departments():
            expert = self.stage.cast.expert_of(department).person_id
            self.take(self.stage.cast.officer_of(department), "nominate_experts", NominateExperts(experts=(expert,)))

    def departments(self) -> tuple[str, ...]:
        return tuple(line.department for line in self.lines() if line.department)

    def organise(self) -> None:
        cast = self.stage.cast
        leader = cast.actor("zuzhang").person_id
        experts = [cast.expert_of(department).person_id for department in self.departments()]
        planned = self.stage.house.laws.current().calendar.nth_after(self.stage.clock.today(), 5)
        self.take("zuzhi", "organise_review", OrganiseReview(
            mode="on_site", leader=leader, planned_on=planned,
            members=(leader, cast.actor("pingshen1").person_id, *experts)))
        self.stage.next_working_day(5)

    def _findings(self, case: str, failed: Collection[str] = ()) -> None:
        """Every line as it was laid out; those whose code is in `failed` do not meet."""
        leader = self.stage.cast.actor("zuzhang")
        lines = ReviewStore(self.stage.house.database).checklist(self.stage.house.cases.get(case, leader))
        self.take(leader, "record_findings", RecordFindings(lines=tuple(
            (line.code, "does_not_meet", "现场未见相应记录。") if line.code in failed else (line.code, "meets", "")
            for line in lines)), case=case)

    def fail_own_line(self, licence: str) -> None:
        """The last line that concerns this licence alone is found not to meet after all."""
        leader = self.stage.cast.actor("zuzhang")
        lines = ReviewStore(self.stage.house.database).checklist(self.stage.house.cases.get(self.case, leader))
        code = [line.code for line in lines if line.licence == licence][-1]
        self.take(leader, "record_findings", RecordFindings(lines=((code, "does_not_meet", "现场未见相应记录。"),)))

    def grant_licence(self, licence: str) -> None:
        self._decide(licence, "grant", Decide(grounds="经审查，联合评审结论为符合，准予许可。"))

    def refuse_licence(self, licence: str) -> None:
        self._decide(licence, "refuse", Refuse(
            reasons=("本项许可专有检查内容不符合，见评审记录。",), basis="《行政许可法》第三十八条第二款",
            remedy="可以自收到本决定之日起六十日内申请行政复议，或者六个月内提起行政诉讼。"))

    def _decide(self, licence: str, action: str, command: Command) -> None:
        line = self._line(licence)
        who = self.stage.cast.leader_of(line.department) if line.department else self.stage.cast.actor("lingdao")
        self.take(who, action, command, case=line.public_id or "")

    def separate(self, licence: str) -> None:
        self.take("lingdao", "decide_separately", DecideSeparately(
            licence=licence, grounds="该项许可尚待补充核实，为不影响其他许可，先行分开办理。"))

    def print_licence(self, licence: str) -> None:
        self.take("zhizheng", "print_certificate", case=self._line(licence).public_id or "")

    def deliver(self) -> None:
        self.lines()
        self.take("zhizheng", "deliver_together")

    def _line(self, licence: str) -> JointLine:
        return next(line for line in self.lines() if line.licence == licence)


def _usual(field: FieldSpec) -> Any:
    """What somebody answers who has nothing special to say."""
    if field.kind in ("choices", "declaration"):
        return [option.key for option in field.choices]
    return field.choices[0].key if field.choices else USUAL.get(field.kind, "见附件")
