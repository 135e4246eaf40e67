"""A case suspended on a ground: its clocks rest while it stays where it is.

A suspension is a fact of the case, so effects write it; `clocks.turn`, at the end of the same step, lets every clock
rest that names the ground in `rests_for`. A clock that starts meanwhile rests from its first day.
"""

from workflow.case import Case

SUSPENDED = "suspended_for"  # the fact: names of the grounds of the definition, in the order in which they came


def suspend(case: Case, ground: str) -> Case:
    """The case suspended on one more ground."""
    grounds = suspended_for(case)
    return case if ground in grounds else case.with_facts(**{SUSPENDED: [*grounds, ground]})


def resume_all(case: Case) -> Case:
    """The case no longer suspended; clocks that rest because of its state go on resting."""
    return case.with_facts(**{SUSPENDED: []}) if suspended_for(case) else case


def suspended_for(case: Case) -> tuple[str, ...]:
    """The grounds on which the case is suspended, in the order in which they came."""
    return tuple(case.fact(SUSPENDED) or ())
