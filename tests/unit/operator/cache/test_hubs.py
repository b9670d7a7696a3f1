"""The cache of hubs: what is news, and what is the echo of our own writes."""

from typing import Any

import pytest

from mcphub_operator.cache.hubs import HubCache
from mcphub_operator.observed import HubKey

KEY = HubKey("team", "data")


def hub(
    version: int, generation: int = 1, uid: str = "u", **status: Any
) -> dict[str, Any]:
    metadata = {
        "namespace": KEY.namespace,
        "name": KEY.name,
        "uid": uid,
        "resourceVersion": str(version),
        "generation": generation,
    }
    return {"metadata": metadata, "spec": {}, "status": status}


@pytest.fixture
def woken() -> list[HubKey]:
    return []


@pytest.fixture
def cache(woken: list[HubKey]) -> HubCache:
    made = HubCache(woken.append, woken.append)
    made.upsert(hub(1))
    woken.clear()
    return made


def test_the_answer_to_a_status_write_is_no_news(cache: HubCache, woken: list[HubKey]):
    cache.expect(KEY, {"replicas": 1})

    cache.learn(hub(2, replicas=1))
    cache.upsert(hub(2, replicas=1))

    assert woken == []


def test_an_answer_that_comes_after_the_end_brings_no_hub_back(cache: HubCache):
    cache.remove(hub(3))

    cache.learn(hub(2, replicas=1))

    assert cache.find(KEY) is None


def test_the_echo_of_a_status_write_is_no_news(cache: HubCache, woken: list[HubKey]):
    cache.expect(KEY, {"replicas": 1})

    cache.upsert(hub(2, replicas=1))
    cache.learn(hub(2, replicas=1))

    assert woken == []


def test_a_spec_that_comes_first_with_the_answer_to_a_status_write_is_news(
    cache: HubCache, woken: list[HubKey]
):
    cache.expect(KEY, {"replicas": 1})

    cache.learn(hub(3, generation=2, replicas=1))
    cache.upsert(hub(2, generation=2))
    cache.upsert(hub(3, generation=2, replicas=1))

    assert woken == [KEY]


def test_a_status_of_another_writer_is_news(cache: HubCache, woken: list[HubKey]):
    cache.expect(KEY, {"replicas": 1})

    cache.upsert(hub(2, replicas=9))

    assert woken == [KEY]


def test_a_hub_that_came_while_the_list_was_under_way_stays(cache: HubCache):
    cache.forget(KEY, "u")
    before = cache.entries()
    cache.upsert(hub(2))

    cache.replace(None, set(), before)

    assert cache.find(KEY) is not None


def test_a_hub_that_the_list_did_not_find_is_forgotten(
    cache: HubCache, woken: list[HubKey]
):
    cache.replace(None, set(), cache.entries())

    assert cache.find(KEY) is None
    assert woken == [KEY]


def test_the_end_of_a_hub_does_not_touch_the_recreated_one(cache: HubCache):
    cache.upsert(hub(5, uid="new"))

    cache.forget(KEY, "u")
    cache.remove(hub(4))

    assert cache.find(KEY) is not None
