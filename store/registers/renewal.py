"""A renewal that the law grants because nobody decided in time (Licensing Law art. 50(2)), and its end."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from store.records.certificates import CertificateRecord
from store.records.columns import table_of
from store.registers.certificate import IN_FORCE, record_event
from store.registers.moment import Moment
from workflow.engine import Step

_CERTIFICATE = table_of(CertificateRecord)
ONE_DAY = timedelta(days=1)


def deem_renewed(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """The certificate held counts as renewed from the day after its last one until the renewal is decided.

    Where it is no longer in force (annulled meanwhile, replaced) there is nothing that the law could renew: the
    step stands, and its fact says so.
    """
    held = _held(connection, step)
    if held is None or held.status not in IN_FORCE or held.replaced_by_id is not None:
        return {"deemed_renewed_on": ""}
    since = held.valid_to + ONE_DAY
    _set(connection, held.id, since)
    record_event(
        connection,
        held.id,
        "deemed_renewed",
        moment,
        step.after.id,
        basis=_article(step),
        grounds="",
        detail={"from": since.isoformat()},
    )
    return {"deemed_renewed_on": since.isoformat()}


def end_deemed_renewal(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """The renewal came to an end without a new certificate: what the law had put in its place ends with it."""
    if not step.after.fact("deemed_renewed_on"):
        return {}
    held = _held(connection, step)
    if held is None or held.deemed_renewed_on is None:
        return {}
    _set(connection, held.id, None)
    record_event(
        connection,
        held.id,
        "deemed_ended",
        moment,
        step.after.id,
        basis="",
        grounds="",
        detail={"until": moment.on.isoformat()},
    )
    return {}


def _held(connection: Connection, step: Step) -> Any:
    """The certificate of this very agency that the case is about, locked; None when there is none."""
    number = step.after.fact("certificate_held")
    if not number:
        return None
    of_this_agency = _CERTIFICATE.c.agency_id == step.after.agency_id
    return connection.execute(
        select(_CERTIFICATE).where(_CERTIFICATE.c.number == str(number), of_this_agency).with_for_update()
    ).first()


def _set(connection: Connection, certificate_id: int, since: Any) -> None:
    connection.execute(
        update(_CERTIFICATE).where(_CERTIFICATE.c.id == certificate_id).values(deemed_renewed_on=since)
    )


def _article(step: Step) -> str:
    """The article of the clock that ended with this step: the one whose lapse it answers."""
    ended = {c.name for c in step.after.clocks if c.is_stopped}
    return next((c.allowance.article for c in step.before.clocks if not c.is_stopped and c.name in ended), "")
