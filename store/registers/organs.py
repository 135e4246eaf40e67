"""Who issues: the bureau itself, or the organ of the department whose licence it is."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from store.records.reference import SettingRecord
from workflow.case import Case
from workflow.dossiers import CertificateSpec
from workflow.joint_licences import DECIDING
from workflow.vocabulary import N_, Message, Refusal

ORGANS = "issuing_organs"  # setting: department -> the organ's full name, where the bureau has entered it


def bureau(connection: Connection) -> Mapping[str, Any]:
    """The issuing authority as configured: code, name. Raises Refusal("unmet") when it is not set."""
    content = connection.scalar(select(SettingRecord.content).where(SettingRecord.name == "bureau"))
    if not content:
        raise Refusal("unmet", Message(N_("The bureau is not configured yet; ask the administrator.")))
    return dict(content)


def issuing_organ(connection: Connection, case: Case, spec: CertificateSpec | None = None) -> Mapping[str, Any]:
    """Who issues the certificate: the bureau, or the organ whose licence it is, under its own name: as the bureau
    entered it, else as the dossier file has it. The code is the region's.

    Raises Refusal("unmet") while the bureau is not configured.
    """
    authority = bureau(connection)
    if not (deciding := case.fact(DECIDING)):
        return authority
    setting = SettingRecord
    named = connection.scalar(select(setting.content).where(setting.name == ORGANS)) or {}
    written = spec.issued_by.zh if spec and spec.issued_by else ""
    return {**authority, "name": str(named.get(deciding[0]) or written or authority["name"])}
