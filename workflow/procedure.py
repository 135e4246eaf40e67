"""A procedure as the engine uses it, and the reading of a definition: its grammar and its proof-reading.

A definition is one YAML file per procedure version. `load` turns it into a frozen `Procedure`; anything wrong
is refused with the file, the place, what is wrong and why (`DefinitionError`).
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from workflow import effects as effect_words
from workflow import guards as guard_words
from workflow import joint_licences, sign_offs
from workflow.case import Case
from workflow.commands import COMMANDS, Command
from workflow.faults import Fault, fault_of_yaml, located, said_of
from workflow.grammar import ActionSpec as ActionSpec
from workflow.grammar import ClockSpec as ClockSpec
from workflow.grammar import DutySpec as DutySpec
from workflow.grammar import EffectSpec as EffectSpec
from workflow.grammar import ExtendsSpec as ExtendsSpec
from workflow.grammar import FactGuardSpec as FactGuardSpec
from workflow.grammar import GroundSpec as GroundSpec
from workflow.grammar import InformsSpec as InformsSpec
from workflow.grammar import Label as Label
from workflow.grammar import Name as Name
from workflow.grammar import OpensSpec as OpensSpec
from workflow.grammar import ProcedureSpec as ProcedureSpec
from workflow.grammar import StateSpec as StateSpec
from workflow.grammar import UntilSpec as UntilSpec
from workflow.proofreading import proofread, unknown_words
from workflow.rules import APPLICANT_SIDE, RULES, Rule, asked_by
from workflow.suspension import SUSPENDED
from workflow.verbs import effects as verb_effects
from workflow.verbs import facts as verb_facts
from workflow.verbs import guards as verb_guards
from workflow.verbs.section import UnfitVerbs, written_out
from workflow.vocabulary import OF_A_DEPARTMENT, Message, Role


class DefinitionError(ValueError):
    """A definition that cannot be used: the file and every fault found in it, with line, place, what and why."""

    def __init__(self, source: str, found: Sequence[Fault]) -> None:
        super().__init__(f"{source}: " + "; ".join(map(str, found)))
        self.source, self.found = source, tuple(found)

    @property
    def faults(self) -> list[str]:
        """What is wrong, without the lines."""
        return [fault.what for fault in self.found]


@dataclass(frozen=True, slots=True)
class Duty:
    """An open piece of work: `holder` is '' for anyone with the role, else department:x, person:x or agency:x."""

    role: Role
    holder: str

    @property
    def key(self) -> str:
        return verb_facts.duty_key(self.role, self.holder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    name: str
    spec: ActionSpec
    who: Rule
    guards: tuple[guard_words.Guard, ...]
    command: type[Command]
    effects: tuple[effect_words.Effect, ...]
    on_applicant_side: bool

    @property
    def label(self) -> Message:
        return self.spec.label.message()

    @property
    def done(self) -> Message:
        return self.spec.done.message()

    @property
    def sources(self) -> tuple[str, ...]:
        return self.spec.from_

    @property
    def target(self) -> str | None:
        return self.spec.to

    @property
    def automatic(self) -> bool:
        return self.spec.automatic


@dataclass(frozen=True)
class Procedure:
    spec: ProcedureSpec
    actions: tuple[Action, ...]
    digest: str  # SHA-256 of the definition file
    by_name: Mapping[str, Action] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {a.name: a for a in self.actions})

    @cached_property
    def name(self) -> str:
        return self.spec.name

    @cached_property
    def version(self) -> int:
        return self.spec.version

    @cached_property
    def states(self) -> Mapping[str, StateSpec]:
        return self.spec.states

    @property
    def numbers(self) -> Mapping[str, int]:
        return self.spec.numbers

    @cached_property
    def _leaving(self) -> Mapping[str, tuple[Action, ...]]:
        return {s: tuple(a for a in self.actions if s in a.sources) for s in self.spec.states}

    def leaving(self, state: str) -> tuple[Action, ...]:
        return self._leaving[state]

    def open_duties(self, case: Case) -> Mapping[Duty, Duty]:
        """Each duty that is open on a case -> the same as it is held now."""
        declared = _declared(self, case.state, case.agency_id, case.facts, case.answered())
        return _held(self, declared, case.state, case.facts)

    @cached_property
    def turns(self) -> dict[tuple[str, str], str]:
        """What the state machine has answered: (action, state) -> the state it leads to. Filled by the engine."""
        return {}

    @cached_property
    def sign_off_state(self) -> str | None:
        """The state that has a sign-off rule; proof-reading allows one at most."""
        return next((s for s, spec in self.spec.states.items() if spec.sign_off), None)

    @cached_property
    def sign_off_rule(self) -> "sign_offs.Rule | None":
        return self.spec.states[self.sign_off_state].sign_off if self.sign_off_state else None

    def asked(self, facts: Mapping[str, Any]) -> tuple[str, ...]:
        """The departments whose answer is asked for on a case with these facts, in the order of the rule."""
        if self.sign_off_rule is None:
            return tuple(facts.get("departments") or ())
        return sign_offs.asked(self.sign_off_rule, facts)

    @cached_property
    def sign_off_states(self) -> frozenset[str]:
        """States in which some guard or duty reads the departments' answers."""
        return frozenset(
            s
            for s, spec in self.spec.states.items()
            if spec.sign_off
            or any(d.each or d.signers for d in spec.duties)
            or any(g.__name__ in READS_SIGN_OFFS for a in self.leaving(s) for g in a.guards)
        )

    @cached_property
    def entering_sign_off(self) -> frozenset[str]:
        """States from which a step leads into the sign-off: earlier answers may stand there, if there are any."""
        there = {self.sign_off_state} - {None}
        return frozenset(s for a in self.actions if a.target in there for s in a.sources)

    @cached_property
    def silences(self) -> frozenset[str]:
        """The actions by which the system notes that the time for the answers is over; answers are still taken."""
        return frozenset(a.name for a in self.actions if "note_silence" in a.spec.effects)

    @cached_property
    def answering(self) -> frozenset[str]:
        """The actions with which a department answers."""
        return frozenset(a.name for a in self.actions if "record_sign_off" in a.spec.effects)


