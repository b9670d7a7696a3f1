"""The cache of children: news wakes, echoes of our own writes do not."""

from typing import Any

import pytest

from mcphub_operator import names
from mcphub_operator.cache.children import ChildCache
from mcphub_operator.cache.secrets import SecretCache
from mcphub_operator.client.kinds import CONFIG_MAP, DEPLOYMENT
from mcphub_operator.observed import HubKey
from mcphub_operator.resources.manifest import ChildId

A, B = HubKey("ai", "a"), HubKey("ai", "b")


def labels_of(hub: HubKey) -> dict[str, str]:
    managed = {names.LABEL_MANAGED_BY: names.OPERATOR_NAME}
    return names.selector_labels(hub.name) | managed


def item(hub: HubKey, version: int, **parts: Any) -> dict[str, Any]:
    metadata = {
        "name": hub.name,
        "namespace": hub.namespace,
        "uid": f"{hub.name}-uid",
        "resourceVersion": str(version),
        "labels": labels_of(hub),
    }
    return {"kind": "ConfigMap", "metadata": metadata, **parts}


@pytest.fixture
def woken() -> list[HubKey]:
    return []


@pytest.fixture
def cache(woken: list[HubKey]) -> ChildCache:
    return ChildCache(woken.append)


def test_a_changed_child_wakes_its_hub(cache: ChildCache, woken: list):
    cache.upsert(CONFIG_MAP, item(A, 5))

    assert woken == [A]


def test_an_echo_of_what_we_wrote_enqueues_no_hub(cache: ChildCache, woken: list):
    cache.learn(CONFIG_MAP, item(A, 5))

    cache.upsert(CONFIG_MAP, item(A, 5))

    assert woken == []


def test_an_older_event_does_not_undo_what_is_known(cache: ChildCache):
    cache.learn(CONFIG_MAP, item(A, 7, data={"now": "x"}))

    cache.upsert(CONFIG_MAP, item(A, 6, data={"before": "x"}))

    (known,) = cache.of(A).values()
    assert known.read()["data"] == {"now": "x"}


def test_our_answer_counts_as_settled_even_when_its_event_came_first(cache: ChildCache):
    cache.upsert(CONFIG_MAP, item(A, 5))

    cache.learn(CONFIG_MAP, item(A, 5), settled=True)

    (known,) = cache.of(A).values()
    assert known.settled


def test_an_answer_that_comes_after_the_end_brings_nothing_back(cache: ChildCache):
    cache.upsert(CONFIG_MAP, item(A, 5))
    cache.upsert(CONFIG_MAP, item(A, 6))
    cache.remove(CONFIG_MAP, item(A, 7))

    cache.learn(CONFIG_MAP, item(A, 6), settled=True)

    assert cache.of(A) == {}


def test_an_answer_may_come_before_its_event(cache: ChildCache):
    cache.upsert(CONFIG_MAP, item(B, 5))

    cache.learn(CONFIG_MAP, item(A, 6), settled=True)

    assert len(cache.of(A)) == 1


def test_a_list_tells_what_was_deleted_unseen(cache: ChildCache, woken: list):
    cache.learn(CONFIG_MAP, item(A, 5))
    cache.learn(CONFIG_MAP, item(B, 5))

    cache.replace(CONFIG_MAP, None, {B})

    assert woken == [A]
    assert cache.of(A) == {}


def test_a_list_of_one_kind_and_namespace_leaves_the_others(cache: ChildCache):
    cache.learn(CONFIG_MAP, item(A, 5))

    cache.replace(DEPLOYMENT, None, set())
    cache.replace(CONFIG_MAP, "another", set())

    assert list(cache.of(A)) == [ChildId("ConfigMap", "a")]


def test_a_secrets_data_is_not_kept(cache: ChildCache):
    secret = item(A, 5, type="Opaque", data={"password": "aHVudGVyMg=="})

    cache.learn(CONFIG_MAP, secret)

    (known,) = cache.of(A).values()
    assert b"aHVudGVyMg" not in known.text


