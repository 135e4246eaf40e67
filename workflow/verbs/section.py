"""The `verbs:` section of a definition, and the plain actions it stands for, written out before the grammar reads them.

    verbs:
      return:
        - {to: under_review, from: [awaiting_decision], who: leader, rests: examination, straight_back_by: [conclude]}
      recall: {acts: [conclude], minutes: 15}
      transfer: {from: [submitted, awaiting_decision]}
      consult: {from: [awaiting_decision], among: [review_organiser, leader]}
      add_signer: {from: [awaiting_sign_off], who: review_organiser}
      remind: {who: [is_the_applicant, works_on_it]}
      suspend: {from: [accepted, under_review], who: leader, grounds: [court_order], still: [retract]}
      copy: {who: [works_on_it]}
      comment: {who: [works_on_it]}

`written_out` works on the raw mapping, so an action that a verb stands for is judged by the same grammar and the same
proof-reading as one written by hand. Where `from` is left out a verb is there in every state that is not final and
not the applicant's own desk.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from workflow.verbs.facts import role_of
from workflow.verbs.words import BACK, spoken
from workflow.vocabulary import Role

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
_ROLES = frozenset(role.value for role in Role)
# What a recall can undo: effects whose facts are known beforehand. The rest of an act may have left the house.
UNDONE: Mapping[str, tuple[str, ...]] = {
    "seat_team": ("team_leader", "team", "team_others"),
    "count_correction": ("corrections",),
}
MOVED = "work_moved"  # the notice to whoever gets work by a verb
WHILE_SUSPENDED = frozenset({"resume", "comment", "copy"})


class UnfitVerbs(ValueError):
    """Verbs that do not fit the definition: each fault as "verbs.PLACE: what is wrong"."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReturnSpec(_Strict):
    """Back to the state `to`. `rests`: the ground on which the clocks rest that run only further on; they run on
    without one. `straight_back_by`: the acts of that state which may lead straight back to whoever returned it."""

    to: Name
    from_: tuple[Name, ...] = Field(alias="from", min_length=1)
    who: Name
    track: Name | None = None
    rests: Name | None = None
    straight_back_by: tuple[Name, ...] = ()


class PlaceSpec(_Strict):
    """Where a verb is there, and for whom."""

    from_: tuple[Name, ...] = Field(default=(), alias="from")
    who: tuple[Name, ...] | Name = ()

    @property
    def rules(self) -> tuple[str, ...]:
        return (self.who,) if isinstance(self.who, str) else self.who


class ConsultSpec(PlaceSpec):
    among: tuple[Role, ...] = Field(min_length=1)  # as what people may be asked


class SuspendSpec(PlaceSpec):
    grounds: tuple[Name, ...] = Field(min_length=1)
    still: tuple[Name, ...] = ()  # acts that a suspended case still allows


class RecallSpec(_Strict):
    """Which acts their author may take back, and for how many minutes their notices wait for that."""

    acts: tuple[Name, ...] = Field(min_length=1)
    minutes: int = Field(ge=1, le=24 * 60)


class VerbsSpec(_Strict):
    """Which verbs a definition borrows. `return` may name a state several times, for different people."""

    return_: tuple[ReturnSpec, ...] = Field(default=(), alias="return")
    recall: RecallSpec | None = None
    transfer: PlaceSpec | None = None
    consult: ConsultSpec | None = None
    add_signer: PlaceSpec | None = None
    remind: PlaceSpec | None = None
    suspend: SuspendSpec | None = None
    copy_: PlaceSpec | None = Field(default=None, alias="copy")
    comment: PlaceSpec | None = None


