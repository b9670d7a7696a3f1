"""What the CRD's schema does not let through never reaches the operator's core."""

import pytest

from tests.support.core_runs import run_core
from tests.support.hub_api import HubApi, Refused
from tests.support.spoilt_hubs import Spoilt, spoil_all

SPOILT = tuple(spoil_all())
HEAD = {
    "apiVersion": "mcp.bigtorig.com/v1alpha1",
    "kind": "McpHub",
    "metadata": {"name": "spoilt", "namespace": "default"},
}


@pytest.mark.parametrize("spoilt", SPOILT, ids=lambda spoilt: spoilt.reason)
def test_the_api_server_refuses_it_and_the_core_stands_it(api: HubApi, spoilt: Spoilt):
    answer = api.try_hub(HEAD | {"spec": spoilt.spec})

    field = spoilt.reason.split()[0].rpartition(".")[2].removesuffix("[]")
    assert isinstance(answer, Refused)
    assert field in answer.message
    run_core(spoilt.spec)