def duties(
    procedure: Procedure,
    state: str,
    agency_id: int | None,
    facts: Mapping[str, Any],
    answered: frozenset[str],
) -> frozenset[Duty]:
    """What is open in a state, as a set; the pen compares it before and after a step."""
    declared = _declared(procedure, state, agency_id, facts, answered)
    return declared if procedure.spec.verbs is None else frozenset(_held(procedure, declared, state, facts).values())


def _held(
    procedure: Procedure, declared: frozenset[Duty], state: str, facts: Mapping[str, Any]
) -> dict[Duty, Duty]:
    """Each duty that is open now -> the same as it is held: by a person to whom it was passed on, or as declared."""
    if facts.get(SUSPENDED) and declared and procedure.spec.verbs and (suspend := procedure.spec.verbs.suspend):
        return {duty: duty for who in suspend.rules for duty in _duties_of(who, facts)}
    assigned = verb_facts.of_state(facts, verb_facts.ASSIGNMENTS, state)
    asked = verb_facts.of_state(facts, verb_facts.CONSULTATIONS, state)
    added = facts.get(verb_facts.ADDED_SIGNERS) or {}
    owing = [d.holder.partition(":")[2] for d in declared if d.holder.startswith("department:")] if added else []
    found = {}
    for duty in declared:
        if added and verb_facts.waits_its_turn(duty.holder.partition(":")[2], added, owing):
            continue
        if question := asked.get(duty.key):
            found[duty] = Duty(Role(question["role"]), f"person:{question['person']}")
        elif person := assigned.get(duty.key):
            found[duty] = Duty(duty.role, f"person:{person}")
        else:
            found[duty] = duty
    return found


