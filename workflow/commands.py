"""What a person asks for. A command carries the payload; the action says whether it may run.

Commands parse themselves: a stray string or a wrong list never gets further than the constructor, which
raises `Refusal("malformed", ...)` naming the field.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from workflow.joint_commands import JOINT_COMMANDS
from workflow.parsing import TEXT_LIMIT as TEXT_LIMIT
from workflow.parsing import Command as Command
from workflow.parsing import a_flag as _flag
from workflow.parsing import a_list as _list
from workflow.parsing import a_text as _text
from workflow.parsing import malformed as _refuse
from workflow.parsing import ordinals as _ordinals
from workflow.parsing import some_texts as _texts
from workflow.verb_commands import VERB_COMMANDS
from workflow.vocabulary import N_, Verdict

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Plain(Command):
    """Nothing but an optional note."""


@dataclass(frozen=True, slots=True)
class CorrectionItem:
    """One thing to put right: what, why, and on which legal basis."""

    subject: str
    reason: str
    basis: str = ""


@dataclass(frozen=True, slots=True)
class RequestCorrection(Command):
    """The one-time correction notice 一次性告知补正 (Licensing Law art. 32(4)): every item at once."""

    items: tuple[CorrectionItem, ...] = ()
    from_corrected_material: bool = False

    def __post_init__(self) -> None:
        Command.__post_init__(self)
        items = _list("items", self.items)
        if any(type(i) is not CorrectionItem for i in items):
            raise _refuse("items", N_("Each item needs its subject and its reason."))
        items = tuple(
            CorrectionItem(
                _text("items", i.subject, required=True),
                _text("items", i.reason, required=True),
                _text("items", i.basis),
            )
            for i in items
        )
        if not items:
            raise _refuse("items", N_("Name at least one thing to correct."))
        self._put("items", items)
        self._put("from_corrected_material", _flag("from_corrected_material", self.from_corrected_material))


@dataclass(frozen=True, slots=True)
class Refuse(Command):
    """A refusal in writing: reasons and remedies (Licensing Law arts. 32, 38)."""

    reasons: tuple[str, ...] = ()
    basis: str = ""
    remedy: str = ""

    def __post_init__(self) -> None:
        Command.__post_init__(self)
        self._put("reasons", _texts("reasons", self.reasons, required=True))
        self._put("basis", _text("basis", self.basis, required=True))
        self._put("remedy", _text("remedy", self.remedy, required=True))


@dataclass(frozen=True, slots=True)
class OrganiseReview(Command):
    """Who reviews, how and when. `leader` and `members` are person ids; the leader is one of the members."""

    MODES: ClassVar[tuple[str, ...]] = ("on_site", "documentary", "remote")

    mode: str = ""
    leader: str = ""
    members: tuple[str, ...] = ()
    planned_on: date | None = None

    def __post_init__(self) -> None:
        Command.__post_init__(self)
        if self.mode not in self.MODES:
            raise _refuse("mode", N_("Choose how to review: on site, documentary or remote."))
        leader = _text("leader", self.leader, required=True)
        members = tuple(dict.fromkeys(_texts("members", self.members, required=True)))
        if leader not in members:
            raise _refuse("leader", N_("The team leader must be a member of the team."))
        if type(self.planned_on) is not date:
            raise _refuse("planned_on", N_("Give the planned date of the review."))
        self._put("leader", leader)
        self._put("members", members)


@dataclass(frozen=True, slots=True)
class RecordSignOff(Command):
    """One department's answer."""

    verdict: Verdict = Verdict.AGREE
    opinion: str = ""

    def __post_init__(self) -> None:
        Command.__post_init__(self)
        try:
            self._put("verdict", Verdict(self.verdict))
        except (ValueError, TypeError):
            raise _refuse("verdict", N_("Choose an answer.")) from None
        reasoned = self.verdict in (Verdict.OBJECT, Verdict.RECUSED)
        self._put("opinion", _text("opinion", self.opinion, required=reasoned))


@dataclass(frozen=True, slots=True)
class AskAgain(Command):
    """Ask departments anew, saying why. Beside those named everybody is asked whose answer no longer stands."""

    departments: tuple[str, ...] = ()
    grounds: str = ""

    def __post_init__(self) -> None:
        Command.__post_init__(self)
        self._put("departments", tuple(dict.fromkeys(_texts("departments", self.departments))))
        self._put("grounds", _text("grounds", self.grounds, required=True))


