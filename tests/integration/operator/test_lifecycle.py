"""Start, hand-over and end of the operator's process."""

import asyncio
import signal
import time
from pathlib import Path

import pytest

from mcphub_operator.client.kinds import DEPLOYMENT, LEASE
from tests.support.operator_process import operator_process
from tests.support.running_operator import World, open_world, running_operator
from tests.support.waiting import wait_until
from tools.cluster.apiserver import ApiAccess, running_api_server
from tools.project import CRD

pytestmark = pytest.mark.timeout(180)


async def holder(world: World) -> str:
    lease = await world.find(LEASE, "mcphub-operator")
    return lease["spec"].get("holderIdentity", "") if lease else ""


async def wait_holder(world: World, name: str, seconds: float = 30) -> float:
    began = time.monotonic()

    async def holds() -> bool:
        return await holder(world) == name

    await wait_until(holds, timeout_seconds=seconds)
    return time.monotonic() - began


class TestTwoReplicas:
    async def test_hand_over_at_once_when_the_leader_is_told_to_end(
        self, world: World, tmp_path: Path
    ):
        async with operator_process(world, tmp_path, "first") as first:
            await wait_holder(world, "first")
            async with operator_process(world, tmp_path, "second") as second:
                await wait_until(lambda: second.has_logged("synced"))

                code = await first.end()
                took = await wait_holder(world, "second")

                print(f"SIGTERM -> the other replica leads: {took:.1f} s")
                assert code == 0
                assert first.has_logged("lease_released")
                assert took < 5
                await world.apply_hub()
                await wait_until(lambda: _has_deployment(world))

    async def test_hand_over_within_the_leases_time_when_the_leader_is_killed(
        self, world: World, tmp_path: Path
    ):
        async with operator_process(world, tmp_path, "first") as first:
            await wait_holder(world, "first")
            async with operator_process(world, tmp_path, "second") as second:
                await wait_until(lambda: second.has_logged("synced"))

                await first.end(signal.SIGKILL)
                took = await wait_holder(world, "second")

                print(f"SIGKILL -> the other replica leads: {took:.1f} s")
                assert took < 15

    async def test_one_that_is_frozen_stops_writing_and_ends(
        self, world: World, tmp_path: Path
    ):
        async with operator_process(world, tmp_path, "first") as first:
            await wait_holder(world, "first")
            async with operator_process(world, tmp_path, "second"):
                first.process.send_signal(signal.SIGSTOP)
                await wait_holder(world, "second")

                first.process.send_signal(signal.SIGCONT)
                code = await asyncio.wait_for(first.process.wait(), 20)

                assert code == 1
                assert first.has_logged("lease_lost")
                assert await holder(world) == "second"


class TestAProcess:
    async def test_tells_how_it_is(self, world: World, tmp_path: Path):
        async with operator_process(world, tmp_path, "only") as only:
            await wait_holder(world, "only")
            await world.apply_hub()
            await world.wait_condition("Ready", "False")

            live, ready, metrics = [
                await only.get(path) for path in ("/healthz", "/readyz", "/metrics")
            ]

        assert (live[0], ready[0]) == (200, 200)
        for name in (
            "mcphub_operator_leader 1.0",
            'mcphub_operator_reconciles_total{result="success"}',
            "mcphub_operator_reconcile_duration_seconds_bucket",
            "mcphub_operator_queue_depth",
            "mcphub_operator_queue_oldest_age_seconds",
            'mcphub_operator_writes_total{kind="Deployment"} 1.0',
            'mcphub_operator_hubs{condition="Ready",status="False"} 1.0',
        ):
            assert name in metrics[1], name

    async def test_logs_json_with_the_hub(self, world: World, tmp_path: Path):
        async with operator_process(world, tmp_path, "only") as only:
            await world.apply_hub()
            await wait_until(lambda: only.has_logged("hub_written"))

            written = [line for line in only.lines() if line["event"] == "hub_written"]

        assert {line["hub"] for line in written} == {f"{world.namespace}/team-data"}

    @pytest.mark.parametrize(
        ("flag", "value"), [("--workers", "none"), ("--kubeconfig", "/nowhere")]
    )
    async def test_refuses_a_bad_setting_with_a_sentence(
        self, world: World, tmp_path: Path, flag, value
    ):
        async with operator_process(world, tmp_path, "bad", flag, value) as bad:
            code = await asyncio.wait_for(bad.process.wait(), 20)

        assert code == 2
        *_, last = bad.log.read_text().splitlines()
        assert last.startswith("mcphub-operator: ")


class TestAClusterWithoutTheDefinition:
    async def test_is_said_so_until_it_is_there(self, tmp_path: Path):
        with running_api_server() as server:
            async with (
                open_world(str(server.kubeconfig), "hubs") as world,
                operator_process(world, tmp_path, "early") as early,
            ):
                await wait_until(lambda: early.has_logged("not_started"))
                status, said = await early.get("/readyz")
                assert status == 503
                assert "the cluster has no mcphubs.mcp.bigtorig.com" in said

                await asyncio.to_thread(
                    server.run_kubectl, "apply", "--server-side", "-f", str(CRD)
                )

                await wait_until(lambda: early.has_logged("synced"))
                await world.apply_hub()
                await wait_until(lambda: _has_deployment(world))


async def test_an_operator_of_some_namespaces_leaves_the_others_alone(
    api_server: ApiAccess, world: World
):
    async with (
        open_world(str(api_server.kubeconfig), f"{world.namespace}-other") as other,
        running_operator(world) as running,
    ):
        await other.apply_hub()
        await world.apply_hub()
        await wait_until(lambda: _has_deployment(world))
        await running.settle()

        assert await other.find(DEPLOYMENT, "team-data") is None


async def _has_deployment(world: World) -> bool:
    return await world.find(DEPLOYMENT, "team-data") is not None
