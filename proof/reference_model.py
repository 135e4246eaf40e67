"""What a case ought to do, said a second time: a model that shares no line with the engine.

It reads the definition as plain data and the verbs by their names alone, keeps one mutable case in dictionaries, and
answers two questions: may this person do this now, and how does the case stand afterwards. Time it leaves to the
oracle of the calendar: which limit is over it is told, and what registers report it learns from the case.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from proof.reference_standing import DESK, Standing
from workflow.vocabulary import Actor, Role

# May be refused for reasons that the model does not know: time, registers, other people's accounts.
UNCERTAIN = {"remind", "suspend", "transfer", "consult", "add_signer", "copy", "recall"}


class ReferenceModel(Standing):
    """One case: whether an act may be done, and what follows from it."""

    # -- whether ---------------------------------------------------------------------------------------------------

    def allows(self, name: str, actor: Actor, command: Any) -> bool:
        """Whether this act may be done now, as far as the model can know."""
        action = self.actions[name]
        return (
            not action["automatic"]
            and self.is_for(actor, action["who"])
            and self.lends(actor, name, action)
            and self._is_there(name, action)
            and self.parted(actor, action)
            and self._at_hand(name, action, actor)
            and self._met(name, action, actor, command)
        )

    def _is_there(self, name: str, action: Mapping[str, Any]) -> bool:
        verb = action["verb"]
        if self.state not in action["from"] or action["track"] not in (None, self.track):
            return False
        if verb == "hand_back" and self.sends_back_to() != action["to"]:
            return False
        if name in self.back_acts and self.sends_back_to() is not None:
            return False
        if verb == "recall":
            act = next(
                a for a in self.recallable if name == f"recall_{a}" or name.startswith(f"recall_{a}_to_")
            )
            if self.last is None or (self.last["act"], self.last["from"]) != (act, action["to"]):
                return False
        if (
            verb == "remove_signer"
            and not self.added
            or verb == "stop_consulting"
            and not self.here("consultations")
        ):
            return False
        if verb == "resume":
            return self.ground is not None
        free = verb in ("comment", "copy") or name in self.still or action["who"] == "is_the_system"
        return free or self.ground is None

    def _key(self, action: Mapping[str, Any], actor: Actor) -> str | None:
        if action["who"] in ("answers_for_a_department_asked", "department_officer"):
            return f"department_officer:department:{actor.department}"
        return f"{action['who']}:" if action["who"] in {r.value for r in Role} else None

    def _at_hand(self, name: str, action: Mapping[str, Any], actor: Actor) -> bool:
        """What was passed on is done by that person; what is being asked about waits."""
        if action["verb"] not in (None, "hand_back", "return", "transfer", "consult"):
            return True
        key, seat = self._key(action, actor), self._seat(actor)
        if key is None or key in self.here("consultations"):
            return key is None
        return self.here("assignments").get(key, seat) == seat

    @staticmethod
    def _seat(actor: Actor) -> str:
        return actor.acting_for.person_id if actor.acting_for else actor.person_id

    def _met(self, name: str, action: Mapping[str, Any], actor: Actor, command: Any) -> bool:
        verb, seat = action["verb"], self._seat(actor)
        if verb == "return":
            spec = self._return_of(action)
            return command.way == "in_order" or bool(spec.get("straight_back_by"))
        if verb == "recall":
            assert self.last is not None
            return seat in self.last["persons"]
        if verb == "transfer":
            work = [n for n, a in self.actions.items() if a["verb"] is None and self.state in a["from"]
                    and (a["who"] == action["who"] or action["who"] == "department_officer"
                         and a["who"] == "answers_for_a_department_asked")]  # fmt: skip
            barred = any(
                (act.split("_back_to_")[0] in self.actions[n]["apart_from"]) and p == command.person
                for n in work for act, p in self.acts
            )  # fmt: skip
            return command.person != seat and not barred
        if verb == "consult":
            return command.person != seat and command.role in self.raw["verbs"]["consult"]["among"]
        if verb == "stop_consulting":
            return any(asked["by"] == seat for asked in self.here("consultations").values())
        if verb == "add_signer":
            return command.department not in self.asked
        if verb == "remove_signer":
            return command.department in self.added and command.department not in self.present
        if verb == "copy":
            return not set(command.persons) <= self.copies
        if verb not in (None, "hand_back"):
            return True
        return all(self._guard(guard, actor, command) for guard in self._template(name)["guards"])

    def _return_of(self, action: Mapping[str, Any]) -> Mapping[str, Any]:
        return next(r for r in self.returns if r["to"] == action["to"] and r["who"] == action["who"]
                    and self.state in r["from"])  # fmt: skip

    def _template(self, name: str) -> Mapping[str, Any]:
        """The action as it was written by hand; one that hands straight back is that of its act."""
        written = self.raw["actions"][name.split("_back_to_")[0]]
        return {"guards": (), "effects": (), **written}

    def _guard(self, guard: Any, actor: Actor, command: Any) -> bool:
        if isinstance(guard, Mapping):
            return self._compared(guard)
        facts, departments = self.facts, self.asked
        if guard == "department_still_owes_an_answer":
            return actor.department not in self.present and self._has_the_turn(actor.department)
        if guard == "sign_off_is_agreed":
            closed = facts.get("sign_off_closed") == self.round
            agreed = not departments or self.standing() == "agreed" or self.standing() == "open" and closed
            return agreed and self._answers_still_rest()
        if guard == "silence_may_be_passed_over":
            return facts.get("sign_off_silence") == self.round
        if guard == "somebody_is_asked_again":
            known = set(command.departments) <= set(departments)
            return known and len(self._stand(command.departments)) < len(departments)
        if guard == "correction_is_the_first":
            return not facts.get("corrections") or command.from_corrected_material
        if guard == "commitment_stands":
            signed = facts.get("commitment_text_sha256") and not facts.get("commitment_bars")
            return self.track != "commitment" or bool(signed)
        if guard == "retraction_of_a_commitment_gives_its_reason":
            return self.track != "commitment" or self.state == "draft" or bool(command.note)
        if guard in ("team_is_lawful", "mode_suits_the_application"):
            few = len(command.members) < self.raw["numbers"]["team_at_least"]
            seen = command.mode != "documentary" or not {"first", "site_change"} & set(
                facts["application_types"]
            )
            return not few if guard == "team_is_lawful" else seen
        raise LookupError(f"the model does not know the guard {guard}")

    def _compared(self, guard: Mapping[str, Any]) -> bool:
        value = self.facts.get(guard["fact"])
        if "is" in guard:
            return bool(value == guard["is"])
        if "is_not" in guard:
            return bool(value != guard["is_not"])
        if "at_least" in guard:
            return (value or 0) >= guard["at_least"]
        return bool(value) is ("present" in guard)

    def _answers_still_rest(self) -> bool:
        return all(a["verdict"] == "recused" or a["rests"] == self.subjects(d)
                   for d, a in self.present.items() if d in self.asked)  # fmt: skip

    def _stand(self, again: Iterable[str] = ()) -> list[dict[str, Any]]:
        """The answers of this round that would stand in the next one."""
        return [a for d, a in self.present.items() if d in self.asked and d not in again
                and (a["verdict"] == "recused" or a["rests"] == self.subjects(d))]  # fmt: skip

    # -- what follows ----------------------------------------------------------------------------------------------

    def take(self, name: str, actor: Actor, command: Any) -> None:
        """Do what was done, and what follows by itself."""
        action, before = self.actions[name], self.state
        self._verb(name, action, actor, command)
        for person in {self._seat(actor), actor.person_id}:
            self.acts.add((name, person))
        self._enter(before, action["to"] or before, command)
        joined = self.state == "awaiting_sign_off" and (self.standing() != "open" or not self.asked)
        if joined and not [d for d in self.added if d not in self.present]:
            self._clear()
            self.acts.add(("join_sign_offs", "system"))
            self.state = "awaiting_decision"

    def _enter(self, before: str, target: str, command: Any) -> None:
        self.state = target
        if target != "awaiting_sign_off" or before == target:
            return
        again = getattr(command, "departments", None)
        used = self.present or self.round in (
            self.facts.get("sign_off_closed"),
            self.facts.get("sign_off_silence"),
        )
        if not used and again is None:
            return
        kept = self._stand(again or ())
        self.round += 1
        self.answers += [{**a, "round": self.round, "since": a["since"] or a["round"]} for a in kept]

    def _clear(self) -> None:
        for name in DESK:
            self.desk[name].pop(self.state, None)
        self.last = None

    def _verb(self, name: str, action: Mapping[str, Any], actor: Actor, command: Any) -> None:
        verb, seat, here = action["verb"], self._seat(actor), self.state
        if verb in ("remind", "comment"):
            return
        if verb == "copy":
            self.copies |= set(command.persons)
            return
        if verb == "recall":
            assert self.last is not None
            self.facts.update(self.last["facts"])
            self.desk, self.track, self.last = self.last["desk"], self.last["track"], None
            return
        if verb in (None, "hand_back"):
            self._plain(name, action, actor, command)
            return
        self.last = None
        if verb == "return":
            self._return(action, actor, command)
        elif verb in ("suspend", "resume"):
            self.ground = command.ground if verb == "suspend" else None
        elif verb == "add_signer":
            self.facts["departments"] = [*self.asked, command.department]
            self.added[command.department] = command.place
        elif verb == "remove_signer":
            self.facts["departments"] = [d for d in self.asked if d != command.department]
            del self.added[command.department]
        elif verb == "transfer":
            self.desk["assignments"].setdefault(here, {})[self._key(action, actor) or ""] = command.person
        elif verb == "consult":
            question = {"person": command.person, "role": command.role, "by": seat}
            self.desk["consultations"].setdefault(here, {})[self._key(action, actor) or ""] = question
        elif verb in ("advise", "stop_consulting"):
            side = "person" if verb == "advise" else "by"
            over = {k: asked for k, asked in self.here("consultations").items() if asked[side] == seat}
            for key, asked in over.items():
                del self.desk["consultations"][here][key]
                self.desk["assignments"].setdefault(here, {})[key] = asked["by"]

    def _return(self, action: Mapping[str, Any], actor: Actor, command: Any) -> None:
        here, target = self.state, action["to"]
        ways = {s: to for s, to in self.desk["return_to"].items() if to != here and s != target}
        straight = command.way == "straight_back"
        if straight:
            ways[target] = here
        if here not in ways.values():
            self.desk["assignments"].pop(here, None)
        self.desk["consultations"].pop(here, None)
        self.desk["return_to"] = ways
        if straight and (key := self._key(action, actor)):
            self.desk["assignments"].setdefault(here, {})[key] = self._seat(actor)
        if self.raw["states"][target].get("editable") and self.added:
            self.facts["departments"] = [d for d in self.asked if d not in self.added]
            self.added = {}

    def _plain(self, name: str, action: Mapping[str, Any], actor: Actor, command: Any) -> None:
        written = self._template(name)
        kept = None
        if name in self.recallable:
            changed = [e for e in written["effects"] if isinstance(e, Mapping)]
            facts = {fact for e in changed for fact in {**e.get("set", {}), **e.get("keep", {})}}
            kept = {
                "act": name,
                "from": self.state,
                "persons": {self._seat(actor), actor.person_id},
                "track": self.track,
                "facts": {fact: self.facts.get(fact) for fact in facts},
                "desk": deepcopy(self.desk),
            }
        if action["to"]:
            self._clear()
        self.last = kept
        for effect in written["effects"]:
            self._effect(effect, actor, command)
        if name in self.still or self.raw["states"].get(action["to"] or "", {}).get("final"):
            self.ground = None

    def _effect(self, effect: Any, actor: Actor, command: Any) -> None:
        if isinstance(effect, Mapping):
            self.facts.update(effect.get("set", {}))
            said = command.payload()
            self.facts.update({fact: said[word] for fact, word in effect.get("keep", {}).items()})
            self.track = effect.get("track", self.track)
        elif effect == "record_sign_off":
            self.answers.append({
                "department": actor.department, "verdict": command.verdict.value, "round": self.round, "since": None,
                "person": actor.person_id, "rests": self.subjects(actor.department or ""),
            })  # fmt: skip
        elif effect == "seat_team":
            others = [m for m in command.members if m != command.leader]
            self.facts.update(team_leader=command.leader, team=list(command.members), team_others=others)
        elif effect == "count_correction":
            self.facts["corrections"] = (self.facts.get("corrections") or 0) + 1
        elif effect == "note_silence":
            self.facts["sign_off_silence"] = self.round
        elif effect == "close_without_the_silent":
            self.facts["sign_off_closed"] = self.round
        else:
            raise LookupError(f"the model does not know the effect {effect}")

    def learn(self, facts: Mapping[str, Any]) -> None:
        """What registers and the dossier report; what acts write is the model's own business."""
        self.facts.update({name: value for name, value in facts.items() if name not in self.own})
