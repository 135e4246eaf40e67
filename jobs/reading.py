"""Reading uploaded tables behind the page: large files, and those whose page went away before they were read."""

from forms.dossiers import faults
from intake.child import read_in_child
from intake.standards import Catalogue
from jobs.workshop import Bench, Done
from store.applications import ApplicationStore
from store.jobs import Job
from store.reference import Reference
from workflow.vocabulary import Refusal


def read_upload(bench: Bench, job: Job) -> Done:
    """Read every file that waits on the job's case. Safe to repeat: a file is put into the dossier once."""
    tools = bench.workshop
    reference = Reference(tools.database)
    if job.case_id is None:
        return Done("There is no case to read for.")
    catalogue = Catalogue.from_rows(reference.standards())
    applications = ApplicationStore(tools.cases, tools.files, reference, faults)
    try:
        usable = applications.read_waiting(job.case_id, lambda files: read_in_child(files, catalogue).tables)
    except Refusal as refusal:
        return Done(f"Not read: {refusal.reason}")  # the case moved on, or its account is gone
    return Done(f"{usable} tables read")