def _duties_of(who: str, facts: Mapping[str, Any]) -> Iterator[Duty]:
    """Whose work it is to take an action of this rule: a role's, or that of the departments the case is about."""
    role = Role(verb_facts.role_of(who) or who)
    if role in OF_A_DEPARTMENT:
        yield from (Duty(role, f"department:{d}") for d in facts.get(joint_licences.DECIDING) or ())
    else:
        yield Duty(role, "")


def _declared(
    procedure: Procedure,
    state: str,
    agency_id: int | None,
    facts: Mapping[str, Any],
    answered: frozenset[str],
) -> frozenset[Duty]:
    found: set[Duty] = set()
    for spec in procedure.states[state].duties:
        if spec.signers:
            asked = procedure.asked(facts)
            found |= {Duty(spec.role, f"department:{d}") for d in asked if d not in answered}
        elif spec.each:
            done = answered if spec.unless is None else facts.get(spec.unless) or ()
            found |= {Duty(spec.role, f"department:{d}") for d in facts.get(spec.each) or () if d not in done}
        elif spec.person:
            found.add(Duty(spec.role, f"person:{facts.get(spec.person)}"))
        elif spec.persons:
            found |= {Duty(spec.role, f"person:{p}") for p in facts.get(spec.persons) or ()}
        elif spec.role is Role.APPLICANT:
            found.add(Duty(spec.role, f"agency:{agency_id}"))
        else:
            found.add(Duty(spec.role, ""))
    return frozenset(found)


def load(path: Path) -> Procedure:
    """Read, validate and proof-read one definition file. Raises `DefinitionError`."""
    return parse(path.read_bytes(), path.name)


def parse(text: bytes, source: str) -> Procedure:
    """A definition from its text; `source` is what the faults call it. Raises `DefinitionError`."""
    try:
        raw = YAML(typ="safe", pure=True).load(text)
        spec = ProcedureSpec.model_validate(raw)
        if spec.verbs is not None:
            spec = ProcedureSpec.model_validate(written_out(raw, spec.verbs))
    except YAMLError as error:
        raise DefinitionError(source, [fault_of_yaml(error)]) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise DefinitionError(source, [Fault(0, f"this is no definition: {type(error).__name__}")]) from error
    except ValidationError as error:
        raise DefinitionError(source, located(text, said_of(error.errors()))) from error
    except UnfitVerbs as unfit:
        raise DefinitionError(source, located(text, unfit.faults, _WORDS)) from unfit
    except ValueError as error:  # a day that no calendar has, a number of thousands of digits
        raise DefinitionError(source, [Fault(0, f"this is no definition: {error}")]) from error
    if faults := list(unknown_words(spec)):
        raise DefinitionError(source, located(text, faults, _WORDS))
    procedure = Procedure(
        spec, tuple(_action(n, a, spec) for n, a in spec.actions.items()), hashlib.sha256(text).hexdigest()
    )
    if faults := list(proofread(procedure)):
        raise DefinitionError(source, located(text, faults, _WORDS))
    return procedure


READS_SIGN_OFFS = guard_words.READS_SIGN_OFFS | verb_guards.READS_SIGN_OFFS
GUARDS: Mapping[str, guard_words.Guard] = guard_words.NAMED | verb_guards.NAMED | joint_licences.GUARDS
EFFECTS: Mapping[str, effect_words.Effect] = effect_words.NAMED | verb_effects.NAMED | joint_licences.EFFECTS
_WORDS = frozenset({*RULES, *COMMANDS, *GUARDS, *EFFECTS})


def _action(name: str, spec: ActionSpec, procedure: ProcedureSpec) -> Action:
    signs = next((s.sign_off for s in procedure.states.values() if s.sign_off), None)
    return Action(
        name=name,
        spec=spec,
        who=asked_by(signs) if signs and spec.who == "answers_for_a_department_asked" else RULES[spec.who],
        command=COMMANDS[spec.command],
        guards=tuple(GUARDS[g] if isinstance(g, str) else g.guard() for g in spec.guards),
        effects=tuple(EFFECTS[e] if isinstance(e, str) else e.effect() for e in spec.effects),
        on_applicant_side=spec.who in APPLICANT_SIDE,
    )
