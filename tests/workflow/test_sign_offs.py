"""Sign-off rules: what is settled and when, against a slow second reading that tries every completion.

The second reading works on the written form of a rule (plain dictionaries, as the YAML gives them) and never on
the models, and it knows nothing of bounds: it asks every possible future.
"""
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from functools import cache
from itertools import permutations, product
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML

from workflow import sign_offs
from workflow.sign_offs import (
    Outcome,
    Rule,
    Standing,
    asked,
    carried,
    evaluate,
    faults,
    outcome,
    reachable,
    spoken,
)

SOURCE = Path(sign_offs.__file__)
VERDICTS = ("agree", "object", "abstain", "recused")
RULES: TypeAdapter[Rule] = TypeAdapter(Rule)
Written = dict[str, Any]
Answers = dict[str, str]
LISTS = {"departments": ["ecology", "fire", "water"]}
NAMES = {"fire": "Fire", "ecology": "Ecology", "water": "Water"}


def rule(written: Written) -> Rule:
    return RULES.validate_python(written)


def read(text: str) -> Rule:
    return rule(YAML(typ="safe", pure=True).load(text))


def stands(written: Written, **answers: str) -> Standing:
    return evaluate(rule(written), LISTS, answers)


# -- the second reading ------------------------------------------------------------------------------------------


def people(written: Written) -> list[str]:
    if "and" in written or "or" in written:
        found = [p for part in written.get("and") or written["or"] for p in people(part)]
    else:
        found = list(next(written[kind] for kind in ("weights", "all", "any", "of") if kind in written))
    return sorted(set(found))


def agrees(written: Written, verdicts: Answers, heard: frozenset[str]) -> bool:
    """Is it agreed when all have spoken like this, and only these were heard before it was asked?"""
    for holder in written.get("veto", ()):
        if verdicts[holder] == "object":
            return False
    for holder in written.get("mandatory", ()):
        if holder not in heard:
            return False
    if "and" in written:
        return False not in [agrees(part, verdicts, heard) for part in written["and"]]
    if "or" in written:
        return True in [agrees(part, verdicts, heard) for part in written["or"]]
    yes = [p for p in people(written) if verdicts[p] == "agree"]
    if "all" in written:
        return bool(yes) and not [p for p in people(written) if verdicts[p] == "object"]
    if "weights" in written:
        return sum(written["weights"][p] for p in yes) >= written["at_least"]
    return len(yes) >= written.get("at_least", 1)


def futures(everyone: list[str], answers: Answers) -> Iterator[Answers]:
    missing = [p for p in everyone if p not in answers]
    for verdicts in product(VERDICTS, repeat=len(missing)):
        yield answers | dict(zip(missing, verdicts, strict=True))


def by_force(written: Written, answers: Answers) -> str:
    everyone = people(written)
    all_heard, heard = frozenset(everyone), frozenset(answers)
    if all(agrees(written, future, heard) for future in futures(everyone, answers)):
        return "agreed"
    if any(agrees(written, future, all_heard) for future in futures(everyone, answers)):
        return "open"
    recusals = {p: v for p, v in answers.items() if v == "recused"}
    rescued = any(agrees(written, future, all_heard) for future in futures(everyone, recusals))
    return "refused" if rescued else "unreachable"


def partial_answers(everyone: list[str]) -> Iterator[Answers]:
    for verdicts in product((None, *VERDICTS), repeat=len(everyone)):
        yield {p: v for p, v in zip(everyone, verdicts, strict=True) if v}


def written_rule(rng: random.Random, signers: list[str], depth: int) -> Written:
    """A sound rule, nested up to `depth`, whose groups share signers as often as not."""
    some = rng.sample(signers, rng.randint(1, len(signers)))
    kind = rng.choice(["all", "any", "at_least", "weights", *["and", "or"] * 2 * (depth > 0)])
    if kind in ("and", "or"):
        found: Written = {kind: [written_rule(rng, signers, depth - 1) for _ in range(rng.randint(2, 3))]}
    elif kind == "weights":
        weights = {s: rng.randint(0, 3) for s in some} | {some[0]: rng.randint(1, 3)}
        found = {"weights": weights, "at_least": rng.randint(1, sum(weights.values()))}
    elif kind == "at_least":
        found = {"at_least": rng.randint(1, len(some)), "of": some}
    else:
        found = {kind: some}
    inside = people(found)
    for extra in ("veto", "mandatory"):
        if rng.random() < 0.3:
            found[extra] = rng.sample(inside, rng.randint(1, min(2, len(inside))))
    return found


