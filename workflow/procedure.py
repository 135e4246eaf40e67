"""The grammar a procedure is written in, and the proof-reading it gets when it is loaded.

A definition is one YAML file per procedure version. `load` turns it into a frozen `Procedure`; anything wrong
is refused with the file, the place, what is wrong and why (`DefinitionError`).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from workflow import effects as effect_words
from workflow import guards as guard_words
from workflow import sign_offs
from workflow.case import Case
from workflow.commands import COMMANDS, Command
from workflow.faults import Fault, fault_of_yaml, located, said_of
from workflow.proofreading import proofread, unknown_words
from workflow.rules import APPLICANT_SIDE, RULES, Rule, asked_by
from workflow.suspension import SUSPENDED
from workflow.verbs import effects as verb_effects
from workflow.verbs import facts as verb_facts
from workflow.verbs import guards as verb_guards
from workflow.verbs.section import UnfitVerbs, VerbsSpec, written_out
from workflow.vocabulary import Message, Role

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
# A fact, or a part of one; `{department}` stands for the key of whoever answers.
Subject = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.([a-z0-9_]+|\{department\}))*$")]


class DefinitionError(ValueError):
    """A definition that cannot be used: the file and every fault found in it, with line, place, what and why."""

    def __init__(self, source: str, found: Sequence[Fault]) -> None:
        super().__init__(f"{source}: " + "; ".join(map(str, found)))
        self.source, self.found = source, tuple(found)

    @property
    def faults(self) -> list[str]:
        """What is wrong, without the lines."""
        return [fault.what for fault in self.found]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Label(_Strict):
    """A text in both languages."""

    en: str
    zh: str

    def message(self, **values: Any) -> Message:
        return Message(self.en, values, self.zh)


class FactGuardSpec(_Strict):
    """A comparison on one fact, with the sentence said when it does not hold (it may name facts as %(fact)s)."""

    fact: Name
    is_: Any = Field(default=None, alias="is")
    is_not: Any = None
    at_least: float | None = None
    empty: Literal[True] | None = None
    present: Literal[True] | None = None
    otherwise: Label

    @model_validator(mode="after")
    def one_test(self) -> "FactGuardSpec":
        if len(self.model_fields_set - {"fact", "otherwise"}) != 1:
            raise ValueError(
                f"a guard on {self.fact} needs exactly one of is, is_not, at_least, empty, present"
            )
        return self

    def guard(self) -> guard_words.Guard:
        (test,) = self.model_fields_set - {"fact", "otherwise"}
        value = getattr(self, test)
        return guard_words.fact_guard(
            self.fact, test.rstrip("_") if test == "is_" else test, value, self.otherwise.message()
        )


class RememberSpec(_Strict):
    """The act that can be recalled, and the facts that it changes."""

    act: Name
    facts: tuple[Name, ...]


class EffectSpec(_Strict):
    """`set` writes constants into facts, `keep` copies command fields into facts, `track` takes a track."""

    set: dict[Name, Any] | None = None
    keep: dict[Name, str] | None = None
    track: Name | None = None
    remember: RememberSpec | None = None  # how the case stood, for a recall: only verbs write this
    send_back: Name | None = None  # to where a return leads: only verbs write this

    @model_validator(mode="after")
    def one_kind(self) -> "EffectSpec":
        if len(self.model_fields_set) != 1:
            raise ValueError("an effect is exactly one of set, keep, track, or a named effect")
        return self

    def effect(self) -> effect_words.Effect:
        if self.set is not None:
            return effect_words.set_facts(self.set)
        if self.keep is not None:
            return effect_words.keep_fields(self.keep)
        if self.remember is not None:
            return verb_effects.open_recall(self.remember.act, self.remember.facts)
        if self.send_back is not None:
            return verb_effects.send_back(self.send_back)
        assert self.track is not None
        return effect_words.take_track(self.track)


class DutySpec(_Strict):
    """Who must do something while the case is in a state: a role, narrowed by a fact."""

    role: Role
    each: Name | None = None  # fact with department names: one duty per department that has not answered
    person: Name | None = None  # fact with one person id
    persons: Name | None = None  # fact with person ids
    signers: bool = False  # one duty per department that the sign-off rule of the state asks and that owes an answer


class StateSpec(_Strict):
    label: Label
    duties: tuple[DutySpec, ...] = ()
    editable: bool = False  # the applicant may change the application
    final: bool = False
    outcome: Literal["granted", "refused", "retracted", "closed"] | None = None
    stage: Name | None = None  # where the progress line shows it
    sign_off: sign_offs.Rule | None = None  # who is asked in this state, and when their answers settle it
    subjects: dict[Name, tuple[Subject, ...]] = {}  # department, or `each` -> the facts its answer rests on
    on_silence: Name | None = None  # the clock after whose lapse the sign-off may be closed without the silent


class GroundSpec(_Strict):
    """Why a clock may rest. The grounds of a definition are a closed list, each with its article."""

    label: Label
    article: str = Field(min_length=1)


class UntilSpec(_Strict):
    """The clock runs to the day that stands in a fact, if it starts no later than its allowance before that day."""

    fact: Name
    article: str = Field(min_length=1)


class ClockSpec(_Strict):
    """A statutory clock: in which states it runs and rests; leaving both stops it."""

    label: Label
    allowance: Name
    runs_in: tuple[Name, ...]
    rests_in: dict[Name, Name | Label] = {}  # state -> the ground; in words only where no grounds are declared
    rests_for: tuple[Name, ...] = ()  # grounds of a suspension on which it rests, whatever the state
    restarts: bool = False  # coming back after a rest starts the whole allowance anew
    track: Name | None = None
    on_lapse: Name | None = None  # the action the system takes when it lapses
    until: UntilSpec | None = None
    reminds: int = Field(default=2, ge=0)  # so many days before, whoever has the case is told: a habit, not law
    escalates_to: Role = Role.LEADER  # who is told, and gets the case into the queue, when it lapses and nothing acts


class OpensSpec(_Strict):
    procedure: Name
    link: Name  # fact on the child that names the parent case
    copies: tuple[Name, ...] = ()  # facts carried over


class ExtendsSpec(_Strict):
    """The action grants a clock more time, once; its command names the grounds."""

    clock: Name
    allowance: Name


class ActionSpec(_Strict):
    label: Label
    done: Label
    from_: tuple[Name, ...] = Field(alias="from", min_length=1)
    to: Name | None = None
    who: Name
    apart_from: tuple[Name, ...] = ()
    track: Name | None = None
    guards: tuple[Name | FactGuardSpec, ...] = ()
    command: str = "Plain"
    effects: tuple[Name | EffectSpec, ...] = ()
    registers: tuple[Name, ...] = ()
    jobs: tuple[Name, ...] = ()
    documents: tuple[Name, ...] = ()  # notices and decisions rendered as PDF after the step
    notify: tuple[Name, ...] = ()
    opens: OpensSpec | None = None
    since: Name | None = None  # clocks that the step starts count from the day on which this clock started
    extends: ExtendsSpec | None = None
    tells: tuple[Role, ...] = ()  # roles that get its notices beside the applicant and whoever got something to do
    automatic: bool = False
    reauthenticate: bool = False
    irreversible: bool = False
    side_by_side: bool = False  # the same act by others meanwhile does not make this one stale: parallel answers
    tone: Literal["primary", "neutral", "danger"] = "neutral"
    form: Name | None = None  # where the act is done on a page of its own (rows, findings)
    # What verbs write (workflow/verbs): which verb it is, when it is there, and on which ground a return rests clocks
    verb: Name | None = None
    occasion: dict[Name, str] = {}
    rests: Name | None = None
    inside: bool = False  # its notice is for the authority only
    instead_of: Name | None = None  # the act that this one is, leading straight back


class ProcedureSpec(_Strict):
    name: Name
    version: int = Field(ge=1)
    title: Label
    basis: Label
    initial: Name
    stages: dict[Name, Label] = {}
    numbers: dict[Name, int] = {}
    number_articles: dict[Name, str] = {}
    tracks: dict[Name, Label]
    states: dict[Name, StateSpec]
    grounds: dict[Name, GroundSpec] = {}
    clocks: dict[Name, ClockSpec] = {}
    actions: dict[Name, ActionSpec]
    registers_known: tuple[Name, ...] = ()
    verbs: VerbsSpec | None = None


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

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def version(self) -> int:
        return self.spec.version

    @property
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
        resuming = [Duty(Role(who), "") for who in suspend.rules]
        return {duty: duty for duty in resuming}
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
            found |= {
                Duty(spec.role, f"department:{d}") for d in facts.get(spec.each) or () if d not in answered
            }
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
    if faults := list(unknown_words(spec)):
        raise DefinitionError(source, located(text, faults, _WORDS))
    procedure = Procedure(
        spec, tuple(_action(n, a, spec) for n, a in spec.actions.items()), hashlib.sha256(text).hexdigest()
    )
    if faults := list(proofread(procedure)):
        raise DefinitionError(source, located(text, faults, _WORDS))
    return procedure


READS_SIGN_OFFS = guard_words.READS_SIGN_OFFS | verb_guards.READS_SIGN_OFFS
GUARDS: Mapping[str, guard_words.Guard] = guard_words.NAMED | verb_guards.NAMED
EFFECTS: Mapping[str, effect_words.Effect] = effect_words.NAMED | verb_effects.NAMED
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
