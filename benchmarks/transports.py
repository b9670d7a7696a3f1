"""What a trivial call costs over each transport, in CPU of all replicas.

Two replicas listen on addresses of their own and the client picks one for each request,
so a call that reaches the replica without the session is forwarded to the other.
"""

import asyncio
import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.client import CLASSIC, EVENT_DATA, TIMEOUT_SECONDS, BareClient
from benchmarks.figures import Figure
from benchmarks.processes import read_cpu_seconds
from benchmarks.rows import Way, take_turns
from benchmarks.sessions import INITIALIZE, INITIALIZED
from tests.support.replicas.fork_server import Replica, open_fork_server
from tests.support.replicas.hub import ReplicatedHub, running_hub

TOKEN = "token-ann-4711-x"
WARM_UP_CALLS = 50
CALLS_PER_ROUND = 300
ROUNDS = 5
CALL: Mapping[str, Any] = {
    "jsonrpc": "2.0",
    "id": 2,
    "method": "tools/call",
    "params": {"name": "health_check", "arguments": {}},
}


@dataclass
class MessageClient:
    """Sends messages on a kept-alive connection to one replica."""

    host: str
    port: int
    path: str
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection(
            self.host, self.port, timeout=TIMEOUT_SECONDS
        )
        self.headers = {
            "Authorization": f"Bearer {TOKEN}",
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
            **self.headers,
        }

    def post(self, message: Mapping[str, Any]) -> tuple[bytes, http.client.HTTPMessage]:
        """Return the body and the headers of the answer.

        Raises:
            RuntimeError: the message was not taken.
        """
        body = json.dumps(message).encode()
        self.connection.request("POST", self.path, body, self.headers)
        response = self.connection.getresponse()
        said = response.read()
        if response.status not in (200, 202):
            raise RuntimeError(f"{self.path}: {response.status} {said[:300]!r}")
        return said, response.headers


class SseStream:
    """The event stream of a session over the older transport."""

    def __init__(self, host: str, port: int) -> None:
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
        headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "text/event-stream"}
        connection.request("GET", "/sse", headers=headers)
        self._response = connection.getresponse()
        self.path = self.read_data().decode()

    def read_data(self) -> bytes:
        """Return the data of the next event."""
        while not (line := self._response.readline()).startswith(EVENT_DATA):
            if not line:
                raise RuntimeError("the event stream ended")
        return line.removeprefix(EVENT_DATA).strip()


def report_transports(folder: Path) -> Iterator[Figure]:
    """Compare calls in sessions, direct and forwarded, with those without a session."""
    with ExitStack() as stack:
        fork_server = stack.enter_context(open_fork_server())
        runner = stack.enter_context(asyncio.Runner())

        def start(name: str, *, stateful: bool) -> ReplicatedHub:
            place = folder / name
            place.mkdir()
            hubs = AsyncExitStack()
            running = running_hub(
                fork_server, place, 2, stateful=stateful, mounted="nothing"
            )
            hub = runner.run(hubs.enter_async_context(running))
            stack.callback(lambda: runner.run(hubs.aclose()))
            return hub

        stateless, stateful = start("one", stateful=False), start("two", stateful=True)
        base = build_plain(stateless)
        ways = {
            "/sse": build_sse(stateless, forwarded=False),
            "/sse, forwarded": build_sse(stateless, forwarded=True),
            "/mcp in a session": build_session(stateful, forwarded=False),
            "/mcp in a session, forwarded": build_session(stateful, forwarded=True),
        }
        every = (base, *ways.values())
        take_turns(every, WARM_UP_CALLS, CALLS_PER_ROUND, ROUNDS)
        plain = base.middle.cpu_ms
        for name, way in ways.items():
            cpu, goal = way.middle.cpu_ms, 2.5 if "forwarded" in name else 1.5
            how = f"{cpu:.2f} / {plain:.2f} ms of CPU, all replicas"
            yield Figure(f"a call on {name}", cpu / plain, "x", goal, how)


def build_plain(hub: ReplicatedHub) -> Way:
    """Return the way without a session."""
    client = BareClient(hub.port, TOKEN, host=hub.replicas[0].address)
    return _way(hub, lambda: client.call(CLASSIC, "health_check", {}))


def build_sse(hub: ReplicatedHub, *, forwarded: bool) -> Way:
    """Return the way over the older transport."""
    owner, asked = _choose(hub, forwarded=forwarded)
    stream = SseStream(owner.address, hub.port)
    client = MessageClient(asked.address, hub.port, stream.path)
    client.post(INITIALIZE)
    stream.read_data()
    client.post(INITIALIZED)

    def go() -> None:
        client.post(CALL)
        _check(stream.read_data())

    return _way(hub, go)


def build_session(hub: ReplicatedHub, *, forwarded: bool) -> Way:
    """Return the way through streamable HTTP with a session."""
    owner, asked = _choose(hub, forwarded=forwarded)
    first = MessageClient(owner.address, hub.port, "/mcp")
    _, headers = first.post(INITIALIZE)
    session = {
        "Mcp-Session-Id": headers["mcp-session-id"],
        "MCP-Protocol-Version": CLASSIC,
    }
    client = MessageClient(asked.address, hub.port, "/mcp", session)
    client.post(INITIALIZED)
    return _way(hub, lambda: _check(client.post(CALL)[0]))


def _choose(hub: ReplicatedHub, *, forwarded: bool) -> tuple[Replica, Replica]:
    first, second = hub.replicas
    return first, second if forwarded else first


def _check(answer: bytes) -> None:
    if b'"result"' not in answer or b'"isError":true' in answer:
        raise RuntimeError(f"the call failed: {answer[:300]!r}")


def _way(hub: ReplicatedHub, go: Any) -> Way:
    pids = [replica.pid for replica in hub.replicas]
    return Way(go, lambda: sum(map(read_cpu_seconds, pids)), [])
