"""The job that has a procedure version proved, with the people, departments and limits that the bureau has today."""

from time import perf_counter

from jobs.workshop import Bench, CannotBeDone, Done
from store.accounts import AccountStore
from store.jobs import Job
from store.procedure_versions import ProcedureVersions
from store.reference import Reference
from workflow.exploration import prove as explore
from workflow.procedure import DefinitionError, Procedure
from workflow.proofs import Proof
from workflow.vocabulary import SYSTEM, Refusal, Role


def prove_procedure(bench: Bench, job: Job) -> Done:
    """Prove the text as it stands now and keep what was found, be it good or bad, for whoever asked."""
    database, laws = bench.workshop.database, bench.workshop.cases.laws
    versions, accounts = ProcedureVersions(database, laws), AccountStore(database)
    asked = job.payload
    try:
        found = versions.get(asked["name"], asked["version"])
        begun = perf_counter()
        proof = _proved(bench, found.procedure()).timed(perf_counter() - begun)
        actor = accounts.actor_for(asked["account"]) or SYSTEM
        versions.keep_proof(asked["name"], asked["version"], proof.plain(), actor)
    except (Refusal, DefinitionError) as error:  # changed, thrown away or spoilt since it was asked
        raise CannotBeDone(str(error)) from error
    return Done(note=proof.verdict.value)


def _proved(bench: Bench, procedure: Procedure) -> Proof:
    database, laws = bench.workshop.database, bench.workshop.cases.laws
    people = [a.actor() for a in AccountStore(database).list_() if a.active and Role.APPLICANT not in a.roles]
    departments = [str(row["key"]) for row in Reference(database).catalogue("departments")]
    return explore(procedure, people=people, departments=departments, allowances=laws.current().allowances)
