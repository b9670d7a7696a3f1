"""Start, hand-over and end of the operator's process."""

import asyncio
import signal
from pathlib import Path

import pytest

from mcphub_operator.client.kinds import DEPLOYMENT, LEASE
from tests.support.operator_process import operator_process
from tests.support.running_operator import World, open_world, running_operator
from tests.support.waiting import GUARD_SECONDS, wait_until
from tools.cluster.apiserver import ApiAccess, running_api_server
from tools.project import CRD

METRICS = (
    "mcphub_operator_leader 1.0",
    'mcphub_operator_reconciles_total{result="success"}',
    "mcphub_operator_reconcile_duration_seconds_bucket",
    "mcphub_operator_queue_depth",
    "mcphub_operator_queue_oldest_age_seconds",
    'mcphub_operator_writes_total{kind="Deployment"} 1.0',
    'mcphub_operator_hubs{condition="Ready",status="False"} 1.0',
)


async def holder(world: World) -> str:
    lease = await world.find(LEASE, "mcphub-operator")
    return lease["spec"].get("holderIdentity", "") if lease else ""


async def wait_holder(world: World, name: str) -> None:
    async def holds() -> bool:
        return await holder(world) == name

    await wait_until(holds)


class TestTwoReplicas:
    async def test_hand_over_by_giving_the_lease_back_when_the_leader_is_told_to_end(
        self, world: World, tmp_path: Path
    ):
        async with operator_process(world, tmp_path, "first") as first:
            await wait_holder(world, "first")
            async with operator_process(world, tmp_path, "second") as second:
                await wait_until(lambda: second.has_logged("synced"))

                code = await first.end()
                await wait_holder(world, "second")

                assert code == 0
                # Given back, it needs not expire first.
                assert first.has_logged("lease_released")
                await world.apply_hub()
                await wait_until(lambda: _has_deployment(world))

    async def test_hand_over_when_the_lease_of_a_killed_leader_expires(
        self, world: World, tmp_path: Path
    ):
        async with operator_process(world, tmp_path, "first") as first:
            await wait_holder(world, "first")
            async with operator_process(world, tmp_path, "second") as second:
                await wait_until(lambda: second.has_logged("synced"))

                before = await world.get(LEASE, "mcphub-operator")
                await first.end(signal.SIGKILL)

                await wait_holder(world, "second")

                assert before["spec"]["leaseDurationSeconds"] == 10
                await world.apply_hub()
                await wait_until(lambda: _has_deployment(world))

    async def test_one_that_is_frozen_stops_writing_and_ends(
        self, world: World, tmp_path: Path
    ):
        async with operator_process(world, tmp_path, "first") as first:
            # The API server knows before the leader does; frozen in between, it would
            # never have led, and would wait for its turn.
            await wait_until(lambda: first.has_logged("lease_acquired"))
            async with operator_process(world, tmp_path, "second"):
                first.process.send_signal(signal.SIGSTOP)
                await wait_holder(world, "second")

                first.process.send_signal(signal.SIGCONT)
                code = await asyncio.wait_for(first.process.wait(), GUARD_SECONDS)

                assert code == 1
                assert first.has_logged("lease_lost")
                assert await holder(world) == "second"


class TestAProcess:
    async def test_tells_how_it_is(self, world: World, tmp_path: Path):
        async with operator_process(world, tmp_path, "only") as only:
            await wait_holder(world, "only")
            await world.apply_hub()
            await world.wait_condition("Ready", "False")

            live, ready = await only.get("/healthz"), await only.get("/readyz")

            async def shows_all() -> bool:
                _, text = await only.get("/metrics")
                return all(line in text for line in METRICS)

            # The API server has the status before the operator has its answer.
            await wait_until(shows_all)

        assert (live[0], ready[0]) == (200, 200)

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
            code = await asyncio.wait_for(bad.process.wait(), GUARD_SECONDS)

        assert code == 2
        *_, last = bad.log.read_text().splitlines()
        assert last.startswith("mcphub-operator: ")


class TestAClusterWithoutTheDefinition:
    async def test_is_said_so_until_it_is_there(self, tmp_path: Path):
        with running_api_server(controllers=False) as server:
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
