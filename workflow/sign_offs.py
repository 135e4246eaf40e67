"""Sign-off rules as a formula: who has to agree for the whole to be agreed, and when it is settled.

A rule is written in the definition and read by pydantic as one of

    all: [ecology, fire]                    every one of them who takes a side agrees, and at least one does
    any: {each: departments}                one agrees; `each` names the fact that lists who is asked
    at_least: 2, of: [ecology, fire, water] two agree
    weights: {ecology: 3, fire: 2}, at_least: 4     those who agree weigh four; a weight of 0 is asked, not counted
    and: [RULE, RULE] / or: [RULE, RULE]    groups

and every one of them may have `veto` (an objection by one of these decides against this rule or group),
`mandatory` (no agreement rests on this rule or group before they have answered) and a `label`.

What is settled. A verdict is agree, object, abstain (answered, neither for nor against) or recused (as if never
asked; a number is not lowered for it, and a group with nobody left cannot agree). A rule never gets worse when
one verdict is raised to agree, nor better when one is lowered to object: no leaf, veto or group counts the other
way round. So all completions of the missing answers lie between "all the others agree" and "all the others
object", and looking at these two is exact, however often a signer stands in the formula.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag, model_validator

from workflow.clauses import in_one as in_one
from workflow.clauses import spoken as spoken
from workflow.vocabulary import Message

# The words of an answer. Members of a string enumeration with these values serve as well.
VERDICTS = AGREE, OBJECT, ABSTAIN, RECUSED = ("agree", "object", "abstain", "recused")

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Lists = Mapping[str, Any]  # fact -> keys of those it lists; the facts of a case serve
Answers = Mapping[str, str]  # signer -> verdict
Heard = Collection[str] | None


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GroupName(_Strict):
    """What a rule or group is called when it is explained."""

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)


class Each(_Strict):
    """Whoever the fact of this name lists in the case at hand."""

    each: Key


Asked = tuple[Key, ...] | Each


class _Clause(_Strict):
    veto: tuple[Key, ...] = ()
    mandatory: tuple[Key, ...] = ()
    label: GroupName | None = None

    @model_validator(mode="after")
    def means_something(self) -> "_Clause":
        if faults := list(_own_faults(self)):
            raise ValueError("; ".join(faults))
        return self


class All(_Clause):
    all: Asked


class AnyOf(_Clause):
    any: Asked


class AtLeast(_Clause):
    at_least: int = Field(ge=1, strict=True)
    of: Asked


class Weighted(_Clause):
    weights: dict[Key, Annotated[int, Field(ge=0, strict=True)]]
    at_least: int = Field(ge=1, strict=True)


class And(_Clause):
    and_: "tuple[Rule, ...]" = Field(alias="and", min_length=2)


class Or(_Clause):
    or_: "tuple[Rule, ...]" = Field(alias="or", min_length=2)


_KINDS: Final = ("all", "any", "and", "or", "weights", "at_least")  # weights before the number they share


def _kind(raw: object) -> str | None:
    if isinstance(raw, _Clause):
        return {And: "and", Or: "or", All: "all", AnyOf: "any", Weighted: "weights"}.get(type(raw), "at_least")
    return next((k for k in _KINDS if k in raw), None) if isinstance(raw, Mapping) else None


Rule = Annotated[
    Annotated[All, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[AtLeast, Tag("at_least")]
    | Annotated[Weighted, Tag("weights")]
    | Annotated[And, Tag("and")]
    | Annotated[Or, Tag("or")],
    Discriminator(
        _kind,
        custom_error_type="sign_off_rule",
        custom_error_message="a sign-off rule is one of all, any, at_least with of, weights with at_least, and, or",
    ),
]
And.model_rebuild()
Or.model_rebuild()


KINDS: Final = (All, AnyOf, AtLeast, Weighted, And, Or)


class Outcome(StrEnum):
    """Where a sign-off stands. All but `open` are settled: no further answer can change them.

    refused: it cannot be agreed any more because of what was answered; unreachable: the recusals alone leave
    too few to agree, so nobody said no and another signer has to be asked."""

    OPEN = "open"
    AGREED = "agreed"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Standing:
    """`pending`: asked and not heard, in the order of the rule. `decisive`: while open, those whose very next
    answer can settle it; once settled, the fewest answers that did. `explanation`: one clause a message."""

    outcome: Outcome
    pending: tuple[str, ...]
    decisive: tuple[str, ...]
    explanation: tuple[Message, ...]

    @property
    def settled(self) -> bool:
        return self.outcome is not Outcome.OPEN


@dataclass(frozen=True, slots=True)
class Carried:
    """After a return: the answers that stand, and those that lost force with the changed subjects each rested on."""

    stand: Mapping[str, str]
    lost: Mapping[str, tuple[str, ...]]
    record: tuple[Message, ...]


def evaluate(rule: Rule, signers: Lists, answers: Answers) -> Standing:
    """Where the sign-off stands after these answers; answers of people the rule does not ask are not counted.

    Raises ValueError for a verdict that is none."""
    found = outcome(rule, signers, answers)
    said = _counted(rule, signers, answers)
    pending = tuple(s for s in asked(rule, signers) if s not in said)
    if found is Outcome.OPEN:
        after = {s: {outcome(rule, signers, {**said, s: v}) for v in VERDICTS} for s in pending}
        decisive = tuple(s for s, possible in after.items() if possible != {Outcome.OPEN})
    else:
        needed = dict(said)
        for signer in reversed(said):
            without = {s: v for s, v in needed.items() if s != signer}
            if outcome(rule, signers, without) is found:
                needed = without
        decisive = tuple(needed)
    return Standing(found, pending, decisive, tuple(_explained(rule, signers, said, found)))


def outcome(rule: Rule, signers: Lists, answers: Answers) -> Outcome:
    """The outcome alone: three looks at the formula, whatever its size. Raises ValueError as `evaluate` does."""
    said = _counted(rule, signers, answers)
    if _holds(rule, signers, lambda s: said.get(s, OBJECT), said):
        return Outcome.AGREED
    if _holds(rule, signers, lambda s: said.get(s, AGREE)):
        return Outcome.OPEN
    recused = {s for s, verdict in said.items() if verdict == RECUSED}
    return Outcome.REFUSED if reachable(rule, signers, recused) else Outcome.UNREACHABLE


def reachable(rule: Rule, signers: Lists, recused: Collection[str] = ()) -> bool:
    """Whether it can be agreed at all, once these have recused themselves."""
    return _holds(rule, signers, lambda s: RECUSED if s in recused else AGREE)


def asked(rule: Rule, signers: Lists) -> tuple[str, ...]:
    """Everyone the rule asks, once each, in its order."""
    if isinstance(rule, And | Or):
        return tuple(dict.fromkeys(s for part in _parts(rule) for s in asked(part, signers)))
    if isinstance(rule, Weighted):
        return tuple(rule.weights)
    named = _named(rule)
    return tuple(dict.fromkeys(signers.get(named.each) or ())) if isinstance(named, Each) else named


def carried(
    answers: Answers, changed_subjects: Collection[str], subjects_of: Mapping[str, Collection[str]]
) -> Carried:
    """Which answers stand after a return. `subjects_of` names the fields an answer rests on.

    A field stands for everything below it ("site" for "site.address") and the reverse. Who names no fields
    rests on all of them. A recusal is about the person, so it stands whatever changed."""
    rests = {s: tuple(sorted(_touched(changed_subjects, subjects_of.get(s)))) for s in answers}
    lost = {s: touched for s, touched in rests.items() if touched and answers[s] != RECUSED}
    stand = {s: v for s, v in answers.items() if s not in lost}
    record = [_say(_LOST, departments=[s], subjects=list(touched)) for s, touched in lost.items()]
    if stand:
        record.append(_say(_STANDS, departments=list(stand)))
    return Carried(stand, lost, tuple(record))


def never_heard(rule: Rule, signers: Lists, answers: Answers) -> tuple[str, ...]:
    """The mandatory signers that are asked and silent; a recusal is an answer."""
    everyone = asked(rule, signers)
    mandatory = dict.fromkeys(s for part in _every_part(rule) for s in part.mandatory)
    return tuple(s for s in mandatory if s in everyone and s not in answers)


def named_by(rule: Rule) -> tuple[str, ...]:
    """The signers that the rule itself names, whatever the case."""
    holders = (s for part in _every_part(rule) for s in (*part.veto, *part.mandatory))
    return tuple(dict.fromkeys((*asked(rule, {}), *holders)))


def faults(rule: Rule, known: Collection[str], facts: Collection[str] | None = None) -> Iterator[str]:
    """What a careful reader finds: signers nobody knows, facts nobody sets, a formula nobody can satisfy."""
    listed = {named.each for named in _facts_named(rule)}
    yield from (f"there is no fact called {fact}" for fact in sorted(listed) if facts is not None and fact not in facts)
    yield from (f"there is no signer called {s}" for s in named_by(rule) if s not in known)
    if not reachable(rule, dict.fromkeys(listed, known)):
        yield "this can never be agreed, even when everybody agrees"


# -- the formula ---------------------------------------------------------------------------------------------------


def _holds(rule: Rule, signers: Lists, voice: Callable[[str], str], heard: Heard = None) -> bool:
    """Whether the rule is satisfied when everybody speaks as `voice` says and these (None: all) were heard."""
    within = asked(rule, signers)
    if any(voice(s) == OBJECT for s in rule.veto if s in within):
        return False
    if heard is not None and any(s not in heard for s in rule.mandatory if s in within):
        return False
    if isinstance(rule, And):
        return all(_holds(part, signers, voice, heard) for part in rule.and_)
    if isinstance(rule, Or):
        return any(_holds(part, signers, voice, heard) for part in rule.or_)
    if isinstance(rule, Weighted):
        return sum(weight for s, weight in rule.weights.items() if voice(s) == AGREE) >= rule.at_least
    voices = [voice(s) for s in within]
    if isinstance(rule, All):
        return AGREE in voices and OBJECT not in voices
    return voices.count(AGREE) >= (rule.at_least if isinstance(rule, AtLeast) else 1)


def _counted(rule: Rule, signers: Lists, answers: Answers) -> dict[str, str]:
    if strange := [v for v in answers.values() if v not in VERDICTS]:
        raise ValueError(f"{strange[0]!r} is not a verdict: {', '.join(VERDICTS)}")
    everyone = frozenset(asked(rule, signers))
    return {s: str(v) for s, v in answers.items() if s in everyone}


def _named(rule: All | AnyOf | AtLeast) -> Asked:
    return rule.all if isinstance(rule, All) else rule.any if isinstance(rule, AnyOf) else rule.of


def _parts(rule: Rule) -> "tuple[Rule, ...]":
    return rule.and_ if isinstance(rule, And) else rule.or_ if isinstance(rule, Or) else ()


def _every_part(rule: Rule) -> "Iterator[Rule]":
    yield rule
    for part in _parts(rule):
        yield from _every_part(part)


def _facts_named(rule: Rule) -> list[Each]:
    leaves = (_named(part) for part in _every_part(rule) if isinstance(part, All | AnyOf | AtLeast))
    return [named for named in leaves if isinstance(named, Each)]


def _own_faults(clause: _Clause) -> Iterator[str]:
    """What is wrong with one clause by itself, whoever is asked."""
    if isinstance(clause, All | AnyOf | AtLeast) and not isinstance(named := _named(clause), Each):
        if not named:
            yield "nobody is asked"
        if len(set(named)) < len(named):
            yield "somebody is named twice"
        if isinstance(clause, AtLeast) and named and clause.at_least > len(named):
            yield f"{clause.at_least} cannot agree when {len(named)} are asked"
    if isinstance(clause, Weighted) and sum(clause.weights.values()) < clause.at_least:
        yield f"all together weigh {sum(clause.weights.values())}, and {clause.at_least} is wanted"
    if isinstance(clause, KINDS) and not _facts_named(clause):
        inside = asked(clause, {})
        holders = (s for s in (*clause.veto, *clause.mandatory) if s not in inside)
        yield from (f"{s} has a veto or is mandatory, and is not asked" for s in holders)


def _touched(changed: Collection[str], rests_on: Collection[str] | None) -> Iterator[str]:
    for field in changed:
        if rests_on is None or any(_overlap(field, subject) for subject in rests_on):
            yield field


def _overlap(one: str, other: str) -> bool:
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")


# -- in words ------------------------------------------------------------------------------------------------------

_COUNTED: Final = {
    All: ("%(agreed)s of %(asked)s departments agree, none may object",
          "%(asked)s个部门中%(agreed)s个同意，不得有反对"),
    AnyOf: ("%(agreed)s of %(asked)s departments agree, one is enough", "%(asked)s个部门中%(agreed)s个同意，一个即可"),
    AtLeast: ("%(agreed)s of %(asked)s departments agree, %(needed)s needed",
              "%(asked)s个部门中%(agreed)s个同意，须%(needed)s个同意"),
    Weighted: ("Those who agree weigh %(agreed)s of %(asked)s, %(needed)s needed",
               "同意的权重为%(agreed)s，合计%(asked)s，须达到%(needed)s"),
    And: ("Every group must agree", "各组须全部同意"),
    Or: ("One group is enough", "任一组同意即可"),
}  # fmt: skip
_ANSWERED: Final = {
    OBJECT: ("Objected: %(departments)s", "反对：%(departments)s"),
    ABSTAIN: ("Abstained: %(departments)s", "弃权：%(departments)s"),
    RECUSED: ("Recused, as if never asked: %(departments)s", "已回避，视同未征求意见：%(departments)s"),
    None: ("Not answered yet: %(departments)s", "尚未答复：%(departments)s"),
}  # fmt: skip
_VETO_WAITS: Final = ("%(departments)s has a veto and has not answered", "%(departments)s有否决权，尚未答复")
_VETO_USED: Final = ("%(departments)s has a veto and objected", "%(departments)s有否决权，已反对")
_MUST_ANSWER: Final = ("%(departments)s must answer before it can be agreed", "须待%(departments)s答复后方可同意")
_LOST: Final = ("%(departments)s: asked again, because this was changed: %(subjects)s",
                "%(departments)s：须重新答复，因下列内容已变更：%(subjects)s")  # fmt: skip
_STANDS: Final = ("The answers of these stand, for nothing they rest on was changed: %(departments)s",
                  "下列部门的答复所依据的内容未变更，继续有效：%(departments)s")  # fmt: skip
_TOO_FEW: Final = ("Too few are left to agree: ask another department", "剩余部门不足以同意，请另行征求其他部门意见")
_SETTLED: Final = ("The missing answers cannot change this", "未答复的部门已不影响结果")


def _say(sentence: tuple[str, str], **values: Any) -> Message:
    return Message(sentence[0], values, sentence[1])


def _explained(rule: Rule, signers: Lists, said: Answers, found: Outcome) -> Iterator[Message]:
    spoken_of: set[str] = set()
    everyone = asked(rule, signers)
    yield from _clauses(rule, signers, said, spoken_of)
    for verdict, sentence in _ANSWERED.items():
        if who := [s for s in everyone if said.get(s) == verdict and s not in spoken_of]:
            yield _say(sentence, departments=who)
    if found is Outcome.UNREACHABLE:
        yield _say(_TOO_FEW)
    elif found is not Outcome.OPEN and len(said) < len(everyone):
        yield _say(_SETTLED)


def _clauses(rule: Rule, signers: Lists, said: Answers, spoken_of: set[str]) -> Iterator[Message]:
    within = asked(rule, signers)
    yield _say(_COUNTED[type(rule)], **_counts(rule, within, said))
    for number, part in enumerate(_parts(rule), 1):
        label = part.label
        name = _say((label.en, label.zh)) if label else _say(("group %(number)s", "第%(number)s组"), number=number)
        for clause in _clauses(part, signers, said, spoken_of):
            yield _say(("%(group)s: %(clause)s", "%(group)s：%(clause)s"), group=name, clause=clause)
    waiting = (rule.veto, _VETO_WAITS, None), (rule.mandatory, _MUST_ANSWER, None)
    for holders, sentence, verdict in (*waiting, (rule.veto, _VETO_USED, OBJECT)):
        for signer in (s for s in holders if s in within and said.get(s) == verdict):
            spoken_of.add(signer)
            yield _say(sentence, departments=[signer])


def _counts(rule: Rule, within: tuple[str, ...], said: Answers) -> dict[str, int]:
    if isinstance(rule, And | Or):
        return {}
    weights = rule.weights if isinstance(rule, Weighted) else dict.fromkeys(within, 1)
    agreed = sum(weights[s] for s in within if said.get(s) == AGREE)
    left = sum(weights[s] for s in within if said.get(s) != RECUSED)
    needed = {"needed": rule.at_least} if isinstance(rule, Weighted | AtLeast) else {}
    return {"agreed": agreed, "asked": left, **needed}
