"""What the cache of pods keeps of a pod between two of its states."""

from typing import Any

import pytest

from mcphub_operator import names
from mcphub_operator.cache.pods import POD_TEMPLATE_HASH, PodCache
from mcphub_operator.observed import HubKey

KEY = HubKey("ai", "team-data")
LONG = "ErrImagePull: dial tcp: no such host"


def pod(reason: str, message: str) -> dict[str, Any]:
    waiting = {"reason": reason, "message": message}
    server = {"name": "server", "image": "server:1", "state": {"waiting": waiting}}
    owner = {"kind": "ReplicaSet", "name": f"{KEY.name}-abc", "controller": True}
    return {
        "metadata": {
            "name": "hub-1",
            "namespace": KEY.namespace,
            "uid": "1",
            "labels": {names.LABEL_INSTANCE: KEY.name, POD_TEMPLATE_HASH: "abc"},
            "ownerReferences": [owner],
        },
        "spec": {"nodeName": "worker-1"},
        "status": {"containerStatuses": [server]},
    }


@pytest.fixture
def enqueued() -> list[HubKey]:
    return []


@pytest.fixture
def cache(enqueued: list[HubKey]) -> PodCache:
    return PodCache(enqueued.append, lambda: 0.0)


def find_message(cache: PodCache) -> str:
    (found,) = cache.of(KEY)
    assert found.fault is not None
    return found.fault.message


def test_a_kubelet_that_says_less_of_a_fault_for_a_while_changes_no_words(
    cache: PodCache,
):
    cache.upsert(pod("ErrImagePull", LONG))
    told = find_message(cache)

    cache.upsert(pod("ImagePullBackOff", "Back-off pulling image"))

    assert "does not reach the registry" in told
    assert find_message(cache) == told


def test_another_fault_replaces_the_words(cache: PodCache):
    cache.upsert(pod("ErrImagePull", LONG))

    cache.upsert(pod("ErrImagePull", "manifest unknown"))

    assert "no such tag" in find_message(cache)


def test_a_pod_that_is_placed_is_on_its_node(cache: PodCache, enqueued: list[HubKey]):
    cache.upsert(pod("ContainerCreating", ""))

    (found,) = cache.of(KEY)
    assert found.node == "worker-1"
    assert found.wait is not None
    assert enqueued == [KEY]


@pytest.mark.parametrize("name", ["debug", "another-hub"])
def test_a_pod_that_was_labelled_out_of_its_hub_is_no_replica(
    cache: PodCache, enqueued: list[HubKey], name: str
):
    cache.upsert(pod("ErrImagePull", LONG))
    enqueued.clear()
    moved = pod("ErrImagePull", LONG)
    moved["metadata"]["labels"][names.LABEL_INSTANCE] = name

    cache.upsert(moved)

    assert cache.of(KEY) == ()
    assert enqueued == [KEY]
    assert list(cache.all()) == []


def test_a_pod_that_ends_is_forgotten_whatever_its_labels_are(cache: PodCache):
    cache.upsert(pod("ErrImagePull", LONG))
    moved = pod("ErrImagePull", LONG)
    moved["metadata"]["labels"] = {}

    cache.remove(moved)

    assert list(cache.all()) == []


def end(name: str, moment: str) -> dict[str, Any]:
    found = pod("", "")
    found["metadata"] |= {"name": name, "uid": name, "creationTimestamp": moment}
    found["status"] = {"phase": "Failed", "reason": "Evicted"}
    return found


EARLY, LATE = "2026-11-21T08:00:00Z", "2026-11-21T08:05:00Z"


def find_ended(cache: PodCache) -> str:
    ended = cache.find_ended(KEY)
    return ended.name if ended is not None else ""


class TestAPodThatHasEnded:
    def test_is_no_replica_and_is_remembered(
        self, cache: PodCache, enqueued: list[HubKey]
    ):
        cache.upsert(pod("ErrImagePull", LONG))
        enqueued.clear()

        cache.upsert(end("hub-1", LATE) | {"metadata": pod("", "")["metadata"]})

        assert cache.of(KEY) == ()
        assert find_ended(cache) == "hub-1"
        assert KEY in enqueued

    def test_is_remembered_until_another_one_ends(self, cache: PodCache):
        cache.upsert(end("b", LATE))
        cache.upsert(end("a", EARLY))

        assert find_ended(cache) == "b"

    def test_changes_nothing_twice(self, cache: PodCache, enqueued: list[HubKey]):
        cache.upsert(end("a", EARLY))
        enqueued.clear()

        cache.upsert(end("a", EARLY))

        assert enqueued == []

    def test_is_forgotten_when_it_is_deleted(
        self, cache: PodCache, enqueued: list[HubKey]
    ):
        cache.upsert(end("a", EARLY))
        enqueued.clear()

        cache.remove(end("a", EARLY))

        assert find_ended(cache) == ""
        assert enqueued == [KEY]

    def test_is_forgotten_when_a_list_does_not_find_it(self, cache: PodCache):
        cache.upsert(end("a", EARLY))

        cache.replace(None, {(KEY.namespace, "a")})
        kept = find_ended(cache)
        cache.replace(KEY.namespace, set())

        assert (kept, find_ended(cache)) == ("a", "")

    def test_of_another_owner_is_nothing_to_the_hub(self, cache: PodCache):
        foreign = end("a", EARLY)
        foreign["metadata"]["ownerReferences"] = []

        cache.upsert(foreign)

        assert find_ended(cache) == ""


def test_it_knows_for_how_long_no_pod_of_a_hub_has_changed():
    seconds = 10.0
    cache = PodCache(lambda _hub: None, lambda: seconds)
    item = pod("ContainerCreating", "")

    assert cache.find_unchanged_seconds(KEY) is None
    cache.upsert(item)
    seconds = 15.0
    cache.upsert(item)
    assert cache.find_unchanged_seconds(KEY) == 5.0
    cache.remove(item)
    assert cache.find_unchanged_seconds(KEY) == 0.0
    cache.forget(KEY)
    assert cache.find_unchanged_seconds(KEY) is None


def ended_pod(phase: str, **disruption: str) -> dict[str, Any]:
    """A pod that is being deleted and whose containers have ended."""
    item = pod("Completed", "")
    item["metadata"]["deletionTimestamp"] = "2026-12-01T03:02:36Z"
    item["status"]["phase"] = phase
    if disruption:
        told = {"type": "DisruptionTarget", "status": "True"} | disruption
        item["status"]["conditions"] = [told]
    return item


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(ended_pod("Succeeded"), id="by a rollout"),
        pytest.param(ended_pod("Failed"), id="that did not end by itself"),
        pytest.param(
            ended_pod("Succeeded", reason="EvictionByEvictionAPI"), id="by a drain"
        ),
    ],
)
def test_a_pod_that_was_taken_away_is_no_cause(cache: PodCache, item: dict[str, Any]):
    """Kubelets report its end before it is gone."""
    cache.upsert(item)

    assert cache.find_ended(KEY) is None


def test_a_pod_that_another_one_displaced_is_a_cause(cache: PodCache):
    cache.upsert(ended_pod("Failed", reason="PreemptionByScheduler"))

    assert cache.find_ended(KEY) is not None
