"""Where a case stands, in dictionaries: what the reference model remembers, who is meant by a rule, what is open.

The first half of the reference model (proof/reference_model.py); it shares no line with the engine.
"""

from collections.abc import Mapping
from copy import deepcopy
from datetime import date
from typing import Any

from workflow.vocabulary import Actor, Role

STAFF = {"window_officer", "review_organiser", "leader", "issuing_clerk", "inspector"}
DESK = ("return_to", "assignments", "consultations")


class Standing:
    """One case. `raw` is the definition as written, `actions` every action it comes to (name -> plain values)."""

    def __init__(self, raw: Mapping[str, Any], actions: Mapping[str, Mapping[str, Any]], facts: Mapping[str, Any],
                 state: str, track: str, agency: int) -> None:  # fmt: skip
        self.raw, self.actions, self.agency = raw, actions, agency
        self.facts: dict[str, Any] = dict(facts)
        self.state, self.track, self.round = state, track, 1
        self.answers: list[dict[str, Any]] = []
        self.acts: set[tuple[str, str]] = set()
        self.desk: dict[str, dict[str, Any]] = {name: {} for name in DESK}
        self.added: dict[str, str] = {}
        self.copies: set[str] = set()
        self.ground: str | None = None
        self.today = date.min
        self.last: dict[str, Any] | None = None
        verbs = raw.get("verbs") or {}
        self.returns = verbs.get("return") or []
        self.recallable = set((verbs.get("recall") or {}).get("acts", ()))
        self.still = set((verbs.get("suspend") or {}).get("still", ()))
        self.back_acts = {act for spec in self.returns for act in spec.get("straight_back_by", ())}
        self.own = {
            fact
            for action in raw["actions"].values()
            for effect in action.get("effects", ())
            if isinstance(effect, Mapping)
            for fact in {**effect.get("set", {}), **effect.get("keep", {})}
        } | {
            "corrections",
            "team_leader",
            "team",
            "team_others",
            "sign_off_silence",
            "sign_off_closed",
            "departments",
        }

    # -- what is so ------------------------------------------------------------------------------------------------

    @property
    def asked(self) -> list[str]:
        return list(self.facts.get("departments") or ())

    @property
    def present(self) -> dict[str, dict[str, Any]]:
        """Department -> its answer in this round."""
        return {a["department"]: a for a in self.answers if a["round"] == self.round}

    @property
    def owing(self) -> list[str]:
        return [d for d in self.asked if d not in self.present]

    def here(self, name: str) -> dict[str, Any]:
        return self.desk[name].get(self.state) or {}

    def sends_back_to(self) -> str | None:
        return self.desk["return_to"].get(self.state)

    def subjects(self, department: str) -> dict[str, Any]:
        names = self.raw["states"]["awaiting_sign_off"]["subjects"]["each"]
        return {name: self._looked_up(name.replace("{department}", department)) for name in names}

    def _looked_up(self, path: str) -> Any:
        value: Any = self.facts
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return deepcopy(value)

    def standing(self) -> str:
        """agreed, refused or open: nobody objects, and whoever takes a side agrees, and somebody does."""
        said = [a["verdict"] for d, a in self.present.items() if d in self.asked]
        if "object" in said:
            return "refused"
        if self.owing:
            return "open"
        return "agreed" if "agree" in said or not self.asked else "refused"

    # -- who -------------------------------------------------------------------------------------------------------

    def is_for(self, actor: Actor, who: str) -> bool:
        """Whether the place that the actor takes is one that the rule names."""
        seat = actor.acting_for.person_id if actor.acting_for else actor.person_id
        roles = {role.value for role in actor.roles}
        team = seat in (self.facts.get("team") or ()) and bool(roles & {"team_leader", "reviewer"})
        signs = "department_officer" in roles and actor.department in self.asked
        named = {
            *self.copies,
            *(p for duties in self.desk["assignments"].values() for p in duties.values()),
        } | {asked["person"] for duties in self.desk["consultations"].values() for asked in duties.values()}
        found: dict[str, bool] = {
            "is_the_applicant": "applicant" in roles and actor.agency_id == self.agency,
            "answers_for_a_department_asked": signs,
            "leads_the_team": "team_leader" in roles and seat == self.facts.get("team_leader"),
            "is_on_the_team": team,
            "is_the_system": "system" in roles,
            "works_on_it": bool(roles & STAFF)
            or signs
            or team
            or ("applicant" not in roles and seat in named),
            "is_consulted": any(
                asked["person"] == seat and asked["role"] in roles
                for asked in self.here("consultations").values()
            ),
        }
        return found.get(who, who in roles)

    def lends(self, actor: Actor, name: str, action: Mapping[str, Any]) -> bool:
        """Whether a delegate was lent this act; for oneself there is nothing to lend."""
        if actor.acting_for is None:
            return True
        terms = actor.acting_for.delegation
        if not terms.from_on <= self.today <= terms.until_on:
            return False
        kind = "@review"
        if action["reauthenticate"]:
            kind = "@sign"
        elif action["side_by_side"]:
            kind = "@answer"
        elif action["irreversible"]:
            kind = "@final"
        words = {name, kind}
        return (not terms.procedure or terms.procedure == self.raw["name"]) and not terms.revoked and bool(
            words & set(terms.verbs)) and not words & set(terms.without)  # fmt: skip

    def parted(self, actor: Actor, action: Mapping[str, Any]) -> bool:
        """Whether separation of duties leaves nobody of this act in the way."""
        if action["who"] in ("applicant", "is_the_applicant", "is_the_system") or Role.SYSTEM in actor.roles:
            return True
        principal = actor.acting_for
        persons = {actor.person_id, *({principal.person_id} if principal else ())}
        agencies = set(actor.affiliations) | set(principal.affiliations if principal else ())
        if self.agency in agencies:
            return False
        earlier = {p for act, p in self.acts if act.split("_back_to_")[0] in action["apart_from"]}
        if persons & earlier:
            return False
        if not action["side_by_side"]:
            return True
        elsewhere = {a["person"] for d, a in self.present.items() if d != actor.department}
        recused = {a["person"] for a in self.answers if a["verdict"] == "recused"}
        return not persons & (elsewhere | recused)

    def _has_the_turn(self, department: str | None) -> bool:
        if not self.added or department is None:
            return True
        others, place = [d for d in self.owing if d != department], self.added.get(department)
        if place == "after":
            return all(self.added.get(d) == "after" for d in others)
        return place == "before" or all(self.added.get(d) != "before" for d in others)

    # -- how it stands ---------------------------------------------------------------------------------------------

    def tasks(self) -> set[tuple[str, str]]:
        """(role, holder) of every open piece of work."""
        found: set[tuple[str, str]] = set()
        for duty in self.raw["states"][self.state].get("duties", ()):
            role = duty["role"]
            if duty.get("signers"):
                found |= {(role, f"department:{d}") for d in self.owing}
            elif duty.get("person"):
                found.add((role, f"person:{self.facts.get(duty['person'])}"))
            elif duty.get("persons"):
                found |= {(role, f"person:{p}") for p in self.facts.get(duty["persons"]) or ()}
            else:
                found.add((role, f"agency:{self.agency}" if role == "applicant" else ""))
        if self.ground is not None and found:
            return {(self.raw["verbs"]["suspend"]["who"], "")}
        return {held for duty in found if (held := self._held(*duty))}

    def _held(self, role: str, holder: str) -> tuple[str, str] | None:
        if holder.startswith("department:") and not self._has_the_turn(holder.partition(":")[2]):
            return None
        key = f"{role}:{holder}"
        if asked := self.here("consultations").get(key):
            return asked["role"], f"person:{asked['person']}"
        if person := self.here("assignments").get(key):
            return role, f"person:{person}"
        return role, holder

    def picture(self) -> dict[str, Any]:
        """Everything that the real case must agree with."""
        return {
            "state": self.state,
            "track": self.track,
            "round": self.round,
            "answers": {(d, a["verdict"], a["since"]) for d, a in self.present.items()},
            "acts": set(self.acts),
            "tasks": self.tasks(),
            "suspended": self.ground is not None,
            "facts": {
                name: self.facts[name] for name in self.own if self.facts.get(name) not in (None, [], "", 0)
            },
        }
