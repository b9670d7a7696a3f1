"""The theater of the stories, and the table of how they ended.

`MCPHUB_FAULTS=full` tells all stories; without it those that take two minutes.
`MCPHUB_FAULT_TABLE` names the document into which the table goes.
"""

import asyncio
import os
from pathlib import Path

import pytest

from tests.support.fault_matrix.document import write_table
from tests.support.fault_matrix.matrix import Matrix
from tests.support.fault_matrix.story import Story
from tests.support.fault_matrix.telling import Theater
from tools.cluster.apiserver import ApiServer

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
def theater(
    api_server: ApiServer, tmp_path_factory: pytest.TempPathFactory, matrix: Matrix
) -> Theater:
    return Theater(api_server, tmp_path_factory.mktemp("theater"), matrix)


async def find_story(theater: Theater, stories: dict[int, Story]) -> Story:
    """Return the hubs with fates, and some that go from one drawn spec to another."""
    # Hypothesis does not want to be imported from a conftest.
    from tests.support.fault_matrix.drawing import draw_story  # noqa: PLC0415

    if DRAWN_PAIRS not in stories:
        stories[DRAWN_PAIRS] = await draw_story(theater, DRAWN_PAIRS)
    return stories[DRAWN_PAIRS]


@pytest.fixture
async def story(theater: Theater, stories: dict[int, Story]) -> Story:
    return await find_story(theater, stories)


@pytest.fixture(scope="module")
def ends(
    request: pytest.FixtureRequest, theater: Theater, stories: dict[int, Story]
) -> dict[str, list[str]]:
    """What was not as it should be under each of the module's faults, by name."""
    here = [item for item in request.session.items if item.path == request.path]
    faults = [item.callspec.params["fault"] for item in here]

    async def tell() -> dict[str, list[str]]:
        return await theater.tell_all(await find_story(theater, stories), faults)

    return asyncio.run(tell())


@pytest.fixture(scope="session")
def stories() -> dict[int, Story]:
    """The stories that were drawn; each only once."""
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
