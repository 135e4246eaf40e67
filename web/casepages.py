"""What the pages of a case are made of: head and tabs, the five-minute brief, the action bar, the departments."""
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask import url_for

from store.casework import Related
from store.dossier_scenarios import sheet_of
from store.dossier_values import TABLE_TITLES
from store.queues import desks_of
from store.values import CaseFile
from web.access import STAFF
from web.boards import asks_departments, counts
from web.casefaces import pressing, state_face, track_label
from web.context import ROLE_LABELS, case_store, current_actor, principals, say
from web.departments import with_names
from web.desks import address_of
from web.dossierfaces import type_words
from web.faces import link_to
from web.suspensions import suspension_face
from web.turns import persons_named
from workflow import procedures
from workflow.engine import Offer
from workflow.vocabulary import N_, Message, Refusal, Role

CONCLUSIONS = {"meets": N_("Meets the criteria"), "basically_meets": N_("Basically meets, rectification ordered"),
               "does_not_meet": N_("Does not meet the criteria")}
MODES = {"on_site": N_("On site"), "documentary": N_("On documents"), "remote": N_("Remotely")}
SHOWN_TABLES = ("signatories", "staff", "equipment", "standard_change")
Tab = tuple[str, str, str, int | None]  # name, label, address, count
BAR_TONES = {"danger": "bad", "primary": "primary", "neutral": "plain"}


@dataclass(frozen=True, slots=True)
class ActionFace:
    name: str
    label: Message
    tone: str


@dataclass(frozen=True, slots=True)
class OfferFace:
    action: ActionFace
    unmet: Message | None


def is_official() -> bool:
    return bool(current_actor().roles & STAFF)


def home_of(file: CaseFile) -> str:
    """The page of a case for whoever is signed in: the officials' or the applicant's own. One licence of a joint
    application has no page of its own for the applicant: it stands among the others."""
    whole = str(file.case.fact("part_of") or "")
    own = None if is_official() else link_to("joint.show", public_id=whole) if whole else link_to(
        "applications.show", public_id=file.public_id)
    return own or url_for("cases.show", public_id=file.public_id)


def case_frame(file: CaseFile, tab: str) -> dict[str, Any]:
    """Head, crumbs and tabs, the same on every page of a case; `tab` is the page one is on."""
    label, tone = state_face(file.procedure, file.case.state)
    actor = current_actor()
    desk = next((role for role in desks_of(actor) if role is not Role.ADMINISTRATOR), None)
    return {
        "label": label, "tone": tone, "due": pressing(file.case.clocks),
        "track": track_label(file.procedure, file.case.track) if len(file.procedure.spec.tracks) > 1 else None,
        "procedure": file.procedure.spec.title.message(),
        # of a joint application the panel says what it asks for, and of one licence its own title does
        "subject": "" if file.case.fact("licences") or file.case.fact("part_of") else file.subject,
        "home": home_of(file), "suspension": suspension_face(file),
        "named": persons_named(file.procedure, file.case),
        "tabs": [{"label": label, "url": url, "count": count, "current": name == tab}
                 for name, label, url, count in (_tabs(file) if is_official() else ())],
        "desk": (ROLE_LABELS[desk], address_of(desk)) if desk else None}


def _tabs(file: CaseFile) -> list[Tab]:
    """(name, label, address, count): only what this procedure can have."""
    facts = file.case.facts
    tabs = [_tab(file, "show", N_("Summary"))]
    if file.procedure.states[file.procedure.spec.initial].editable:
        tabs.append(_tab(file, "dossier", N_("Application")))
    if file.procedure.states[file.procedure.spec.initial].editable and sheet_of(file.procedure) is None:
        tabs.append(_tab(file, "capability", TABLE_TITLES["capability"], facts.get("rows_total")))
        changes = "standard_change" in (facts.get("application_types") or ())
        tabs += [(name, TABLE_TITLES[name], url_for("cases.table", public_id=file.public_id, name=name), None)
                 for name in SHOWN_TABLES if name != "standard_change" or changes]
    tabs.append(_tab(file, "materials", N_("Materials and documents")))
    if asks_departments(file.procedure):
        tabs.append(_tab(file, "departments", N_("Departments"), len(file.procedure.asked(facts))))
    if facts.get("team") or facts.get("part_of"):
        tabs.append(("findings", N_("Checklist"), url_for("findings.show", public_id=file.public_id), None))
    tabs.append(("place", N_("Where it stands"), url_for("places.show", public_id=file.public_id), None))
    return [*tabs, _tab(file, "limits", N_("Time limits")), _tab(file, "timeline", N_("History"))]