FOUR, SIX = list("abcd"), list("abcdef")
PLAIN: list[Written] = [
    {"all": FOUR},
    {"any": FOUR},
    {"at_least": 2, "of": FOUR},
    {"at_least": 3, "of": FOUR, "veto": ["a"]},
    {"at_least": 2, "of": FOUR, "mandatory": ["d"]},
    {"all": FOUR, "veto": ["b"], "mandatory": ["b"]},
    {"weights": {"a": 3, "b": 2, "c": 1, "d": 0}, "at_least": 4, "veto": ["d"]},
    {"and": [{"all": ["a", "b"]}, {"at_least": 1, "of": ["b", "c", "d"]}]},
    {"or": [{"at_least": 1, "of": ["a"], "mandatory": ["a"]}, {"all": ["c", "d"], "veto": ["d"]}], "veto": ["a"]},
    {"or": [{"any": ["a", "b"], "mandatory": ["b"]}, {"any": ["c", "b"], "veto": ["b"]}]},
    {"and": [{"or": [{"all": ["a", "b"]}, {"any": ["c"]}]}, {"weights": {"a": 2, "d": 1}, "at_least": 2}],
     "mandatory": ["d"]},
]
NESTED = [written_rule(random.Random(seed), FOUR, depth=2) for seed in range(40)]
LARGE: list[Written] = [
    {"at_least": 4, "of": SIX, "veto": ["a"], "mandatory": ["f"]},
    {"weights": dict(zip(SIX, (4, 3, 2, 2, 1, 0), strict=True)), "at_least": 7, "veto": ["f"]},
    {"or": [{"and": [{"all": ["a", "b"]}, {"any": ["c", "d"]}]}, {"at_least": 4, "of": SIX, "veto": ["b"]}],
     "mandatory": ["e"]},
    {"and": [{"all": ["a", "b", "c"]},
             {"or": [{"at_least": 2, "of": ["d", "e", "f"]}, {"weights": {"a": 2, "f": 3}, "at_least": 3}]}]},
]  # fmt: skip


# -- every order of answers ------------------------------------------------------------------------------------------


def disagreements(family: list[Written], room: ModuleType) -> Iterator[str]:
    """Where a module's outcome is not that of the second reading, over everything that can have been answered.

    An order of answers is a path through these sets, so equality at every set is equality of the closing point
    of every order."""
    adapter: TypeAdapter[Any] = TypeAdapter(room.Rule)
    for written in family:
        formula = adapter.validate_python(written)
        for answers in partial_answers(people(written)):
            found, expected = room.outcome(formula, {}, answers), by_force(written, answers)
            if found != expected:
                yield f"{written} after {answers}: {found}, by force {expected}"


@pytest.mark.parametrize("family", [PLAIN, NESTED], ids=["plain", "nested"])
def test_nothing_answered_stands_otherwise_than_by_trying_every_future(family: list[Written]) -> None:
    assert next(disagreements(family, sign_offs), None) is None


@pytest.mark.parametrize("written", LARGE, ids=lambda w: "-".join(w))
def test_six_signers_stand_as_by_trying_every_future(written: Written) -> None:
    assert len(people(written)) == 6
    assert next(disagreements([written], sign_offs), None) is None


@pytest.mark.parametrize("written", [*PLAIN, *NESTED[:10]], ids=lambda w: "-".join(w))
def test_every_order_of_four_signers_closes_where_force_says(written: Written) -> None:
    formula, everyone = rule(written), people(written)
    force = cache(lambda said: by_force(written, dict(said)))
    ours = cache(lambda said: str(outcome(formula, {}, dict(said))))
    for verdicts in product(VERDICTS, repeat=len(everyone)):
        spoke = dict(zip(everyone, verdicts, strict=True))
        for order in permutations(everyone):
            assert closing(order, spoke, ours) == closing(order, spoke, force), (order, spoke)


