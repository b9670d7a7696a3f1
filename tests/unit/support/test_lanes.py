"""Lanes of test files: what shares a worker, and who begins where."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.lanes import LaneScheduling, find_lane, find_rank

FILES = [f"tests/unit/test_{letter}.py" for letter in "abcdef"]
TESTS = [f"{file}::test_{number}" for file in FILES for number in range(3)]


@dataclass(eq=False)
class Worker:
    """What the scheduler knows of a worker of pytest-xdist."""

    gateway: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(id="gw"))
    asked: list[str] = field(default_factory=list)
    shutting_down: bool = False

    def send_runtest_some(self, indices: list[int]) -> None:
        self.asked += [TESTS[index] for index in indices]

    def shutdown(self) -> None:
        self.shutting_down = True


@pytest.fixture
def workers(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> list[Worker]:
    """Three workers that have run everything that they were asked to."""
    workers = [Worker() for _ in range(3)]
    monkeypatch.setattr(request.config.option, "tx", ["popen"] * len(workers))
    scheduling = LaneScheduling(request.config)
    for worker in workers:
        scheduling.add_node(worker)
        scheduling.add_node_collection(worker, TESTS)
    scheduling.schedule()
    done: set[tuple[int, str]] = set()
    while not scheduling.tests_finished or scheduling.has_pending:
        for number, worker in enumerate(workers):
            left = [test for test in worker.asked if (number, test) not in done]
            for test in left[:1]:
                done.add((number, test))
                scheduling.mark_test_complete(worker, TESTS.index(test))
    return workers


def test_every_test_runs_once(workers: list[Worker]) -> None:
    assert sorted(test for worker in workers for test in worker.asked) == TESTS


def test_a_file_stays_with_one_worker(workers: list[Worker]) -> None:
    files = [{test.partition("::")[0] for test in worker.asked} for worker in workers]

    assert sum(map(len, files)) == len(FILES)


def test_one_worker_of_three_begins_with_the_last_lane(workers: list[Worker]) -> None:
    first = [worker.asked[0].partition("::")[0] for worker in workers]

    assert first == [FILES[0], FILES[1], FILES[-1]]


def test_a_folder_that_shares_a_server_is_one_lane() -> None:
    lanes = {find_lane(f"tests/integration/neo4j/test_{name}.py") for name in "ab"}

    assert len(lanes) == 1


def test_lanes_that_wait_come_before_those_that_compute() -> None:
    root = Path("/project")

    e2e, unit = (
        find_rank(root / "tests" / folder / "test_a.py", root)
        for folder in ("e2e", "unit")
    )

    assert e2e < unit
