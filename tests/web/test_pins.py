"""A case page says by which texts and tables the case is handled."""

from typing import Any

from tests.store import factories
from workflow import dossiers


def test_the_history_ends_with_the_fingerprints_that_the_case_is_pinned_to(client_of: Any, house: Any) -> None:
    hand = factories.cma_case(house.cases, "submitted")
    page = client_of("leader").get(f"/cases/{hand.public_id}/timeline?lang=en").text
    shown = page[page.index("What this case is handled by"):]
    procedure, law = hand.file.procedure, house.laws.current()
    asked = dossiers.find(procedure.name, procedure.version)
    assert asked is not None
    for label, digest in (
        ("Procedure", procedure.digest), ("Application form", asked.digest), ("Catalogues", law.pins["form"]),
        ("Time limits", law.pins["rules"]), ("Working-day calendar", law.pins["calendar"]),
    ):  # fmt: skip
        assert f"<dt>{label}</dt><dd>{digest}</dd>" in shown, label