@pytest.mark.parametrize("written", LARGE, ids=lambda w: "-".join(w))
def test_every_order_of_six_signers_closes_where_force_says(written: Written) -> None:
    formula, everyone, rng = rule(written), people(written), random.Random(7)
    force = cache(lambda said: by_force(written, dict(said)))
    ours = cache(lambda said: str(outcome(formula, {}, dict(said))))
    for _ in range(6):
        spoke = {p: rng.choice(VERDICTS) for p in everyone}
        for order in permutations(everyone):
            assert closing(order, spoke, ours) == closing(order, spoke, force), (order, spoke)


Said = frozenset[tuple[str, str]]


def closing(order: tuple[str, ...], spoke: Answers, where: Callable[[Said], str]) -> tuple[int, str]:
    """After how many answers it is settled, and how."""
    for count in range(len(order) + 1):
        found = where(frozenset((p, spoke[p]) for p in order[:count]))
        if found != "open":
            return count, found
    raise AssertionError("everybody answered and it is still open")


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(5, 9), data=st.data())
def test_larger_rules_stand_as_by_trying_every_future(seed: int, size: int, data: st.DataObject) -> None:
    written = written_rule(random.Random(seed), [f"s{n}" for n in range(size)], depth=3)
    everyone = people(written)
    silent = data.draw(st.sets(st.sampled_from(everyone), max_size=4))
    answers = {p: data.draw(st.sampled_from(VERDICTS), label=p) for p in everyone if p not in silent}
    assert outcome(rule(written), {}, answers) == by_force(written, answers)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**6), data=st.data())
def test_what_is_settled_stays_settled(seed: int, data: st.DataObject) -> None:
    written = written_rule(random.Random(seed), SIX, depth=3)
    formula, answers, before = rule(written), {}, Outcome.OPEN
    for signer in data.draw(st.permutations(people(written))):
        answers[signer] = data.draw(st.sampled_from(VERDICTS))
        now = outcome(formula, {}, answers)
        assert before is Outcome.OPEN or (now is Outcome.AGREED) == (before is Outcome.AGREED)
        assert before is Outcome.OPEN or now is not Outcome.OPEN
        before = now
    assert before is not Outcome.OPEN


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), data=st.data())
def test_the_decisive_answers_settle_it_alone_and_none_of_them_is_spare(seed: int, data: st.DataObject) -> None:
    written = written_rule(random.Random(seed), FOUR, depth=2)
    everyone = people(written)
    answers = {p: v for p in everyone if (v := data.draw(st.sampled_from([None, *VERDICTS])))}
    found = evaluate(rule(written), {}, answers)
    if found.outcome is Outcome.OPEN:
        closing_next = [p for p in everyone if p not in answers
                        and any(by_force(written, {**answers, p: v}) != "open" for v in VERDICTS)]
        assert sorted(found.decisive) == closing_next
    else:
        needed = {p: answers[p] for p in found.decisive}
        assert by_force(written, needed) == found.outcome
        for spare in needed:
            assert by_force(written, {p: v for p, v in needed.items() if p != spare}) != found.outcome


# -- planted faults --------------------------------------------------------------------------------------------------

MUTANTS = {
    "a missing answer is taken for an abstention": ("said.get(s, OBJECT)", "said.get(s, ABSTAIN)"),
    "a missing answer is not hoped for": ("said.get(s, AGREE)", "said.get(s, ABSTAIN)"),
    "a veto is forgotten": ("if any(voice(s) == OBJECT for s in rule.veto", "if any(False for s in rule.veto"),
    "an abstention vetoes": ("voice(s) == OBJECT for s in rule.veto", "voice(s) != AGREE for s in rule.veto"),
    "a mandatory signer is not waited for": ("any(s not in heard for s", "any(False for s"),
    "a refusal waits for a mandatory signer": (
        "lambda s: said.get(s, AGREE))", "lambda s: said.get(s, AGREE), said)"),
    "one more must agree": ("voices.count(AGREE) >= (", "voices.count(AGREE) > ("),
    "a weight may fall short": (">= rule.at_least\n    voices", "> rule.at_least - 2\n    voices"),
    "and is or": ("return all(_holds(part, signers, voice, heard)", "return any(_holds(part, signers, voice, heard)"),
    "or is and": ("return any(_holds(part, signers, voice, heard)", "return all(_holds(part, signers, voice, heard)"),
    "all may abstain": ("return AGREE in voices and OBJECT not in voices", "return OBJECT not in voices"),
    "an abstention objects": ("OBJECT not in voices", "OBJECT not in voices and ABSTAIN not in voices"),
    "the recused are asked after all": ("if verdict == RECUSED}", "if verdict == ABSTAIN}"),
}  # fmt: skip


