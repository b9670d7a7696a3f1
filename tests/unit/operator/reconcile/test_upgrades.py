"""Whose turn it is when a new operator version wants to roll every hub."""

from dataclasses import replace

import pytest

from mcphub_operator import names
from mcphub_operator.cache.children import ChildCache
from mcphub_operator.client.kinds import DEPLOYMENT
from mcphub_operator.observed import HubKey, UpgradeTurn
from mcphub_operator.reconcile.upgrades import UpgradeGate
from tests.support.observed import find_child, hub, observe

MARK = "0.2.0"
WAITS = UpgradeTurn(granted=False)
KEYS = [HubKey("ai", f"hub-{number}") for number in range(6)]


class Cluster:
    """Deployments of hubs as the gate sees them."""

    def __init__(self, concurrency: int = 2) -> None:
        self.woken: list[HubKey] = []
        self.cache = ChildCache(lambda _key: None)
        self.gate = UpgradeGate(self.cache, MARK, concurrency, self.woken.append)
        self._version = 10

    def put(self, key: HubKey, state: str, mark: str = MARK) -> None:
        """A Deployment that carries this mark and is this far."""
        named = replace(hub(), namespace=key.namespace, name=key.name)
        item = dict(find_child(observe(named), "Deployment", key.name))
        self._version += 1
        item["metadata"] |= {
            "uid": key.name,
            "resourceVersion": str(self._version),
            "generation": 1,
            "annotations": {names.ANNOTATION_UPGRADE: mark},
        }
        item["spec"]["replicas"] = 1
        reason = "ProgressDeadlineExceeded" if state == "stuck" else ""
        item["status"] = {
            "observedGeneration": 1,
            "replicas": 1,
            "updatedReplicas": 1,
            "readyReplicas": int(state == "ready"),
            "conditions": [{"type": "Progressing", "reason": reason}],
        }
        self.cache.upsert(DEPLOYMENT, item)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def test_a_few_go_and_the_rest_wait(cluster: Cluster):
    turns = [cluster.gate.ask(key).granted for key in KEYS]

    assert turns == [True, True, False, False, False, False]


def test_a_hub_that_has_its_turn_keeps_it(cluster: Cluster):
    for key in KEYS:
        cluster.gate.ask(key)

    assert cluster.gate.ask(KEYS[0]) == UpgradeTurn()


def test_one_that_came_ready_makes_room_and_wakes_the_next(cluster: Cluster):
    for key in KEYS:
        cluster.gate.ask(key)
    cluster.put(KEYS[0], "ready")
    cluster.gate.settle(KEYS[0])

    cluster.gate.note(KEYS[0])

    assert cluster.woken == KEYS[2:4]
    assert cluster.gate.ask(KEYS[2]).granted


def test_one_that_still_rolls_takes_a_place(cluster: Cluster):
    cluster.put(KEYS[0], "rolling")
    cluster.put(KEYS[1], "rolling")

    assert cluster.gate.ask(KEYS[2]) == WAITS


def test_one_that_does_not_come_ready_stops_the_others(cluster: Cluster):
    cluster.put(KEYS[0], "stuck")

    turn = cluster.gate.ask(KEYS[1])

    assert turn == UpgradeTurn(granted=False, stuck_hub="ai/hub-0")


def test_the_one_that_stopped_the_others_may_go_on_itself(cluster: Cluster):
    cluster.put(KEYS[0], "stuck")

    assert cluster.gate.ask(KEYS[0]).granted


def test_all_that_wait_are_told_when_one_gets_stuck(cluster: Cluster):
    for key in KEYS:
        cluster.gate.ask(key)
    cluster.put(KEYS[0], "stuck")

    cluster.gate.note(KEYS[0])

    assert cluster.woken == KEYS[2:]


@pytest.mark.parametrize("state", ["stuck", "rolling"])
def test_a_hub_that_is_stuck_by_its_users_doing_stops_no_other(cluster: Cluster, state):
    cluster.put(KEYS[0], state, mark="")
    cluster.put(KEYS[1], state, mark="0.1.0")

    assert cluster.gate.ask(KEYS[2]).granted


def test_a_stuck_hub_that_is_deleted_lets_the_others_go_on(cluster: Cluster):
    cluster.put(KEYS[0], "stuck")
    cluster.gate.ask(KEYS[1])
    cluster.cache.forget(KEYS[0], next(iter(cluster.cache.of(KEYS[0]))))

    cluster.gate.forget(KEYS[0])

    assert cluster.woken == [KEYS[1]]
    assert cluster.gate.ask(KEYS[1]).granted


@pytest.mark.parametrize("mark", ["", "0.1.0"])
@pytest.mark.parametrize("state", ["stuck", "rolling"])
def test_a_hub_that_its_user_takes_out_of_the_upgrade_lets_the_others_go_on(
    cluster: Cluster, state: str, mark: str
):
    for key in KEYS[:2]:
        cluster.put(key, state)
    cluster.gate.ask(KEYS[2])

    cluster.put(KEYS[0], "rolling", mark=mark)
    cluster.put(KEYS[1], "rolling", mark=mark)
    cluster.gate.note(KEYS[0])
    cluster.gate.note(KEYS[1])

    assert KEYS[2] in cluster.woken
    assert cluster.gate.ask(KEYS[2]).granted


def test_a_turn_that_is_not_used_wakes_the_next(cluster: Cluster):
    for key in KEYS[:3]:
        cluster.gate.ask(key)

    cluster.gate.settle(KEYS[0])
    cluster.gate.note(KEYS[0])

    assert cluster.woken == [KEYS[2]]
    assert cluster.gate.ask(KEYS[2]).granted


def test_all_that_wait_are_told_when_a_stuck_hub_is_not_stuck_any_more(
    cluster: Cluster,
):
    cluster.put(KEYS[0], "stuck")
    for key in KEYS[1:]:
        cluster.gate.ask(key)

    cluster.put(KEYS[0], "rolling")
    cluster.gate.note(KEYS[0])

    assert cluster.woken == KEYS[1:]
