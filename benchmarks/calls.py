"""What a call costs that does nothing, in CPU of the server.

The servers are asked in turns and the middle of all rounds is taken, so that what
else the machine does meanwhile falls on each alike.
"""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.client import BareClient
from benchmarks.processes import ServerProcess

WARM_UP_CALLS = 100
CALLS_PER_ROUND = 800
ROUNDS = 5


Ask = Callable[[BareClient, str], object]
"""Makes one request in a revision of the protocol."""


def ask_health(client: BareClient, revision: str) -> None:
    """Make the trivial call."""
    client.call(revision, "health_check", {})


def ask_list(client: BareClient, revision: str) -> None:
    """List the tools."""
    client.list_tools(revision)


@dataclass(frozen=True, slots=True)
class Target:
    """A server and the request that it is measured by."""

    server: ServerProcess
    client: BareClient
    ask: Ask = ask_health


@dataclass(frozen=True, slots=True)
class CallCost:
    """What one call costs, in milliseconds."""

    cpu_ms: float
    wall_ms: float


def measure_calls(targets: Mapping[str, Target], revision: str) -> dict[str, CallCost]:
    """Return what the trivial call costs at each server."""
    rounds: dict[str, list[CallCost]] = {name: [] for name in targets}
    for target in targets.values():
        for _ in range(WARM_UP_CALLS):
            target.ask(target.client, revision)
    for _ in range(ROUNDS):
        for name, target in targets.items():
            rounds[name].append(_measure_round(target, revision))
    return {name: _middle(costs) for name, costs in rounds.items()}


def _measure_round(target: Target, revision: str) -> CallCost:
    cpu, wall = target.server.read_cpu_seconds(), time.perf_counter()
    for _ in range(CALLS_PER_ROUND):
        target.ask(target.client, revision)
    cpu, wall = target.server.read_cpu_seconds() - cpu, time.perf_counter() - wall
    return CallCost(cpu * 1000 / CALLS_PER_ROUND, wall * 1000 / CALLS_PER_ROUND)


def _middle(costs: list[CallCost]) -> CallCost:
    return CallCost(
        statistics.median(cost.cpu_ms for cost in costs),
        statistics.median(cost.wall_ms for cost in costs),
    )
