"""A whole small world for tests that ask every address: two agencies, cases in many states, everybody's account.

Everything is made through the same doors as in a bureau: the two full dossiers by a rehearsal's play, the other
cases step by step by the members of the cast.
"""

import logging
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

import app as root
import configuration
from intake.standards import Catalogue
from store.certificate_documents import CertificateDocuments
from store.database import migrate
from store.jobs import JobQueue
from store.passwords import Passwords
from store.records.agencies import AgencyRecord
from store.records.applications import DocumentRecord, UploadRecord
from store.records.cases import CaseRecord
from store.records.certificates import CertificateRecord, CertificateVersionRecord
from store.records.columns import table_of
from store.reference import seed
from tests.services import databases
from tests.store import factories
from tests.store.factories import COMMITMENT_WAYS, GENERAL_WAYS, CaseHand, MovableClock, usual_command
from tests.web.command_line import CORPUS, ROOT
from web.cast import PASSWORD
from web.rehearsal.package import Package
from web.rehearsal.play import Play
from web.rehearsal.report import Report
from web.rehearsal.stage import JumpingClock, Stage
from workflow.commands import OrganiseReview
from workflow.vocabulary import Role

SECRET = "the key of a test, long enough and of no use elsewhere"
BEGIN = date(2026, 3, 2)
ASKED = ("ecology", "construction")  # the departments that every hand-made case asks
LOGINS = {"window_officer": "chuangkou", "review_organiser": "zuzhi", "leads_the_team": "zuzhang",
          "is_on_the_team": "zuzhang", "leader": "lingdao", "issuing_clerk": "zhizheng", "inspector": "hecha"}


@dataclass(frozen=True)
class Thing:
    """A case in the address: whose, whether it was ever filed, who takes part, and what hangs on it."""

    name: str
    agency: str
    filed: bool
    public_id: str
    number: str | None
    state: str
    version: int
    parts: frozenset[str]  # sign-in names of the team and of the departments asked
    is_application: bool
    uploads: tuple[str, ...]
    documents: tuple[str, ...]
    certificates: tuple[tuple[str, str, str], ...]  # public id, number, verification code


@dataclass
class World:
    """`directory` holds database and files; `things` by name; `canaries` per agency: what others must not read."""

    directory: Path
    things: dict[str, Thing] = field(default_factory=dict)
    canaries: dict[str, frozenset[str]] = field(default_factory=dict)
    batch: str = ""
    later: date = BEGIN

    @property
    def database_file(self) -> Path:
        return self.directory / "wujian.sqlite3"


