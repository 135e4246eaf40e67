"""Joint handling as people see it: every licence of one application, who decides it, where it stands, how it ended."""
from dataclasses import dataclass
from datetime import date

from flask import url_for

from store.joint_cases import JointBoard, JointCases, JointLine
from store.reviews import ChecklistLine, ReviewStore
from store.values import CaseFile
from web.casefaces import DueFace, pressing, state_face
from web.casepages import CONCLUSIONS, is_official
from web.clockfaces import ClockFace, clock_face
from web.context import current_actor, database, say
from web.departments import department_name
from web.faces import bureau_name, link_to
from web.jointwords import RESULTS
from workflow.vocabulary import N_, Message

RESULT_TONES = {"granted": "good", "refused": "bad", "retracted": "closed"}


@dataclass(frozen=True, slots=True)
class LicenceFace:
    """One licence of a joint application. `url` leads to its case for whoever sees it, `here` marks the page's own.

    `result` is told beside the state once there is one; `waiting`: the joint case has no result of it yet and does
    not go on without.
    """

    licence: str
    title: Message
    who: str
    label: Message
    tone: str
    due: DueFace | None
    result: Message | None
    result_tone: str
    decided_on: date | None
    number: str | None
    url: str | None
    here: bool
    waiting: bool
    reviewed: bool  # the joint review has told it its conclusion
    alone: bool
    notes: tuple[Message, ...]
    certificate: str | None
    certificate_url: str | None
    public_url: str | None
    public_id: str | None


@dataclass(frozen=True, slots=True)
class JointFace:
    """A joint application: its licences, its one limit, and what it waits for."""

    title: Message
    number: str | None
    url: str | None
    here: bool
    label: Message
    tone: str
    due: DueFace | None
    closed: bool
    lines: tuple[LicenceFace, ...]
    rows_url: str | None
    clocks: tuple[ClockFace, ...]  # of the joint application, those that still go

    @property
    def awaited(self) -> list[str]:
        """Who still owes a result that the joint case waits for."""
        return [line.who for line in self.lines if line.waiting]

    @property
    def settled(self) -> int:
        return sum(line.result is not None for line in self.lines)


def joint_face(file: CaseFile) -> JointFace | None:
    """The joint application that a case is or belongs to, for whoever looks; None for any other case."""
    board = JointCases(database()).board(file, current_actor())
    return _face(board, file) if board else None


def _case_page(public_id: str | None) -> str | None:
    """An official's page of a case; the applicant has one page for all of them."""
    return url_for("cases.show", public_id=public_id) if public_id and is_official() else None


def _face(board: JointBoard, file: CaseFile) -> JointFace:
    parent, here = board.parent, board.parent.public_id == file.public_id
    label, tone = state_face(parent.procedure, parent.state)
    seen = parent.visible and is_official()
    going = not parent.procedure.states[parent.state].final
    return JointFace(
        title=parent.procedure.spec.title.message(), number=parent.number,
        url=_case_page(parent.public_id) if seen else None, here=here, label=label, tone=tone,
        due=pressing(parent.clocks), closed=parent.closed_at is not None,
        lines=tuple(_line(line, file, going) for line in board.lines),
        rows_url=link_to("cases.capability", public_id=parent.public_id) if seen else None,
        clocks=tuple(clock_face(parent.procedure, clock) for clock in parent.clocks if not clock.is_stopped))


def _line(line: JointLine, file: CaseFile, going: bool) -> LicenceFace:
    opened = line.state is not None
    label, tone = state_face(line.procedure, line.state) if line.state else (
        Message(N_("Its case opens when the application is accepted")), "neutral")
    if line.outcome and not opened:
        label, tone = Message(RESULTS[line.outcome]), RESULT_TONES[line.outcome]
    return LicenceFace(
        licence=line.licence, title=line.procedure.spec.title.message(), who=decided_by(line.department),
        label=label, tone=tone, due=pressing(line.clocks) if not line.outcome else None,
        result=Message(RESULTS[line.outcome]) if line.outcome else None,
        result_tone=RESULT_TONES.get(line.outcome, "neutral"), decided_on=line.decided_on, number=line.number,
        url=_case_page(line.public_id), here=line.public_id == file.public_id,
        waiting=going and not line.outcome and not line.separated,
        reviewed=opened and line.state != line.procedure.spec.initial and not line.alone, alone=line.alone,
        notes=tuple(_notes(line)), certificate=line.certificate_number,
        certificate_url=_download(line),
        public_url=link_to("verify.certificate", code=line.verify_code) if line.verify_code else None,
        public_id=line.public_id)


def _download(line: JointLine) -> str | None:
    """The certificate's file, once it is delivered."""
    if line.state is None or line.procedure.states[line.state].outcome != "granted" or not line.certificate_public_id:
        return None
    return link_to("certificates.download", public_id=line.certificate_public_id, version=line.certificate_version)


def decided_by(department: str) -> str:
    """Who decides a licence: a department, or the bureau itself."""
    return department_name(department) if department else (bureau_name() or say(N_("This bureau")))


def _notes(line: JointLine) -> list[Message]:
    found = []
    if line.failed:
        found.append(Message(N_("Lines of its own do not meet; the others are not touched by this.")))
    if line.alone and not line.outcome:
        found.append(Message(N_("Goes its own way: it is reviewed, decided and delivered by itself.")))
    elif line.separated and not line.outcome:
        found.append(Message(N_("Decided separately: the others no longer wait for it.")))
    return found


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the joint review found, as far as it concerns one licence: its own lines, those common to all of which
    only the failed are listed, and the conclusion that it was told."""

    conclusion: Message | None
    own: tuple[ChecklistLine, ...]
    common: int
    failed: tuple[ChecklistLine, ...]
    lines_url: str
    rows_url: str | None

    @property
    def open(self) -> int:
        return sum(not line.result for line in self.own)


def evidence_of(file: CaseFile, joint: JointFace | None) -> Evidence | None:
    """The evidence that a licence of a joint application is decided on, for officials; None for every other case."""
    if joint is None or joint.here or not is_official():
        return None
    lines = ReviewStore(database()).checklist(file)
    own = tuple(line for line in lines if line.licence == file.procedure.name)
    common = [line for line in lines if not line.licence]
    told = file.case.fact("review_conclusion")
    return Evidence(Message(CONCLUSIONS[told]) if told in CONCLUSIONS else None, own, len(common),
                    tuple(line for line in common if line.result == "does_not_meet"),
                    url_for("findings.show", public_id=file.public_id), joint.rows_url)
