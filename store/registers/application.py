"""Registers of the application: freezing what was submitted, the acceptance number, the correction notice."""

import hashlib
from collections.abc import Mapping
from typing import Any

import rfc8785
from sqlalchemy import Connection, insert, select, update

from store.records.applications import ApplicationRecord, CorrectionItemRecord, UploadRecord
from store.registers.moment import Moment
from store.registers.numbering import take
from workflow.commands import RequestCorrection
from workflow.engine import Step


def freeze_application(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """Keep the digest of exactly what is submitted, and when."""
    digest = application_digest(connection, step.after.id)
    connection.execute(
        update(ApplicationRecord)
        .where(ApplicationRecord.case_id == step.after.id)
        .values(digest=digest, frozen_at=moment.at)
    )
    return {"application_digest": digest}


def application_digest(connection: Connection, case_id: int) -> str:
    """SHA-256 of an application: the sections as typed and every current file by its hash."""
    sections = connection.scalar(
        select(ApplicationRecord.sections).where(ApplicationRecord.case_id == case_id)
    )
    files = connection.execute(
        select(UploadRecord.purpose, UploadRecord.name, UploadRecord.sha256)
        .where(
            UploadRecord.case_id == case_id,
            UploadRecord.replaced_at.is_(None),
            UploadRecord.status == "clean",
        )
        .order_by(UploadRecord.id)
    ).all()
    content = {"sections": sections or {}, "files": [list(f) for f in files]}
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()


def number_acceptance(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """The acceptance number 受理号: year and a serial of that year."""
    if number := step.before.fact("case_number"):  # accepted once more after a return: it keeps its number
        return {"case_number": number}
    serial = take(connection, f"acceptance:{moment.on.year}")
    return {"case_number": f"{moment.on.year}-{serial:06d}"}


def open_correction_items(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    command = step.command
    assert isinstance(command, RequestCorrection)
    correction = step.after.fact("corrections")
    connection.execute(
        insert(CorrectionItemRecord),
        [
            {
                "case_id": step.after.id,
                "correction": correction,
                "ordinal": ordinal,
                "subject": item.subject,
                "reason": item.reason,
                "basis": item.basis,
                "answer": "",
                "answered_at": None,
            }
            for ordinal, item in enumerate(command.items, 1)
        ],
    )
    return {"corrections_open": len(command.items)}
