"""An agency with an application of its own, filled from a sample package."""
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from forms.dossiers import faults
from intake.reader import read_package
from intake.standards import Catalogue
from store.accounts import AccountStore
from store.applications import ApplicationStore, Received
from store.cases import CaseStore
from store.database import Database
from store.files import FileStore
from store.passwords import Passwords
from store.reference import Reference
from workflow.commands import Plain
from workflow.vocabulary import Actor, Refusal

CORPUS = Path(__file__).parent.parent / "corpus"
PDF = b"%PDF-1.4 a proof"
DECLARATION = {"declared": ["lawful", "criteria", "truthful"], "signer": "高原", "capacity": "legal_person",
               "signed_on": "2026-03-02"}


@dataclass
class Applicant:
    """An agency's account with an application of its own."""

    store: ApplicationStore
    actor: Actor
    public_id: str
    package: str

    @property
    def dossier(self) -> Any:
        return self.store.get(self.public_id, self.actor)

    @property
    def facts(self) -> Any:
        return self.dossier.case.facts

    def upload(self, *names: str) -> int:
        """Send tables of the package (all of them without names) and read them."""
        return self.send([Received(p.name, p.read_bytes()) for p in sorted((CORPUS / self.package).glob("*.xls*"))
                          if not names or any(n in p.name for n in names)])

    def send(self, files: Sequence[Received]) -> int:
        case_id = self.store.receive_tables(self.public_id, self.actor, files)
        return self.store.read_waiting(case_id, self.read)

    def read(self, files: Any) -> Any:
        return read_package(files, Catalogue.from_rows(self.store.reference.standards())).tables

    def save(self, section: str, **values: Any) -> int:
        state = self.dossier.sections[section]
        return self.store.save_section(self.public_id, self.actor, section, {**state.values, **values}, state.revision)

    def complete(self) -> None:
        """Everything that keeps an application from being submitted."""
        self.upload()
        self.save("resources", site_right="owned", equipment_right="owned")
        self.save("declaration", **DECLARATION)
        for material in self.dossier.materials:
            if material.is_missing:
                self.store.hand_in(self.public_id, self.actor, material.code, Received("a.pdf", PDF), None)

    def perform(self, name: str, command: Any = None, actor: Actor | None = None, **options: Any) -> Any:
        return self.store.cases.perform(self.public_id, name, actor or self.actor, command or Plain(),
                                        command_id=f"{name}-{self.dossier.case.version}",
                                        expected_version=None, **options)


@pytest.fixture
def store(cases: CaseStore, database: Database, tmp_path: Path) -> ApplicationStore:
    return ApplicationStore(cases, FileStore(str(tmp_path / "files")), Reference(database), faults)


@pytest.fixture
def applicant(store: ApplicationStore, database: Database) -> Callable[[str], Applicant]:
    """`applicant("P01")`: the agency of that package, registered, with an application begun."""
    def begin(package: str = "P01", login: str = "") -> Applicant:
        agency = expected(package)["agency"]
        accounts = AccountStore(database, passwords=Passwords(memory_kib=8, passes=1))
        account = accounts.register_agency(
            uscc=agency["uscc"], agency_name=agency["name"], division=agency["region_code"], address=agency["address"],
            legal_person=agency["legal_person"], phone="13800000000", email="a@agency.example",
            login=login or f"of.{package.lower()}", password="Correct-Horse-7", name="经办")
        actor = accounts.actor_for(account)
        assert actor is not None
        return Applicant(store, actor, store.start(actor), package)
    return begin


def expected(package: str) -> Any:
    return json.loads((CORPUS / package / "expected.json").read_text("utf-8"))


def refused(act: Callable[[], Any]) -> str:
    with pytest.raises(Refusal) as refusal:
        act()
    return refusal.value.code
