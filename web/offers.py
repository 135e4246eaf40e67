"""What can be applied for, as applicants read it: basis, limits, materials and fees of every procedure that is open."""
from dataclasses import dataclass
from typing import Any

from store.certificate_values import Certificate
from store.certificates import CertificateStore
from store.dossier_facts import materials_asked
from web.casefaces import amount_of, states_of_track
from web.context import database, laws, reference, today
from web.dossierfaces import files_beside
from workflow import dossiers, procedures
from workflow.allowances import Allowance, Basis, NoAllowance, in_force
from workflow.dossiers import Dossier
from workflow.procedure import Procedure
from workflow.savings import Savings, savings
from workflow.vocabulary import Actor, Message


@dataclass(frozen=True, slots=True)
class Limit:
    """A time limit of a procedure as in force today. `is_law` is False for a policy or a promise."""

    label: Message
    amount: Message
    article: str
    is_law: bool
    confirmed: bool
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing to apply for. `limits` by track; `materials` as (name, source) of an application on its first track."""

    procedure: Procedure
    sheet: Dossier
    title: Message
    basis: Message
    summary: Message
    prepare: tuple[Message, ...]
    fees: Message
    fees_basis: str
    limits: dict[str, tuple[Message, list[Limit]]]
    materials: tuple[tuple[Message, str], ...]
    is_demo: bool
    spared: Savings | None = None  # where several licences are applied for together: all of them one by one, and so
    licences: tuple[Message, ...] = ()

    @property
    def to_hand_in(self) -> int:
        """Materials that the applicant hands in; the others are shared or made here."""
        return sum(source == "upload" for _, source in self.materials)


def offers_open() -> list[Offer]:
    """Everything that an agency can apply for without holding a certificate, the official form first."""
    found = [offer_of(name) for name in dossiers.openable("list")]
    return sorted(found, key=lambda offer: (not offer.sheet.has_tables, offer.procedure.name))


def offer_of(name: str) -> Offer:
    procedure = procedures.current(name)
    sheet = dossiers.find(name, procedure.version)
    assert sheet is not None  # openable names only procedures that have one
    spec, together = sheet.spec, files_beside(procedure)[1:]
    return Offer(
        procedure, sheet, procedure.spec.title.message(), procedure.spec.basis.message(),
        spec.summary.message() if spec.summary else Message(""), tuple(p.message() for p in spec.prepare),
        spec.fees.message() if spec.fees else Message(""), spec.fees_basis, limits_of(procedure),
        _materials(procedure, sheet), bool(spec.status),
        savings(sheet, *together) if together else None,
        tuple(procedures.latest(file.spec.procedure).spec.title.message() for file in together))


def limits_of(procedure: Procedure) -> dict[str, tuple[Message, list[Limit]]]:
    """Track -> (its name, the limits that run on it), from the clocks of the definition."""
    law = laws().current().allowances
    found: dict[str, tuple[Message, list[Limit]]] = {}
    for track, label in procedure.spec.tracks.items():
        reached = states_of_track(procedure, track)
        lines = [limit for clock in procedure.spec.clocks.values() if clock.track in (None, track)
                 and reached & set(clock.runs_in) and _decides(procedure, clock.runs_in)
                 and (limit := _limit(clock, law))]
        if lines:
            found[track] = (label.message(), lines)
    return found


def limits_once(procedure: Procedure) -> list[Limit]:
    """The limits of every track, each once, where the track is not the applicant's choice."""
    found = {(limit.label.text, limit.article): limit for _, lines in limits_of(procedure).values() for limit in lines}
    return list(found.values())


def _decides(procedure: Procedure, states: tuple[str, ...]) -> bool:
    """Whether a clock counts the authority's time and not the applicant's own."""
    return not all(duty.role == "applicant" for s in states for duty in procedure.states[s].duties)


def _limit(clock: Any, law: tuple[Allowance, ...]) -> Limit | None:
    try:
        allowance = in_force(law, clock.allowance, today())
    except NoAllowance:
        return None
    return Limit(clock.label.message(), amount_of(allowance, allowance.amount), allowance.article,
                 allowance.basis is Basis.LAW, allowance.basis is not Basis.PROMISE, allowance.amount == 0)


def _materials(procedure: Procedure, sheet: Dossier) -> tuple[tuple[Message, str], ...]:
    track = next(iter(procedure.spec.tracks))
    if sheet.has_tables:
        rows = materials_asked(reference().catalogue("materials"), ["first"], "independent", track)
        rows = (*rows, *(m.model_dump() for file in files_beside(procedure) for m in file.spec.materials))
        return tuple((Message(r["en"], zh=r["zh"]), str(r["source"])) for r in rows if r["need"] != "if_any")
    types = {s.key for s in sheet.spec.scenarios[:1]}
    return tuple((Message(m.en, zh=m.zh), m.source) for m in sheet.spec.materials if m.need != "if_any"
                 and not m.when_field and (not m.tracks or track in m.tracks) and (not m.types or types & set(m.types)))


def holdings_of(actor: Actor) -> tuple[Certificate, ...]:
    """The certificates of the actor's agency, newest first."""
    return CertificateStore(database()).list_of(actor.agency_id or 0)


# The official form's own comparison of its two tracks, on the page where one is chosen.
COMPARED = {"general": ("acceptance", "technical_review", "decision", "delivery"),
            "commitment": ("commitment_decision", "commitment_delivery", "commitment_verification")}


def times_compared() -> dict[str, list[Allowance]]:
    """Track -> the allowances that an application on it runs through, as in force today."""
    law = laws().current().allowances
    return {track: [in_force(law, name, today()) for name in names] for track, names in COMPARED.items()}
