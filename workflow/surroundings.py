"""What lies around a procedure while it is explored: the paperwork, the jobs, the people and what they may say.

A definition tells what its own effects do to the facts; it does not tell what the applicant's dossier, the registers
and the jobs do. That is told here, fact by fact, and is wider than what really happens: a fact marked ANY may take
every value that some guard can tell apart, at any time in an editable state and after every step with such a
register, whatever the other facts are. So whatever can go wrong is seen ("no grant without a signature" holds for
the real system too); and "can always finish" rests on the assumption, spelled out by this table, that each such fact
*can* be brought to each value there, and that a register which may refuse (a certificate no longer in force) can also
consent. The store's tests hold this table against what the registers really report.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations
from typing import Any

from workflow import sign_offs
from workflow.procedure import Action, Procedure
from workflow.vocabulary import OF_A_DEPARTMENT, SYSTEM, Actor, Role


class _Any:
    def __repr__(self) -> str:
        return "ANY"


ANY = _Any()

_ROWS = {"rows_total": ANY, "rows_open": ANY, "rows_confirmed": ANY, "rows_refused": ANY}

_CERTIFICATE = {"certificate_number": ANY, "annex_version": ANY, "certificate_rendered": False}

# register -> the facts it reports, with their value or ANY
REPORTED: Mapping[str, Mapping[str, Any]] = {
    "freeze_application": {"application_digest": ANY},
    "number_acceptance": {"case_number": ANY},
    "open_correction_items": {"corrections_open": 1},
    "open_checklist": {"findings_open": ANY, "findings_failed": 0},
    "open_joint_checklist": {"findings_open": ANY, "findings_failed": 0, "failed_licences": ()},
    "record_findings": {"findings_open": ANY, "findings_failed": ANY, "failed_licences": ANY},
    "confirm_rows": _ROWS,
    "confirm_rows_on_commitment": _ROWS,
    "issue_certificate": _CERTIFICATE,
    "issue_licence": _CERTIFICATE,
    "annul_certificate": {"annulled_rows": ANY, "annulled_whole": ANY},
    "certificate_is_gone": {},
    "certificate_is_held": {"certificate_number": ANY},
    "reissue_certificate": _CERTIFICATE,
    "end_annex_rows": _CERTIFICATE,
    "repoint_annex_rows": _CERTIFICATE,
    "replace_signatories": _CERTIFICATE,
    "file_amendments": {"certificate_number": ANY},
    "cancel_certificate": {"certificate_number": ANY},
    "deem_renewed": {"deemed_renewed_on": ANY},
    "end_deemed_renewal": {},
    "digest_what_is_promised": {"commitment_dossier_sha256": ANY},
    "digest_by_department": {"asked_about": ANY},
    "commitment_is_open": {"commitment_bars": ANY},
    "bar_commitment_track": {},
    "team_suits_the_case": {},
    "nominees_are_fit": {},
    "person_may_take_it": {},  # the names of persons are for display
    "person_may_read_it": {},
    "department_is_known": {},
    "notices_have_not_left": {},
}
# registers that give an applicant what was applied for: no step has one without a decision and a signature
GRANTING = frozenset({"issue_certificate", "issue_licence"})

# what an edit of the dossier may change, in every editable state
EDITED: Mapping[str, Any] = {
    "application_types": ANY,
    "certificate_held": ANY,
    "agency_name": ANY,
    "agency_address": ANY,
    "sectors": ANY,
    "field_code": ANY,
    "industry_code": ANY,
    "departments": ANY,
    "licences": ANY,
    "deciding_departments": ANY,
    "mandatory_standards": ANY,
    "sites": ANY,
    "dossier_gaps": ANY,
    "corrections_open": ANY,
    "commitment_bars": ANY,
    **_ROWS,
    "certificate_expires_on": ANY,
    "route": ANY,
    "amendments": ANY,
    "commitment_text_sha256": "",  # an edit can undo the signature, never give it
}

# job kind -> the system's action it takes when it is done
JOBS: Mapping[str, str] = {"render_certificate": "record_rendering"}

# facts that named guards or effects look into, with every value they tell apart
TOLD_APART: Mapping[str, tuple[Any, ...]] = {
    "application_types": ((), ("first",), ("extension",)),
    "commitment_bars": ((), ("a bar",)),
    "commitment_text_sha256": ("", "ab" * 32),
    "corrections": (0, 1),
    "took_part": ((),),  # of another case: that those people are others is taken for granted
}

# the roles behind each rule that looks at more than a role
ROLES_BEHIND: Mapping[str, frozenset[Role]] = {
    "is_the_applicant": frozenset({Role.APPLICANT}),
    "answers_for_a_department_asked": frozenset({Role.DEPARTMENT_OFFICER}),
    "decides_for_the_department": frozenset({Role.DEPARTMENT_LEADER}),
    "works_for_the_deciding_department": frozenset({Role.DEPARTMENT_OFFICER}),
    "leads_the_team": frozenset({Role.TEAM_LEADER}),
    "is_on_the_team": frozenset({Role.TEAM_LEADER, Role.REVIEWER}),
    "is_the_system": frozenset({Role.SYSTEM}),
}

FAR_DAY = date(2024, 3, 1)  # a day to which a clock may run, later than any allowance of a story


def could(action: Action, person: Actor) -> bool:
    """Whether the person's roles would ever let them take the action, whatever the case."""
    who = action.spec.who
    behind = ROLES_BEHIND.get(who)
    if behind is None:
        behind = frozenset({Role(who)}) if who in set(Role) else frozenset(Role)
    return bool(behind & person.roles)


