"""What a step writes beyond the case itself: certificates, row confirmations, checklist lines, corrections.

A register is named by the procedure's definition. It runs inside the step's transaction and returns the facts
that the case must know afterwards; raising a Refusal undoes the whole step.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection

from store.registers import (
    amendments,
    application,
    certificate,
    commitment,
    licence,
    renewal,
    review,
    subjects,
    team,
    verbs,
)
from store.registers.moment import Moment
from workflow.engine import Step

Register = Callable[[Connection, Step, Moment], Mapping[str, Any]]

REGISTERS: dict[str, Register] = {
    register.__name__: register
    for register in (
        application.freeze_application,
        application.number_acceptance,
        application.open_correction_items,
        review.open_checklist,
        review.open_joint_checklist,
        review.record_findings,
        review.confirm_rows,
        review.confirm_rows_on_commitment,
        subjects.digest_by_department,
        certificate.issue_certificate,
        certificate.annul_certificate,
        certificate.certificate_is_gone,
        licence.issue_licence,
        renewal.deem_renewed,
        renewal.end_deemed_renewal,
        amendments.certificate_is_held,
        amendments.reissue_certificate,
        amendments.end_annex_rows,
        amendments.repoint_annex_rows,
        amendments.replace_signatories,
        amendments.file_amendments,
        amendments.cancel_certificate,
        commitment.digest_what_is_promised,
        commitment.commitment_is_open,
        commitment.bar_commitment_track,
        team.team_suits_the_case,
        team.nominees_are_fit,
        verbs.person_may_take_it,
        verbs.person_may_read_it,
        verbs.department_is_known,
        verbs.notices_have_not_left,
    )
}

__all__ = ["REGISTERS", "Moment", "Register"]
