"""A second opinion on a definition: naive, slow, and without a line of the first.

It reads the YAML as a dict, knows by itself what each rule, guard, effect, command and register means, holds every
fact at a value from the start (no fact is ever "open"), and walks every state that this gives, depth first. It says
only whether the definition is sound, and what it found; it tells no stories.
"""

from collections.abc import Iterator
from itertools import combinations, product
from typing import Any

ROLE_OF_RULE = {
    "is_the_applicant": {"applicant"}, "answers_for_a_department_asked": {"department_officer"},
    "leads_the_team": {"team_leader"}, "is_on_the_team": {"team_leader", "reviewer"}, "is_the_system": {"system"},
    "decides_for_the_department": {"department_leader"}, "works_for_the_deciding_department": {"department_officer"},
}  # fmt: skip
REPORTS = {  # register -> fact -> values it may have afterwards (None: anything)
    "record_findings": {"findings_open": None, "findings_failed": None},
    "open_checklist": {"findings_open": None, "findings_failed": [0]},
    "confirm_rows": {f"rows_{w}": None for w in ("total", "open", "confirmed", "refused")},
    "open_correction_items": {"corrections_open": [1]},
    "issue_certificate": {"certificate_rendered": [False]},
    "commitment_is_open": {"commitment_bars": None},
    "issue_licence": {"certificate_rendered": [False]},
    "open_joint_checklist": {"findings_open": None, "findings_failed": [0]},
}
SILENT_REGISTERS = {
    "freeze_application", "number_acceptance", "digest_what_is_promised", "team_suits_the_case", "annul_certificate",
    "bar_commitment_track", "certificate_is_gone", "nominees_are_fit",
}  # fmt: skip
BY_THE_APPLICANT = {"dossier_gaps", "rows_total", "rows_open", "rows_confirmed", "rows_refused", "commitment_bars",
                    "corrections_open", "application_types", "departments", "licences",
                    "deciding_departments"}  # fmt: skip
JOBS = {"render_certificate": "record_rendering"}
DEPARTMENTS = ("d1", "d2", "d3", "d4")
DECIDING = {"Decide", "Refuse", "Annul"}
JOINT = {  # effect -> the fact it writes, and what it adds
    "note_result": ("results", "command"), "note_separation": ("separated", "command"),
    "separate_licence": ("separated", "command"), "release_undecided": ("separated", "undecided"),
    "note_experts": ("nominations", "by"), "close_nominations": ("nominations_closed", "yes"),
    "take_review": ("review_conclusion", "it"), "go_alone": ("alone", "yes"),
}  # fmt: skip
OF_LICENCES = ("agriculture", "construction")  # departments that decide one each


