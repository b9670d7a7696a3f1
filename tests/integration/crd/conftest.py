"""One API server with the CRD for all tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.hub_api import HubApi, running_hub_api


@pytest.fixture(scope="session")
def api() -> Iterator[HubApi]:
    with running_hub_api() as running:
        yield running


@pytest.fixture
def every_field() -> dict:
    """A valid hub that sets every field there is."""
    text = (Path(__file__).parent / "every_field.yaml").read_text()
    return dict(yaml.safe_load(text))