def owned(hub: HubKey, version: int, uid: str = "") -> dict[str, Any]:
    made = item(hub, version)
    owner = {"kind": "McpHub", "name": hub.name, "controller": True}
    made["metadata"]["ownerReferences"] = [owner]
    made["metadata"]["uid"] = uid or made["metadata"]["uid"]
    return made


def test_a_child_whose_label_was_changed_is_still_its_owners(
    cache: ChildCache, woken: list
):
    cache.upsert(CONFIG_MAP, owned(A, 5))
    changed = owned(A, 6)
    changed["metadata"]["labels"][names.LABEL_INSTANCE] = "b"

    cache.upsert(CONFIG_MAP, changed)

    assert cache.of(A)[ChildId("ConfigMap", "a")].version == 6
    assert woken == [A, A]


@pytest.mark.parametrize("taken", [None, "another"])
def test_a_secret_without_the_operators_label_is_still_its_owners(
    cache: ChildCache, taken: str | None
):
    secrets = SecretCache(lambda _hub: None, cache)
    changed = owned(A, 6)
    changed["metadata"]["labels"][names.LABEL_MANAGED_BY] = taken

    secrets.upsert(changed)

    assert ChildId("Secret", "a") in cache.of(A)


def test_a_secret_that_is_gone_is_not_brought_back_by_a_late_read(cache: ChildCache):
    secrets = SecretCache(lambda _hub: None, cache)
    secrets.subscribe(A, frozenset({"a"}))
    secrets.upsert(item(A, 5))
    secrets.remove(item(A, 7))

    secrets.learn("ai", "a", 5)

    assert secrets.find_version("ai", "a") == 0


def test_news_of_the_end_of_a_child_that_was_recreated_comes_too_late(
    cache: ChildCache,
):
    cache.learn(CONFIG_MAP, owned(A, 9, "new"))

    cache.remove(CONFIG_MAP, owned(A, 8, "old"))

    assert ChildId("ConfigMap", "a") in cache.of(A)


class TestAChildThatIsTakenFromItsHub:
    """Its owner and its labels were changed at once: it is not the hub's any more."""

    def take(self, version: int = 6, **labels: str) -> dict[str, Any]:
        taken = item(A, version)
        taken["metadata"]["labels"] = labels
        return taken

    @pytest.mark.parametrize(
        "labels",
        [
            pytest.param(labels_of(B), id="it carries another hub's labels"),
            pytest.param({}, id="it carries none"),
        ],
    )
    def test_is_not_the_hubs_and_wakes_it(
        self, cache: ChildCache, woken: list, labels: dict[str, str]
    ):
        cache.upsert(CONFIG_MAP, item(A, 5))
        woken.clear()

        cache.upsert(CONFIG_MAP, self.take(**labels))

        assert cache.of(A) == {}
        assert A in woken

    def test_stays_the_hubs_if_the_event_is_older(self, cache: ChildCache):
        cache.learn(CONFIG_MAP, item(A, 7))

        cache.upsert(CONFIG_MAP, self.take(6, **labels_of(B)))

        assert ChildId("ConfigMap", "a") in cache.of(A)
        assert cache.of(B) == {}

    def test_may_come_back(self, cache: ChildCache):
        cache.upsert(CONFIG_MAP, item(A, 5))
        cache.upsert(CONFIG_MAP, self.take(**labels_of(B)))

        cache.upsert(CONFIG_MAP, item(A, 7))

        assert ChildId("ConfigMap", "a") in cache.of(A)
        assert cache.of(B) == {}

    def test_is_gone_when_it_ends(self, cache: ChildCache):
        cache.upsert(CONFIG_MAP, item(A, 5))
        ended = self.take(7, **labels_of(B))

        cache.remove(CONFIG_MAP, ended)

        assert cache.of(A) == {}


def test_what_was_never_a_child_wakes_no_hub(cache: ChildCache, woken: list):
    foreign = item(A, 5)
    foreign["metadata"]["labels"] = {}

    cache.upsert(CONFIG_MAP, foreign)
    cache.remove(CONFIG_MAP, foreign)

    assert woken == []
