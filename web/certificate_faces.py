"""How a certificate looks to people: its standing in words, with what it means, and the acts upon it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from store.certificate_values import CertificateEvent, Standing
from workflow.vocabulary import N_, Message


@dataclass(frozen=True, slots=True)
class StandingFace:
    """`title` answers "is it genuine and in force", `label` is the word for a table, `meaning` what to do."""

    tone: str
    label: Message
    title: Message
    meaning: Message


def _face(tone: str, label: str, title: str, meaning: str) -> StandingFace:
    return StandingFace(tone, Message(label), Message(title), Message(meaning))


STANDINGS: dict[Standing, StandingFace] = {
    "valid": _face(
        "good", N_("In force"), N_("This certificate is genuine and in force"),
        N_("Reports under it have evidentiary effect within the scope below.")),
    "not_yet_valid": _face(
        "attention", N_("Not yet in force"), N_("Genuine, but not yet in force"),
        N_("No report may be issued under it before it begins.")),
    "expired": _face(
        "bad", N_("Expired"), N_("Genuine, but expired"),
        N_("No report may be issued under it after its last day. Ask the agency for its present certificate.")),
    "deemed_renewed": _face(
        "good", N_("Deemed renewed"), N_("This certificate is genuine and deemed renewed"),
        N_("Its last day has passed, but a renewal was applied for in time and is not decided yet. By law it counts as "
           "renewed until the decision (Licensing Law art. 50).")),
    "replaced": _face(
        "closed", N_("Replaced"), N_("Genuine, but replaced by a newer certificate"),
        N_("Look at the certificate that replaced it for what the agency may do now.")),
    "suspended": _face(
        "bad", N_("Suspended"), N_("Not in force: suspended"),
        N_("The agency may not issue reports under it until the suspension is lifted.")),
    "annulled": _face(
        "bad", N_("Annulled"), N_("Not in force: annulled"),
        N_("The issuing authority has taken this certificate back. Do not accept reports under it.")),
    "revoked": _face(
        "bad", N_("Revoked"), N_("Not in force: revoked"),
        N_("It was taken away as a penalty. Do not accept reports under it.")),
    "withdrawn": _face(
        "bad", N_("Withdrawn"), N_("Not in force: withdrawn"),
        N_("The issuing authority has withdrawn it. Do not accept reports under it.")),
    "cancelled": _face(
        "bad", N_("Cancelled"), N_("Not in force: cancelled"),
        N_("It was taken off the register. Do not accept reports under it.")),
}  # fmt: skip

ACTS: dict[str, tuple[str, str]] = {
    "issued": ("good", N_("Issued")),
    "renewed": ("good", N_("Issued as a renewal")),
    "extended": ("active", N_("Annex changed")),
    "deemed_renewed": ("attention", N_("Deemed renewed by law: no decision was made before it expired")),
    "deemed_ended": ("attention", N_("Deemed renewal ended")),
    "imported": ("neutral", N_("Entered from the earlier register")),
    "reissued": ("active", N_("Content changed, issued again")),
    "rows_given_up": ("attention", N_("Part of the scope given up")),
    "standards_changed": ("active", N_("Standards of the scope changed")),
    "signatories_changed": ("active", N_("Signatories changed")),
    "filed": ("neutral", N_("Change of persons filed")),
    "rows_annulled": ("bad", N_("Part of the scope annulled")),
    "annulled": ("bad", N_("Annulled")),
    "revoked": ("bad", N_("Revoked")),
    "withdrawn": ("bad", N_("Withdrawn")),
    "cancelled": ("bad", N_("Cancelled")),
    "suspended": ("attention", N_("Suspended")),
    "reinstated": ("good", N_("Suspension lifted")),
}
# The grounds of these acts are published with them; those of a grant are the bureau's own.
PUBLISHED = frozenset(ACTS) - {"issued", "renewed", "extended", "imported", "deemed_ended"}


def standing_face(standing: Standing) -> StandingFace:
    return STANDINGS[standing]


def acts(events: Iterable[CertificateEvent]) -> list[dict[str, Any]]:
    """Events as entries of the macro `timeline`."""
    found = []
    for event in events:
        tone, words = ACTS.get(event.act, ("neutral", event.act))
        told = "".join(f"{part}。" for part in (event.grounds, event.basis) if part).replace("。。", "。")
        found.append({"at": event.at, "text": Message(words), "tone": tone,
                      "said": told if event.act in PUBLISHED and told else None})
    return found
