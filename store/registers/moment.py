"""When a step is written: the moment, the local date and the law in force."""

from dataclasses import dataclass
from datetime import date, datetime

from workflow.clocks import Law


@dataclass(frozen=True, slots=True)
class Moment:
    at: datetime
    on: date
    law: Law
