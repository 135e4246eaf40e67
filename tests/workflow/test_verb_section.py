"""The `verbs:` section: what is refused at load, with its place; and what is written out."""

import pytest

from workflow import procedures
from workflow.procedure import DefinitionError, parse

TEXT = (procedures.HERE / "cma.v2.yaml").read_text("utf-8")


def faults(*changes: tuple[str, str]) -> list[str]:
    """What is said of the definition with these changes made in its verbs."""
    head, verbs = TEXT.split("\nverbs:", 1)
    for old, new in changes:
        assert old in verbs, old
        verbs = verbs.replace(old, new, 1)
    try:
        parse(f"{head}\nverbs:{verbs}".encode(), "cma.v2.yaml")
    except DefinitionError as error:
        return [f"{fault.line}: {fault.what}" for fault in error.found]
    return []


@pytest.mark.parametrize(("change", "place", "what"), [
    (("to: accepted", "to: nowhere"), "verbs.return.1", "there is no state called nowhere"),
    (("from: [under_review], who: review_organiser", "from: [elsewhere], who: review_organiser"),
     "verbs.return.1", "there is no state called elsewhere"),
    (("rests: applicant_cause", "rests: bad_weather"), "verbs.return.0.rests", "there is no ground called bad_weather"),
    (("straight_back_by: [resubmit]", "straight_back_by: [grant]"), "verbs.return.0.straight_back_by",
     "grant does not lead on from correction_requested"),
    (("straight_back_by: [resubmit]", "straight_back_by: [fly]"), "verbs.return.0.straight_back_by",
     "there is no action called fly"),
    (("acts: [conclude_meets", "acts: [grant, conclude_meets"), "verbs.recall", "grant has irreversible"),
    (("acts: [conclude_meets", "acts: [accept, conclude_meets"), "verbs.recall", "accept has registers"),
    (("acts: [conclude_meets", "acts: [sign_off, conclude_meets"), "verbs.recall", "sign_off leads nowhere"),
    (("acts: [conclude_meets", "acts: [request_correction, conclude_meets"), "verbs.recall",
     "request_correction ends the case or hands it to the applicant"),
    (("grounds: [applicant_cause", "grounds: [bad_weather"), "verbs.suspend.grounds",
     "there is no ground called bad_weather"),
    (("still: [retract]", "still: [withdraw]"), "verbs.suspend.still", "there is no action called withdraw"),
    (("transfer: {from: [submitted", "transfer: {from: [nowhere"), "verbs.transfer.from",
     "there is no state called nowhere"),
    (("copy: {who: works_on_it}", "copy: {}"), "verbs.copy.who", "somebody has to be named"),
    (("copy: {who: works_on_it}", "copy: {who: everybody}"), "actions.copy.who", "there is no rule called everybody"),
    (("comment:", "shout:"), "verbs.shout", "Extra inputs are not permitted"),
    (("minutes: 15", "minutes: 0"), "verbs.recall.minutes", "greater than or equal to 1"),
])  # fmt: skip
def test_verbs_that_do_not_fit_are_refused_at_their_place(change: tuple[str, str], place: str, what: str) -> None:
    found = faults(change)
    assert any(place in said and what in said for said in found), found
    first_line = TEXT.split("\nverbs:", 1)[0].count("\n") + 2
    if place.startswith("verbs"):
        assert all(int(said.partition(":")[0]) >= first_line for said in found), found


def test_the_section_as_it_is_has_no_fault() -> None:
    assert faults() == []


def test_a_recall_needs_to_know_what_an_effect_changes() -> None:
    said = faults(("acts: [conclude_meets", "acts: [ask_departments_again, conclude_meets"))
    assert any("ask_departments_again" in each for each in said)


def test_every_action_that_leaves_a_step_clears_its_desk() -> None:
    cma = procedures.find("cma", 2)
    for action in cma.actions:
        if action.spec.verb is None:
            first = action.spec.effects[0]
            kind = first if isinstance(first, str) else "remember" if first.remember else ""
            assert kind == ("remember" if action.name in cma.spec.verbs.recall.acts else  # type: ignore[union-attr]
                            "clear_the_desk" if action.target else "close_recall"), action.name  # fmt: skip


def test_a_label_says_in_both_languages_what_a_verb_is_about() -> None:
    cma = procedures.find("cma", 2)
    for action in cma.actions:
        if action.spec.verb:
            for words in (action.spec.label, action.spec.done):
                assert words.en and words.zh and "%(" not in words.en + words.zh, action.name


def test_cma_borrows_every_verb_and_each_action_has_a_name_of_its_own() -> None:
    cma = procedures.find("cma", 2)
    names = [a.name for a in cma.actions if a.spec.verb]
    assert len(names) == len(set(names)) and {a.spec.verb for a in cma.actions if a.spec.verb} == {
        "return", "hand_back", "recall", "transfer", "consult", "stop_consulting", "advise", "add_signer",
        "remove_signer", "remind", "suspend", "resume", "copy", "comment"}  # fmt: skip
