"""A leaver's work goes to a successor: what of a case moves, and what stands in the way.

Only what stands under a person's name moves: a seat on the review team, work that was transferred, advice that is
asked or awaited. Work of a role or a department is not anybody's own, and what somebody has done stays theirs.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from workflow.case import Case
from workflow.procedure import Action, Procedure
from workflow.rules import REVIEWERS
from workflow.verbs import facts as f
from workflow.vocabulary import N_, OF_A_DEPARTMENT, Message, Role

_ON_THE_TEAM = frozenset({"leads_the_team", "is_on_the_team"})


@dataclass(frozen=True, slots=True)
class Successor:
    """Somebody to whom work may go: as the accounts stand now. `agencies` are those of any account of the person."""

    person_id: str
    name: str
    roles: frozenset[Role]
    department: str | None = None
    agencies: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Move:
    """One case: the parts of the leaver in it, who takes them, why nobody can, and the case afterwards."""

    parts: tuple[Message, ...]
    successor: Successor | None = None
    obstacles: tuple[Message, ...] = ()
    after: Case | None = None


def parts_of(procedure: Procedure, case: Case, person: str, *, seats_only: bool = False) -> tuple[Message, ...]:
    """What stands under this person's name in a case and can still be done."""
    if procedure.states[case.state].final:
        return ()
    found = []
    if _has_a_seat(procedure, case, person):
        leads = case.fact("team_leader") == person
        found.append(Message(N_("Leads the review team")) if leads else Message(N_("Member of the review team")))
    if seats_only:
        return tuple(found)
    if any(True for _ in _assigned(case, person)):
        found.append(Message(N_("Work that was transferred")))
    if any(asked["person"] == person for _, _, asked in _asked(case)):
        found.append(Message(N_("Asked for advice")))
    if any(asked["by"] == person for _, _, asked in _asked(case)):
        found.append(Message(N_("Waits for advice")))
    return tuple(found)


def move(
    procedure: Procedure,
    case: Case,
    leaver: str,
    successors: Sequence[Successor],
    able: Mapping[str, frozenset[str]],
    *,
    seats_only: bool = False,
) -> Move:
    """The first successor who can take all that the leaver has in this case.

    `able`: sector -> the persons of the pool who may review it (Order 163 art. 24).
    """
    parts = parts_of(procedure, case, leaver, seats_only=seats_only)
    if not parts:
        return Move(())
    obstacles: list[Message] = []
    for successor in successors:
        found = {str(o): o for o in _obstacles(procedure, case, leaver, successor, able, seats_only)}.values()
        if not found:
            return Move(parts, successor, (), _moved(procedure, case, leaver, successor, seats_only))
        obstacles += found
    return Move(parts, None, tuple(obstacles))


def _obstacles(
    procedure: Procedure,
    case: Case,
    leaver: str,
    successor: Successor,
    able: Mapping[str, frozenset[str]],
    seats_only: bool,
) -> Iterator[Message]:
    who = {"name": successor.name}
    if successor.person_id == leaver:
        yield Message(N_("%(name)s is the leaver."), who)
        return
    if case.agency_id is not None and case.agency_id in successor.agencies:
        yield Message(N_("%(name)s belongs to the applicant and must stand aside."), who)
    if _has_a_seat(procedure, case, leaver):
        yield from _unfit_for_the_seat(procedure, case, leaver, successor, able)
    if seats_only:
        return
    roles = {Role(key.partition(":")[0]): key for _, key in _assigned(case, leaver)}
    for _, key, asked in _asked(case):
        if asked["by"] == leaver:
            roles[Role(key.partition(":")[0])] = key
        if asked["person"] == leaver and asked["role"] not in successor.roles:
            yield Message(N_("%(name)s does not hold the role that this work asks for."), who)
    for role, key in roles.items():
        if role not in successor.roles:
            yield Message(N_("%(name)s does not hold the role that this work asks for."), who)
        if role in OF_A_DEPARTMENT and key.rpartition("department:")[2] != successor.department:
            yield Message(N_("%(name)s does not belong to the department that is asked."), who)
        acts = [a for a in procedure.actions if f.role_of(a.spec.who) == role.value]
        if _apart(procedure, case, successor.person_id, acts):
            yield _taken_part(successor)


