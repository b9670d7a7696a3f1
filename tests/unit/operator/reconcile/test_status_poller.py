"""Polls of replicas: news wakes the hub, silence is noticed, nothing is hammered."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from mcphub_operator.observed import AuthReport, HubKey, Pod, PodReport
from mcphub_operator.reconcile import status_poller
from mcphub_operator.reconcile.status_poller import Answer, StatusPoller, parse_report
from tests.support.waiting import wait_until

HUB = HubKey("ai", "team-data")
POD = Pod("p", "p-uid", address="10.0.0.1", ready=True)


def status(state: str = "Connected") -> bytes:
    backend = {"name": "postgres", "type": "postgres", "state": state}
    return json.dumps({"version": "0.1.0", "backends": [backend]}).encode()


class Server:
    """A replica that answers a waiting poll when something changes."""

    def __init__(self) -> None:
        self.state = "Connected"
        self.changed = asyncio.Event()
        self.fault: BaseException | None = None
        self.polls: list[Mapping[str, str]] = []

    async def ask(self, hub: HubKey, pod: Pod, headers: Mapping[str, str]) -> Answer:
        del hub, pod
        self.polls.append(dict(headers))
        if self.fault:
            raise self.fault
        if headers:
            await self.changed.wait()
            self.changed.clear()
        return Answer(200, f'"{self.state}"', status(self.state))

    def become(self, state: str) -> None:
        self.state = state
        self.changed.set()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status_poller, "FIRST_DELAY_SECONDS", 0.001)
    monkeypatch.setattr(status_poller, "SHORTEST_ROUND_SECONDS", 0.001)


@asynccontextmanager
async def following(
    server: Server, woken: list[HubKey]
) -> AsyncIterator[tuple[StatusPoller, asyncio.TaskGroup]]:
    poller = StatusPoller(server, woken.append)
    async with asyncio.TaskGroup() as group:
        poller.follow(group, [(HUB, POD)])
        yield poller, group
        poller.follow(group, [])


async def test_a_first_report_wakes_the_hub():
    server, woken = Server(), []
    async with following(server, woken) as (poller, _):
        await wait_until(lambda: bool(woken))

        found = poller.find(POD.uid)

    assert found is not None
    assert found.backends[0].state == "Connected"


async def test_a_backend_that_goes_down_is_known_at_once():
    server, woken = Server(), []
    async with following(server, woken) as (poller, _):
        await wait_until(lambda: len(server.polls) == 2)

        server.become("Unreachable")
        await wait_until(lambda: len(woken) == 2)

        assert poller.find(POD.uid).backends[0].state == "Unreachable"


async def test_a_poll_waits_for_a_change_after_the_first():
    server = Server()
    async with following(server, []):
        await wait_until(lambda: len(server.polls) == 2)

    assert server.polls[0] == {}
    assert server.polls[1] == {"If-None-Match": '"Connected"', "Prefer": "wait=50"}


async def test_an_answer_without_news_enqueues_no_hub():
    server, woken = Server(), []
    async with following(server, woken):
        await wait_until(lambda: len(server.polls) == 2)

        server.become("Connected")
        await wait_until(lambda: len(server.polls) == 3)

    assert woken == [HUB]


@pytest.mark.parametrize(
    "fault", [OSError("refused"), ValueError("no JSON"), asyncio.CancelledError()]
)
async def test_a_replica_that_stays_silent_is_reported_as_such(fault: BaseException):
    server, woken = Server(), []
    server.fault = fault
    async with following(server, woken) as (poller, _):
        await wait_until(lambda: bool(woken))

        assert poller.find(POD.uid) == PodReport(answered=False)


async def test_a_pod_that_goes_is_asked_no_more_and_forgotten():
    server = Server()
    async with following(server, []) as (poller, group):
        await wait_until(lambda: poller.find(POD.uid) is not None)

        poller.follow(group, [])

        assert poller.find(POD.uid) is None


@pytest.mark.parametrize(
    "pod",
    [
        pytest.param(Pod("p", "u", "10.0.0.1", ready=False), id="not ready"),
        pytest.param(Pod("p", "u", "", ready=True), id="without an address"),
        pytest.param(
            Pod("p", "u", "10.0.0.1", ready=True, terminating=True), id="terminating"
        ),
    ],
)
async def test_a_pod_that_does_not_serve_is_not_asked(pod: Pod):
    server = Server()
    poller = StatusPoller(server, lambda _key: None)
    async with asyncio.TaskGroup() as group:
        poller.follow(group, [(HUB, pod)])
        await asyncio.sleep(0)

    assert server.polls == []


@pytest.mark.parametrize("body", [b"", b"[]", b"not json", b'"text"'])
def test_what_is_no_status_is_refused(body: bytes):
    with pytest.raises(ValueError, match=r"."):
        parse_report(body)


def test_a_newer_servers_words_are_read_as_far_as_they_are_known():
    body = json.dumps({"version": 2, "backends": [{"name": "x"}, "odd"], "new": 1})

    report = parse_report(body.encode())

    assert report.version == "2"
    assert [b.name for b in report.backends] == ["x"]


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        pytest.param({}, AuthReport(), id="nothing is wrong"),
        pytest.param(
            {"ready": False, "reason": "KeysMissing", "message": "m"},
            AuthReport("KeysMissing", "m"),
            id="a fault",
        ),
        pytest.param(None, None, id="an older server"),
        pytest.param("odd", None, id="no object"),
    ],
)
def test_what_a_server_says_of_authentication(
    auth: object, expected: AuthReport | None
):
    body = json.dumps({"auth": auth}).encode()

    assert parse_report(body).auth == expected
