"""The ways a case can go: every situation that can be reached, and what leads from one to the next.

A situation is a case reduced to what makes a difference: state, track, the facts that somebody looks at, the
answers of the present round, who took which of the steps that separation of duties asks about, which clocks run or
rest, which jobs are on their way, and whether it has been decided and signed since it last awaited a decision.
Rounds and versions are not followed; a stopped clock is as good as none; every clock may run out at any time.
All steps are the engine's own (`permit`, `fire`).
"""

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import replace
from datetime import date
from heapq import heappop, heappush
from typing import Any, TypeVar

from workflow import engine, situations
from workflow.abstraction import Open, Undecided, Vocabulary, watching
from workflow.case import Case
from workflow.commands import Command
from workflow.joint_commands import Inform
from workflow.procedure import Action, Duty, Procedure, duties
from workflow.reduction import Crowd, Reduction
from workflow.relevance import EDITED_ANEW, mattering
from workflow.reopening import Reopening, reopened_facts, with_open
from workflow.situations import EVERYTHING, Grows, Move, Reached, Situation, TooMany
from workflow.specimens import specimens
from workflow.stories import STORY_DAY, Kind, lapse_day, law_of, opening
from workflow.surroundings import ANY, EDITED, JOBS, REPORTED, Staff, could, holders
from workflow.verbs.facts import is_the_occasion
from workflow.vocabulary import SYSTEM, Actor, Refusal, Role

T = TypeVar("T")


