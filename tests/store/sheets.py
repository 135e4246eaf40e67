"""Applications made from dossier files, filled with lawful values, and taken through their procedures."""
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from forms.dossiers import faults
from store.accounts import AccountStore
from store.applications import ApplicationStore, Received
from store.cases import CaseStore
from store.database import Database
from store.files import FileStore
from store.passwords import Passwords
from store.reference import Reference
from store.values import Performed
from tests.store import factories
from tests.store.factories import STAFF, department_officer, usual_command
from workflow import commands as c
from workflow.dossiers import FieldSpec
from workflow.vocabulary import Actor

PDF = b"%PDF-1.4 a proof"
TEXTS = {"line": "示例", "paragraph": "示例说明。", "date": "2026-02-27", "number": "500", "phone": "13800000000",
         "mobile": "13800000000", "email": "a@agency.example", "uscc": "91330100799655058B", "postcode": "100000"}


def value_of(field: FieldSpec) -> Any:
    """A lawful value for a field, when a test does not care which."""
    if field.kind == "choice":
        return field.choices[0].key
    if field.kind in ("choices", "declaration"):
        return [o.key for o in field.choices]
    if field.kind == "lines":
        return ["\t".join(f"{column.zh}{n}" for column in field.columns) for n in (1, 2)]
    return TEXTS.get(field.kind, "")


class SheetApplicant:
    """An agency's account with an application made from a dossier file."""

    def __init__(self, store: ApplicationStore, actor: Actor, procedure: str, types: tuple[str, ...] = ()) -> None:
        self.store, self.actor = store, actor
        self.public_id = store.start(actor, procedure, types=types)

    @property
    def dossier(self) -> Any:
        return self.store.get(self.public_id, self.actor)

    @property
    def facts(self) -> Mapping[str, Any]:
        return dict(self.dossier.case.facts)

    def save(self, section: str, **values: Any) -> int:
        state = self.dossier.sections[section]
        return self.store.save_section(self.public_id, self.actor, section, {**state.values, **values}, state.revision)

    def complete(self, **values: Mapping[str, Any]) -> None:
        """Fill in every section, with the given values per section, and hand in every material that is asked for."""
        sheet = self.dossier.sheet
        for name, state in list(self.dossier.sections.items()):
            spec = sheet.section(name)
            filled = {f.name: state.values.get(f.name) or value_of(f) for f in spec.fields if f.name != "types"}
            types = {"types": state.values["types"]} if "types" in state.values else {}
            self.save(name, **{**filled, **types, **values.get(name, {})})
        for material in self.dossier.materials:
            if material.is_missing:
                self.store.hand_in(self.public_id, self.actor, material.code, Received("a.pdf", PDF), None)

    def act(self, name: str, command: c.Command | None = None, **options: Any) -> Performed:
        """Take an action as the first person who lawfully may, with a usual command."""
        file = self.store.cases.get(self.public_id, self.actor)
        action = file.procedure.by_name[name]
        who = self.actor if action.on_applicant_side else STAFF.get(action.spec.who) or department_officer(
            next(d for d in file.case.fact("departments") if d not in file.case.answered()))
        codes = [line.code for line in self.lines()] if action.command is c.RecordFindings else ()
        return self.store.cases.perform(
            self.public_id, name, who, command or usual_command(name, action.command, codes),
            command_id=f"{name}-{file.case.version}-{file.case.id}", expected_version=None, reauthenticated=True,
            **options)

    def sign(self) -> None:
        """Read the commitment as it is shown and sign exactly that text."""
        file = self.store.cases.get(self.public_id, self.actor)
        version, text, digest = self.store.commitment_text(file)
        self.store.keep_commitment(text)
        self.act("sign_commitment", c.SignCommitment(notice_version=version, text_sha256=digest, signer="高原"))

    def lines(self) -> Any:
        from store.reviews import ReviewStore

        return ReviewStore(self.store.database).checklist(self.store.cases.get(self.public_id, self.actor))

    def walk(self, *names: str) -> str:
        """Take actions one after another; the state afterwards."""
        state = ""
        for name in names:
            state = self.act(name).state
        return state


def sheet_store(cases: CaseStore, database: Database, place: Path) -> ApplicationStore:
    factories.usual_pool(database)
    return ApplicationStore(cases, FileStore(str(place / "files")), Reference(database), faults)


def registered(database: Database, login: str = "shenqing", uscc: str = "91330100799655058B",
               name: str = "示例检测有限公司") -> Actor:
    """The account of an agency registered as people do it."""
    accounts = AccountStore(database, passwords=Passwords(memory_kib=8, passes=1))
    account = accounts.register_agency(
        uscc=uscc, agency_name=name, division="330100", address="示例市示例路一号", legal_person="高原",
        phone="13800000000", email="a@agency.example", login=login, password="Correct-Horse-7", name="经办")
    actor = accounts.actor_for(account)
    assert actor is not None
    return actor


Begin = Callable[..., SheetApplicant]
