"""The whole pen on the reference procedure: state, tasks, clocks, hash-chained audit, outgoing jobs at every step."""

import sys
from pathlib import Path

from bench.machine import versions
from bench.peers.pace import DEPARTMENTS, serve
from store.cases import CaseStore
from store.database import Database
from store.law import LawBook
from store.tokens import new_token
from tests.store.factories import agency, applicant_of, department_officer, person
from workflow import procedures
from workflow.commands import Command, Decide, Plain, RecordSignOff
from workflow.procedure import load
from workflow.vocabulary import Actor, Role

REFERENCE = load(Path(__file__).parent / "reference_case.yaml")


class Ours:
    """One case after another through `CaseStore`, in a database that is migrated and seeded."""

    def __init__(self, url: str) -> None:
        procedures.hold(REFERENCE)
        self.database = Database(url)
        self.cases = CaseStore(self.database, LawBook(self.database))
        self.agency = agency(self.database)
        self.applicant = applicant_of(self.agency)
        window, leader = person("window-officer", Role.WINDOW_OFFICER), person("leader", Role.LEADER)
        clerk = person("issuing-clerk", Role.ISSUING_CLERK)
        self.steps: tuple[tuple[str, Actor, Command], ...] = (
            ("submit", self.applicant, Plain()),
            ("accept", window, Plain()),
            *(("sign_off", department_officer(d), RecordSignOff()) for d in DEPARTMENTS),
            ("grant", leader, Decide(grounds="符合法定条件")),
            ("issue", clerk, Plain()),
            ("close", clerk, Plain()),
        )

    def run(self) -> None:
        facts = {"departments": list(DEPARTMENTS), "dossier_gaps": [], "rows_total": 1}
        public_id = self.cases.open(REFERENCE, self.applicant, agency_id=self.agency, agency_name="示例检测有限公司",
                                    subject="首次申请", facts=facts)  # fmt: skip
        version = 1
        for name, actor, command in self.steps:
            done = self.cases.perform(public_id, name, actor, command, command_id=new_token(),
                                      expected_version=version)  # fmt: skip
            version = done.version
        assert done.state == "closed", done


if __name__ == "__main__":
    serve(Ours(sys.argv[1]).run, versions(["SQLAlchemy", "transitions"]))
