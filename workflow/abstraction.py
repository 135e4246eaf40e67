"""Facts while a procedure is explored: a fact may be open, and is decided only when somebody looks at it.

An open fact stands for every value it may have. The moment a rule, guard or effect looks at it, `Undecided` is
raised; the explorer then goes on once for each value that can be told apart. So the engine's own functions run
unchanged, and only what they really look at is spelled out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any, NoReturn

from workflow.case import Case, SignOff
from workflow.joint_licences import DECIDING
from workflow.procedure import Action, FactGuardSpec, Procedure, ProcedureSpec
from workflow.procedures import departments_of
from workflow.rules import RELATIONS
from workflow.surroundings import EDITED, FAR_DAY, TOLD_APART, Staff, most_asked

ANSWERS = "answers"  # stands beside the facts that a reader looks at


class Undecided(BaseException):  # not an Exception: no guard may swallow it
    """Somebody looked at an open fact. `asks`: the action whose rule or guard it was, '' for all others."""

    def __init__(self, fact: str) -> None:
        super().__init__(fact)
        self.fact, self.asks = fact, ""


class Unknowable(LookupError):
    """A fact is looked at in a way of which nobody has said what it tells apart."""


class Open:
    """The value of a fact that is not decided. Whatever is asked of it raises Undecided."""

    __slots__ = ("fact",)

    def __init__(self, fact: str) -> None:
        object.__setattr__(self, "fact", fact)

    def _asked(self, *_: object) -> NoReturn:
        raise Undecided(self.fact)

    __bool__ = __len__ = __iter__ = __contains__ = __getitem__ = _asked
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __hash__ = _asked
    __add__ = __radd__ = __sub__ = __and__ = __rand__ = __or__ = __ror__ = __int__ = __index__ = _asked
    __str__ = __format__ = _asked

    def __getattr__(self, name: str) -> NoReturn:
        raise Undecided(self.fact)

    def __repr__(self) -> str:
        return f"<open {self.fact}>"


class Gaze:
    """Who looks now: the sets in which is noted what of the facts and of the answers is looked at."""

    __slots__ = ("answers", "facts")

    def __init__(self) -> None:
        self.facts: set[str] = set()
        self.answers: set[str] = set()


class Watched(dict[str, Any]):
    """Facts that note which of them were looked at."""

    __slots__ = ("gaze",)

    def __init__(self, facts: Mapping[str, Any], gaze: Gaze) -> None:
        super().__init__(facts)
        self.gaze = gaze

    def get(self, name: str, default: Any = None) -> Any:
        self.gaze.facts.add(name)
        value = super().get(name, default)
        if type(value) is Open:
            raise Undecided(name)
        return value

    def __getitem__(self, name: str) -> Any:
        self.gaze.facts.add(name)
        value = super().__getitem__(name)
        if type(value) is Open:
            raise Undecided(name)
        return value

    def __contains__(self, name: object) -> bool:
        self.gaze.facts.add(str(name))
        if type(super().get(str(name))) is Open:
            raise Undecided(str(name))
        return super().__contains__(name)


class Answers(tuple[SignOff, ...]):
    """Sign-offs that note that they were looked at."""

    gaze: Gaze

    def __new__(cls, answers: Iterable[SignOff], gaze: Gaze) -> "Answers":
        made = super().__new__(cls, answers)
        made.gaze = gaze
        return made

    def __iter__(self) -> Iterator[SignOff]:
        self.gaze.answers.add(ANSWERS)
        return super().__iter__()

    def __getitem__(self, place: Any) -> Any:
        self.gaze.answers.add(ANSWERS)
        return super().__getitem__(place)

    # Their mere number is asked by the engine's bookkeeping alone (`rounds.stamped`), which notes nothing here.


class Vocabulary:
    """What can be told apart: which facts somebody looks at, by which tests, and so which of their values differ.

    `inspected`: facts that a function looked at, whose values are therefore kept as they are. The others are looked
    at by the definition's own comparisons alone, and two values that pass and fail the same comparisons are one.
    """

    def __init__(self, procedure: Procedure, staff: Staff) -> None:
        self.tests: dict[str, list[tuple[str, Any]]] = {}
        for action in procedure.actions:
            for guard in action.spec.guards:
                if isinstance(guard, FactGuardSpec):
                    (test,) = guard.model_fields_set - {"fact", "otherwise"}
                    found = (test.rstrip("_"), getattr(guard, test))
                    if found not in self.tests.setdefault(guard.fact, []):
                        self.tests[guard.fact].append(found)
        self.compared: dict[str, set[str]] = {}  # action (or state, for its duties) -> facts
        self.inspected_by: dict[str, set[str]] = {}
        self.answers_read: dict[str, set[str]] = {}
        self.gaze = Gaze()
        self.lists = {"departments", *(d.each for s in procedure.states.values() for d in s.duties if d.each)}
        keys = staff.departments
        self.told_apart: dict[str, tuple[Any, ...]] = {
            **TOLD_APART,
            **{
                fact: tuple(keys[:n] for n in range(min(len(keys), most_asked(procedure)) + 1))
                for fact in self.lists
            },
        }
        # Whose departments decide is asked everywhere, and is something only where a joint application says so.
        self.told_apart.setdefault(DECIDING, ((),))
        self.subject = _subject(procedure)
        few = 1 if any(a.spec.verb for a in procedure.actions) else 2  # of licences and their departments
        if own := departments_of(procedure):
            self.told_apart[DECIDING] = tuple(own[:n] for n in range(min(len(own), few) + 1))
        for opens in (a.spec.opens for a in procedure.actions if a.spec.opens):
            if opens.each:  # what one licence may do another may: two of them show all there is
                self.told_apart[opens.each] = tuple(opens.among[:n] for n in range(min(len(opens.among), few) + 1))
        if self.subject:
            self.told_apart.setdefault(self.subject, ("one", "another"))
        for fact in (c.until.fact for c in procedure.spec.clocks.values() if c.until):
            # With a verb in view, one whose lapse leads nowhere is left out (the scope says so).
            left_out = any(a.spec.verb for a in procedure.actions) and not _leads_on(procedure, fact)
            self.told_apart[fact] = (None,) if left_out else (None, FAR_DAY.isoformat())
        self.cap = max([2, *procedure.numbers.values()]) + 1
        self._classes: dict[str, list[tuple[tuple[bool, ...], Any]]] = {}

    @property
    def inspected(self) -> frozenset[str]:
        return frozenset().union(*self.inspected_by.values())

    def learn(self, other: "Vocabulary") -> None:
        """Take over what was looked at in another exploration."""
        for mine, theirs in (
            (self.inspected_by, other.inspected_by),
            (self.answers_read, other.answers_read),
        ):
            for reader, facts in theirs.items():
                mine.setdefault(reader, set()).update(facts)

    def seen_by(self, reader: str) -> set[str]:
        """The facts that an action's functions, or a state's duties, look at; "answers" for the sign-offs."""
        found = (self.compared, self.inspected_by, self.answers_read)
        return set().union(*(kind.get(reader, set()) for kind in found))

    def look_as(self, reader: str) -> tuple[set[str], set[str]]:
        """From now on what is looked at is noted in the name of this reader. The sets of the one before."""
        gaze = self.gaze
        before = gaze.facts, gaze.answers
        gaze.facts = self.inspected_by.setdefault(reader, set())
        gaze.answers = self.answers_read.setdefault(reader, set())
        return before

    def watched(self, case: Case) -> Case:
        """The case, noting in the name of whoever looks what of it is looked at."""
        if type(case.facts) is Watched and type(case.sign_offs) is Answers:
            return case
        return Case(
            case.id, case.procedure, case.procedure_version, case.state, case.track, case.agency_id, case.round,
            case.version, Watched(case.facts, self.gaze), Answers(case.sign_offs, self.gaze), case.acts, case.clocks,
            case.on,
        )  # fmt: skip

    def values(self, fact: str) -> tuple[Any, ...]:
        """One value of each kind that can be told apart. Raises Unknowable."""
        tests = self.tests.get(fact, [])
        if fact in self.inspected and fact not in self.told_apart:
            raise Unknowable(fact)
        tried = list(self.told_apart.get(fact) or _candidates(tests))
        if fact in self.inspected:
            return tuple({repr(_frozen(v)): v for v in tried}.values())
        kinds = {_passes(v, tests): v for v in reversed(tried) if _fits(v, tests)}
        return tuple(reversed(kinds.values()))

    def canonical(self, fact: str, value: Any) -> Any:
        """The value that stands for this one."""
        if type(value) is Open:
            return value
        if fact in self.lists:
            return tuple(sorted(value)) if value else value  # the order in which they are asked is nothing
        if fact in TOLD_APART and fact not in self.tests:
            return (
                self._small(_frozen(value), fact) or None
            )  # there or not: nobody tells one nothing from another
        if fact in self.inspected:
            return self._small(_frozen(value), fact)
        tests = self.tests.get(fact, [])
        kind = _passes(value, tests)
        known = self._classes.setdefault(fact, [(_passes(None, tests), None)])
        for other, standing in known:
            if other == kind:
                return standing
        known.append((kind, _frozen(value)))
        return known[-1][1]

    def same(self, fact: str, one: Any, other: Any) -> bool:
        """Whether nothing tells these values of the fact apart."""
        return repr(self.canonical(fact, one)) == repr(self.canonical(fact, other))

    def _small(self, value: Any, fact: str) -> Any:
        """A counter is followed as far as anything can tell its values apart."""
        if isinstance(value, int) and not isinstance(value, bool):
            if fact in TOLD_APART and fact not in self.tests:
                return min(value, max(TOLD_APART[fact]))
            numbers = [int(v) for _, v in self.tests.get(fact, ()) if isinstance(v, int | float)]
            return min(value, max([self.cap, *(n + 1 for n in numbers)]))
        return value


def _leads_on(procedure: Procedure, fact: str) -> bool:
    """Whether a clock that runs to the day in this fact lapses into another state."""
    clocks = (c for c in procedure.spec.clocks.values() if c.until and c.until.fact == fact and c.on_lapse)
    return any(a.target for c in clocks for a in procedure.actions if a.name == c.on_lapse)


def _subject(procedure: Procedure) -> str:
    """The one fact that stands for all on which answers rest: what they are is only compared with what they were, so
    that one of them changes is as if any did. One that nothing else looks at is best."""
    named = (s for state in procedure.states.values() for found in state.subjects.values() for s in found)
    facts = dict.fromkeys(s for s in named if "." not in s)
    return next((f for f in facts if f in EDITED and f not in TOLD_APART), next(iter(facts), ""))


def _candidates(tests: Iterable[tuple[str, Any]]) -> list[Any]:
    found: list[Any] = [None]
    for test, value in tests:
        if test in ("is", "is_not"):
            found.append(value)
            if isinstance(value, int | float) and not isinstance(value, bool):
                found.append(value + 1)
        elif test == "at_least":
            number = int(value) if value == int(value) else value
            found += [0, number, number - 1]
    return [*found, "other"]


def _fits(value: Any, tests: Iterable[tuple[str, Any]]) -> bool:
    return not (isinstance(value, str) and any(test == "at_least" for test, _ in tests))


def _passes(value: Any, tests: Iterable[tuple[str, Any]]) -> tuple[bool, ...]:
    """How a value fares in each comparison; the same arithmetic as `guards.fact_guard`."""
    return tuple(
        bool(value == wanted)
        if test == "is"
        else bool(value != wanted)
        if test == "is_not"
        else bool((value or 0) >= wanted)
        if test == "at_least"
        else bool(value)
        for test, wanted in tests
    )


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _frozen(value[k]) for k in sorted(value)}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return tuple(_frozen(v) for v in items)
    return value


def watching(procedure: Procedure, vocabulary: Vocabulary) -> Procedure:
    """The same procedure, whose functions are the very ones, each noting which facts it looks at."""

    def rule(action: Action) -> Callable[..., Any]:
        known = action.spec.who not in RELATIONS
        return action.who if known else _noting(action.who, vocabulary, action, 1, asks=True)

    def guards(action: Action) -> tuple[Callable[..., Any], ...]:
        written = zip(action.guards, action.spec.guards, strict=True)
        return tuple(
            _noting(g, vocabulary, action, 1, compares="" if isinstance(s, str) else s.fact, asks=True)
            for g, s in written
        )

    def effects(action: Action) -> tuple[Callable[..., Any], ...]:
        return tuple(_noting(e, vocabulary, action, 0) for e in action.effects)

    actions = (replace(a, who=rule(a), guards=guards(a), effects=effects(a)) for a in procedure.actions)
    return Procedure(_with_one_subject(procedure, vocabulary.subject), tuple(actions), procedure.digest)


def _with_one_subject(procedure: Procedure, subject: str) -> ProcedureSpec:
    states = {
        n: s.model_copy(update={"subjects": {"each": (subject,)}}) if s.subjects and subject else s
        for n, s in procedure.spec.states.items()
    }
    return procedure.spec.model_copy(update={"states": states})


def _noting(
    function: Callable[..., Any],
    vocabulary: Vocabulary,
    action: Action,
    place: int,
    *,
    compares: str = "",
    asks: bool = False,
) -> Callable[..., Any]:
    """`place`: where the case stands among the arguments. `compares`: the one fact that a written comparison reads.
    `asks`: whether the action may be taken hangs on it."""
    if compares:
        vocabulary.compared.setdefault(action.name, set()).add(compares)

    carries = (
        function.__name__ == "open_recall"
    )  # it keeps facts as they are, open ones as well, for a recall

    gaze, name = vocabulary.gaze, action.name

    @wraps(function)
    def noted(*given: Any) -> Any:
        if compares:
            case: Any = _Facts(given[place].facts)
        elif carries:
            case = replace(given[place], facts=dict(given[place].facts))
        else:
            case = vocabulary.watched(given[place])
        before = vocabulary.look_as(name)
        try:
            return function(*given[:place], case, *given[place + 1 :])
        except Undecided as undecided:
            undecided.asks = name if asks else ""
            raise
        finally:
            gaze.facts, gaze.answers = before

    return noted


class _Facts:
    """As much of a case as a written comparison looks at: its facts."""

    __slots__ = ("facts",)

    def __init__(self, facts: Any) -> None:
        self.facts: dict[str, Any] = facts

    def fact(self, name: str, default: Any = None) -> Any:
        value = dict.get(self.facts, name, default)  # without noting it: it is noted once for all
        if type(value) is Open:
            raise Undecided(name)
        return value