class Builder:
    """Builds the world on a stage of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        settings = configuration.load(var=directory, secret_key=SECRET, embedded_worker=False)
        migrate(settings.database)
        clock = JumpingClock(BEGIN)
        house = root.open_house(settings, clock=clock, passwords=Passwords(memory_kib=8, passes=1))
        seed(house.database)
        house.reference.put_setting("bureau", settings.bureau)
        self.stage = Stage(house, clock, root.work_off)
        self.hands: dict[str, CaseHand] = {}
        self.catalogue = Catalogue.from_csv(ROOT / "reference" / "standards.csv")

    def build(self) -> World:
        for agency, package in (("north", "P05"), ("south", "P01")):
            self._agency(agency, package)
        accounts = self.stage.house.accounts
        accounts.add_account("north.colleague", PASSWORD, name="甲 · 同事", roles=[Role.APPLICANT],
                             agency_id=self.stage.cast.actor("north").agency_id)
        bare = accounts.add_account("nobody", PASSWORD, name="无角色", roles=[Role.INSPECTOR])
        accounts.set_roles(bare, [])
        self._by_hand("north", "submitted", "correction_requested", "under_review", "rectification_ordered",
                      "awaiting_sign_off", "awaiting_decision", "granted", "printed", "closed")
        self._by_hand("south", "under_review", "awaiting_sign_off", "closed")
        self._on_commitment("north")
        failed = [reason for reason in self.stage.work_off() if "notice that was signed" not in reason]
        assert failed == [], failed
        world = World(self.directory, later=self.stage.clock.today())
        self._look(world)
        self._batch(world)
        self.stage.close()
        return world

    def _agency(self, login: str, package: str) -> None:
        """Registered, with a full dossier that is filed and another that is still its own."""
        opened = Package.open(CORPUS / package, self.catalogue)
        play = Play(self.stage, opened, Report(package, "general"), login)
        play.register()
        play.enter_old_certificate()
        if login == "north":
            play.fill_in("general")
            play.take(login, "submit")
            self._remember(f"{login}.filed", play.case)
        play.fill_in("general")
        self._remember(f"{login}.draft", play.case)

    def _by_hand(self, login: str, *states: str) -> None:
        for state in states:
            hand = self._opened(login, "general", GENERAL_WAYS[state])
            self._remember(f"{login}.{state}", hand.public_id)

    def _on_commitment(self, login: str) -> None:
        hand = self._opened(login, "commitment", COMMITMENT_WAYS["granted"])
        self._remember(f"{login}.commitment", hand.public_id)
        [child] = hand.children()
        self._remember(f"{login}.verification", child.public_id)
        hand = self._opened(login, "commitment", COMMITMENT_WAYS["draft"])
        self._remember(f"{login}.commitment_draft", hand.public_id)

    def _opened(self, login: str, track: str, ways: tuple[str, ...]) -> CaseHand:
        """A case brought along these actions by the cast; "ask" has every department agree."""
        agency_id = self.stage.cast.actor(login).agency_id
        hand = factories.cma_case(self.stage.house.cases, departments=ASKED, agency_id=agency_id)
        for action in ways:
            for _ in ASKED if action == "ask" else "1":
                self._take(hand, "sign_off" if action == "ask" else action, login)
        return hand

    def _take(self, hand: CaseHand, action: str, login: str) -> None:
        cast, file = self.stage.cast, hand.file
        spec = file.procedure.by_name[action]
        if spec.spec.who == "is_the_applicant":
            actor = cast.actor(login)
        elif spec.spec.who == "answers_for_a_department_asked":
            actor = cast.officer_of(next(d for d in ASKED if d not in file.case.answered()))
        elif spec.spec.who == "is_the_system":
            hand.take(action)
            return
        else:
            actor = cast.actor(LOGINS[spec.spec.who])
        command = usual_command(action, spec.command, hand.checklist())
        if spec.command is OrganiseReview:
            team = tuple(cast.actor(name).person_id for name in ("zuzhang", "pingshen1"))
            command = OrganiseReview(mode="on_site", leader=team[0], members=team,
                                     planned_on=self.stage.clock.today() + timedelta(days=7))
        hand.take(action, command, by=actor)

    def _remember(self, name: str, public_id: str) -> None:
        self.hands[name] = CaseHand(self.stage.house.cases, public_id, 0, 0)

    def _look(self, world: World) -> None:
        """What the rows say about each case, once everything is rendered."""
        case, agency = table_of(CaseRecord), table_of(AgencyRecord)
        with self.stage.house.database.reading() as connection:
            for name, hand in self.hands.items():
                row = connection.execute(select(case).where(case.c.public_id == hand.public_id)).one()
                owner = name.partition(".")[0]

                def ids(record: Any, row: Any = row) -> tuple[str, ...]:
                    return tuple(connection.scalars(select(record.public_id).where(record.case_id == row.id)))
                held = connection.execute(
                    select(CertificateRecord.public_id, CertificateRecord.number, CertificateRecord.verify_code)
                    .join(CertificateVersionRecord, CertificateVersionRecord.certificate_id == CertificateRecord.id)
                    .where(CertificateVersionRecord.case_id == row.id)).all()
                world.things[name] = Thing(
                    name, owner, row.submitted_at is not None, row.public_id, row.number, row.state, row.version,
                    frozenset(self._parts(name)), row.procedure == "cma", ids(UploadRecord), ids(DocumentRecord),
                    tuple(map(tuple, held)))
            for login in ("north", "south"):
                own = connection.execute(
                    select(agency).where(agency.c.id == self.stage.cast.actor(login).agency_id)).one()
                told = {own.name, own.uscc, own.phone}
                for thing in world.things.values():
                    if thing.agency == login:
                        told |= {text for text in (thing.number, *(c[1] for c in thing.certificates)) if text}
                world.canaries[login] = frozenset(told)

    def _parts(self, name: str) -> Iterator[str]:
        """Who has a part, by how far the case came; told apart from what the rows say about it."""
        state = name.partition(".")[2]
        if state in AFTER_TEAM:
            yield from ("zuzhang", "pingshen1")
        if state == "filed":  # P05 inspects motor vehicles
            yield from ("bumen.public-security", "bumen.ecology", "bumen.transport")
        elif state not in ("draft", "commitment_draft", "verification"):  # named by the fields applied for
            yield from (f"bumen.{department}" for department in ASKED)
            yield "fuze.construction"  # sees what the officers of that department see

    def _batch(self, world: World) -> None:
        """A file of certificates that a clerk had put together."""
        thing = world.things["north.closed"]
        [certificate] = thing.certificates
        held = self.stage.certificates.find(number=certificate[1])
        assert held is not None
        [edition] = CertificateDocuments(self.stage.house.database).editions(held.id)
        payload = {"sha256": [edition.sha256], "refused": [], "certificates": [
            {"number": held.number, "agency": held.agency_name, "pages": edition.pages,
             "public_id": held.public_id, "version": edition.version}]}
        world.batch = JobQueue(self.stage.house.database).add("merge_certificates", payload)
        self.stage.work_off()


AFTER_TEAM = ("under_review", "rectification_ordered", "awaiting_sign_off", "awaiting_decision", "granted", "printed",
              "closed")


# -- fixtures; a test module that wants the world imports these four ------------------------------------------


@pytest.fixture(scope="session")
def built_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The world, built once per test process; tests get copies of its database."""
    logging.getLogger("wujian").setLevel(logging.WARNING)
    made = Builder(tmp_path_factory.mktemp("world")).build()
    connection = sqlite3.connect(made.database_file)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return made


@pytest.fixture(name="world")
def the_world(built_world: World, settings: configuration.Settings) -> World:
    """The world as the application of this test sees it."""
    return built_world


@pytest.fixture(name="settings")
def the_settings(tmp_path: Path, built_world: World) -> configuration.Settings:
    """An installation of this test alone with a copy of the world; files are shared, they never change."""
    return configuration.load(
        var=tmp_path, secret_key=SECRET, embedded_worker=False,
        database_url=databases.sqlite_copy(built_world.database_file, tmp_path / "world.sqlite3"),
        file_store_url=(built_world.directory / "files").as_uri())


@pytest.fixture(name="clock")
def the_clock(built_world: World) -> MovableClock:
    """The morning after the last step of the world; it moves only when told."""
    made = MovableClock()
    made.move_to(built_world.later + timedelta(days=1))
    return made
