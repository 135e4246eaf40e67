"""Certificates become documents: values from rows, bytes from the guarded child, the hash into the register.

Every step may be repeated: the bytes of the same values are the same, a file is kept under its hash, the
register takes a hash once, and the case is told under a command id made of certificate and version.
"""

from jobs.workshop import Bench, CannotBeDone, Done, Workshop
from pdf.faces import MissingGlyph
from pdf.licences import Licence
from pdf.values import Annex, AnnexRow, Certificate, InvalidValue, Signatory
from store.certificate_values import ToRender
from store.jobs import Job
from workflow.commands import Plain
from workflow.vocabulary import N_, Refusal

SHOWN = 10  # characters that cannot be printed, named in the reason


def render_certificate(bench: Bench, job: Job) -> Done:
    """Render the certificate version that a case brought forth, once, and tell the case."""
    workshop = bench.workshop
    if job.case_id is None:
        raise CannotBeDone(N_("The job names no case."))
    wanted = workshop.certificates.to_render(job.case_id)
    if wanted is None:
        raise CannotBeDone(N_("The case brought forth no certificate."))
    if wanted.sha256 is None:
        _render(bench, wanted)
    _tell_the_case(workshop, job.case_id, wanted)
    return Done()


def _render(bench: Bench, wanted: ToRender) -> None:
    origin = bench.workshop.settings.origin
    try:
        if wanted.is_licence:
            rendered = bench.renderer.licence(licence_values(wanted, origin), annex_values(wanted))
        else:
            rendered = bench.renderer.certificate(*certificate_values(wanted, origin))
    except (MissingGlyph, InvalidValue) as error:
        raise CannotBeDone(why_unprintable(error)) from error
    bench.workshop.files.put(rendered.pdf)
    bench.workshop.certificates.record_rendering(
        wanted.certificate.id,
        wanted.version,
        sha256=rendered.sha256,
        size=len(rendered.pdf),
        pages=rendered.pages,
    )


def certificate_values(wanted: ToRender, origin: str) -> tuple[Certificate, Annex]:
    """The values that pdf prints, from what the register says."""
    held = wanted.certificate
    certificate = Certificate(
        number=held.number,
        agency_name=wanted.agency_name,
        agency_address=wanted.agency_address,
        liability_bearer=wanted.liability_bearer,
        issued_on=wanted.issued_on,
        valid_from=held.valid_from,
        valid_to=held.valid_to,
        authority_name=held.authority_name,
        verify_url=f"{origin}/v/{held.verify_code}",
        verify_code=held.verify_code,
        edition=wanted.version,
    )
    return certificate, annex_values(wanted) or Annex()


def annex_values(wanted: ToRender) -> Annex | None:
    """What the register says the certificate covers; None when it lists nothing row by row."""
    rows = tuple(AnnexRow(*texts) for texts in wanted.rows)
    signatories = tuple(Signatory(*texts) for texts in wanted.signatories)
    return Annex(signatories=signatories, rows=rows) if rows or signatories else None


def licence_values(wanted: ToRender, origin: str) -> Licence:
    """The values of a certificate that its procedure's dossier file describes."""
    held, content = wanted.certificate, wanted.content or {}
    annex = content.get("annex") or {}
    return Licence(
        title=content["title"],
        number=held.number,
        holder=wanted.agency_name,
        statement=content["statement"],
        shown=tuple((label, text) for label, text, _ in content["shown"]),
        issued_on=wanted.issued_on,
        valid_from=held.valid_from,
        valid_to=held.valid_to,
        authority_name=held.authority_name,
        verify_url=f"{origin}/v/{held.verify_code}",
        verify_code=held.verify_code,
        annex_title=annex.get("title", ""),
        columns=tuple(chinese for chinese, _ in annex.get("columns", ())),
        rows=tuple(tuple(row) for row in annex.get("rows", ())),
        edition=wanted.version,
    )


def _tell_the_case(workshop: Workshop, case_id: int, wanted: ToRender) -> None:
    """Only a case that waits for its certificate has this action; an annulment's does not."""
    try:
        workshop.cases.perform_as_system(
            case_id,
            "record_rendering",
            Plain(),
            command_id=f"rendered:{wanted.certificate.public_id}:{wanted.version}",
        )
    except Refusal as refusal:
        if refusal.code not in ("unknown", "unavailable"):
            raise


def why_unprintable(error: MissingGlyph | InvalidValue) -> str:
    """For the administrator: which characters, where, and what to do."""
    if isinstance(error, InvalidValue):
        return f"This cannot be printed: {error}. Have it corrected, then try again."
    named = "; ".join(
        f"{r.character} ({r.code_point}) in {r.where}: {r.reason}" for r in error.refusals[:SHOWN]
    )
    more = len(error.refusals) - SHOWN
    return (
        f"These characters cannot be printed: {named}{f'; and {more} more' if more > 0 else ''}. "
        "Have the text corrected or a font with these characters installed, then try again."
    )
