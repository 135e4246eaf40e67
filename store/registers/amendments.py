"""Registers of changes to a certificate in force: what an approved change writes, each only where it was asked for.

What changes stands in the fact `amendments`, worked out from the dossier: kind of change -> its values. All changes
of one case make one new version of the certificate; number and expiry stay (Order 163 art. 14).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, insert, literal, null, select, update

from store.records.agencies import AgencyRecord
from store.records.certificates import (
    AnnexRowRecord,
    AnnexSignatoryRecord,
    CertificateRecord,
    CertificateVersionRecord,
)
from store.registers.certificate import IN_FORCE, named_certificate, record_event, rows_in_force
from store.registers.moment import Moment
from workflow.commands import Decide
from workflow.engine import Step
from workflow.vocabulary import N_, Message, Refusal

ANNEX_COLUMNS = ("site", "section", "category", "object", "parameter", "limit_text", "note")
_CHUNK = 5000  # bound parameters in one IN list, well under either database's limit
OF_AGENCY = frozenset({"name", "address", "legal_person", "phone", "email"})  # columns of the register of agencies


def certificate_is_held(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """Refuse a change to a certificate that is not the applicant's own or no longer in force."""
    return {"certificate_number": _held(connection, step, moment).number}


def reissue_certificate(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """The certificate says its holder anew: same number, same expiry."""
    asked = _amendment(step, "holder")
    if not asked:
        return {}
    held, version = _new_version(connection, step, moment)
    _keep_holder(connection, held, version)
    names = {n: str(asked[n]) for n in ("agency_name", "agency_address") if asked.get(n)}
    if names:
        connection.execute(update(CertificateRecord).where(CertificateRecord.id == held.id).values(**names))
    told: dict[str, Any] = {n: [getattr(held, n), text] for n, text in names.items()}
    _enter_agency(connection, held.agency_id, {
        **({"name": names["agency_name"]} if "agency_name" in names else {}),
        **({"liability_bearer": asked["liability_bearer"]} if asked.get("liability_bearer") else {})})
    return _done(connection, step, moment, held, version, "reissued", told)


def _keep_holder(connection: Connection, held: Any, version: int) -> None:
    """An earlier version that is still to be rendered goes on saying the holder that it was issued to."""
    one = CertificateVersionRecord
    particulars = connection.scalar(select(AgencyRecord.particulars).where(AgencyRecord.id == held.agency_id)) or {}
    holder = {"agency_name": held.agency_name, "agency_address": held.agency_address,
              "liability_bearer": particulars.get("liability_bearer") or held.agency_name}
    waiting = connection.execute(select(one.version, one.content).where(
        one.certificate_id == held.id, one.version < version, one.sha256.is_(None))).all()
    for row in waiting:
        if not (row.content or {}).get("holder"):
            connection.execute(update(one).where(one.certificate_id == held.id, one.version == row.version).values(
                content={**(row.content or {}), "holder": holder}))


def end_annex_rows(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """The rows given up end on this day (Order 163 art. 14(3)). Raises Refusal when one is in force no more."""
    asked = _amendment(step, "rows")
    if not asked:
        return {}
    ordinals = sorted({int(n) for n in asked["ended"]})
    held, version = _new_version(connection, step, moment)
    row = AnnexRowRecord
    for start in range(0, len(ordinals), _CHUNK):
        part = ordinals[start : start + _CHUNK]
        ended = connection.execute(
            update(row)
            .where(row.certificate_id == held.id, row.until_version.is_(None), row.ordinal.in_(part))
            .values(until_version=version, until_on=moment.on, ended_by="given_up")
        ).rowcount
        if ended != len(part):
            raise Refusal("unmet", Message(N_("One of the rows to be given up is no longer in the annex.")))
    return _done(connection, step, moment, held, version, "rows_given_up", {"rows": ordinals})


def repoint_annex_rows(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """Every row under an old standard ends and goes on under the new one (Order 163 art. 14(4))."""
    asked = _amendment(step, "standards")
    if not asked:
        return {}
    held, version = _new_version(connection, step, moment)
    changed = []
    for old, new, *_ in asked["changed"]:
        count = _repoint(connection, held.id, version, moment, str(old), str(new))
        if not count:
            raise Refusal("unmet", Message(N_("The annex holds no row under the standard %(standard)s."),
                                           {"standard": old}))
        changed.append([old, new, count])
    return _done(connection, step, moment, held, version, "standards_changed", {"standards": changed})


def _repoint(connection: Connection, certificate_id: int, version: int, moment: Moment, old: str, new: str) -> int:
    row = AnnexRowRecord
    under = (row.certificate_id == certificate_id, row.until_version.is_(None), row.from_version < version,
             folded(row.standard_text) == fold(old))
    used = connection.scalar(select(func.coalesce(func.max(row.ordinal), 0)).where(
        row.certificate_id == certificate_id)) or 0
    columns = [getattr(row, name) for name in ANNEX_COLUMNS]
    again = select(
        literal(certificate_id), literal(used) + func.row_number().over(order_by=row.ordinal), *columns,
        literal(new), literal(version), null(), literal(moment.on), null(), null()).where(*under)
    names = ["certificate_id", "ordinal", *ANNEX_COLUMNS, "standard_text", "from_version", "until_version", "from_on",
             "until_on", "ended_by"]
    connection.execute(insert(row).from_select(names, again))
    return connection.execute(update(row).where(*under).values(
        until_version=version, until_on=moment.on, ended_by="standard_changed")).rowcount


def fold(text: str) -> str:
    """A standard's number without blanks, as two people may write it."""
    return "".join(text.split()).upper()


def folded(column: Any) -> Any:
    return func.upper(func.replace(func.replace(column, " ", ""), "\u3000", ""))


def replace_signatories(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """Annex 2 anew: who is named again signs in the field given now, who was taken out signs no more."""
    asked = _amendment(step, "signatories")
    if not asked:
        return {}
    held, version = _new_version(connection, step, moment)
    one = AnnexSignatoryRecord
    added, removed = list(asked.get("added") or ()), [r[0] for r in asked.get("removed") or ()]
    gone = connection.execute(
        update(one)
        .where(one.certificate_id == held.id, one.until_version.is_(None),
               one.name.in_([*removed, *(a[0] for a in added)]))
        .values(until_version=version).returning(one.name)
    ).scalars().all()
    if missing := sorted(set(removed) - set(gone)):
        raise Refusal("unmet", Message(N_("%(names)s does not sign under this certificate."), {"names": missing}))
    used = connection.scalar(select(func.coalesce(func.max(one.ordinal), 0)).where(one.certificate_id == held.id)) or 0
    if added:
        connection.execute(insert(one), [
            {"certificate_id": held.id, "ordinal": used + n, "name": name, "title": title, "field": area, "note": note,
             "from_version": version, "until_version": None}
            for n, (name, title, area, note) in enumerate((_four(a) for a in added), 1)])
    return _done(connection, step, moment, held, version, "signatories_changed", {
        "added": [a[0] for a in added], "removed": removed})


def _four(cells: Sequence[str]) -> tuple[str, str, str, str]:
    name, title, area, note = (*cells, "", "", "", "")[:4]
    return str(name), str(title), str(area), str(note)


def file_amendments(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """What only needs filing goes into the register of agencies at once; the certificate stays as it is."""
    asked = _amendment(step, "agency")
    if not asked:
        return {}
    held = _held(connection, step, moment)
    _enter_agency(connection, held.agency_id, asked)
    record_event(connection, held.id, "filed", moment, step.after.id, basis="", grounds="",
                 detail={"filed": sorted(asked)})
    return {"certificate_number": held.number}


def cancel_certificate(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """Take the certificate off the register 注销 (Licensing Law art. 70); the reason is published with it."""
    asked = _amendment(step, "end")
    held = _held(connection, step, moment)
    connection.execute(update(CertificateRecord).where(CertificateRecord.id == held.id).values(status="cancelled"))
    record_event(connection, held.id, "cancelled", moment, step.after.id, basis="",
                 grounds=str(asked.get("reason", "")), detail={})
    return {"certificate_number": held.number}


def _amendment(step: Step, what: str) -> Mapping[str, Any]:
    return dict((step.after.fact("amendments") or {}).get(what) or {})


def _held(connection: Connection, step: Step, moment: Moment) -> Any:
    case = step.after
    held = named_certificate(connection, case.fact("certificate_held"))
    if held is None or held.agency_id != case.agency_id:
        raise Refusal("unmet", Message(
            N_("The certificate that this application names, %(number)s, is not in the register. Enter it first."),
            {"number": case.fact("certificate_held")}))
    lapsed = held.valid_to < moment.on and held.deemed_renewed_on is None
    if held.status not in IN_FORCE or held.replaced_by_id is not None or lapsed:
        raise Refusal("unmet", Message(N_("The certificate is no longer in force.")))
    return held


def _new_version(connection: Connection, step: Step, moment: Moment) -> tuple[Any, int]:
    """The certificate and the version that this case makes of it, begun by the first change that asks."""
    held, case_id, one = _held(connection, step, moment), step.after.id, CertificateVersionRecord
    begun = connection.scalar(select(one.version).where(one.case_id == case_id))
    if begun is not None:
        return held, begun
    version = held.annex_version + 1
    connection.execute(update(CertificateRecord).where(CertificateRecord.id == held.id).values(annex_version=version))
    content = dict(connection.scalar(select(one.content).where(
        one.certificate_id == held.id, one.version == held.annex_version)) or {})
    content.pop("holder", None)
    connection.execute(insert(one), {
        "certificate_id": held.id, "version": version, "case_id": case_id, "issued_on": moment.on, "annex_rows": 0,
        "content": content or None})
    return held, version


def _done(connection: Connection, step: Step, moment: Moment, held: Any, version: int, act: str,
          told: Mapping[str, Any]) -> Mapping[str, Any]:
    one = CertificateVersionRecord
    connection.execute(update(one).where(one.certificate_id == held.id, one.version == version).values(
        annex_rows=rows_in_force(connection, held.id, version)))
    grounds = step.command.grounds if isinstance(step.command, Decide) else ""
    record_event(connection, held.id, act, moment, step.after.id, basis="", grounds=grounds,
                 detail={"version": version, **told})
    return {"certificate_number": held.number, "annex_version": version, "certificate_rendered": False}


def _enter_agency(connection: Connection, agency_id: int, values: Mapping[str, Any]) -> None:
    """What is known of the agency from now on: its own columns, and the rest among its particulars."""
    if not values:
        return
    agency = AgencyRecord
    particulars = dict(connection.scalar(
        select(agency.particulars).where(agency.id == agency_id).with_for_update()) or {})
    particulars |= {n: v for n, v in values.items() if n not in OF_AGENCY}
    connection.execute(update(agency).where(agency.id == agency_id).values(
        particulars=particulars, **{n: v for n, v in values.items() if n in OF_AGENCY}))
