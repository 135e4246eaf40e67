"""Running a rehearsal from the first file to the last check."""

import hashlib
from datetime import datetime
from pathlib import Path

from configuration import Settings
from intake.check import INSTALLED_STANDARDS
from intake.rows import CapabilityRow
from intake.standards import Catalogue
from pdf.reading import annex_differences, printed_paging
from pdf.values import AnnexRow
from store.database import BUREAU_ZONE
from web.rehearsal.package import Package
from web.rehearsal.play import APPLICANT, Play, Stopped
from web.rehearsal.report import Report
from web.rehearsal.stage import OpenHouse, Stage, WorkOff, own_stage
from workflow.vocabulary import Refusal


def rehearse(
    directory: Path, track: str, out: Path, open_house: OpenHouse, work_off: WorkOff, base: Settings
) -> Report:
    """Take the package in `directory` through the chain on `track`; leave the PDF and everything else in `out`.

    Raises PackageRefused when there is nothing to rehearse. A chain that ends early is told in `report.stopped`.
    """
    package = Package.open(directory, Catalogue.from_csv(INSTALLED_STANDARDS))
    facts, report = package.facts, Report(directory.name, track)
    _note_reading(package, report)
    start = facts.applied_on or datetime.now(BUREAU_ZONE).date()
    stage = own_stage(open_house, work_off, out / "var", facts.region_code or facts.uscc[2:8], start, base)
    try:
        play = Play(stage, package, report)
        play.register()
        play.enter_old_certificate()
        play.fill_in(track)
        if track == "commitment":
            play.commitment()
        else:
            play.general()
        play.issue()
        _check(stage, play, package, out)
        if track == "commitment":
            play.verify_on_site()
    except Stopped as stopped:
        report.stopped = str(stopped)
    except Refusal as refusal:
        report.stopped = str(refusal.reason)
    finally:
        stage.close()
    return report


def _note_reading(package: Package, report: Report) -> None:
    report.files = package.reading.to_json()["files"]
    report.agency = {"name": package.facts.name, "uscc": package.facts.uscc}
    for table in package.reading.tables:
        for code, count in table.problem_counts.items():
            report.problems[code] = report.problems.get(code, 0) + count
    if capability := package.reading.find("capability"):
        accepted = len(capability.accepted_rows)
        report.rows = {"read": capability.data_rows, "accepted": accepted,
                       "refused": capability.data_rows - accepted}


def _check(stage: Stage, play: Play, package: Package, out: Path) -> None:
    """Read the certificate back, as the public gets it, and compare it with what was accepted."""
    report = play.report
    actor = stage.cast.actor("zhizheng")
    case = stage.house.cases.get(play.case, actor).case
    certificate = stage.certificates.find(number=str(case.fact("certificate_number")))
    if certificate is None:
        raise Stopped("the certificate is not in the register")
    issued = stage.applications.certificate(play.case, stage.cast.actor(APPLICANT))
    if issued is None:
        raise Stopped("the certificate was not rendered")
    content = stage.house.files.get(issued.sha256)
    (out / f"{certificate.number}.pdf").write_bytes(content)
    reading = package.reading.find("capability")
    accepted = [
        AnnexRow(r.site, r.section, r.category, r.object, r.parameter, r.standard_text, r.limit, r.note)
        for r in (reading.records if reading else ())
        if isinstance(r, CapabilityRow) and r.accepted
    ]
    differences = annex_differences(content, accepted)
    public = stage.certificates.find(code=certificate.verify_code)
    pages = printed_paging(content)
    report.verification_address = f"{stage.settings.origin}/v/{certificate.verify_code}"
    report.certificate = {
        "number": certificate.number,
        "status": certificate.status,
        "issued_on": certificate.issued_on.isoformat(),
        "valid_from": certificate.valid_from.isoformat(),
        "valid_to": certificate.valid_to.isoformat(),
        "authority": certificate.authority_name,
        "annex_version": issued.version,
        "annex_rows": len(accepted),
        "pdf": f"{certificate.number}.pdf",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "pages": len(pages),
        "differences": differences[:20],
    }
    report.checks = {
        "annex_holds_exactly_the_accepted_rows": not differences and bool(accepted),
        "every_page_says_x_of_y": bool(pages),
        "bytes_are_those_of_the_register": hashlib.sha256(content).hexdigest() == issued.sha256,
        "the_public_finds_it_valid": public is not None and public.status == "valid",
    }
