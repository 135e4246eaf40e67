"""An administrator sees which jobs gave up and why, and lets them start over; nobody else does."""

from datetime import timedelta

import pytest

from store.jobs import JobQueue
from workflow.vocabulary import Role


@pytest.fixture
def failed(house):
    queue = JobQueue(house.database)
    job_id = queue.add("render_certificate", {})
    [job] = queue.claim("w", ("render_certificate",), timedelta(seconds=60))
    queue.fail(job, "w", "The character U+F1234 cannot be printed", for_good=True)
    return job_id


def test_a_job_that_gave_up_is_shown_with_its_reason_and_starts_over(house, client_of, failed):
    administrator = client_of(Role.ADMINISTRATOR)
    page = administrator.get("/jobs?lang=en").text
    assert "U+F1234 cannot be printed" in page and "Produce a certificate" in page and "No worker is running" in page
    assert administrator.send(f"/jobs/{failed}/retry").status_code == 303
    assert JobQueue(house.database).find(failed).status == "waiting"
    assert administrator.send(f"/jobs/{failed}/retry").status_code == 404
    for status in ("waiting", "done"):
        assert administrator.get(f"/jobs?status={status}").status_code == 200
    assert administrator.get("/jobs?status=nonsense").status_code == 404
    assert administrator.get("/jobs?after=nonsense").status_code == 422


def test_nobody_else_sees_or_starts_jobs(client_of, failed):
    for role in (Role.LEADER, Role.ISSUING_CLERK, Role.APPLICANT):
        browser = client_of(role)
        assert browser.get("/jobs").status_code == 403
        assert browser.send(f"/jobs/{failed}/retry").status_code == 403
