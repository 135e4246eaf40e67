"""A second, slow and plain reckoning of working days, sharing no code with the first.

It reads the calendar files as text, writes down every day of twenty years in one list and walks it day
by day. Where the two disagree, one of them is wrong.
"""

import re
from datetime import date, timedelta
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "reference" / "calendar"
FIRST, LAST = date(2019, 1, 1), date(2038, 12, 31)


def _read() -> tuple[dict[date, bool], dict[int, bool]]:
    """Day -> worked, for the days the files name; year -> confirmed."""
    named: dict[date, bool] = {}
    confirmed: dict[int, bool] = {}
    for path in FOLDER.glob("CN-*.yaml"):
        year = int(path.stem[3:])
        worked = False
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("confirmed:"):
                confirmed[year] = line.split()[1] == "true"
            elif line.startswith("off:"):
                worked = False
            elif line.startswith("make_up:"):
                worked = True
            elif found := re.match(r"  - \{date: (\d{4})-(\d\d)-(\d\d),", line):
                named[date(*map(int, found.groups()))] = worked
    return named, confirmed


NAMED, CONFIRMED = _read()
DAYS = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
WORKED = [NAMED.get(day, day.isoweekday() not in (6, 7)) for day in DAYS]


def due(started_on: date, amount: int, rests: tuple[tuple[date, date], ...] = ()) -> tuple[date, bool]:
    """The due day and whether any day walked over lies in an unconfirmed year."""
    place = (started_on - FIRST).days
    provisional = False
    while amount:
        place += 1
        day = DAYS[place]
        provisional = provisional or not CONFIRMED.get(day.year, False)
        if WORKED[place] and not any(since <= day <= until for since, until in rests):
            amount -= 1
    return DAYS[place], provisional


def working_between(after: date, until: date) -> int:
    """Working days later than ``after`` and not later than ``until``."""
    return sum(WORKED[(after - FIRST).days + 1 : (until - FIRST).days + 1])