@dataclass(frozen=True, slots=True)
class Decide(Command):
    """The decision, naming its grounds."""

    grounds: str = ""

    def __post_init__(self) -> None:
        Command.__post_init__(self)
        self._put("grounds", _text("grounds", self.grounds, required=True))


@dataclass(frozen=True, slots=True)
class ExtendWithApproval(Decide):
    """More time for a limit that somebody above the authority must approve: who did, and the paper that says so."""

    approved_by: str = ""
    approval_number: str = ""

    def __post_init__(self) -> None:
        Decide.__post_init__(self)
        self._put("approved_by", _text("approved_by", self.approved_by, required=True))
        self._put("approval_number", _text("approval_number", self.approval_number, required=True))


@dataclass(frozen=True, slots=True)
class SignCommitment(Command):
    """The applicant's commitment: which version of the notice was shown and the SHA-256 of its very text."""

    notice_version: str = ""
    text_sha256: str = ""
    signer: str = ""

    def __post_init__(self) -> None:
        Command.__post_init__(self)
        self._put("notice_version", _text("notice_version", self.notice_version, required=True))
        if not isinstance(self.text_sha256, str) or not _SHA256.fullmatch(self.text_sha256):
            raise _refuse(
                "text_sha256", N_("The commitment text has changed; please read and sign it again.")
            )
        self._put("signer", _text("signer", self.signer, required=True))


@dataclass(frozen=True, slots=True)
class ConfirmRows(Command):
    """Confirm capability rows or except them: `every` open row, or the named ones.

    `ways` are the ways of confirming (table 7-2 of the review report); a refused row carries its reason."""

    every: bool = False
    rows: tuple[int, ...] = ()
    confirmed: bool = True
    ways: tuple[str, ...] = ()
    reason: str = ""

    def __post_init__(self) -> None:
        Command.__post_init__(self)
        rows = _ordinals("rows", self.rows)
        if not _flag("every", self.every) and not rows:
            raise _refuse("rows", N_("Choose at least one row."))
        self._put("rows", rows)
        self._put("ways", _texts("ways", self.ways, required=_flag("confirmed", self.confirmed)))
        self._put("reason", _text("reason", self.reason, required=not self.confirmed))


@dataclass(frozen=True, slots=True)
class RecordFindings(Command):
    """Checklist answers: line code -> result (meets, does_not_meet, not_applicable) with explanation."""

    RESULTS: ClassVar[tuple[str, ...]] = ("meets", "does_not_meet", "not_applicable")

    lines: tuple[tuple[str, str, str], ...] = ()

    def __post_init__(self) -> None:
        Command.__post_init__(self)
        lines = _list("lines", self.lines)
        if any(not isinstance(line, (list, tuple)) or len(line) != 3 for line in lines):
            raise _refuse("lines", N_("Each line needs its code, its result and an explanation."))
        lines = tuple(
            (_text("lines", code, required=True), result, _text("lines", text))
            for code, result, text in lines
        )
        for code, result, text in lines:
            if result not in self.RESULTS:
                raise _refuse("lines", N_("Line %(line)s: choose a result."), line=code)
            if result == "does_not_meet" and not text:
                raise _refuse("lines", N_("Line %(line)s does not meet: describe the facts."), line=code)
        if not lines:
            raise _refuse("lines", N_("Answer at least one line."))
        self._put("lines", lines)


@dataclass(frozen=True, slots=True)
class Annul(Command):
    """Annul 撤销 a certificate or some of its rows (Licensing Law art. 69): grounds and scope."""

    whole: bool = True
    rows: tuple[int, ...] = ()
    grounds: str = ""
    basis: str = ""
    public_safety: bool = False

    def __post_init__(self) -> None:
        Command.__post_init__(self)
        rows = _ordinals("rows", self.rows)
        if not _flag("whole", self.whole) and not rows:
            raise _refuse("rows", N_("Choose the rows to annul, or annul the whole certificate."))
        self._put("rows", rows)
        self._put("public_safety", _flag("public_safety", self.public_safety))
        self._put("grounds", _text("grounds", self.grounds, required=True))
        self._put("basis", _text("basis", self.basis, required=True))


COMMANDS: dict[str, type[Command]] = {
    c.__name__: c
    for c in (
        Plain,
        RequestCorrection,
        Refuse,
        OrganiseReview,
        RecordSignOff,
        AskAgain,
        Decide,
        ExtendWithApproval,
        SignCommitment,
        ConfirmRows,
        RecordFindings,
        Annul,
    )
} | VERB_COMMANDS | JOINT_COMMANDS