class Second:
    """The opinion: `faults` is empty when the definition is sound."""

    def __init__(self, raw: dict[str, Any], limit: int = 400_000) -> None:
        self.raw, self.limit = raw, limit
        self.actions: dict[str, dict[str, Any]] = raw["actions"]
        self.states: dict[str, dict[str, Any]] = raw["states"]
        self.clocks: dict[str, dict[str, Any]] = raw.get("clocks", {})
        self.formula = next((s["sign_off"] for s in self.states.values() if s.get("sign_off")), None)
        self.lapses = {c["on_lapse"] for c in self.clocks.values() if c.get("on_lapse")}
        self.faults: list[str] = list(self._on_paper())
        if not self.faults:
            self._walk()

    # -- read without walking --------------------------------------------------------------------------------

    def _on_paper(self) -> Iterator[str]:
        for name in self.raw.get("numbers", {}):
            if not self.raw.get("number_articles", {}).get(name):
                yield f"number {name}"
        for name, action in self.actions.items():
            for register in action.get("registers", ()):
                if register not in REPORTS and register not in SILENT_REGISTERS:
                    yield f"register {register}"
            for place in (*action["from"], *([action["to"]] if action.get("to") else ())):
                if place not in self.states:
                    yield f"{name} speaks of {place}"
            if action.get("extends") and action.get("command", "Plain") not in ("Decide", "ExtendWithApproval"):
                yield f"{name} extends without grounds"
            if action.get("command") == "Inform" and (action["who"] != "is_the_system" or action.get("automatic")):
                yield f"{name} is told to somebody else"
            if action.get("automatic") and not action.get("to"):
                yield f"{name} leads nowhere"
            if any(other not in self.actions for other in action.get("apart_from", ())):
                yield f"{name} is apart from nothing"
        for name, clock in self.clocks.items():
            lapse = clock.get("on_lapse")
            if lapse is not None:
                action = self.actions.get(lapse)
                if action is None or action["who"] != "is_the_system" or action.get("command", "Plain") != "Plain":
                    yield f"lapse of {name}"
                elif any(s not in action["from"] for s in clock["runs_in"]):
                    yield f"lapse of {name} does not leave"
        for name, state in self.states.items():
            mine = [a for a in self.actions.values() if name in a["from"]]
            if state.get("final") and mine:
                yield f"{name} is left after the end"
            if not state.get("final") and not state.get("duties") and not any(
                a.get("automatic") or a["who"] == "is_the_system" for a in mine
            ):
                yield f"{name} waits for nobody"
        # a circle of automatic steps on paper is refused whether or not a case would go round in it
        hops = {(s, a["to"]) for a in self.actions.values() if a.get("automatic") and a.get("to")
                for s in a["from"]}
        for start in {s for s, _ in hops}:
            seen, todo = set(), [start]
            while todo:
                here = todo.pop()
                for s, t in hops:
                    if s == here and t not in seen:
                        seen.add(t)
                        todo.append(t)
            if start in seen:
                yield f"automatic circle at {start}"
        if self.formula is not None and not _agreeable(self.formula):
            yield "a formula nobody can satisfy"

    # -- what may be so ----------------------------------------------------------------------------------------

    def _domain(self, fact: str) -> list[Any]:
        if fact == "departments":
            return [DEPARTMENTS[:n] for n in range(self._most() + 1)]
        if fact == "licences":
            among = next((a["opens"]["among"] for a in self.actions.values() if "each" in a.get("opens", {})), ())
            return [tuple(among[:n]) for n in range(3)]
        if fact == "deciding_departments":
            return [OF_LICENCES[:n] for n in range(3)]
        if fact == "application_types":
            return [(), ("first",), ("extension",)]
        found: list[Any] = []
        for action in self.actions.values():
            for guard in action.get("guards", ()):
                if isinstance(guard, dict) and guard["fact"] == fact:
                    if "is" in guard or "is_not" in guard:
                        value = guard["is"] if "is" in guard else guard["is_not"]
                        found += [value, value + 1 if type(value) is int else "something else"]
                    elif "at_least" in guard:
                        found += [guard["at_least"], guard["at_least"] - 1]
                    else:
                        found += ["", "there"]
        if fact == "commitment_bars":
            found += ["", "there"]
        distinct: list[Any] = []
        for value in [*found, None]:
            if not any(value is v or (value == v and type(value) is type(v)) for v in distinct):
                distinct.append(value)
        return distinct

    def _most(self) -> int:
        """So many departments that a quorum can be reached."""
        return max(2, (self.formula or {}).get("at_least", 1))

    def _asked_about(self) -> set[str]:
        """The facts that matter at all."""
        found = {g["fact"] for a in self.actions.values() for g in a.get("guards", ()) if isinstance(g, dict)}
        named = {g for a in self.actions.values() for g in a.get("guards", ()) if isinstance(g, str)}
        if "mode_suits_the_application" in named:
            found.add("application_types")
        if "correction_is_the_first" in named:
            found.add("corrections")
        if "commitment_stands" in named:
            found |= {"commitment_bars", "commitment_text_sha256"}
        if self.formula is not None or {"every_department_answered", "department_still_owes_an_answer"} & named:
            found.add("departments")
        if any(d.get("each") or d.get("signers") for s in self.states.values() for d in s.get("duties", ())):
            found.add("departments")
        duties = [d for s in self.states.values() for d in s.get("duties", ())]
        found |= {d[word] for d in duties for word in ("each", "unless") if d.get(word)}
        if {"results_are_in", "licence_can_be_separated", "every_licence_has_its_result"} & named:
            found |= {"licences", "separated", "results"}
        if "every_department_has_its_expert" in named:
            found |= {"deciding_departments", "nominations", "nominations_closed"}
        return found | {"team_leader"}

    # -- the walk ----------------------------------------------------------------------------------------------

    def _walk(self) -> None:
        self.facts = self._asked_about()
        track = next(iter(self.raw["tracks"]))
        start = self._start(track)
        todo: list[Any] = []
        self.leads: dict[Any, set[Any]] = {}
        self.untold: dict[Any, set[Any]] = {}  # without what other cases tell
        self.by_itself: dict[Any, set[Any]] = {}
        taken: set[str] = set()
        for values in self._all(self._edited(self.raw["initial"])):
            todo.append(_put(start, values))
        seen = set(todo)
        while todo:
            here = todo.pop()
            self.leads[here], self.untold[here], self.by_itself[here] = set(), set(), set()
            self._look_at(here)
            for alone, names, there in self._steps(here):
                taken |= set(names)
                self.leads[here].add(there)
                if alone is not None:
                    self.untold[here].add(there)
                if alone:
                    self.by_itself[here].add(there)
                if there not in seen:
                    if len(seen) > self.limit:
                        raise OverflowError("too many states for a naive walk")
                    seen.add(there)
                    todo.append(there)
        self.faults += [f"{name} is never taken" for name in self.actions if name not in taken]
        been = {s[0] for s in seen} | {self.actions[name].get("to") for name in taken}  # some are only passed through
        self.faults += [f"no case comes to {name}" for name in self.states if name not in been]
        self._look_at_ends(seen)

    def _start(self, track: str) -> Any:
        state = self.raw["initial"]
        clocks = self._clocks({}, None, state, track, "")
        facts = (("deciding_departments", (self.raw["department"],)),) if self.raw.get("department") else ()
        return state, track, facts, (), clocks, frozenset(), frozenset()

    def _edited(self, state: str) -> list[str]:
        return sorted(self.facts & BY_THE_APPLICANT) if self.states[state].get("editable") else []

    def _all(self, facts: list[str]) -> Iterator[dict[str, Any]]:
        for values in product(*(self._domain(f) for f in facts)):
            yield dict(zip(facts, values, strict=True))

    def _look_at(self, here: Any) -> None:
        state, track, facts, answers, clocks, jobs, marks = here
        spec, known = self.states[state], dict(facts)
        if spec.get("final"):
            if spec.get("duties"):
                self.faults.append(f"{state} ends with work to do")
            if any(how != "over" for _, how in clocks):
                self.faults.append(f"{state} ends with a clock")
            if spec["outcome"] == "granted" and not {"decided", "signed"} <= marks:
                self.faults.append(f"{state} granted with {sorted(marks)}")
            if spec["outcome"] == "refused" and "reasoned" not in marks:
                self.faults.append(f"{state} refused without reasons")
            return
        owing: list[tuple[str, str]] = []
        for duty in spec.get("duties", ()):
            if duty.get("each", "departments") != "departments":
                done = known.get(duty.get("unless")) or ()
                owing += [(duty["role"], d) for d in known.get(duty["each"]) or () if d not in done]
            elif duty.get("each") or duty.get("signers"):
                said = {d for d, _, _ in answers}
                owing += [("department_officer", d) for d in self._asked(known) if d not in said]
            elif duty.get("person"):
                owing.append((duty["role"], "seated" if known.get(duty["person"]) else "nobody"))
            elif not duty.get("persons"):
                owing.append((duty["role"], ""))
            elif known.get("team_leader"):
                owing.append((duty["role"], "seated"))
        for role, holder in owing:
            if not any(self._may(a, role, holder, known) for a in self._here(state, track) if not a.get("automatic")):
                self.faults.append(f"{state}: {role} {holder} can do nothing")
        running = [self.clocks[c].get("on_lapse") for c, how in clocks if how == "runs"]
        able = False
        for lapse in filter(None, running):
            action = self.actions[lapse]
            may = action.get("track", track) == track
            if may and all(self._met(g, here, None, "") for g in action.get("guards", ())):
                able = True
            else:
                self.faults.append(f"{state}: {lapse} is refused")
        able = able or any(state in self.actions[JOBS[j]]["from"] for j in jobs if JOBS[j] in self.actions)
        if not owing and not able:
            self.faults.append(f"{state} waits in vain")

    def _may(self, action: dict[str, Any], role: str, holder: str, known: dict[str, Any]) -> bool:
        who = action["who"]
        if role not in ROLE_OF_RULE.get(who, {who}) or holder == "nobody":
            return False
        return not (who in ("leads_the_team", "is_on_the_team") and not known.get("team_leader"))

    def _here(self, state: str, track: str) -> list[dict[str, Any]]:
        return [a for a in self.actions.values() if state in a["from"] and a.get("track", track) == track]

    def _steps(self, here: Any) -> Iterator[tuple[bool | None, list[str], Any]]:
        state, track, facts, answers, clocks, jobs, marks = here
        if self.states[state].get("final"):
            return
        for fact in self._edited(state):
            for value in self._domain(fact):
                yield False, [], _put(here, {fact: value})
        if self.states[state].get("editable") and dict(facts).get("commitment_text_sha256"):
            yield False, [], _put(here, {"commitment_text_sha256": ""})
        for name, action in self.actions.items():
            if state not in action["from"] or action.get("track", track) != track or action.get("automatic"):
                continue
            told = action.get("command") == "Inform"
            if action["who"] == "is_the_system" and not told:
                if name in self.lapses:
                    if not any(how == "runs" and self.clocks[c].get("on_lapse") == name for c, how in clocks):
                        continue
                elif not any(JOBS.get(j) == name for j in jobs):
                    continue
            for command, by in self._asks(action, dict(facts), answers):
                if all(self._met(g, here, command, by) for g in action.get("guards", ())):
                    for there, names in self._after(here, name, command, by):
                        yield None if told else action["who"] == "is_the_system", names, there

    def _asks(self, action: dict[str, Any], known: dict[str, Any], answers: Any) -> Iterator[tuple[Any, str]]:
        """(what is asked for, the department that asks)."""
        kind, who, guards = action.get("command", "Plain"), action["who"], action.get("guards", ())
        if who in ("leads_the_team", "is_on_the_team") and not known.get("team_leader"):
            return
        bys = self._asked(known) if who == "answers_for_a_department_asked" else ("",)
        if who in ("decides_for_the_department", "works_for_the_deciding_department"):
            bys = tuple(known.get("deciding_departments") or ())
        for by in bys:
            if kind == "RecordSignOff":
                yield from ((verdict, by) for verdict in ("agree", "object", "abstain", "recused"))
            elif kind == "RequestCorrection":
                yield from ((late, by) for late in (False, True))
            elif kind == "OrganiseReview":
                yield from ((mode, by) for mode in ("on_site", "documentary"))
            elif kind == "DecideSeparately" or any(g in ("result_is_new", "separation_is_new") for g in guards):
                yield from ((licence, by) for licence in known.get("licences") or ())
            elif kind == "Inform" and "take_review" in action.get("effects", ()):
                yield from ((conclusion, by) for conclusion in ("meets", "does_not_meet"))
            elif kind == "AskAgain":
                for size in range(self._most() + 1):
                    yield from ((named, by) for named in combinations(DEPARTMENTS[: self._most()], size))
            else:
                yield None, by

    def _asked(self, known: dict[str, Any]) -> tuple[str, ...]:
        return tuple(known.get("departments") or ()) if self.formula is None else _signers(self.formula, known)

    def _met(self, guard: Any, here: Any, command: Any, by: str) -> bool:
        state, track, facts, answers, _, _, _ = here
        known = dict(facts)
        if isinstance(guard, dict):
            value = known.get(guard["fact"])
            if "is" in guard:
                return bool(value == guard["is"])
            if "is_not" in guard:
                return bool(value != guard["is_not"])
            if "at_least" in guard:
                return bool((value or 0) >= guard["at_least"])
            return bool(value) == ("present" in guard)
        said = {d: v for d, v, _ in answers}
        licences, results = set(known.get("licences") or ()), set(known.get("results") or ())
        separated = set(known.get("separated") or ())
        if guard == "results_are_in":
            return licences <= results | separated
        if guard == "every_licence_has_its_result":
            return licences <= results
        if guard == "licence_can_be_separated":
            return bool(licences - results - separated) if command is None else command not in results | separated
        if guard == "result_is_new":
            return command not in results
        if guard == "separation_is_new":
            return command not in separated
        if guard == "every_department_has_its_expert":
            return bool(known.get("nominations_closed")) or set(known.get("deciding_departments") or ()) <= set(
                known.get("nominations") or ())
        if guard == "department_still_owes_an_answer":
            return by not in said and not (self.formula is None and command in ("abstain", "recused"))
        if guard == "every_department_answered":
            return all(d in said for d in self._asked(known))
        if guard == "no_department_objected":
            return "object" not in said.values()
        if guard == "sign_off_is_settled":
            return not self._asked(known) or _standing(self.formula, known, said) != "open"
        if guard == "sign_off_is_agreed":
            return not self._asked(known) or _standing(self.formula, known, said) == "agreed"
        if guard == "somebody_is_asked_again":
            stand = [d for d, v, _ in answers if v == "recused" and d in self._asked(known) and d not in command]
            return set(command) <= set(self._asked(known)) and len(stand) < len(self._asked(known))
        if guard == "correction_is_the_first":
            return command is None or command or not known.get("corrections")
        if guard == "team_is_lawful":
            return True  # the teams that are asked for are lawful
        if guard == "mode_suits_the_application":
            visited = {"first", "site_change"} & set(known.get("application_types") or ())
            return not (command == "documentary" and visited)
        if guard == "a_verification_looks_at_the_place":
            return bool(command != "documentary")
        if guard == "commitment_stands":
            return track != "commitment" or bool(
                not known.get("commitment_bars") and known.get("commitment_text_sha256"))
        if guard == "retraction_of_a_commitment_gives_its_reason":
            return True  # it is given
        raise NotImplementedError(guard)

    def _after(self, here: Any, name: str, command: Any, by: str) -> Iterator[tuple[Any, list[str]]]:
        """The step and the automatic ones after it; then the registers, whatever they report."""
        taken = [name]
        now = self._step(here, name, command, by)
        while True:
            follow = next((n for n, a in self.actions.items() if a.get("automatic") and now[0] in a["from"]
                           and a.get("track", now[1]) == now[1]
                           and all(self._met(g, now, None, "") for g in a.get("guards", ()))), None)  # fmt: skip
            if follow is None or follow in taken:
                break
            taken.append(follow)
            now = self._step(now, follow, None, "")
        reports: dict[str, list[Any]] = {}
        for step in taken:
            for register in self.actions[step].get("registers", ()):
                for fact, values in REPORTS.get(register, {}).items():
                    if fact in self.facts:
                        reports[fact] = self._domain(fact) if values is None else values
        for values in product(*reports.values()):
            there = _put(now, dict(zip(reports, values, strict=True)))
            yield there, taken

    def _step(self, here: Any, name: str, command: Any, by: str) -> Any:
        state, track, facts, answers, clocks, jobs, marks = here
        action, known = self.actions[name], dict(facts)
        answered = set(answers)
        for effect in action.get("effects", ()):
            if effect == "record_sign_off":
                if any(a[0] == by for a in answered):
                    self.faults.append(f"{by} answers twice")
                answered = {a for a in answered if a[0] != by} | {(by, command, False)}
            elif effect == "open_new_round":
                answered = set()
            elif effect == "count_correction":
                known["corrections"] = min(2, (known.get("corrections") or 0) + 1)
            elif effect == "seat_team":
                known["team_leader"] = "seated"
            elif isinstance(effect, str) and effect in JOINT:
                fact, value = JOINT[effect]
                known[fact] = self._told(known, fact, value, command, by)
            elif isinstance(effect, dict) and "persons" in effect:
                pass  # who they are is nothing here
            elif isinstance(effect, dict) and "set" in effect:
                known |= effect["set"]
            elif isinstance(effect, dict) and "keep" in effect:
                known |= {f: self._kept(field, command) for f, field in effect["keep"].items()}
            elif isinstance(effect, dict):
                track = effect["track"]
            else:
                raise NotImplementedError(effect)
        target = action.get("to") or state
        where = next((s for s, spec in self.states.items() if spec.get("sign_off")), None)
        if target == where and state != where and (answered or action.get("command") == "AskAgain"):
            named = command if action.get("command") == "AskAgain" else ()
            answered = {a for a in answered if a[1] == "recused" and a[0] in self._asked(known) and a[0] not in named}
        mark = set(marks)
        if action.get("command", "Plain") in DECIDING and action.get("irreversible") and action["who"] not in (
                "is_the_applicant", "applicant"):  # fmt: skip
            mark.add("decided")
        if action.get("reauthenticate") and action["who"] not in ("is_the_applicant", "applicant"):
            mark.add("signed")
        if action.get("command") == "Refuse" or (action["who"] == "is_the_system" and action.get("documents")):
            mark.add("reasoned")
        if target != state and any(
            a.get("command", "Plain") in DECIDING and a.get("irreversible") and target in a["from"]
            and a["who"] not in ("is_the_applicant", "applicant") for a in self.actions.values()
        ):
            mark = set()
        waiting = set(jobs) | {j for j in action.get("jobs", ()) if j in JOBS}
        if action["who"] == "is_the_system" and name not in self.lapses:
            waiting -= {j for j in waiting if JOBS[j] == name}
        turned = self._clocks(dict(clocks), state, target, track, name)
        # tidy: what is read nowhere is dropped, so that the walk ends
        kept = {f: v for f, v in known.items() if f in self.facts and v is not None}
        held = tuple(sorted(kept.items(), key=lambda x: x[0]))
        return target, track, held, tuple(sorted(answered)), turned, frozenset(waiting), frozenset(mark)

    def _told(self, known: dict[str, Any], fact: str, value: str, command: Any, by: str) -> Any:
        if value in ("yes", "it"):
            return True if value == "yes" else command
        undecided = set(known.get("licences") or ()) - set(known.get("results") or ())
        more = {"by": {by}, "command": {command}, "undecided": undecided}[value]
        return tuple(sorted(more | set(known.get(fact) or ())))

    def _kept(self, field: str, command: Any) -> Any:
        return command if field == "mode" else "there"

    def _clocks(self, clocks: dict[str, str], state: str | None, target: str, track: str, name: str) -> Any:
        """Clock -> runs, rests, or over (it had its say while the case stays)."""
        found = {}
        for clock, spec in self.clocks.items():
            how = clocks.get(clock)
            here = target in spec["runs_in"] or target in spec.get("rests_in", ())
            if spec.get("track", track) != track or not here:
                continue
            if how in ("runs", "rests") and spec.get("on_lapse") == name:
                found[clock] = "over"
            elif how in ("runs", "rests"):
                found[clock] = "runs" if target in spec["runs_in"] else "rests"
            elif how == "over" and state == target:
                found[clock] = "over"
            elif target in spec["runs_in"]:
                found[clock] = "runs"
        return tuple(sorted(found.items()))

    def _look_at_ends(self, seen: set[Any]) -> None:
        good = {s for s in seen if self.states[s[0]].get("final") and self.states[s[0]]["outcome"] != "retracted"}
        grown = True
        while grown:
            more = {s for s, after in self.untold.items() if s not in good and after & good}
            good |= more
            grown = bool(more)
        self.faults += sorted({f"from {s[0]} no way ends" for s in seen if s not in good
                               and self.states[s[0]].get("outcome") != "retracted"})  # fmt: skip
        for start in seen:  # a way back to oneself that nobody has to walk
            todo, been = list(self.by_itself[start]), set()
            while todo:
                here = todo.pop()
                if here == start:
                    self.faults.append(f"{start[0]} goes round by itself")
                    return
                if here not in been:
                    been.add(here)
                    todo += self.by_itself[here]


