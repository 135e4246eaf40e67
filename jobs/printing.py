"""Many certificates as one file for the printer: made here, since it is too slow for a request."""

from jobs.workshop import Bench, CannotBeDone, Done
from pdf.printing import NotOurs, merge_for_printing
from store.files import FileMissing
from store.jobs import Job

MOST = 200  # certificates in one batch; a technical bound


def merge_certificates(bench: Bench, job: Job) -> Done:
    """Merge the documents named by `payload["sha256"]`, each checked against its register hash as it is read."""
    digests = [str(digest) for digest in job.payload["sha256"]][:MOST]
    try:
        merged = merge_for_printing(bench.workshop.files.get(digest) for digest in digests)
    except FileMissing as error:
        raise CannotBeDone(
            f"A certificate's file is missing or damaged in the file store: {error}"
        ) from error
    except NotOurs as error:
        raise CannotBeDone(f"A file in the batch is none of our documents: {error}") from error
    return Done(result={"sha256": bench.workshop.files.put(merged), "size": len(merged)})
