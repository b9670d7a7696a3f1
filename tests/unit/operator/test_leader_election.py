"""The Lease, on an API server and a clock that do as the test says."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from mcphub_operator.client.api import Call
from mcphub_operator.client.writer import Writer
from mcphub_operator.errors import Conflict, LeaseLost, NotFound, Unavailable
from mcphub_operator.leader_election import DURATION_SECONDS, LeaderElector, LeaseSpec
from mcphub_operator.resources.manifest import ChildId


class Cluster:
    """A Lease and the API in front of it."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.lease: dict[str, Any] | None = None
        self.fault: Exception | None = None
        self.answer_lost: Exception | None = None
        """Raised once a write has taken place."""
        self.calls: list[str] = []

    async def ask(self, call: Call, timeout_seconds: float = 0) -> dict[str, Any]:
        assert timeout_seconds <= 10
        self.calls.append(call.verb)
        if self.fault is not None:
            raise self.fault
        if call.verb == "get" and self.lease is None:
            raise NotFound(404, "NotFound", "no Lease")
        if call.verb in ("create", "update"):
            self._write(call.body)
            if self.answer_lost is not None:
                raise self.answer_lost
        assert self.lease is not None
        return dict(self.lease)

    def _write(self, body: dict[str, Any]) -> None:
        sent = body["metadata"].get("resourceVersion")
        stored = self.lease["metadata"]["resourceVersion"] if self.lease else None
        if sent != stored:
            raise Conflict(409, "Conflict", "changed")
        version = str(int(stored or 0) + 1)
        metadata = {**body["metadata"], "resourceVersion": version}
        self.lease = {**body, "metadata": metadata}

    def elector(self, name: str) -> LeaderElector:
        return LeaderElector(
            self,  # type: ignore[arg-type] - the one method that is asked for
            LeaseSpec("system", "lease", name),
            lambda: self.time,
            lambda: datetime(2026, 11, 21, tzinfo=UTC),
        )

    @property
    def holder(self) -> str:
        return self.lease["spec"]["holderIdentity"] if self.lease else ""


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


async def test_the_first_one_leads(cluster: Cluster):
    first = cluster.elector("first")

    await first.acquire()

    assert first.is_leader
    assert cluster.holder == "first"


async def test_a_second_one_waits_until_the_lease_has_not_changed_for_its_duration(
    cluster: Cluster,
):
    first, second = cluster.elector("first"), cluster.elector("second")
    await first.acquire()

    assert not await second._try()
    cluster.time += DURATION_SECONDS - 1
    assert not await second._try()
    cluster.time += 2

    assert await second._try()
    assert cluster.holder == "second"


async def test_the_holder_may_write_no_more_before_another_one_may(cluster: Cluster):
    """Eight seconds without a renewal close the fence; the Lease lasts ten."""
    first, second = cluster.elector("first"), cluster.elector("second")
    await first.acquire()
    await second._try()

    cluster.time += DURATION_SECONDS + 0.1

    assert not first.is_leader
    assert await second._try()
    assert not await first._try()


async def test_a_renewal_is_one_request(cluster: Cluster):
    first = cluster.elector("first")
    await first.acquire()
    cluster.calls.clear()

    assert await first._try()

    assert cluster.calls == ["update"]


async def test_a_holder_whose_lease_was_taken_meanwhile_looks_and_stops(
    cluster: Cluster,
):
    first, second = cluster.elector("first"), cluster.elector("second")
    await first.acquire()
    await second._try()
    cluster.time += DURATION_SECONDS + 0.1
    await second._try()

    assert [await first._try(), await first._try()] == [False, False]

    assert not first.is_leader
    assert cluster.holder == "second"


async def test_a_renewal_counts_from_before_it_was_asked_for(cluster: Cluster):
    first = cluster.elector("first")
    await first.acquire()
    before = first.seconds_left()

    cluster.time += 5

    assert first.seconds_left() == before - 5


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Unavailable(0, "ClientError", "refused"), id="no connection"),
        pytest.param(Unavailable(500, "InternalError", "broken"), id="500"),
        pytest.param(Conflict(409, "Conflict", "changed"), id="409"),
    ],
)
async def test_a_failed_renewal_is_survived_while_there_is_time(
    cluster: Cluster, fault: Exception
):
    first = cluster.elector("first")
    await first.acquire()
    cluster.fault = fault

    assert not await first._try()
    assert first.is_leader
    cluster.fault = None

    assert await first._try()


async def test_a_failed_renewal_names_the_lease(cluster: Cluster):
    cluster.fault = Unavailable(500, "InternalError", "broken")

    with capture_logs() as logged:
        await cluster.elector("first")._try()

    (line,) = logged
    assert (line["event"], line["lease"]) == ("lease_not_renewed", "system/lease")


async def test_one_that_cannot_renew_stops(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("mcphub_operator.leader_election.PERIOD_SECONDS", 0)
    first = cluster.elector("first")
    await first.acquire()
    cluster.fault = Unavailable(0, "Timeout", "frozen")
    cluster.time += 9

    with pytest.raises(LeaseLost):
        await first.hold()


async def test_a_released_lease_can_be_taken_at_once(cluster: Cluster):
    first, second = cluster.elector("first"), cluster.elector("second")
    await first.acquire()

    await first.release()

    assert not first.is_leader
    assert await second._try()


async def test_a_lease_is_given_back_though_its_holder_never_had_the_answer(
    cluster: Cluster,
):
    """Told to end, or frozen, between its write and the API server's answer."""
    first, second = cluster.elector("first"), cluster.elector("second")
    cluster.answer_lost = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        await first.acquire()
    cluster.answer_lost = None

    await first.release()

    assert await second._try()


async def test_a_release_does_not_take_the_lease_from_another(cluster: Cluster):
    first, second = cluster.elector("first"), cluster.elector("second")
    await first.acquire()
    await second._try()
    cluster.time += DURATION_SECONDS + 1
    await second._try()

    await first.release()

    assert cluster.holder == "second"


async def test_behind_a_closed_fence_nothing_is_sent(cluster: Cluster):
    writer = Writer(cluster, lambda: 0.0)  # type: ignore[arg-type] - as above

    with pytest.raises(LeaseLost):
        await writer.delete("ai", ChildId("ConfigMap", "a"), "uid")

    assert cluster.calls == []