def written_out(raw: Any, verbs: VerbsSpec) -> dict[str, Any]:
    """The definition with the actions that its verbs stand for. Raises UnfitVerbs."""
    if faults := list(_faults(raw, verbs)):
        raise UnfitVerbs(faults)
    prepared = {name: dict(spec) for name, spec in raw["actions"].items()}
    _prepare(prepared, raw["states"], verbs)
    generated: dict[str, dict[str, Any]] = {}
    for name, action in (*_all(raw, verbs), *_hand_backs(prepared, verbs)):
        if name in prepared or name in generated:
            raise UnfitVerbs([f"verbs: there is an action called {name} already; call that one otherwise"])
        if verbs.suspend and action["verb"] not in WHILE_SUSPENDED:
            action["occasion"] = {**action.get("occasion", {}), "suspended": "no"}
        generated[name] = action
    everything = prepared | generated
    for action in everything.values():
        if action.get("apart_from"):
            action["apart_from"] = list(_with_hand_backs(action["apart_from"], generated))
    return {**raw, "actions": everything}


def _with_hand_backs(acts: Iterable[str], generated: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Who has taken an act by handing the case straight back has taken that act."""
    for act in acts:
        yield act
        yield from (name for name, action in generated.items() if action.get("instead_of") == act)


def _all(raw: Mapping[str, Any], verbs: VerbsSpec) -> Iterator[tuple[str, dict[str, Any]]]:
    states, actions = raw["states"], raw["actions"]
    anywhere = [s for s, spec in states.items() if not spec.get("final") and s != raw["initial"]]
    yield from _returns(states, actions, verbs)
    for act in verbs.recall.acts if verbs.recall else ():
        sources = actions[act]["from"]
        for source in sources:
            occasion = {"last_act": act} | ({"acted_from": source} if len(sources) > 1 else {})
            yield (
                f"recall_{act}" + (f"_to_{source}" if len(sources) > 1 else ""),
                _action("recall", actions[act]["who"], [actions[act]["to"]], to=source, command="Recall",
                        about=actions[act]["label"], guards=["it_was_your_own_act"], effects=["take_back"],
                        occasion=occasion, notify=[MOVED], inside=True, registers=["notices_have_not_left"],
                        **({"track": actions[act]["track"]} if actions[act].get("track") else {})),
            )  # fmt: skip
    if verbs.transfer:
        for role, found in _by_role(states, verbs.transfer, anywhere):
            mine = [f"duty_is_open_as_{role}", f"duty_is_at_hand_as_{role}", "person_is_another"]
            yield _named("transfer", role, verbs.transfer, _action(
                "transfer", role, found, command="Transfer",
                guards=[*mine, f"person_is_apart_as_{role}"],
                effects=["close_recall", f"hand_over_as_{role}"], registers=["person_may_take_it"],
                notify=[MOVED], inside=True))  # fmt: skip
    if verbs.consult:
        places = list(_by_role(states, verbs.consult, anywhere))
        for role, found in places:
            mine = [f"duty_is_open_as_{role}", f"duty_is_at_hand_as_{role}", "person_is_another"]
            yield _named("consult", role, verbs.consult, _action(
                "consult", role, found, command="Consult",
                guards=[*mine, "role_may_be_asked"],
                effects=["close_recall", f"ask_for_advice_as_{role}"], registers=["person_may_take_it"],
                notify=[MOVED], inside=True))  # fmt: skip
            yield _named("stop_consulting", role, verbs.consult, _action(
                "stop_consulting", role, found, guards=["advice_is_asked_by_you"],
                effects=["close_recall", "stop_asking"], occasion={"consulted": ""},
                notify=[MOVED], inside=True))  # fmt: skip
        everywhere = list(dict.fromkeys(s for _, found in places for s in found))
        yield "advise", _action("advise", "is_consulted", everywhere, command="Advise",
                                effects=["close_recall", "give_advice"], notify=[MOVED], inside=True)  # fmt: skip
    if verbs.add_signer:
        for who in verbs.add_signer.rules:
            places_ = verbs.add_signer.from_
            yield _named("add_signer", who, verbs.add_signer, _action(
                "add_signer", who, places_, command="AddSigner", guards=["signer_is_new"],
                effects=["close_recall", "add_signer"], registers=["department_is_known"],
                notify=[MOVED], inside=True))  # fmt: skip
            yield _named("remove_signer", who, verbs.add_signer, _action(
                "remove_signer", who, places_, command="RemoveSigner",
                guards=["signer_was_added", "signer_has_not_answered"], effects=["close_recall", "remove_signer"],
                occasion={"signers_added": ""}, notify=[MOVED], inside=True))  # fmt: skip
    if verbs.remind:
        for who in verbs.remind.rules:
            desks = _not_ones_own(who, states, verbs.remind.from_ or anywhere)
            yield _named("remind", who, verbs.remind, _action(
                "remind", who, desks, guards=["not_reminded_today"],
                effects=["note_reminder"], notify=["reminded"]))  # fmt: skip
    if verbs.suspend:
        for who in verbs.suspend.rules:
            yield _named("suspend", who, verbs.suspend, _action(
                "suspend", who, verbs.suspend.from_ or anywhere, command="Suspend", guards=["ground_is_open"],
                effects=["close_recall", "suspend_on_ground"], occasion={"suspended": "no"}, notify=["suspended"],
                tone="danger"))  # fmt: skip
            yield _named("resume", who, verbs.suspend, _action(
                "resume", who, anywhere, command="Resume", effects=["close_recall", "end_suspension"],
                occasion={"suspended": "yes"}, notify=["resumed"], tone="primary"))  # fmt: skip
    if verbs.copy_:
        for who in verbs.copy_.rules:
            yield _named("copy", who, verbs.copy_, _action(
                "copy", who, verbs.copy_.from_ or anywhere, command="CopyTo", guards=["copy_is_new"],
                effects=["give_copy"], registers=["person_may_read_it"],
                notify=["copied"], inside=True))  # fmt: skip
    if verbs.comment:
        for who in verbs.comment.rules:
            yield _named("comment", who, verbs.comment, _action(
                "comment", who, verbs.comment.from_ or anywhere, command="Comment", notify=["commented"]))  # fmt: skip


def _returns(
    states: Mapping[str, Any], actions: Mapping[str, Any], verbs: VerbsSpec
) -> Iterator[tuple[str, dict[str, Any]]]:
    shared = {to for to in (r.to for r in verbs.return_) if sum(r.to == to for r in verbs.return_) > 1}
    for spec in verbs.return_:
        name = f"return_to_{spec.to}" + (f"_by_{_short(spec.who)}" if spec.to in shared else "")
        guards = [] if spec.straight_back_by else ["straight_back_is_possible"]
        effects: list[Any] = [{"send_back": spec.to}]
        if spec.who in _ROLES and spec.straight_back_by:
            effects.append(f"keep_for_me_as_{spec.who}")
        if states[spec.to].get("editable"):
            effects.append("drop_added_signers")
        if spec.who in _ROLES:
            guards.append(f"duty_is_at_hand_as_{spec.who}")
        yield name, _action("return", spec.who, spec.from_, to=spec.to, command="Return", guards=guards,
                            effects=effects, about=states[spec.to]["label"],
                            **_told_of_return(states[spec.to]),
                            **({"rests": spec.rests} if spec.rests else {}),
                            **({"track": spec.track} if spec.track else {}))  # fmt: skip


def _told_of_return(state: Mapping[str, Any]) -> dict[str, Any]:
    """The applicant is told of a return that asks something of the applicant; others are the authority's own."""
    outside = any(duty["role"] == Role.APPLICANT.value for duty in state.get("duties", ()))
    return {"notify": ["returned"]} if outside else {"notify": [MOVED], "inside": True}


def _hand_backs(
    actions: Mapping[str, Mapping[str, Any]], verbs: VerbsSpec
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The acts that lead straight back: the same act with all that it asks and does, and another target."""
    for back, act in dict.fromkeys((s, a) for r in verbs.return_ for a in r.straight_back_by for s in r.from_):
        template = actions[act]
        steps = [r.to for r in verbs.return_ if act in r.straight_back_by and back in r.from_]
        label, done = template["label"], template["done"]
        own = [e for e in template["effects"] if e != "clear_the_desk" and "remember" not in e]
        occasion = {name: said for name, said in template["occasion"].items() if name != "in_order"}
        yield (
            f"{act}_back_to_{back}",
            {
                **template,
                "from": list(dict.fromkeys(steps)),
                "to": back,
                "label": {n: BACK["label"][n] % {"what": label[n]} for n in ("en", "zh")},
                "done": {n: BACK["done"][n] % {"what": done[n]} for n in ("en", "zh")},
                "effects": ["clear_the_desk", *own],
                "occasion": {**occasion, "back_to": back},
                "verb": "hand_back",
                "instead_of": act,
            },
        )


def _action(verb: str, who: str, places: Iterable[str], about: Mapping[str, str] | None = None,
            **more: Any) -> dict[str, Any]:  # fmt: skip
    label, done = spoken(verb, about)
    return {"verb": verb, "who": who, "from": list(places), "label": label, "done": done, **more}


def _named(name: str, who: str, place: PlaceSpec, action: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The plain name of the verb where it is one person's, else with who uses it."""
    several = not isinstance(place.who, str) and len(place.rules) != 1
    return f"{name}_by_{_short(who)}" if several else name, action


def _not_ones_own(who: str, states: Mapping[str, Any], places: Iterable[str]) -> list[str]:
    """Applicants remind the authority, not themselves."""
    mine = {s for s in places if any(d["role"] == Role.APPLICANT.value for d in states[s].get("duties", ()))}
    return [s for s in places if who != "is_the_applicant" or s not in mine]


def _short(who: str) -> str:
    return who.removeprefix("is_the_").removeprefix("works_on_it") or "officer"


def _by_role(
    states: Mapping[str, Any], place: PlaceSpec, anywhere: Iterable[str]
) -> Iterator[tuple[str, list[str]]]:
    """The roles whose duties may be passed on, each with its states."""
    found: dict[str, list[str]] = {}
    for state in place.from_ or anywhere:
        for duty in states[state].get("duties", ()):
            if _may_be_passed_on(duty) and (not place.rules or duty["role"] in place.rules):
                found.setdefault(duty["role"], []).append(state)
    yield from found.items()


def _may_be_passed_on(duty: Mapping[str, Any]) -> bool:
    """A role's or a department's work may be; a person who was seated by name, or the applicant, is not replaced so."""
    return duty["role"] != Role.APPLICANT.value and not duty.get("person") and not duty.get("persons")


def _prepare(actions: dict[str, dict[str, Any]], states: Mapping[str, Any], verbs: VerbsSpec) -> None:
    """What the verbs ask of the actions written by hand: to clear the desk, to wait their turn, to be there in time."""
    back = {act for r in verbs.return_ for act in r.straight_back_by}
    places = [p for p in (verbs.transfer, verbs.consult) if p is not None]
    passed_on = {(s, d["role"]) for s, spec in states.items() for d in spec.get("duties", ())
                 if _may_be_passed_on(d) and any(not p.from_ or s in p.from_ for p in places)}  # fmt: skip
    for name, action in actions.items():
        own = list(action.get("effects", ()))
        if verbs.recall and name in verbs.recall.acts:
            own.insert(0, {"remember": {"act": name, "facts": sorted(_changed(own))}})
        else:
            own.insert(0, "clear_the_desk" if action.get("to") else "close_recall")
        if verbs.suspend and name in verbs.suspend.still or states.get(action.get("to") or "", {}).get("final"):
            own.append("end_suspension")
        action["effects"] = own
        action["occasion"] = dict(action.get("occasion", {}))
        guards = list(action.get("guards", ()))
        role = role_of(action["who"])
        if role and any((s, role) in passed_on for s in action["from"]):
            guards.insert(0, f"duty_is_at_hand_as_{role}")
        if verbs.add_signer and "record_sign_off" in own:
            guards.append("signer_has_the_turn")
        if verbs.add_signer and action.get("automatic") and set(action["from"]) & set(verbs.add_signer.from_):
            guards.append("every_added_signer_answered")
        if "sign_off_is_agreed" in guards and verbs.return_:
            guards.append("answers_still_stand")
        action["guards"] = guards
        if name in back:
            action["occasion"]["in_order"] = ""
        if verbs.suspend and name not in verbs.suspend.still and action["who"] != "is_the_system":
            action["occasion"]["suspended"] = "no"


def _changed(effects: Iterable[Any]) -> set[str]:
    found: set[str] = set()
    for effect in effects:
        found |= set(UNDONE.get(effect, ())) if isinstance(effect, str) else set()
        if isinstance(effect, Mapping):
            found |= set(effect.get("set") or ()) | set(effect.get("keep") or ())
    return found


def _faults(raw: Mapping[str, Any], verbs: VerbsSpec) -> Iterator[str]:
    """What would make the actions senseless before they are written out."""
    states, actions, grounds = raw["states"], raw["actions"], raw.get("grounds") or {}
    for number, spec in enumerate(verbs.return_):
        place = f"verbs.return.{number}"
        yield from (f"{place}: there is no state called {s}" for s in (spec.to, *spec.from_) if s not in states)
        if spec.rests and spec.rests not in grounds:
            yield f"{place}.rests: there is no ground called {spec.rests}"
        for act in spec.straight_back_by:
            if act not in actions:
                yield f"{place}.straight_back_by: there is no action called {act}"
            elif spec.to not in actions[act]["from"] or not actions[act].get("to"):
                yield f"{place}.straight_back_by: {act} does not lead on from {spec.to}, so it hands nothing back"
    for act in verbs.recall.acts if verbs.recall else ():
        if act not in actions:
            yield f"verbs.recall: there is no action called {act}"
        else:
            yield from (f"verbs.recall: {act} {why}" for why in _cannot_be_undone(actions[act], states))
    if verbs.suspend:
        yield from (f"verbs.suspend.grounds: there is no ground called {g}" for g in verbs.suspend.grounds
                    if g not in grounds)  # fmt: skip
        yield from (f"verbs.suspend.still: there is no action called {a}" for a in verbs.suspend.still
                    if a not in actions)  # fmt: skip
    for name in ("transfer", "consult", "add_signer", "remind", "suspend", "copy_", "comment"):
        if found := getattr(verbs, name):
            place = f"verbs.{name.rstrip('_')}"
            yield from (f"{place}.from: there is no state called {s}" for s in found.from_ if s not in states)
            if name not in ("transfer", "consult") and not found.rules:
                yield f"{place}.who: somebody has to be named"
            if name == "add_signer" and not found.from_:
                yield f"{place}.from: the states in which departments answer have to be named"


def _cannot_be_undone(action: Mapping[str, Any], states: Mapping[str, Any]) -> Iterator[str]:
    """Why an act may not be recalled: what has left the house does not come back."""
    if not action.get("to"):
        yield "leads nowhere, so there is nothing to go back from"
    elif states.get(action["to"], {}).get("final") or states.get(action["to"], {}).get("editable"):
        yield "ends the case or hands it to the applicant"
    for word in ("irreversible", "reauthenticate", "automatic", "registers", "documents", "jobs", "opens", "informs"):
        if action.get(word):
            yield f"has {word}, which cannot be taken back"
    for effect in action.get("effects", ()):
        if isinstance(effect, str) and effect not in UNDONE:
            yield f"has the effect {effect}, of which nobody has said how it is undone"
    if action.get("command") == "AskAgain":
        yield "opens a round of answers, which cannot be taken back"
