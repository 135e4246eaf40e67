"""Registers of the technical review: the checklist and the row-by-row confirmation of the capability table."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from store.records.applications import CapabilityRowRecord, ChecklistLineRecord
from store.records.reference import CatalogueEntryRecord
from store.registers.evidence import licences_opened
from store.registers.moment import Moment
from workflow.commands import ConfirmRows, RecordFindings
from workflow.dossiers import checklist_of
from workflow.engine import Step
from workflow.vocabulary import N_, Message, Refusal

_CHUNK = 5000  # bound parameters in one IN list, well under either database's limit


def open_checklist(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """Lay out the lines for this case: those of its procedure's dossier, else those of the review criteria."""
    return _lay_out(connection, step.after.id, [(code, "") for code in _common(connection, step)])


def open_joint_checklist(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """One checklist for one visit: the lines common to all, then those of each licence applied for, tagged with it."""
    lines = [(code, "") for code in _common(connection, step)]
    for opened in licences_opened(connection, step.after.id):
        if opened.closed_at is None:
            lines += [(c, opened.procedure) for c in checklist_of(opened.procedure, opened.procedure_version)]
    codes = [code for code, _ in lines]
    if twins := sorted({code for code in codes if codes.count(code) > 1}):
        raise Refusal(
            "unmet",
            Message(
                N_("Two licences have a checklist line called %(lines)s; ask the administrator to rename one."),
                {"lines": twins},
            ),
        )
    return {"failed_licences": [], **_lay_out(connection, step.after.id, lines)}


def _common(connection: Connection, step: Step) -> Sequence[str]:
    """The lines of the procedure's own file, else those of the review criteria."""
    return list(checklist_of(step.after.procedure, step.after.procedure_version)) or connection.scalars(
        select(CatalogueEntryRecord.code)
        .where(CatalogueEntryRecord.catalogue == "checklist")
        .order_by(CatalogueEntryRecord.ordinal)
    ).all()


def _lay_out(connection: Connection, case_id: int, lines: Sequence[tuple[str, str]]) -> Mapping[str, Any]:
    if found := _findings(connection, case_id):
        # organised once more after a return: what was found stays until somebody finds otherwise
        return found
    if lines:
        connection.execute(
            insert(ChecklistLineRecord),
            [
                {"case_id": case_id, "code": code, "ordinal": n, "licence": licence, "result": "", "explanation": ""}
                for n, (code, licence) in enumerate(lines, 1)
            ],
        )
    return {"findings_open": len(lines), "findings_failed": 0}


def record_findings(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    command = step.command
    assert isinstance(command, RecordFindings)
    line = ChecklistLineRecord
    for code, result, explanation in command.lines:
        done = connection.execute(
            update(line)
            .where(line.case_id == step.after.id, line.code == code)
            .values(result=result, explanation=explanation, person_id=step.actor.person_id, at=moment.at)
        )
        if done.rowcount != 1:
            raise Refusal(
                "malformed",
                Message(N_("There is no checklist line %(line)s."), {"line": code}),
                field="lines",
            )
    return _findings(connection, step.after.id)


def _findings(connection: Connection, case_id: int) -> dict[str, Any]:
    """findings_open: lines without an answer; findings_failed: common lines that do not meet; and, where lines are
    tagged, failed_licences: those whose own lines do not. Nothing before the checklist is laid out."""
    line = ChecklistLineRecord
    counts = connection.execute(
        select(line.licence, line.result, func.count())
        .where(line.case_id == case_id)
        .group_by(line.licence, line.result)
    ).all()
    if not counts:
        return {}
    found: dict[str, Any] = {
        "findings_open": sum(n for _, result, n in counts if not result),
        "findings_failed": sum(n for licence, result, n in counts if not licence and result == "does_not_meet"),
    }
    if any(licence for licence, _, _ in counts):
        found["failed_licences"] = sorted(
            {licence for licence, result, _ in counts if licence and result == "does_not_meet"}
        )
    return found


def confirm_rows(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """Confirm or except rows, named by their ordinal in the application, or every row still open."""
    command = step.command
    assert isinstance(command, ConfirmRows)
    row, case_id = CapabilityRowRecord, step.after.id
    if command.ways:
        entry = CatalogueEntryRecord
        known = set(connection.scalars(select(entry.code).where(entry.catalogue == "confirmation_ways")))
        if set(command.ways) - known:
            raise Refusal("malformed", Message(N_("Choose among the ways of confirming.")), field="ways")
    change = (
        update(row)
        .where(row.case_id == case_id)
        .values(
            standing="confirmed" if command.confirmed else "refused",
            ways=" ".join(command.ways),
            reason=command.reason,
            confirmed_by=step.actor.person_id,
        )
    )
    if command.every:
        connection.execute(change.where(row.standing == "open"))
    for chunk in _chunks(command.rows):
        if connection.execute(change.where(row.ordinal.in_(chunk))).rowcount != len(chunk):
            raise Refusal("malformed", Message(N_("One of the chosen rows does not exist.")), field="rows")
    return row_counts(connection, case_id)


def confirm_rows_on_commitment(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """On the commitment track the rows stand on the applicant's commitment until they are verified."""
    row = CapabilityRowRecord
    connection.execute(
        update(row)
        .where(row.case_id == step.after.id, row.standing == "open")
        .values(standing="confirmed", ways="commitment", confirmed_by=step.actor.person_id)
    )
    return row_counts(connection, step.after.id)


def row_counts(connection: Connection, case_id: int) -> dict[str, int]:
    """rows_total, rows_open, rows_confirmed and rows_refused of a case."""
    counts = _counts(connection, CapabilityRowRecord.standing, CapabilityRowRecord.case_id == case_id)
    return {
        "rows_total": sum(counts.values()),
        "rows_open": counts.get("open", 0),
        "rows_confirmed": counts.get("confirmed", 0),
        "rows_refused": counts.get("refused", 0),
    }


def _counts(connection: Connection, column: Any, condition: Any) -> dict[str, int]:
    rows = connection.execute(select(column, func.count()).where(condition).group_by(column))
    return {row[0]: row[1] for row in rows}


def _chunks(values: Sequence[int]) -> Iterator[Sequence[int]]:
    return (values[i : i + _CHUNK] for i in range(0, len(values), _CHUNK))