class Ways:
    """All situations of a procedure with some people, and the moves between them. Explored when made."""

    def __init__(
        self,
        procedure: Procedure,
        staff: Staff,
        given: Mapping[str, Any],
        max_states: int,
        like: "Ways | None" = None,
        whole: bool = False,
    ) -> None:
        """`like`: ways already explored in which nearly the same is looked at; it saves finding that out anew.
        `whole`: follow situations apart that could be followed as one (for comparing).

        Raises TooMany, Unknowable (`abstraction`) and NoSpecimen (`specimens`)."""
        self.original, self.staff, self.max_states, self.given = procedure, staff, max_states, given
        self.whole = whole
        self.vocabulary = Vocabulary(procedure, staff)
        if like is not None:
            self.vocabulary.learn(like.vocabulary)
        self.law = law_of(procedure)
        # A name of its own: the machine of an exploration is thrown away with it.
        self.shown = replace(watching(procedure, self.vocabulary), digest=f"{procedure.digest}:{id(self)}")
        self.lapse_actions = {c.on_lapse for c in procedure.spec.clocks.values() if c.on_lapse}
        self.decided_from = situations.awaiting_decision(procedure)
        self.crowd = Crowd(procedure, staff)
        self._people = {a.name: [p for p in staff.people if could(a, p)] for a in procedure.actions}
        # What is looked at is found by looking; then everything is explored with it in view. Most is found early.
        try:
            early = () if like else (200, 1500)
            afresh = True
            for bound in (*(b for b in early if b < max_states), max_states):
                while afresh := self._explore(bound, afresh):
                    pass
                if self.growing or not self._queue:
                    break
        finally:
            engine._machines.pop(self.shown.digest, None)

    @property
    def transitions(self) -> int:
        return sum(len(s.leads) for s in self.found)

    # -- the search ------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._in_view = self.vocabulary.inspected
        self.growing: Grows | None = None
        self.found: list[Situation] = []
        self._known: dict[Any, int] = {}
        self._reduction = Reduction(
            self.original, self.vocabulary, self.staff, self.crowd, self.law, self.whole
        )
        self._reopening = Reopening(self.original, self._reduction.matters)
        self._queue: list[tuple[int, int, int]] = []  # distance, when it was put there, situation
        self._idle: set[tuple[str, str, str]] = set()
        first = opening(
            self.original, {f: Open(f) if v is ANY else v for f, v in self.given.items()}, self.law
        )
        self._reach(self._reduction.settled(first), frozenset(), frozenset(), None)

    def _explore(self, bound: int, afresh: bool) -> bool:
        """Explore up to `bound` situations, from the first or from where it was left; whether something was looked
        at that had not been in view at the first: then all has to be explored afresh."""
        if afresh:
            self._begin()
        while self._queue and (bound == self.max_states or len(self.found) < bound):
            here = heappop(self._queue)[2]
            situation = self.found[here]
            if situation.done:
                continue
            situation.done = True
            try:
                for case, jobs, marks, move in self._moves(here):
                    there = self._reach(case, jobs, marks, (here, move))
                    situation.leads.append((there, move))
            except Grows as grows:
                self.growing = grows
                break
        if self.vocabulary.inspected != self._in_view:
            return True
        return mattering(self.original, self.vocabulary) != self._reduction.matters

    def _reach(
        self, case: Case, jobs: frozenset[str], marks: frozenset[str], came: tuple[int, Move] | None
    ) -> int:
        key = (*self._reduction.key(case), jobs, marks)
        at = self._known.get(key)
        cost, unsaid = (0, {}) if came is None else self._told(case, *came)
        if at is not None:
            known = self.found[at]
            if cost < known.distance and not known.done:  # a shorter way, by what only turns out
                known.distance, known.came, known.unsaid = cost, came, unsaid
                heappush(self._queue, (cost, len(self.found), at))
            return at
        if len(self.found) >= self.max_states:
            raise TooMany
        at = self._known[key] = len(self.found)
        self.found.append(Situation(case, jobs, marks, cost, came, unsaid=unsaid))
        heappush(self._queue, (cost, at, at))
        return at

    def _told(self, case: Case, here: int, move: Move) -> tuple[int, Mapping[str, Any]]:
        """How many steps a story needs as far as this case; and what facts were that have been reopened unsaid."""
        before = self.found[here]
        if move.kind is None or move.passing:
            reopened = reopened_facts(before.case, case) if move.passing else {}
            known, unsaid, steps = move.learned, {**reopened, **before.unsaid}, 0
        else:
            known, steps = move.learned, 1
            unsaid = {f: v for f, v in before.unsaid.items() if f not in self._reopening.anew(move.kind, move.taken)}
        if any(f in known and not self.vocabulary.same(f, known[f], v) for f, v in before.unsaid.items()):
            return before.distance + steps + 1, {}  # the reopening has to be told
        return before.distance + steps, unsaid

    def _moves(self, here: int) -> list[Reached]:
        """Everything that may happen next; or, when an open fact is looked at, the values it may have."""
        situation = self.found[here]
        if self.original.states[situation.case.state].final:
            return []
        case = self.vocabulary.watched(situation.case)
        self.vocabulary.look_as(case.state)
        try:
            self._look(situation, case)
            return self._acts(here, situation, case)
        except Undecided as undecided:
            situation.splits = True
            self._reopening.fell_apart((case.state, case.track), undecided.fact)
            return [
                (
                    self._reduction.deciding(situation.case, {undecided.fact: value}),
                    situation.jobs,
                    situation.marks,
                    Move(None, learned={undecided.fact: value}),
                )
                for value in self.vocabulary.values(undecided.fact)
            ]

    def _look(self, situation: Situation, case: Case) -> None:
        """Who is waited for here, and whether anybody can come; what is owed by a clock, and whether it can act."""
        asks = any(d.each or d.signers for d in self.original.states[case.state].duties)
        answered = case.answered() if asks else frozenset()
        present = duties(self.original, case.state, case.agency_id, case.facts, answered)
        leaving = [
            a
            for a in self.shown.leaving(case.state)
            if a.spec.track in (None, case.track)
            and not a.automatic
            and (not a.spec.occasion or is_the_occasion(a.spec.occasion, case))
        ]
        unserved = []
        for duty in sorted(present, key=lambda d: (d.role, d.holder)):
            fitting = holders(self.staff.people, duty.role, duty.holder)
            if not any(a.who(p, case) and not engine._conflict(a, case, p) for p in fitting for a in leaving):
                unserved.append(duty)
        running = {self.original.spec.clocks[c.name].on_lapse for c in case.clocks if c.is_running}
        stuck = []
        for name in sorted(n for n in running if n):
            try:
                engine.permit(self.shown, case, name, SYSTEM)
            except Refusal:
                stuck.append(name)
        situation.stuck_lapses = tuple(stuck)
        situation.lapses = bool(running - {None, *stuck}) or any(
            JOBS.get(job) in {a.name for a in leaving} for job in situation.jobs
        )
        situation.unserved = tuple(unserved)
        if not present and not situation.lapses:
            situation.unserved = (Duty(Role.SYSTEM, "nobody"),)

    def _acts(self, here: int, situation: Situation, case: Case) -> list[Reached]:
        """What people, clocks and jobs may do here. Where facts can be reopened that are known, people wait for it:
        whatever they may do now they may do then."""
        edits = list(self._edits(situation))
        actions = [a for a in self.shown.leaving(case.state) if a.spec.track in (None, case.track) and not a.automatic]
        if self.whole:
            return [*edits, *(r for a in actions for r in self._steps(here, situation, case, a))]
        early, volatile = self._reopened(here, situation, case, edits, actions)
        passing = next((r for r in early if r[3].passing), None)
        if passing is not None:
            system = [a for a in actions if a.spec.who == "is_the_system"]
            return [passing, *(r for a in system for r in self._steps(here, situation, case, a))]
        rest = [a for a in actions if a.name not in self._reopening.candidates]
        return [*early, *(r for a in rest for r in self._steps(here, situation, case, a, volatile))]

    def _reopened(
        self, here: int, situation: Situation, case: Case, edits: list[Reached], actions: list[Action]
    ) -> tuple[list[Reached], set[str]]:
        """The edits and the acts that may reopen facts; the facts that they do reopen here."""
        place = (case.state, case.track)
        found: list[Reached] = []
        volatile: set[str] = set()
        if self.original.states[case.state].editable:
            volatile |= self._reopening.facts(place, Kind.EDIT, "")
        for reached in edits:
            opens = reached[3].kind is Kind.EDIT and not reached[3].reported
            passes = opens and bool(self._reopening.facts(place, Kind.EDIT, ""))
            found.append((*reached[:3], replace(reached[3], passing=True)) if passes else reached)
        key = (situation.jobs, situation.marks)
        for action in (a for a in actions if a.name in self._reopening.candidates):
            for after, jobs, marks, move in list(self._steps(here, situation, case, action, volatile)):
                facts = self._reopening.facts(place, move.kind, action.name)
                pure = bool(facts) and move.kind is Kind.ACT and not move.learned and (jobs, marks) == key
                if pure:
                    opened = replace(situation.case, facts=with_open(situation.case, facts))
                    pure = self._reduction.key(after) == self._reduction.key(opened)
                if pure:
                    volatile |= facts
                    known = any(type(situation.case.facts.get(f)) is not Open for f in facts)
                    move = replace(move, passing=known)
                found.append((after, jobs, marks, move))
        return found, volatile

    def _edits(self, situation: Situation) -> Iterator[Reached]:
        case = situation.case
        if not self.original.states[case.state].editable:
            return
        matters = self._reduction.matters[case.state, case.track]
        opened = {f: Open(f) for f in EDITED_ANEW & matters if type(case.facts.get(f)) is not Open}
        if opened:
            yield self._reduction.deciding(case, opened), situation.jobs, situation.marks, Move(Kind.EDIT)
        for fact, value in EDITED.items():
            if value is not ANY and fact in case.facts and repr(case.facts[fact]) != repr(value):
                move = Move(Kind.EDIT, reported={fact: value})
                yield self._reduction.deciding(case, {fact: value}), situation.jobs, situation.marks, move

    def _steps(
        self, here: int, situation: Situation, case: Case, action: Action, volatile: Set[str] = frozenset()
    ) -> Iterator[Reached]:
        if action.spec.verb in situations.IDLE and not self.whole:
            yield from self._idle_steps(here, situation, case, action)
            return
        yield from self._taken(here, situation, case, action, volatile)

    def _taken(
        self, here: int, situation: Situation, case: Case, action: Action, volatile: Set[str]
    ) -> Iterator[Reached]:
        for kind, actor in self._actors(situation, case, action):
            lapsed = lapse_day(self.original, case, action.name) if kind is Kind.LAPSE else None
            asks = volatile if kind is Kind.ACT else frozenset[str]()
            for permitted, known in self._permitted(case, action, actor, asks):
                for command in specimens(self.original, action, permitted, actor, self.staff, self.crowd.alike):
                    day = lapsed or STORY_DAY
                    for steps, learned in self._fired(permitted, action, actor, command, day, asks):
                        move = Move(kind, action.name, actor, command, {**known, **learned})
                        yield self._after(here, situation, steps, move)

    def _idle_steps(self, here: int, situation: Situation, case: Case, action: Action) -> Iterator[Reached]:
        """A verb that leaves the situation as it is, whatever it looks at: seen to do so, it leads back to where the
        case stands, nothing need be decided for it, and it does so wherever a case stands in this state."""
        place = (action.name, case.state, case.track)
        if place in self._idle:
            return
        todo: list[tuple[Case, Mapping[str, Any]]] = [(case, {})]
        asked: Undecided | None = None
        while todo:
            known, learned = todo.pop()
            try:
                found = list(self._taken(here, situation, known, action, EVERYTHING))
            except Undecided as undecided:
                asked = asked or undecided
                todo += self._decided(known, learned, undecided.fact)
                continue
            for after, jobs, marks, move in found:
                told = {**learned, **move.learned}
                as_it_was = self._reduction.deciding(after, {f: Open(f) for f in told})
                here_again = self._reduction.key(as_it_was) == self._reduction.key(situation.case)
                if here_again and (jobs, marks) == (situation.jobs, situation.marks):
                    self._idle.add(place)
                    yield situation.case, jobs, marks, replace(move, learned=told)
                    return
                if asked or told:  # it does change something: then it is an action like any other
                    raise asked or Undecided(next(iter(told)))
                yield after, jobs, marks, move

    def _permitted(
        self, case: Case, action: Action, actor: Actor, asks: Set[str]
    ) -> Iterator[tuple[Case, Mapping[str, Any]]]:
        """The case, if the engine permits the action; for each value of the facts `asks` on which that hangs."""

        def permitted(known: Case) -> Case:
            engine.permit(self.shown, known, action.name, actor)
            return known

        return self._tried(case, permitted, lambda undecided: undecided.fact in asks)

    def _fired(
        self, case: Case, action: Action, actor: Actor, command: Command, day: date, asks: Set[str]
    ) -> Iterator[tuple[list[engine.Step], Mapping[str, Any]]]:
        """What the engine makes of it; for each value of an open fact where what follows hangs on it, or, of the
        facts `asks`, whether."""
        return self._tried(
            case,
            lambda known: engine.fire(self.shown, known, action.name, actor, command, day, self.law),
            lambda undecided: undecided.asks != action.name or undecided.fact in asks,
        )

    def _tried(
        self, case: Case, attempt: Callable[[Case], T], falls_apart: Callable[[Undecided], bool]
    ) -> Iterator[tuple[T, Mapping[str, Any]]]:
        """What the attempt comes to where it is not refused, and what had to be learned for it."""
        todo: list[tuple[Case, Mapping[str, Any]]] = [(case, {})]
        while todo:
            known, learned = todo.pop()
            try:
                yield attempt(known), learned
            except Refusal:
                continue
            except Undecided as undecided:
                if not falls_apart(undecided):
                    raise
                todo += self._decided(known, learned, undecided.fact)

    def _decided(
        self, case: Case, learned: Mapping[str, Any], fact: str
    ) -> Iterator[tuple[Case, Mapping[str, Any]]]:
        for value in reversed(self.vocabulary.values(fact)):
            decided = {fact: value}
            yield self.vocabulary.watched(self._reduction.deciding(case, decided)), {**learned, **decided}

    def _actors(self, situation: Situation, case: Case, action: Action) -> list[tuple[Kind, Actor]]:
        """One actor of each kind that can be told apart."""
        if action.spec.who == "is_the_system":
            if action.command is Inform:  # another case may tell it at any time, and need not ever
                return [(Kind.TOLD, SYSTEM)]
            if action.name in self.lapse_actions:
                running = (c.name for c in case.clocks if c.is_running)
                owed = any(self.original.spec.clocks[n].on_lapse == action.name for n in running)
                return [(Kind.LAPSE, SYSTEM)] if owed else []
            done = any(JOBS.get(job) == action.name for job in situation.jobs)
            return [(Kind.JOB, SYSTEM)] if done else []
        fitting = [p for p in self._people[action.name] if action.who(p, case)]
        if len(fitting) < 2:
            return [(Kind.ACT, p) for p in fitting]
        return [(Kind.ACT, p) for p in {self.crowd.alike_in(p, case): p for p in reversed(fitting)}.values()]

    # -- what a step leaves ----------------------------------------------------------------------------------

    def _after(self, here: int, situation: Situation, steps: list[engine.Step], move: Move) -> Reached:
        jobs, marks = set(situation.jobs), set(situation.marks)
        reported: dict[str, Any] = {}
        opened: dict[str, Any] = {}
        for step in steps:
            spec = step.action.spec
            jobs |= {j for j in spec.jobs if j in JOBS}
            if move.kind is Kind.JOB:
                jobs -= {j for j, done in JOBS.items() if done == step.action.name}
            marks |= situations.marks_of(step, self.original.states[step.after.state])
            if step.after.state != step.before.state and step.after.state in self.decided_from:
                marks = set()  # it awaits a decision: what was decided before does not count
            for register in spec.registers:
                for fact, value in REPORTED.get(register, {}).items():
                    (opened if value is ANY else reported)[fact] = Open(fact) if value is ANY else value
                    (reported if value is ANY else opened).pop(fact, None)
        after = steps[-1].after
        case = self._reduction.settled(after.with_facts(**reported, **opened))
        move = replace(move, reported=reported, taken=tuple(s.action.name for s in steps))
        if growing := situations.endless(after, case):
            raise Grows(here, move, growing)
        return case, frozenset(jobs), frozenset(marks), move
