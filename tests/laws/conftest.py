"""The laws that ask the running application use the fixtures of its own tests."""
from tests.web.conftest import (  # noqa: F401
    _peopled,
    accounts,
    app,
    client,
    client_of,
    clock,
    house,
    settings,
)