def mutated(old: str, new: str) -> ModuleType:
    text = SOURCE.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the source"
    room = ModuleType("workflow.sign_offs_mutated")
    sys.modules[room.__name__] = room
    try:
        exec(compile(text.replace(old, new), room.__name__, "exec"), room.__dict__)
    finally:
        del sys.modules[room.__name__]
    return room


@pytest.mark.parametrize("fault", MUTANTS)
def test_a_planted_fault_is_found(fault: str) -> None:
    assert next(disagreements(PLAIN, mutated(*MUTANTS[fault])), None) is not None


def test_the_unmutated_source_passes_the_same_check() -> None:
    assert next(disagreements(PLAIN, mutated("class Outcome(", "class Outcome(")), None) is None


# -- verdicts, one promise each --------------------------------------------------------------------------------------


def test_an_objection_of_a_veto_holder_decides_against_at_once() -> None:
    found = stands({"at_least": 1, "of": ["ecology", "fire"], "veto": ["fire"]}, fire="object")
    assert (found.outcome, found.decisive, found.pending) == (Outcome.REFUSED, ("fire",), ("ecology",))


def test_an_agreement_waits_for_the_mandatory_and_a_refusal_does_not() -> None:
    written = {"at_least": 1, "of": ["ecology", "fire", "water"], "mandatory": ["water"]}
    assert stands(written, ecology="agree").outcome is Outcome.OPEN
    assert stands(written, ecology="agree", water="abstain").outcome is Outcome.AGREED
    assert stands(written, ecology="agree", water="recused").outcome is Outcome.AGREED
    assert stands({**written, "veto": ["fire"]}, fire="object").outcome is Outcome.REFUSED


def test_an_abstention_answers_and_takes_no_side() -> None:
    assert stands({"all": ["ecology", "fire"]}, ecology="agree", fire="abstain").outcome is Outcome.AGREED
    assert stands({"at_least": 2, "of": ["ecology", "fire"]}, fire="abstain").outcome is Outcome.REFUSED
    assert stands({"all": ["ecology", "fire"]}, ecology="abstain", fire="abstain").outcome is Outcome.REFUSED


def test_too_many_recusals_are_reported_and_not_called_a_refusal() -> None:
    written = {"at_least": 2, "of": ["ecology", "fire", "water"]}
    assert stands(written, fire="recused").outcome is Outcome.OPEN
    found = stands(written, fire="recused", water="recused")
    assert (found.outcome, found.decisive) == (Outcome.UNREACHABLE, ("fire", "water"))
    assert "Too few are left" in spoken(found.explanation, "en")


def test_who_is_asked_comes_from_the_fact_that_lists_them() -> None:
    found = stands({"all": {"each": "departments"}}, fire="agree", stranger="object")
    assert (found.outcome, found.pending) == (Outcome.OPEN, ("ecology", "water"))


def test_a_veto_of_one_who_is_not_asked_in_this_case_is_not_waited_for() -> None:
    formula = rule({"all": {"each": "departments"}, "veto": ["police"], "mandatory": ["police"]})
    assert outcome(formula, {"departments": ["fire"]}, {"fire": "agree"}) is Outcome.AGREED
    assert outcome(formula, {"departments": ["fire", "police"]}, {"fire": "agree"}) is Outcome.OPEN


