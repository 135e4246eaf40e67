"""The grammar a procedure is written in: what stands in a definition, part by part, as pydantic reads it.

It judges form only; whether the words point somewhere is the business of `proofreading`, and `workflow.procedure` is
the door to both.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from workflow import effects as effect_words
from workflow import guards as guard_words
from workflow import sign_offs
from workflow.verbs import effects as verb_effects
from workflow.verbs.section import VerbsSpec
from workflow.vocabulary import Message, Role

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
# A fact, or a part of one; `{department}` stands for the key of whoever answers.
Subject = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.([a-z0-9_]+|\{department\}))*$")]


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
    """`set` writes constants into facts, `keep` copies command fields into facts, `track` takes a track; `persons`
    writes into facts who took the acts named, and whoever takes this one."""

    set: dict[Name, Any] | None = None
    keep: dict[Name, str] | None = None
    track: Name | None = None
    persons: dict[Name, tuple[Name, ...]] | None = None
    remember: RememberSpec | None = None  # how the case stood, for a recall: only verbs write this
    send_back: Name | None = None  # to where a return leads: only verbs write this

    @model_validator(mode="after")
    def one_kind(self) -> "EffectSpec":
        if len(self.model_fields_set) != 1:
            raise ValueError("an effect is exactly one of set, keep, track, persons, or a named effect")
        return self

    def effect(self) -> effect_words.Effect:
        if self.set is not None:
            return effect_words.set_facts(self.set)
        if self.keep is not None:
            return effect_words.keep_fields(self.keep)
        if self.persons is not None:
            return effect_words.keep_persons(self.persons)
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
    unless: Name | None = None  # with `each`: fact with the names of those that have done theirs
    person: Name | None = None  # fact with one person id
    persons: Name | None = None  # fact with person ids
    signers: bool = False  # one duty per department that the sign-off rule of the state asks and that owes an answer

    @model_validator(mode="after")
    def one_list(self) -> "DutySpec":
        if self.unless and not self.each:
            raise ValueError("unless takes departments out of each, so it needs each")
        return self


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
    """A case of its own: on one procedure, or one for each procedure that a fact of the case lists."""

    procedure: Name | None = None
    each: Name | None = None  # fact with names of procedures
    among: tuple[Name, ...] = ()  # with `each`: those it may list
    link: Name  # fact on the child that names the parent case
    copies: tuple[Name, ...] = ()  # facts carried over

    @model_validator(mode="after")
    def one_form(self) -> "OpensSpec":
        if (self.procedure is None) == (self.each is None):
            raise ValueError("it opens either one procedure, or each of those that a fact lists")
        if (self.each is None) != (not self.among):
            raise ValueError("each needs among, the procedures that may be listed, and among needs each")
        if len(set(self.among)) < len(self.among):
            raise ValueError("a procedure stands twice in among")
        return self

    @property
    def procedures(self) -> tuple[str, ...]:
        """The procedures of which a case may be opened."""
        return self.among if self.procedure is None else (self.procedure,)


class InformsSpec(_Strict):
    """What the step tells the case that this one is part of, or those that are part of it, and what they do then.

    It is told after the step, once and in no certain order. `which`: a fact that lists the procedures of the children
    meant; `carries`: facts told with it; `outcome`: what has come of this case, where its state does not say it."""

    parent: Name | None = None  # the action that the parent takes
    children: Name | None = None  # the action that the children take
    which: Name | None = None
    carries: tuple[Name, ...] = ()
    outcome: Literal["granted", "refused", "retracted"] | None = None

    @model_validator(mode="after")
    def one_direction(self) -> "InformsSpec":
        if (self.parent is None) == (self.children is None):
            raise ValueError("it informs either the parent or the children")
        if self.parent is not None and self.which is not None:
            raise ValueError("which narrows children; there is one parent only")
        return self

    @property
    def to(self) -> Literal["parent", "children"]:
        return "children" if self.parent is None else "parent"

    @property
    def action(self) -> str:
        return self.parent or self.children or ""


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
    apart_from_persons: Name | None = None  # fact with persons who took part elsewhere in the application
    track: Name | None = None
    guards: tuple[Name | FactGuardSpec, ...] = ()
    command: str = "Plain"
    effects: tuple[Name | EffectSpec, ...] = ()
    registers: tuple[Name, ...] = ()
    jobs: tuple[Name, ...] = ()
    documents: tuple[Name, ...] = ()  # notices and decisions rendered as PDF after the step
    notify: tuple[Name, ...] = ()
    opens: OpensSpec | None = None
    informs: InformsSpec | None = None
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
    department: Name | None = None  # whose licence it is; None: the bureau's own
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
