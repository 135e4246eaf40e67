"""Registers of the commitment track: what was promised, whether the track is still open, and its closing."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select

from store.commitment_bars import bars_of, retracted_before
from store.eligibility import Exclusion, Particulars, assess
from store.records.agencies import AgencyRecord, CommitmentBarRecord
from store.records.applications import TableReadingRecord
from store.records.reference import CatalogueEntryRecord
from store.registers.application import application_digest
from store.registers.moment import Moment
from workflow.commands import Annul
from workflow.deadlines import in_force
from workflow.engine import Step
from workflow.vocabulary import N_, Message, Refusal


def digest_what_is_promised(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """A commitment says that what was handed in is true: it covers the application as it stands when it is signed."""
    return {"commitment_dossier_sha256": application_digest(connection, step.after.id)}


def commitment_is_open(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """Judge anew, at the very step, whether the commitment track is open to the agency and the application.

    The fact `commitment_bars` is as old as the last edit; a penalty, a listing or a false commitment may have been
    entered since. Raises Refusal("unmet") with every reason.
    """
    case = step.after
    if case.track != "commitment":
        return {}
    types = tuple(case.fact("application_types") or ())
    division = connection.scalar(select(AgencyRecord.division).where(AgencyRecord.id == case.agency_id)) or ""
    reading = TableReadingRecord
    summary = connection.scalar(
        select(reading.summary).where(reading.case_id == case.id, reading.table_name == "capability")
    )
    found = assess(
        Particulars(
            types,
            division,
            moment.on,
            (summary or {}).get("excluded", {}),
            bars_of(connection, case.agency_id),
            retracted_before(connection, case, types),
        ),
        criteria=_catalogue(connection, "commitment_criteria"),
        types=_catalogue(connection, "application_types"),
        exclusions=[Exclusion.from_row(row) for row in _catalogue(connection, "commitment_exclusions")],
        lookback=in_force(moment.law.allowances, "commitment_penalty_lookback", moment.on),
    )
    if found.bars:
        raise Refusal(
            "unmet",
            Message(
                N_("The commitment track is no longer open to this application: %(reasons)s"),
                {"reasons": [c.why for c in found.criteria if c.why]},
            ),
        )
    return {"commitment_bars": []}


def bar_commitment_track(connection: Connection, step: Step, moment: Moment) -> Mapping[str, Any]:
    """After a false or seriously untrue commitment the commitment track is closed to the agency for good.

    Not after one that was basically true and whose rectification failed: that costs the items, not the track.
    """
    if not step.after.fact("untrue"):
        return {}
    basis = step.command.basis if isinstance(step.command, Annul) else step.after.fact("decision_grounds", "")
    connection.execute(
        insert(CommitmentBarRecord),
        {
            "agency_id": step.after.agency_id,
            "ground": "false_commitment",
            "basis": basis,
            "from_on": moment.on,
            "until_on": None,
            "case_id": step.after.id,
        },
    )
    return {}


def _catalogue(connection: Connection, name: str) -> list[Mapping[str, Any]]:
    entry = CatalogueEntryRecord
    query = select(entry.content).where(entry.catalogue == name).order_by(entry.ordinal)
    return list(connection.scalars(query))