def _tab(file: CaseFile, name: str, label: str, count: int | None = None) -> Tab:
    return name, label, url_for(f"cases.{name}", public_id=file.public_id), count


def action_faces(file: CaseFile, offers: Iterable[Offer]) -> list[OfferFace]:
    """The action bar: what leads on first, what ends the case last."""
    order = {"primary": 0, "plain": 1, "bad": 2}
    faces = [OfferFace(ActionFace(o.action.name, o.action.label, BAR_TONES[o.action.spec.tone]), with_names(o.unmet))
             for o in offers]
    return sorted(faces, key=lambda face: order[face.action.tone])


def seen_in_stead(public_id: str, refusal: Refusal) -> str:
    """Where a case that one does not see oneself is there in the place of somebody else: a link that a colleague or
    a mail gave. Raises the refusal when it is nowhere."""
    for key, principal in principals() if refusal.code == "unknown" and current_actor().acting_for is None else ():
        with suppress(Refusal):
            case_store().get(public_id, current_actor().standing_in(principal))
            return url_for("cases.show", public_id=public_id, stead=key)
    raise refusal


def stead_offers(file: CaseFile) -> list[dict[str, Any]]:
    """What could be done here in the place of others: for each, whose place, its actions and its address."""
    found = []
    for key, principal in principals() if current_actor().acting_for is None else ():
        actor = current_actor().standing_in(principal)
        offers = [o for o in case_store().offers(file, actor) if o.unmet is None]
        if offers:  # who could act on a case sees it
            found.append({"name": principal.name, "actions": "、".join(say(o.action.label) for o in offers),
                          "url": url_for("cases.show", public_id=file.public_id, stead=key)})
    return found


def brief(file: CaseFile) -> list[tuple[str, Any]]:
    """What one must know to act: (term, value) pairs, only those that apply."""
    case, facts = file.case, file.case.facts
    pairs: list[tuple[str, Any]] = [
        (N_("Agency"), file.agency_name),
        (N_("Application type"),
         type_words(facts.get("application_types") or (), sheet_of(file.procedure)) or file.subject),
        (N_("Sectors"), "、".join(map(str, facts.get("sectors") or ())) or None),
        (N_("Submitted on"), file.submitted_at), (N_("Corrections requested"), facts.get("corrections")),
        (N_("Certificate held"), facts.get("certificate_held")),
        (N_("Certificate number"), facts.get("certificate_number"))]
    if facts.get("rows_total") and not facts.get("part_of"):  # the rows lie on the joint application
        pairs.append((N_("Capability rows"), rows_words(facts)))
    if facts.get("team"):
        pairs += [(N_("Review"), Message(MODES[facts["review_mode"]]) if facts.get("review_mode") in MODES else None),
                  (N_("Planned date"), facts.get("planned_on")),
                  (N_("Checklist"), Message(N_("%(open)s lines open, %(failed)s do not meet"), {
                      "open": facts.get("findings_open", 0), "failed": facts.get("findings_failed", 0)}))]
    if facts.get("review_conclusion"):
        pairs.append((N_("Conclusion of the review"), Message(CONCLUSIONS[facts["review_conclusion"]])))
    if case.current_sign_offs():
        pairs.append((N_("Departments"), counts(file)))
    pairs.append((N_("Fees"), Message(N_("None are charged"))))
    return [(say(term), value) for term, value in pairs if value not in (None, "", 0)]


def rows_words(facts: Mapping[str, Any]) -> Message:
    return Message(N_("%(total)s in all: %(confirmed)s confirmed, %(refused)s not confirmed, %(open)s open"), {
        "total": facts.get("rows_total", 0), "confirmed": facts.get("rows_confirmed", 0),
        "refused": facts.get("rows_refused", 0), "open": facts.get("rows_open", facts.get("rows_total", 0))})


def related_faces(related: Iterable[Related]) -> list[dict[str, Any]]:
    faces = []
    for each in related:
        procedure = procedures.find(each.procedure, each.procedure_version)
        label, tone = state_face(procedure, each.state)
        faces.append({"case": each, "title": procedure.spec.title.message(), "label": label, "tone": tone})
    return faces
