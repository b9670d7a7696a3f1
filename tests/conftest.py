"""Options of a test run; without any of them it is the one that `make test` makes.

They stand here since pytest reads options of the outermost conftest only.
"""

import pytest

from tests.support.lanes import find_group, find_rank


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test its lane for xdist, and put the longest lanes first."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            group = find_group(item.path, item.config.rootpath)
            item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: find_rank(item.path, item.config.rootpath))


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
