"""The stage of a rehearsal: a house of its own, a clock that jumps from working day to working day, a cast."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import configuration
from configuration import Settings
from forms.dossiers import faults
from intake.standards import Catalogue
from store.applications import ApplicationStore
from store.certificate_import import CertificateImport
from store.certificates import CertificateStore
from store.database import BUREAU_ZONE, Clock, migrate
from store.passwords import Passwords
from store.reference import DIRECTORY, read_catalogue_file, seed
from web.cast import Cast
from web.context import House

OpenHouse = Callable[..., House]
WorkOff = Callable[[House], list[str]]


class JumpingClock(Clock):
    """Stands still at a moment until it is told to go on; never goes beyond `latest`."""

    def __init__(self, on: date, latest: datetime | None = None) -> None:
        self.latest = latest
        self.set_back(on)

    def now(self) -> datetime:
        self.at += timedelta(milliseconds=1)  # two acts never share a moment
        moment = self.at if self.latest is None else min(self.at, self.latest)
        return moment.astimezone(UTC)

    def set_back(self, on: date, hour: int = 9) -> None:
        """To an earlier day, for the next scene: scenes do not share a case."""
        self.at = datetime(on.year, on.month, on.day, hour, tzinfo=BUREAU_ZONE)

    def go_to(self, on: date, hour: int = 9) -> None:
        self.at = max(self.at, datetime(on.year, on.month, on.day, hour, tzinfo=BUREAU_ZONE))


class Stage:
    """A house with its cast, and what a play needs of it. `clock` is the one that the house was opened with."""

    def __init__(self, house: House, clock: JumpingClock, work_off: WorkOff) -> None:
        self._work_off = work_off
        self.house, self.clock, self.settings = house, clock, house.settings
        self.cast = Cast(house.accounts, house.reference)
        self.cast.assemble()
        self.applications = ApplicationStore(house.cases, house.files, house.reference, faults)
        self.certificates = CertificateStore(house.database)
        self.old_certificates = CertificateImport(house.database, house.laws)
        self.catalogue = Catalogue.from_rows(house.reference.standards())

    def next_working_day(self, days: int = 1) -> None:
        """Let `days` working days pass."""
        law = self.house.laws.current()
        self.clock.go_to(law.calendar.nth_after(self.clock.today(), days))

    def work_off(self) -> list[str]:
        """Do every waiting job; returns the reasons of those that failed."""
        return self._work_off(self.house)

    def close(self) -> None:
        self.house.database.close()


def own_stage(
    open_house: OpenHouse, work_off: WorkOff, var: Path, division: str, on: date, base: Settings
) -> Stage:
    """A stage in a directory of its own, run by the bureau of that place, on that day."""
    clock, authority = JumpingClock(on), _authority_of(division)
    settings = configuration.load(
        var=var,
        profile="demo",
        database_url="",
        file_store_url="",
        smtp_url="",
        debug=False,
        public_origin=base.origin,
        bureau_name=authority["zh"],
        bureau_authority=authority["code"],
        bureau_division=authority["division"] or division,
    )
    migrate(settings.database)
    quick = Passwords(memory_kib=64)  # nobody signs in at a rehearsal
    house = open_house(settings, clock=clock, passwords=quick)
    seed(house.database)
    house.reference.put_setting("bureau", settings.bureau)
    return Stage(house, clock, work_off)


def _authority_of(division: str) -> dict[str, str]:
    """The licensing authority of a place: the provincial bureau (Order 163 art. 8)."""
    rows = read_catalogue_file(DIRECTORY, "authorities")
    return next((r for r in rows if r["division"][:2] == division[:2] and r["division"]), rows[0])
