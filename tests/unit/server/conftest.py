"""Each test of the server begins without a caller."""

from collections.abc import Iterator

import pytest

from mcphub_server.web.caller import UNKNOWN, enter_client


@pytest.fixture(autouse=True)
def no_caller() -> Iterator[None]:
    """Forget the caller that a test entered: it stays in the worker's context."""
    enter_client(UNKNOWN)
    yield
    enter_client(UNKNOWN)