def _unfit_for_the_seat(
    procedure: Procedure, case: Case, leaver: str, successor: Successor, able: Mapping[str, frozenset[str]]
) -> Iterator[Message]:
    who = {"name": successor.name}
    leads = case.fact("team_leader") == leaver
    if not successor.roles & ({Role.TEAM_LEADER} if leads else REVIEWERS):
        yield Message(N_("%(name)s cannot lead a review team."), who) if leads else Message(
            N_("%(name)s is not in the pool of reviewers."), who
        )
    if successor.person_id in case.fact("team", ()):
        yield Message(N_("%(name)s is on this team already; choose somebody else, so that it keeps its size."), who)
    if _apart(procedure, case, successor.person_id, [a for a in procedure.actions if a.spec.who in _ON_THE_TEAM]):
        yield _taken_part(successor)
    team = {*case.fact("team", ()), successor.person_id} - {leaver}
    wanted = [str(sector) for sector in case.fact("sectors") or ()]
    others = {sector: able.get(sector, frozenset()) - {leaver} for sector in wanted}
    if bare := [sector for sector in wanted if others[sector] and not others[sector] & team]:
        yield Message(N_("With %(name)s nobody of the team would cover %(sectors)s."), who | {"sectors": bare})


def _taken_part(successor: Successor) -> Message:
    return Message(N_("%(name)s already took another part in this case."), {"name": successor.name})


def _apart(procedure: Procedure, case: Case, person: str, acts: Iterable[Action]) -> bool:
    """Whether somebody who would take one of `acts` has already taken what is kept apart from it, either way round."""
    names, done = {a.name for a in acts}, {a.action for a in case.acts if a.person_id == person}
    before = {earlier for a in acts for earlier in a.spec.apart_from}
    after = {n for n in done if n in procedure.by_name and names & set(procedure.by_name[n].spec.apart_from)}
    return bool(done & before or after - names)


def _has_a_seat(procedure: Procedure, case: Case, person: str) -> bool:
    return person in (case.fact("team") or ()) and _team_may_still_act(procedure, case)


def _team_may_still_act(procedure: Procedure, case: Case) -> bool:
    """Whether the case is, or can come (back) to, where the team has something to do."""
    reached, frontier = {case.state}, [case.state]
    while frontier:
        for action in procedure.leaving(frontier.pop()):
            if action.spec.who in _ON_THE_TEAM:
                return True
            if action.target and action.target not in reached and action.spec.track in (None, case.track):
                reached.add(action.target)
                frontier.append(action.target)
    return False


def _assigned(case: Case, person: str) -> Iterator[tuple[str, str]]:
    for state, held in (case.fact(f.ASSIGNMENTS) or {}).items():
        yield from ((state, key) for key, assigned in held.items() if assigned == person)


def _asked(case: Case) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for state, held in (case.fact(f.CONSULTATIONS) or {}).items():
        yield from ((state, key, asked) for key, asked in held.items())


def _moved(procedure: Procedure, case: Case, leaver: str, successor: Successor, seats_only: bool) -> Case:
    """The same case with the successor's name where the leaver's stood; its version grows by one."""

    def new(person: str) -> str:
        return successor.person_id if person == leaver else person

    facts: dict[str, Any] = {}
    if _has_a_seat(procedure, case, leaver):
        facts = {
            "team": [new(p) for p in case.fact("team")],
            "team_others": [new(p) for p in case.fact("team_others") or ()],
            "team_leader": new(case.fact("team_leader")),
        }
    if not seats_only:
        if case.fact(f.ASSIGNMENTS):
            facts[f.ASSIGNMENTS] = {
                s: {key: new(p) for key, p in held.items()} for s, held in case.fact(f.ASSIGNMENTS).items()
            }
        if case.fact(f.CONSULTATIONS):
            facts[f.CONSULTATIONS] = {
                s: {key: {**a, "person": new(a["person"]), "by": new(a["by"])} for key, a in held.items()}
                for s, held in case.fact(f.CONSULTATIONS).items()
            }
        if case.fact(f.NAMES):
            facts[f.NAMES] = {**case.fact(f.NAMES), successor.person_id: successor.name}
    return replace(case.with_facts(**facts), version=case.version + 1)
