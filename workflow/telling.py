"""Telling a situation: the shortest way there, as a story in plain words, and whom it waits for."""

from workflow.procedure import Duty
from workflow.reopening import may_be_left_out, written_anew
from workflow.situations import Move, Situation
from workflow.stories import ROLE_NAMES, Story, StoryStep, facts_words, role_words, say, step_words
from workflow.surroundings import ANY
from workflow.vocabulary import Message
from workflow.ways import Ways


def nearest(ways: Ways) -> list[tuple[int, Situation]]:
    """Every situation, those first that the fewest steps lead to."""
    return sorted(enumerate(ways.found), key=lambda found: found[1].distance)


def duty_words(duty: Duty) -> Message:
    en, zh = ROLE_NAMES[duty.role]
    kind, _, key = duty.holder.partition(":")
    if kind in ("department", "person") and key:
        return say(f"{en} (%(key)s)", f"{zh}（%(key)s）", key=key)
    return say(en, zh)


def story(ways: Ways, at: int, ending: Message) -> Story:
    """The shortest way to a situation, told and replayable."""
    procedure, path, here = ways.original, [], at
    while (came := ways.found[here].came) is not None:
        path.append((came[1], here))
        here = came[0]
    steps: list[StoryStep] = []
    learned: dict[str, object] = {}
    told = list(reversed(path))
    for n, (move, there) in enumerate(told):
        if move.passing and _goes_without_saying(ways, there, told[n + 1 :]):
            continue
        learned |= move.learned
        if move.kind is None:
            continue
        to = ways.found[there].case.state
        text = step_words(procedure, move.kind, move.action, move.actor, learned, to, role_words(move.actor))
        steps.append(
            StoryStep(move.kind, move.action, move.actor, move.command, learned, move.reported, to, text)
        )
        learned = {}
    last = ways.found[at].case
    known = facts_words(learned)
    shown = (
        say("%(ending)s%(known)s", "%(ending)s%(known)s", ending=ending, known=known) if learned else ending
    )
    given = {f: v for f, v in ways.given.items() if v is not ANY}
    return Story(tuple(steps), shown, last.state, last.track, learned, given)


def _goes_without_saying(ways: Ways, there: int, later: list[tuple[Move, int]]) -> bool:
    """Whether the story is the same one without the facts being reopened on the way."""
    came = ways.found[there].came
    assert came is not None
    by_name = ways.original.by_name
    needed = [(m.learned, written_anew(m.kind, [by_name[name] for name in m.taken])) for m, _ in later]
    before, after = ways.found[came[0]].case, ways.found[there].case
    return may_be_left_out(ways.vocabulary, before, after, needed)
