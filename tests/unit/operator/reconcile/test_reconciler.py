"""A whole pass, over caches and a writer in memory."""

import json
from collections import Counter
from typing import Any

from mcphub_operator.cache.autoscalers import ForeignAutoscalerCache
from mcphub_operator.cache.children import ChildCache
from mcphub_operator.cache.hubs import HubCache
from mcphub_operator.cache.nodes import NodeCache
from mcphub_operator.cache.optional_kind import OptionalKind
from mcphub_operator.cache.pods import PodCache
from mcphub_operator.client.kinds import BY_NAME, HTTP_ROUTE, Kind
from mcphub_operator.errors import build_api_error
from mcphub_operator.observed import Observed
from mcphub_operator.reconcile.budget import WriteBudget
from mcphub_operator.reconcile.claims import HubClaims
from mcphub_operator.reconcile.events import EventRecorder
from mcphub_operator.reconcile.execute import Executor
from mcphub_operator.reconcile.gather import Environment, Sources
from mcphub_operator.reconcile.installations import Installations
from mcphub_operator.reconcile.pod_refresh import PodRefresher
from mcphub_operator.reconcile.reconciler import Reconciler
from mcphub_operator.reconcile.refusals import FIRST_SECONDS, RefusedWrites
from mcphub_operator.reconcile.secrets import SecretFindings
from mcphub_operator.reconcile.upgrades import UpgradeGate
from mcphub_operator.repairs import Operation
from mcphub_operator.resources.manifest import ChildId, Manifest
from tests.support.exact_fields import merge
from tests.support.observed import FRESH, KEY, NOW, PLATFORM, body, hub, observe, settle

Item = dict[str, Any]
DENIED = {"reason": "Forbidden", "message": "denied by a policy"}
ENDING = {
    "reason": "Forbidden",
    "message": "unable to create new content in namespace ai",
    "details": {"causes": [{"reason": "NamespaceTerminating"}]},
}
BUDGET = ChildId("PodDisruptionBudget", "team-data")


class Secrets:
    """The Secrets of a hub at rest."""

    def __init__(self, observed: Observed) -> None:
        self._found = SecretFindings(observed.user_secrets, observed.own_secrets)

    async def read(self, *_: object, **__: object) -> SecretFindings:
        return self._found

    def find_shared(self, _: object) -> frozenset[str]:
        return frozenset()

    def learn(self, *_: object) -> None:
        pass


class Writer:
    """Writes into memory as the API server does: an apply keeps additions."""

    def __init__(self, items: dict[ChildId, Item], *, undoes_repairs: bool) -> None:
        self.items = items
        self.written: Counter[str] = Counter()
        self._undoes_repairs = undoes_repairs
        self.refusal: Item = {}
        self.status_seconds = 0.0
        self.now = 0.0

    async def apply(self, manifest: Manifest) -> Item:
        child = ChildId(manifest["kind"], manifest["metadata"]["name"])
        self.written[f"apply {child.kind}"] += 1
        if self.refusal:
            raise build_api_error(403, self.refusal)
        return self._put(child, merge(self.items[child], manifest))

    async def repair(
        self, _: str, child: ChildId, version: int, operations: tuple[Operation, ...]
    ) -> Item:
        del version
        self.written[f"repair {child.kind}"] += 1
        if self._undoes_repairs:
            return self.items[child]
        item = json.loads(json.dumps(self.items[child]))
        for operation in operations:
            assert operation["path"] == "/spec"
            item["spec"] = operation["value"]
        return self._put(child, item)

    async def replace_status(self, before: Item, status: Item) -> Item:
        self.written["status"] += 1
        self.now += self.status_seconds
        version = str(int(before["metadata"]["resourceVersion"]) + 1)
        metadata = {**before["metadata"], "resourceVersion": version}
        return {**before, "metadata": metadata, "status": status}

    async def create(self, _kind: Kind, _namespace: str, body: Item) -> Item:
        return body

    def _put(self, child: ChildId, item: Item) -> Item:
        version = str(int(item["metadata"]["resourceVersion"]) + 1)
        self.items[child] = {
            **item,
            "metadata": {**item["metadata"], "resourceVersion": version},
        }
        return self.items[child]


def build(*, undoes_repairs: bool = False) -> tuple[Reconciler, Writer]:
    """A hub whose budget changes, and whose live one selects by a label too many."""
    observed = settle(observe(hub(disruptionBudget={"maxUnavailable": 1})))
    items = {child: live.read() for child, live in observed.children.items()}
    items[BUDGET]["spec"]["selector"]["matchLabels"]["x"] = "y"
    hubs, children = HubCache(_ignore, _ignore), ChildCache(_ignore)
    hubs.upsert(body(disruptionBudget={"maxUnavailable": 2}))
    for child, item in items.items():
        children.upsert(BY_NAME[child.kind], item)
    secrets: Any = Secrets(observed)
    api: Any = None  # nothing is looked up
    sources = Sources(
        api=api,
        hubs=hubs,
        children=children,
        pods=PodCache(_ignore, lambda: 0.0),
        nodes=NodeCache(lambda: None),
        autoscalers=ForeignAutoscalerCache(_ignore),
        routes=OptionalKind(api, HTTP_ROUTE, lambda: False, lambda: None),
        secrets=secrets,
        reports=lambda _: None,
    )
    written = Writer(items, undoes_repairs=undoes_repairs)
    writer: Any = written
    budget = WriteBudget(lambda: 0.0, _ignore)
    events = EventRecorder(writer, "operator", lambda: NOW)
    reconciler = Reconciler(
        sources,
        Environment(PLATFORM, lambda: NOW, lambda: FRESH),
        Executor(writer, children, secrets, budget, RefusedWrites(lambda: written.now)),
        PodRefresher(writer, sources.pods),
        UpgradeGate(children, "0.1.0", 1, _ignore),
        events,
        HubClaims(Installations("", lambda: 0.0), writer, children, events),
    )
    return reconciler, written


def _ignore(_: object) -> None:
    pass


class TestAnAdditionToAChildWhoseManifestChanges:
    async def test_is_removed_in_the_pass_that_applies_the_manifest(self):
        reconciler, writer = build()

        await reconciler.reconcile(KEY)

        spec = writer.items[BUDGET]["spec"]
        assert spec["maxUnavailable"] == 2
        assert "x" not in spec["selector"]["matchLabels"]
        assert writer.written["apply PodDisruptionBudget"] == 1
        assert writer.written["repair PodDisruptionBudget"] == 1

    async def test_is_told_if_it_comes_back_and_tried_again_later(self):
        reconciler, writer = build(undoes_repairs=True)

        result = await reconciler.reconcile(KEY)

        assert writer.written["repair PodDisruptionBudget"] == 1
        assert not result.failed
        assert result.again_seconds
        found = reconciler.sources.hubs.find(KEY)
        assert found
        assert ("Stalled", "True") in found.conditions


class TestANamespaceThatIsBeingDeleted:
    async def test_is_not_written_to_once_it_was_refused(self):
        reconciler, writer = build()
        writer.refusal = ENDING

        results = [await reconciler.reconcile(KEY) for _ in range(3)]

        assert writer.written == {"apply PodDisruptionBudget": 1}
        assert {(r.failed, r.again_seconds) for r in results} == {(False, None)}


class TestAWriteThatIsRefused:
    async def test_whose_time_comes_during_the_pass_is_tried_at_once(self):
        reconciler, writer = build()
        writer.refusal, writer.status_seconds = DENIED, 2 * FIRST_SECONDS

        result = await reconciler.reconcile(KEY)

        assert result.again_seconds == 0
