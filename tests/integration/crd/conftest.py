"""Hubs before an API server, as users send them."""

from pathlib import Path

import pytest
import yaml

from tests.support.hub_api import HubApi, open_hub_api
from tools.cluster.apiserver import ApiAccess


@pytest.fixture(scope="session")
def api(api_server: ApiAccess) -> HubApi:
    return open_hub_api(api_server)


@pytest.fixture
def every_field() -> dict:
    """A valid hub that sets every field there is."""
    text = (Path(__file__).parent / "every_field.yaml").read_text()
    return dict(yaml.safe_load(text))
