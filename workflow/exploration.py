"""Proof before activation: every way a case can go under a procedure, looked at through the engine itself.

What is proved is what runs: the explorer calls `engine.permit` and `engine.fire` on cases whose undecided facts are
decided only when somebody looks at them (`abstraction`), reduces what comes out to what makes a difference (`ways`)
and looks for each property in all of it (`properties`). What it takes for granted is written in `surroundings`.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

from workflow.abstraction import Unknowable
from workflow.allowances import Allowance
from workflow.joint_commands import Inform
from workflow.joint_licences import DECIDING
from workflow.procedure import Procedure
from workflow.procedures import departments_of
from workflow.proofs import TITLES, Proof, Property, Standing, Verdict
from workflow.properties import left_to_act, limits, looked_at, words
from workflow.situations import TooMany
from workflow.specimens import NoSpecimen
from workflow.stories import say
from workflow.surroundings import ANY, Staff, invented_staff, most_asked, named_signers, staff_of
from workflow.vocabulary import Actor, Message
from workflow.ways import Ways


def prove(
    procedure: Procedure,
    *,
    people: Iterable[Actor] | None = None,
    departments: Collection[str] | None = None,
    allowances: Iterable[Allowance] | None = None,
    given: Collection[str] = (),
    max_states: int = 200_000,
    pairs: bool = False,
    whole: bool = False,
) -> Proof:
    """Explore the procedure and say of each property whether it holds.

    `people`: everyone who works for the bureau today (active accounts, one Actor each); None leaves the property
    "somebody is left to act" unasked. `departments`: those that an application may call for (None: those that have
    an officer). `allowances`: the rows in force; None leaves unasked whether every limit has its article. `given`:
    facts that a case is opened with (a child case has its parent's). `pairs`: also every two families of verbs
    together, which takes a minute where there are many. `whole`: without the reductions, which takes many times as
    long and must come to the same verdict. Pure; takes seconds.
    """
    facts: dict[str, Any] = dict.fromkeys(given, ANY)
    if procedure.spec.department:
        facts[DECIDING] = (procedure.spec.department,)
    bureau = None if people is None else staff_of(people, departments)
    deciding = departments_of(procedure)
    invented = invented_staff(procedure, deciding=deciding)
    one = invented_staff(procedure, (*named_signers(procedure), "department_1"), deciding)
    runs = [
        (part, one if n and not any(a.spec.verb == "add_signer" for a in part.actions) else invented)
        for n, part in enumerate(parts(procedure, pairs))
    ]
    explored, why = _explored(runs, facts, max_states, whole)
    found = looked_at(explored) if explored else [_undecided(key, why) for key in list(TITLES)[1:-2]]
    properties = [words(procedure), *found, limits(procedure, allowances)]
    seen = list(explored)
    if bureau is None:
        properties.append(_not_asked("somebody_is_left", _NO_PEOPLE))
    elif any(p.standing is not Standing.HOLDS for p in properties[:-1]):
        properties.append(_undecided("somebody_is_left", _FIRST_SOUND))
    else:
        staffed, why = _explored([(parts(procedure)[0], bureau)], facts, max_states, whole)
        properties.append(left_to_act(staffed[0]) if staffed else _undecided("somebody_is_left", why))
        seen += staffed
    return Proof(
        verdict=_verdict(properties),
        procedure=procedure.name,
        version=procedure.version,
        digest=procedure.digest,
        properties=tuple(properties),
        states_visited=sum(len(ways.found) for ways in seen),
        transitions=sum(ways.transitions for ways in seen),
        story=min((p.story for p in properties if p.story), key=lambda s: len(s.steps), default=None),
        scope=_scope(procedure, pairs),
        people_digest=None if bureau is None else _digest(bureau),
    )


# Verbs that are explored together: what one of them opens another closes.
FAMILIES = (
    frozenset({"recall"}),
    frozenset({"transfer"}),
    frozenset({"consult", "advise", "stop_consulting"}),
    frozenset({"add_signer", "remove_signer"}),
    frozenset({"suspend", "resume"}),
    frozenset({"remind", "copy", "comment"}),
)
RETURN, HAND_BACK = "return", "hand_back"


def parts(procedure: Procedure, pairs: bool = False) -> list[Procedure]:
    """The procedure without its verbs, and once with each family of them that it borrows (the scope says so); with
    `pairs` also once with every two of them.

    The returns to one state, and what leads straight back from there, are a family."""
    plain = frozenset(a.name for a in procedure.actions if not a.spec.verb)
    families: dict[str, frozenset[str]] = {}
    for action in procedure.actions:
        if verb := action.spec.verb:
            name = next(("+".join(sorted(f)) for f in FAMILIES if verb in f), verb)
            if verb in (RETURN, HAND_BACK):
                name = f"{RETURN} to {action.target if verb == RETURN else action.sources[0]}"
            families[name] = families.get(name, frozenset()) | {action.name}
    if not families:
        return [procedure]
    together = [("", plain), *((name, plain | family) for name, family in families.items())]
    if pairs:
        two = combinations(families.items(), 2)
        together += [(f"{one} and {other}", plain | first | second) for (one, first), (other, second) in two]
    return [
        replace(
            procedure,
            actions=tuple(a for a in procedure.actions if a.name in names),
            digest=f"{procedure.digest}:{name}",
        )
        for name, names in together
    ]


_NO_PEOPLE = say("The people of the bureau were not given.", "未提供机关人员。")
_FIRST_SOUND = say("First the procedure itself has to be sound.", "须先使程序本身无误。")


_ONE_BY_ONE = say(
    "With verbs: one family of them on a case (the returns to one step are one), in any order and number; two families "
    "on one case were not looked at together.",
    "含通用操作时：每案只使用同一类操作（退回同一环节为一类），次序和次数不限；未检视同一案件使用两类操作的情形。",
)
_BY_TWOS = say(
    "With verbs: any two families of them on a case (the returns to one step are one), in any order and number; three "
    "on one case were not looked at together.",
    "含通用操作时：每案使用任意两类操作（退回同一环节为一类），次序和次数不限；未检视同一案件使用三类操作的情形。",
)


def _scope(procedure: Procedure, pairs: bool) -> tuple[Message, ...]:
    """The bounds of what was looked at, said with the result."""
    found = []
    if procedure.sign_off_states:
        found.append(
            say(
                "At most %(number)s departments are asked on a case: one more than have to agree.",
                "每案会签部门至多 %(number)s 个，即比所需同意数多一个。",
                number=most_asked(procedure),
            )
        )
    if any(a.command is Inform for a in procedure.actions):
        found.append(
            say(
                "Other cases of the application tell what they tell at any time, in any order, or never: the case can "
                "be finished without being told. Two licences stand for all (one with verbs). Who took part in another "
                "case is taken to be somebody else.",
                "同一申请的其他案件可随时、以任何次序告知或者始终不告知；即使不告知，本案亦能办结。"
                "以两项许可代表全部许可（含通用操作时为一项）。参与其他案件办理的人员视为另有其人。",
            )
        )
    if len(parts(procedure)) > 1:
        found.append(_BY_TWOS if pairs else _ONE_BY_ONE)
        found.append(
            say(
                "Then one department is asked (two where signers are added), and a limit that runs to a fixed day and "
                "leads nowhere is left out. People: without verbs.",
                "此时会签部门一个（加签时两个），不含截至固定日期且不改变状态的期限。人员验证不含通用操作。",
            )
        )
    found.append(
        say(
            "Limits may run out in any order; facts of the paperwork change independently of each other.",
            "各期限可以任何次序届满；材料事实彼此独立变化。",
        )
    )
    return tuple(found)


def _explored(
    runs: Iterable[tuple[Procedure, Staff]], facts: Mapping[str, Any], max_states: int, whole: bool
) -> tuple[list[Ways], Message]:
    """The ways of every run; none, and why, if one of them did not come to its end."""
    found: list[Ways] = []
    for procedure, staff in runs:
        try:
            found.append(Ways(procedure, staff, facts, max_states, found[0] if found else None, whole))
        except TooMany:
            return [], say(
                "Broken off after %(number)s situations: too many to look at.",
                "已检视 %(number)s 种情形仍未穷尽，验证中止。",
                number=max_states,
            )
        except Unknowable as unknown:
            return [], say(
                "Nobody has said which values of %(name)s make a difference.",
                "尚未说明 %(name)s 的哪些取值会有差别。",
                name=str(unknown.args[0]),
            )
        except NoSpecimen as unknown:
            return [], say(
                "Nobody has said what %(name)s may ask for.",
                "尚未说明 %(name)s 可以请求什么。",
                name=str(unknown.args[0]),
            )
    return found, say("", "")


def _not_asked(key: str, why: Message) -> Property:
    return Property(key, TITLES[key], Standing.NOT_ASKED, why)


def _undecided(key: str, why: Message) -> Property:
    return Property(key, TITLES[key], Standing.UNDECIDED, why)


def _verdict(properties: Iterable[Property]) -> Verdict:
    found = {p.standing for p in properties}
    if Standing.FAILS in found:
        return Verdict.REFUSED
    return Verdict.UNDECIDED if Standing.UNDECIDED in found else Verdict.PROVED


def _digest(staff: Staff) -> str:
    """SHA-256 over who may do what: persons, roles and departments, no names."""
    people = sorted([p.person_id, sorted(p.roles), p.department or ""] for p in staff.people)
    return hashlib.sha256(json.dumps([people, sorted(staff.departments)]).encode()).hexdigest()