@dataclass(frozen=True)
class Staff:
    """Who may act. `departments`: those that an application may call for; `unlimited`: invented people, of whom
    there are always others, so that separation of duties keeps nobody from anything."""

    people: tuple[Actor, ...]
    departments: tuple[str, ...]
    unlimited: bool
    _team: dict[int, tuple[tuple[str, ...], ...]] = field(default_factory=dict, repr=False)

    def teams(self, size: int, alike: Callable[[Actor], Any]) -> tuple[tuple[str, ...], ...]:
        """Teams of at least `size`, the leader first: one of each kind that can be told apart."""
        if size not in self._team:
            self._team[size] = tuple(dict.fromkeys(self._teams(size, alike)))
        return self._team[size]

    def _teams(self, size: int, alike: Callable[[Actor], Any]) -> Iterator[tuple[str, ...]]:
        pool = [p for p in self.people if p.roles & {Role.TEAM_LEADER, Role.REVIEWER}]
        seen = set()
        for leader in (p for p in pool if Role.TEAM_LEADER in p.roles):
            others = [p for p in pool if p.person_id != leader.person_id]
            for members in combinations(others, max(size - 1, 0)):
                kind = (alike(leader), *sorted(repr(alike(m)) for m in members))
                if kind not in seen:
                    seen.add(kind)
                    yield (leader.person_id, *(m.person_id for m in members))


APPLICANT = Actor(
    -1, "the-applicant", "申请人", frozenset({Role.APPLICANT}), agency_id=1, affiliations=frozenset({1})
)


def invented_staff(
    procedure: Procedure, departments: Collection[str] = (), deciding: Collection[str] = ()
) -> Staff:
    """One person of each role and of each department: what a bureau that lacks nobody has. `deciding`: departments
    whose licences the cases are about."""
    size = max(2, *procedure.numbers.values(), 2)
    anonymous = (f"department_{n}" for n in range(1, most_asked(procedure) + 1))
    asked = tuple(departments) or (*named_signers(procedure), *anonymous)
    asked = tuple(dict.fromkeys((*deciding, *asked)))
    people = [APPLICANT]
    for number, role in enumerate(Role, 2):
        if role not in OF_A_DEPARTMENT | {Role.APPLICANT, Role.SYSTEM}:
            twice = (
                () if role in (Role.TEAM_LEADER, Role.REVIEWER) else (1,)
            )  # a team is seated, not passed on
            people += [
                Actor(-number - 50 * n, f"{role.value}{'-b' * n}", role.value, frozenset({role}))
                for n in (0, *twice)
            ]
    people += [
        Actor(-100 - n, f"{Role.REVIEWER.value}-{n}", "", frozenset({Role.REVIEWER}))
        for n in range(2, min(size, 6))
    ]
    people += [
        Actor(
            -200 - 2 * n - m, f"officer-{d}{'-b' * m}", d, frozenset({Role.DEPARTMENT_OFFICER}), department=d
        )
        for n, d in enumerate(asked)
        for m in (0, 1)
    ]
    if any(a.spec.who == "decides_for_the_department" for a in procedure.actions):
        people += [
            Actor(-300 - 2 * n - m, f"leader-{d}{'-b' * m}", d, frozenset({Role.DEPARTMENT_LEADER}), department=d)
            for n, d in enumerate(asked)
            for m in (0, 1)
        ]
    return Staff(tuple(people), asked, True)


def named_signers(procedure: Procedure) -> tuple[str, ...]:
    """The departments that a sign-off rule calls by name."""
    found: dict[str, None] = {}
    rules: list[Any] = [s.sign_off for s in procedure.states.values() if s.sign_off]
    while rules:
        rule = rules.pop()
        rules += [*getattr(rule, "and_", ()), *getattr(rule, "or_", ())]
        holders = (*getattr(rule, "veto", ()), *getattr(rule, "mandatory", ()), *getattr(rule, "weights", ()))
        found |= dict.fromkeys((*sign_offs.asked(rule, {}), *holders))
    return tuple(found)


def most_asked(procedure: Procedure) -> int:
    """How many departments are enough to see all that a sign-off can do: one more than are needed to agree.

    A rule over a list that the case brings counts agreements against a number, or asks whether there is one of a
    kind; a further department does what one of these does."""
    numbers = [2]
    rules: list[Any] = [s.sign_off for s in procedure.states.values() if s.sign_off]
    while rules:
        rule = rules.pop()
        rules += [*getattr(rule, "and_", ()), *getattr(rule, "or_", ())]
        numbers.append(getattr(rule, "at_least", 1) + 1)
    return max(numbers)


def staff_of(people: Iterable[Actor], departments: Collection[str] | None) -> Staff:
    """The people that a bureau has, and an applicant."""
    bureau = tuple(p for p in people if p.roles - {Role.APPLICANT, Role.SYSTEM})
    own = dict.fromkeys(p.department for p in bureau if p.department and Role.DEPARTMENT_OFFICER in p.roles)
    asked = own if departments is None else dict.fromkeys(departments)
    return Staff(
        (APPLICANT, *bureau), tuple(sorted(asked, key=lambda d: d in own)), False
    )  # whoever is missing first


def holders(people: Iterable[Actor], role: Role, holder: str) -> list[Actor]:
    """The people whom an open duty is for (`holder` as in `procedure.Duty`)."""
    kind, _, key = holder.partition(":")
    found = []
    for person in (*people, SYSTEM):
        if role not in person.roles and kind != "person":  # who is named by person has it in whatever role
            continue
        if kind == "department" and person.department != key:
            continue
        if kind == "person" and person.person_id != key:
            continue
        found.append(person)
    return found