def test_nobody_asked_is_never_an_agreement() -> None:
    assert outcome(rule({"all": {"each": "departments"}}), {}, {}) is Outcome.UNREACHABLE


def test_members_of_a_string_enumeration_serve_as_verdicts() -> None:
    class Verdict(StrEnum):
        AGREE = "agree"
        OBJECT = "object"

    assert outcome(rule({"any": ["fire"]}), {}, {"fire": Verdict.AGREE}) is Outcome.AGREED
    assert outcome(rule({"any": ["fire"]}), {}, {"fire": Verdict.OBJECT}) is Outcome.REFUSED


def test_a_word_that_is_no_verdict_is_refused() -> None:
    with pytest.raises(ValueError, match="'maybe' is not a verdict"):
        stands({"any": ["fire"]}, fire="maybe")


@pytest.mark.parametrize(("written", "expected"), [
    ({"at_least": 3, "of": {"each": "departments"}}, True), ({"at_least": 4, "of": {"each": "departments"}}, False),
    ({"and": [{"any": ["fire"]}, {"all": {"each": "nobody"}}]}, False),
    ({"or": [{"any": ["fire"]}, {"all": {"each": "nobody"}}]}, True),
])
def test_reachable_says_whether_it_can_be_agreed_at_all(written: Written, expected: bool) -> None:
    assert reachable(rule(written), LISTS) is expected
    assert any(agreeable(written)) is expected


def agreeable(written: Written) -> Iterator[bool]:
    spelt = spelt_out(written)
    yield from (agrees(spelt, future, frozenset(people(spelt))) for future in futures(people(spelt), {}))


def spelt_out(written: Any) -> Any:
    """The same rule with the lists written out."""
    if isinstance(written, Mapping) and "each" in written:
        return LISTS.get(written["each"], [])
    if isinstance(written, Mapping):
        return {key: spelt_out(value) for key, value in written.items()}
    return [spelt_out(part) for part in written] if isinstance(written, list) else written


# -- written down ----------------------------------------------------------------------------------------------------


def test_a_rule_is_read_from_a_definition() -> None:
    formula = read("""
        and:
          - {at_least: 2, of: {each: departments}, veto: [fire], label: {en: Local departments, zh: 属地部门}}
          - or:
            - {weights: {ecology: 3, water: 2}, at_least: 4}
            - {all: [police]}
        mandatory: [police]
    """)
    assert asked(formula, LISTS) == ("ecology", "fire", "water", "police")
    assert RULES.validate_python(RULES.dump_python(formula, by_alias=True)) == formula


