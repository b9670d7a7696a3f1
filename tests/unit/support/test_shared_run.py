"""Workers share facts one at a time, and take turns on the cluster."""

import multiprocessing

import pytest

from tests.support.shared_run import SharedRun

FORK = multiprocessing.get_context("spawn")


@pytest.fixture
def run(tmp_path):
    return SharedRun(tmp_path)


def test_facts_are_known_to_the_next_reader(run):
    with run.facts() as facts:
        facts["port"] = 30800

    with SharedRun(run.folder).facts() as facts:
        assert facts == {"port": 30800}


def fail_with_facts(run):
    with run.facts() as facts:
        facts["users"] = 1
        raise ValueError("no cluster")


def test_facts_of_a_block_that_raises_are_dropped(run):
    with pytest.raises(ValueError, match="no cluster"):
        fail_with_facts(run)

    with run.facts() as facts:
        assert facts == {}


def count_up(folder, times):
    run = SharedRun(folder)
    for _ in range(times):
        with run.facts() as facts:
            facts["users"] = facts.get("users", 0) + 1


def test_no_change_is_lost_between_processes(run):
    processes = [FORK.Process(target=count_up, args=(run.folder, 50)) for _ in range(2)]

    for process in processes:
        process.start()
    for process in processes:
        process.join()

    with run.facts() as facts:
        assert facts == {"users": 100}


def take_a_turn(folder, alone, taken):
    with SharedRun(folder).turn(alone=alone):
        taken.set()


@pytest.mark.parametrize(
    ("ours", "theirs", "waits"),
    [
        pytest.param(False, False, False, id="beside another"),
        pytest.param(False, True, True, id="alone after another"),
        pytest.param(True, False, True, id="after one that is alone"),
    ],
)
def test_a_turn_waits_only_for_those_that_cannot_share(run, ours, theirs, waits):
    taken = FORK.Event()
    process = FORK.Process(target=take_a_turn, args=(run.folder, theirs, taken))

    with run.turn(alone=ours):
        process.start()
        came = taken.wait(1 if waits else 60)
        assert came is not waits
    process.join()

    assert taken.is_set()
