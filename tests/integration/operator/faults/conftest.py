"""The runner of the scenarios, and the table of how they ended.

`MCPHUB_FAULTS=full` runs all faults; without it a few of each kind.
`MCPHUB_FAULT_TABLE` names the document into which the table goes.
"""

import asyncio
import os
from pathlib import Path

import pytest

from tests.support.fault_matrix.document import write_table
from tests.support.fault_matrix.matrix import Matrix
from tests.support.fault_matrix.runner import Runner
from tests.support.fault_matrix.scenario import Scenario
from tests.support.run_folder import find_run_folder
from tools.cluster.apiserver import ApiAccess

MATRIX = Matrix()
IS_FULL = os.environ.get("MCPHUB_FAULTS") == "full"
DRAWN_PAIRS = 8 if IS_FULL else 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the long part of the matrix to those who ask for it."""
    if not IS_FULL:
        items[:] = [item for item in items if "full_matrix" not in item.keywords]


@pytest.fixture(scope="session")
def extent() -> str:
    return "full" if IS_FULL else "short"


@pytest.fixture(scope="session")
def matrix() -> Matrix:
    return MATRIX


@pytest.fixture(scope="session")
def runner(
    api_server: ApiAccess, tmp_path_factory: pytest.TempPathFactory, matrix: Matrix
) -> Runner:
    shared = find_run_folder(tmp_path_factory)
    return Runner(api_server, tmp_path_factory.mktemp("runner"), shared, matrix)


async def find_scenario(runner: Runner, scenarios: dict[int, Scenario]) -> Scenario:
    """Return the hubs with fates, and some that go from one drawn spec to another."""
    # Hypothesis does not want to be imported from a conftest.
    from tests.support.fault_matrix.drawing import draw_scenario  # noqa: PLC0415

    if DRAWN_PAIRS not in scenarios:
        scenarios[DRAWN_PAIRS] = await draw_scenario(runner, DRAWN_PAIRS)
    return scenarios[DRAWN_PAIRS]


@pytest.fixture
async def scenario(runner: Runner, scenarios: dict[int, Scenario]) -> Scenario:
    return await find_scenario(runner, scenarios)


@pytest.fixture(scope="module")
def ends(
    request: pytest.FixtureRequest, runner: Runner, scenarios: dict[int, Scenario]
) -> dict[str, list[str]]:
    """What was not as it should be under each of the module's faults, by name."""
    here = [item for item in request.session.items if item.path == request.path]
    faults = [item.callspec.params["fault"] for item in here]

    async def run() -> dict[str, list[str]]:
        return await runner.run_all(await find_scenario(runner, scenarios), faults)

    return asyncio.run(run())


@pytest.fixture(scope="session")
def scenarios() -> dict[int, Scenario]:
    """The scenarios that were drawn; each only once."""
    return {}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not MATRIX.runs:
        return
    terminalreporter.section("the operator under faults")
    terminalreporter.write_line(MATRIX.build_table())
    for note in MATRIX.notes:
        terminalreporter.write_line(note)
    if document := os.environ.get("MCPHUB_FAULT_TABLE"):
        write_table(Path(document), MATRIX)
