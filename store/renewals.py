"""What a renewal runs to: the last day of the certificate that it renews."""

from typing import Any

from sqlalchemy import Connection, select

from store.records.certificates import CertificateRecord
from store.records.columns import table_of
from store.registers.certificate import IN_FORCE

RENEWAL = "renewal"  # the application type; see reference/application_types.yaml
_CERTIFICATE = table_of(CertificateRecord)


def renewal_facts(connection: Connection, agency_id: int | None, facts: dict[str, Any]) -> dict[str, str]:
    """The fact that the clock of a renewal runs to: an ISO day, '' where the application renews nothing of its own
    that is in force. Nothing at all for an application that never was a renewal."""
    number = str(facts.get("certificate_held") or "")
    if RENEWAL not in (facts.get("application_types") or ()) or not number:
        return {"certificate_expires_on": ""} if facts.get("certificate_expires_on") else {}
    last = connection.scalar(
        select(_CERTIFICATE.c.valid_to).where(
            _CERTIFICATE.c.number == number,
            _CERTIFICATE.c.agency_id == agency_id,
            _CERTIFICATE.c.status.in_(IN_FORCE),
            _CERTIFICATE.c.replaced_by_id.is_(None),
        )
    )
    return {"certificate_expires_on": last.isoformat() if last else ""}