def _put(here: Any, values: dict[str, Any]) -> Any:
    state, track, facts, *rest = here
    known = {**dict(facts), **values}
    held = tuple(sorted(((f, v) for f, v in known.items() if v is not None), key=lambda x: x[0]))
    return (state, track, held, *rest)


# -- the formula, by trying everything -----------------------------------------------------------------------


def _signers(formula: dict[str, Any], known: dict[str, Any]) -> tuple[str, ...]:
    listed = next((formula[k] for k in ("all", "any", "of") if k in formula), ())
    return tuple(known.get(listed["each"]) or ()) if isinstance(listed, dict) else tuple(listed)


def _agreed(formula: dict[str, Any], signers: tuple[str, ...], said: dict[str, str]) -> bool:
    votes = [said[s] for s in signers]
    if "all" in formula:
        return "agree" in votes and "object" not in votes
    return votes.count("agree") >= formula.get("at_least", 1)


def _standing(formula: Any, known: dict[str, Any], said: dict[str, str]) -> str:
    signers = _signers(formula, known)
    missing = [s for s in signers if s not in said]
    ends = {
        _agreed(formula, signers, {**said, **dict(zip(missing, votes, strict=True))})
        for votes in product(("agree", "object", "abstain", "recused"), repeat=len(missing))
    }
    return "open" if len(ends) == 2 else "agreed" if ends == {True} else "refused"


def _agreeable(formula: dict[str, Any]) -> bool:
    listed = next((formula[k] for k in ("all", "any", "of") if k in formula), ())
    if isinstance(listed, dict):
        return True
    return len(listed) >= formula.get("at_least", 1)
