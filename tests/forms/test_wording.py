"""The suggested wording of notices and decisions."""
import re

import pytest

from forms.wording import suggested
from workflow import procedures

ACTIONS = [(p.name, action.name) for p in procedures.every() for action in p.actions]


@pytest.mark.parametrize("procedure, action", ACTIONS, ids=".".join)
def test_suggested_wording_is_chinese_without_gaps(procedure: str, action: str) -> None:
    """The text goes into a decision as it stands: a line break of the file must not become a space."""
    for text in suggested(procedure, action).values():
        assert text and not re.search(r"[\u4e00-\u9fff。，；：）》] +[\u4e00-\u9fff（《]", text), text


def test_a_grant_begins_from_a_text_that_names_its_article() -> None:
    assert "《行政许可法》第三十八条" in suggested("cma", "grant")["grounds"]
