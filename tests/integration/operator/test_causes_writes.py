"""D2-D4, D29: the cause stands in STATUS and MESSAGE: what the API server refuses."""

from typing import Any

import pytest

from mcphub_operator.client.kinds import SERVICE, Kind
from tests.support.denials import (
    LIMITS,
    QUOTA,
    dead_webhook,
    denied,
    wait_for_quota,
)
from tests.support.played_pods import start_serving
from tests.support.running_operator import (
    World,
    make_pods_ready,
    running_operator,
)


class TestD2:
    @pytest.mark.parametrize(
        ("kind", "spec", "word"),
        [
            (QUOTA, {"hard": {"pods": "0"}}, "exceeded quota"),
            (
                LIMITS,
                {"limits": [{"type": "Container", "max": {"memory": "1Mi"}}]},
                "maximum memory usage",
            ),
        ],
        ids=["a quota", "a LimitRange"],
    )
    async def test_what_refuses_pods_is_told(
        self, world: World, kind: Kind, spec: dict[str, Any], word: str
    ):
        await world.create(kind, {"metadata": {"name": "limits"}, "spec": spec})
        await wait_for_quota(world, kind)
        async with running_operator(world) as running:
            await world.apply_hub()

            told = await world.wait_condition("Ready", "False", "PodsRefused")

            assert word in told["message"]
            await running.settle()
            await world.delete(kind, "limits")

    async def test_a_quota_of_replica_sets_is_told(self, world: World):
        hard = {"hard": {"count/replicasets.apps": "0"}}
        await world.create(QUOTA, {"metadata": {"name": "limits"}, "spec": hard})
        await wait_for_quota(world, QUOTA)
        async with running_operator(world):
            await world.apply_hub()

            told = await world.wait_condition("Ready", "False", "PodsRefused")

            assert "exceeded quota" in told["message"]

    async def test_a_missing_priority_class_is_told(self, world: World):
        async with running_operator(world):
            await world.apply_hub(pod={"priorityClassName": "missing"})

            told = await world.wait_condition("Ready", "False", "PodsRefused")

            assert "missing" in told["message"]


class TestAFamilyThatTheClusterHasNot:
    async def test_is_told_in_the_words_of_the_api_server(self, world: World):
        """The API server of the tests has one family, as most clusters have."""
        async with running_operator(world):
            await world.apply_hub(service={"ipFamilyPolicy": "RequireDualStack"})
            told = await world.wait_condition("Stalled", "True", "InvalidSpec")

            await world.apply_hub(service={"ipFamilyPolicy": "PreferDualStack"})
            await world.wait_condition("Stalled", "False")

        assert "not configured for dual-stack" in told["message"]


class TestD3:
    async def test_a_denied_write_is_told_of_a_new_hub(self, world: World):
        async with denied(world, "deployments", "apps"), running_operator(world):
            await world.apply_hub()

            told = await world.wait_condition("Ready", "False", "WriteDenied")

            assert "Deployment team-data" in told["message"]
            assert "not in this team" in told["message"]
            stalled = await world.condition("Stalled")
            assert stalled["reason"] == "WriteDenied"

    async def test_a_denied_write_is_told_of_a_hub_that_serves(self, world: World):
        async with running_operator(world) as running:
            await world.apply_hub()
            await world.wait_condition("Stalled", "False")
            await make_pods_ready(world, "team-data", 1)
            await world.wait_condition("Ready", "True", "Available")
            async with denied(world, "deployments", "apps"):
                await world.apply_hub(logging={"level": "debug"})

                told = await world.wait_condition("Ready", "True", "WriteDenied")

                assert "not in this team" in told["message"]
            running.operator.enqueue_all()
            await world.wait_condition("Stalled", "False")

    async def test_a_quota_for_node_ports_is_told(self, world: World):
        hard = {"spec": {"hard": {"services.nodeports": "0"}}}
        await world.create(QUOTA, {"metadata": {"name": "limits"}, **hard})
        await wait_for_quota(world, QUOTA)
        async with running_operator(world):
            await world.apply_hub(service={"type": "NodePort"})

            told = await world.wait_condition("Ready", "False", "WriteDenied")

            assert "exceeded quota" in told["message"]
            assert await world.find(SERVICE, "team-data") is None


async def test_d29_a_refused_write_is_not_counted_as_written(world: World):
    async with denied(world, "deployments", "apps"), running_operator(world) as running:
        await world.apply_hub()
        await world.wait_condition("Ready", "False", "WriteDenied")

        metrics = running.operator.metrics.registry
        written = metrics.get_sample_value(
            "mcphub_operator_writes_total", {"kind": "Deployment"}
        )
        refused = metrics.get_sample_value(
            "mcphub_operator_write_failures_total",
            {"kind": "Deployment", "reason": "Invalid"},
        )
        assert written is None
        assert refused is not None


class TestD4:
    async def test_a_scale_up_that_a_quota_stops_is_told_and_stalls(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("mcphub_operator.status.causes.DEADLINE_SECONDS", 3.0)
        async with running_operator(world) as running:
            await start_serving(running)
            await world.wait_condition("Ready", "True", "Available")
            quota = {"metadata": {"name": "limits"}, "spec": {"hard": {"pods": "1"}}}
            await world.create(QUOTA, quota)
            await wait_for_quota(world, QUOTA)

            await world.apply_hub(replicas=3)

            told = await world.wait_condition("Ready", "True", "PodsRefused")
            assert "exceeded quota" in told["message"]
            await world.wait_condition("Stalled", "True", "PodsRefused")
            await world.wait_condition("Reconciling", "False")

            await world.delete(QUOTA, "limits")
            await world.apply_hub(replicas=1)
            await world.wait_condition("Stalled", "False")
            await world.wait_condition("Ready", "True", "Available")


async def test_a_webhook_that_gives_no_answer_is_told(world: World):
    async with running_operator(world) as running:
        await start_serving(running)
        await world.wait_condition("Ready", "True", "Available")
        async with dead_webhook(world):
            await world.apply_hub(logging={"level": "debug"})

            told = await world.wait_condition("Ready", "True", "WriteFailed")

            assert "Deployment team-data" in told["message"]
            assert "failed calling webhook" in told["message"]
            await world.wait_condition("Reconciling", "True", "WriteFailed")
        await world.wait_condition("Ready", "True", "Progressing")