@pytest.mark.parametrize(("text", "why"), [
    ("{every: [fire]}", "a sign-off rule is one of all, any, at_least with of"),
    ("[fire]", "a sign-off rule is one of all"),
    ("{all: []}", "nobody is asked"),
    ("{any: [fire, fire]}", "somebody is named twice"),
    ("{at_least: 3, of: [fire, water]}", "3 cannot agree when 2 are asked"),
    ("{at_least: 0, of: [fire]}", "greater than or equal to 1"),
    ("{at_least: yes, of: [fire]}", "valid integer"),
    ("{weights: {fire: 2}, at_least: 3}", "all together weigh 2, and 3 is wanted"),
    ("{weights: {fire: -1}, at_least: 1}", "greater than or equal to 0"),
    ("{all: [fire], veto: [police]}", "police has a veto or is mandatory, and is not asked"),
    ("{and: [{all: [fire]}]}", "at least 2 items"),
    ("{all: [fire], any: [water]}", "Extra inputs"),
    ("{all: [Fire]}", "String should match pattern"),
    ("{or: [{all: [fire]}, {all: [water], vetoes: [water]}]}", "Extra inputs"),
])
def test_a_wrong_rule_is_refused_with_its_reason(text: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        read(text)


def test_a_rule_cannot_be_changed() -> None:
    formula = rule({"all": ["fire"]})
    with pytest.raises(ValidationError, match="frozen"):
        formula.veto = ("fire",)


def test_the_proof_reader_finds_strangers_and_what_cannot_be() -> None:
    formula = rule({"and": [{"at_least": 4, "of": {"each": "departments"}}, {"any": ["polce"]}]})
    assert list(faults(formula, LISTS["departments"], {"team"})) == [
        "there is no fact called departments", "there is no signer called polce",
        "this can never be agreed, even when everybody agrees"]
    assert list(faults(rule({"all": {"each": "departments"}, "veto": ["fire"]}), LISTS["departments"])) == []


# -- in words --------------------------------------------------------------------------------------------------------


def test_where_it_stands_is_said_in_both_languages() -> None:
    found = stands({"at_least": 2, "of": {"each": "departments"}, "veto": ["fire"]}, ecology="agree", water="agree")
    assert found.outcome is Outcome.OPEN and found.decisive == ("fire",)
    assert spoken(found.explanation, "en", NAMES) == \
        "2 of 3 departments agree, 2 needed; Fire has a veto and has not answered"
    assert spoken(found.explanation, "zh", {"fire": "消防"}) == "3个部门中2个同意，须2个同意；消防有否决权，尚未答复"


def test_groups_are_explained_by_their_names() -> None:
    found = stands({"or": [{"all": ["ecology", "water"], "label": {"en": "Local", "zh": "属地"}}, {"any": ["fire"]}]},
                   ecology="object", fire="recused")
    assert found.outcome is Outcome.REFUSED
    assert spoken(found.explanation, "en", NAMES) == (
        "One group is enough; Local: 0 of 2 departments agree, none may object; "
        "group 2: 0 of 0 departments agree, one is enough; Objected: Ecology; Recused, as if never asked: Fire; "
        "Not answered yet: Water; The missing answers cannot change this")
    assert spoken(found.explanation, "zh").startswith("任一组同意即可；属地：2个部门中0个同意，不得有反对；第2组：")


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), data=st.data())
def test_every_explanation_is_complete_in_both_languages(seed: int, data: st.DataObject) -> None:
    written = written_rule(random.Random(seed), SIX, depth=3)
    answers = {p: v for p in people(written) if (v := data.draw(st.sampled_from([None, *VERDICTS])))}
    words = evaluate(rule(written), {}, answers).explanation
    for language in ("en", "zh"):
        text = spoken(words, language, {s: f"<{s}>" for s in SIX})
        assert "—" not in text and "%" not in text
        for signer in people(written):
            if answers.get(signer) != "agree":
                assert f"<{signer}>" in text, (signer, text)
    assert all(m.zh for m in words)


# -- after a return --------------------------------------------------------------------------------------------------


def test_only_answers_whose_subject_changed_lose_force() -> None:
    found = carried({"ecology": "agree", "fire": "object", "water": "recused", "police": "agree"},
                    ["site.address", "rows"],
                    {"ecology": ["rows"], "fire": ["site"], "police": ["staff", "sites"], "water": ["rows"]})
    assert found.lost == {"ecology": ("rows",), "fire": ("site.address",)}
    assert found.stand == {"water": "recused", "police": "agree"}
    assert [spoken([m], "en", {**NAMES, "rows": "the capability table"}) for m in found.record] == [
        "Ecology: asked again, because this was changed: the capability table",
        "Fire: asked again, because this was changed: site.address",
        "The answers of these stand, for nothing they rest on was changed: Water, police"]
    assert spoken(found.record, "zh").startswith("ecology：须重新答复，因下列内容已变更：rows；")


def test_who_names_no_subject_rests_on_everything() -> None:
    assert carried({"fire": "agree"}, ["name"], {}).lost == {"fire": ("name",)}
    assert carried({"fire": "agree"}, [], {}).stand == {"fire": "agree"}
    assert carried({"fire": "agree"}, ["name"], {"fire": []}).stand == {"fire": "agree"}


def test_an_answer_that_lost_force_opens_the_round_again() -> None:
    formula = rule({"all": {"each": "departments"}})
    answers = dict.fromkeys(LISTS["departments"], "agree")
    assert outcome(formula, LISTS, answers) is Outcome.AGREED
    subjects = {"ecology": ["rows"], "fire": ["site"], "water": ["rows"]}
    left = carried(answers, ["site"], subjects).stand
    assert evaluate(formula, LISTS, left).pending == ("fire",)
