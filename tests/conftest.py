"""Options of a test run; without any of them it is the one that `make test` makes.

They stand here since pytest reads options of the outermost conftest only.
"""

import gc
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest

from tests.support.lanes import LaneScheduling, find_rank
from tests.support.run_folder import find_run_folder
from tests.support.shared_api_server import shared_api_server
from tools.cluster.apiserver import ApiAccess

# The same inputs in each run, however slow the machine is: no deadline, no complaint
# about slow generation.
hypothesis.settings.load_profile("ci")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(
    config: pytest.Config, log: Any
) -> LaneScheduling | None:
    """Give each lane to one worker, where the run asks for groups."""
    is_asked = config.getoption("dist") == "loadgroup"
    return LaneScheduling(config, log) if is_asked else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest lanes first."""
    items.sort(key=lambda item: find_rank(item.path, item.config.rootpath))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Keep the collector from what collecting the tests made.

    A million objects take it half a second each time, in whatever runs just then: a
    call of a hub in this process would be that slow.
    """
    gc.collect()
    gc.freeze()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mcphub")
    group.addoption(
        "--hub-port",
        type=int,
        help="port of 127.0.0.1 that leads to the hub `demo` of the end-to-end tests",
    )
    group.addoption(
        "--pairs",
        type=int,
        default=30,
        help="generated transitions from one spec to another (default: 30)",
    )
    group.addoption(
        "--write-operations",
        action="store_true",
        help="write what kubectl printed into docs/operations.md",
    )


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiAccess]:
    """One API server with the definition for all workers of a run."""
    with shared_api_server(find_run_folder(tmp_path_factory)) as server:
        yield server
