"""The answers of the departments as people read them: the board of a round, what stands, how it all stands."""
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from store.casework import Answer
from store.values import CaseFile
from web.casefaces import DueFace, due_face, in_stead
from web.context import say
from web.departments import VERDICTS, department_name, with_names
from web.language import current as language
from workflow.commands import RecordSignOff
from workflow.procedure import Procedure
from workflow.rounds import closed_without_the_silent
from workflow.sign_offs import evaluate, in_one
from workflow.vocabulary import N_, Message, Verdict

TONES = {"agree": "good", "object": "bad", "abstain": "neutral", "recused": "resting"}


@dataclass(frozen=True, slots=True)
class BoardLine:
    """One department's place on the board."""

    department: str
    verdict: str | None = None
    tone: str | None = None
    officer: str = ""
    at: datetime | None = None
    opinion: str = ""
    clock: DueFace | None = None
    stands: Message | None = None  # from which round the answer stands, if from an earlier one
    silent: Message | None = None  # why no answer is awaited, if none is


def asks_departments(procedure: Procedure) -> bool:
    """Whether departments answer in this procedure; a department may also have other duties than an answer."""
    return any(action.command is RecordSignOff for action in procedure.actions)


def department_board(file: CaseFile, answers: Iterable[Answer]) -> list[BoardLine]:
    """Who is asked in the present round, and who has answered what."""
    if file.case.state not in file.procedure.sign_off_states or not asks_departments(file.procedure):
        return []
    given = {answer.department: answer for answer in answers if answer.round == file.case.round}
    return [_answered(given[d]) if d in given else _owing(file, d) for d in file.procedure.asked(file.case.facts)]


def rounds(file: CaseFile, answers: Iterable[Answer]) -> list[tuple[int, list[BoardLine]]]:
    """Every round, the newest first; departments that still owe an answer stand in the present one."""
    kept = tuple(answers)
    found: dict[int, list[BoardLine]] = {}
    for answer in kept:
        found.setdefault(answer.round, []).append(_answered(answer))
    if board := department_board(file, kept):
        found[file.case.round] = board
    return sorted(found.items(), reverse=True)


def standing_words(file: CaseFile) -> str | None:
    """How the sign-off stands, as a sentence; None where there is none or nobody is asked."""
    case, rule = file.case, file.procedure.sign_off_rule
    if rule is None or case.state not in file.procedure.sign_off_states or not file.procedure.asked(case.facts):
        return None
    clauses = evaluate(rule, case.facts, case.verdicts()).explanation
    words = say(with_names(in_one(clauses))) + ("。" if language() == "zh" else ".")
    return words[0].upper() + words[1:]


def counts(file: CaseFile) -> Message:
    """How many have answered what, in one line."""
    given = list(file.case.verdicts().values())
    values = {"agreed": given.count(Verdict.AGREE), "objecting": given.count(Verdict.OBJECT),
              "others": given.count(Verdict.ABSTAIN) + given.count(Verdict.RECUSED),
              "asked": len(file.procedure.asked(file.case.facts))}
    if not values["others"]:
        return Message(N_("%(agreed)s agree, %(objecting)s object, %(asked)s asked"), values)
    return Message(
        N_("%(agreed)s agree, %(objecting)s object, %(others)s abstain or are recused, %(asked)s asked"), values)


def _answered(answer: Answer) -> BoardLine:
    stands = Message(N_("stands from round %(round)s"), {"round": answer.carried_from}) if answer.carried_from else None
    return BoardLine(department_name(answer.department), say(VERDICTS[answer.verdict]), TONES[answer.verdict],
                     in_stead(answer.officer, answer.principal), answer.at, answer.opinion, stands=stands)


def _owing(file: CaseFile, department: str) -> BoardLine:
    name = department_name(department)
    if file.case.state == file.procedure.sign_off_state or file.procedure.sign_off_rule is None:
        return BoardLine(name, clock=next(
            (due_face(c) for c in file.case.clocks if c.name == _clock(file) and c.is_running), None))
    silent = N_("passed over: the time for the answer was over") if closed_without_the_silent(file.case) else N_(
        "no longer needed: the others had settled it")
    return BoardLine(name, silent=Message(silent))


def _clock(file: CaseFile) -> str:
    """The clock of the answers: the one that the definition names, else the usual one."""
    state = file.procedure.sign_off_state
    return (file.procedure.states[state].on_silence if state else None) or "department_opinion"
