"""The scenario that runs under every fault: a few hubs and what happens to them.

Each hub has a sequence of its own: it is changed, scaled, given an autoscaler and loses
it, loses children, waits for a Secret, is deleted, is created again. Further hubs go
from one generated spec to another. The end follows from the last specs alone.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mcphub_operator.client.kinds import (
    AUTOSCALER,
    CONFIG_MAP,
    DEPLOYMENT,
    DISRUPTION_BUDGET,
    HTTP_ROUTE,
    HUB,
    NETWORK_POLICY,
    ROLE_BINDING,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
    Kind,
)
from mcphub_operator.client.kinds import INGRESS as INGRESS_KIND
from tests.support.observed import INGRESS, ROUTE
from tests.support.running_operator import World
from tests.support.waiting import wait_until

Spec = Mapping[str, Any]
Step = Callable[[World], Awaitable[None]]


def _postgres(secret: str) -> dict[str, Any]:
    credentials = {"credentialsSecretRef": {"name": secret}}
    member = {"host": "postgres.data.svc", "database": "app", **credentials}
    return {"backends": [{"name": "postgres", "postgres": member}]}


BEGINNING: Mapping[str, Spec] = {
    "changed": {},
    "scaled": {"autoscaling": {"minReplicas": 1, "maxReplicas": 4}},
    "handed": {"replicas": 2, "ingress": INGRESS},
    "returned": {"autoscaling": {"minReplicas": 2, "maxReplicas": 4}},
    "rotated": _postgres("login"),
    "waiting": _postgres("late"),
    "drifted": {
        "disruptionBudget": {},
        "autoscaling": {"minReplicas": 1},
        "backends": [{"name": "cluster", "kubernetes": {}}],
        "route": ROUTE,
        "ingress": INGRESS,
    },
    "recreated": {"disruptionBudget": {}},
    "ended": {},
}
LATER: Mapping[str, Spec] = {
    "changed": {
        "replicas": 2,
        "service": {"type": "NodePort", "port": 9000},
        "networkPolicy": {"enabled": False},
        "limits": {"maxRows": 7},
        "route": ROUTE,
    },
    "scaled": {
        "autoscaling": {"minReplicas": 1, "maxReplicas": 4},
        "logging": {"level": "debug"},
    },
    "handed": {"replicas": 2, "autoscaling": {"minReplicas": 1, "maxReplicas": 4}},
    "returned": {"replicas": 1},
}
RECREATED: Spec = {"replicas": 2, "transports": {"sse": {"enabled": False}}}
SCALED_TO = 3

LOST_CHILDREN: tuple[tuple[Kind, str], ...] = (
    (CONFIG_MAP, "drifted"),
    (SECRET, "drifted-keys"),
    (SERVICE, "drifted-pods"),
    (SERVICE_ACCOUNT, "drifted"),
    (NETWORK_POLICY, "drifted"),
    (DISRUPTION_BUDGET, "drifted"),
    (ROLE_BINDING, "drifted"),
    (AUTOSCALER, "drifted"),
    (INGRESS_KIND, "drifted"),
    (HTTP_ROUTE, "drifted"),
    (DEPLOYMENT, "changed"),
)
MARKS = {"app.kubernetes.io/managed-by": None, "app.kubernetes.io/version": "old"}
CHANGED: tuple[tuple[Kind, str, Any], ...] = (
    (SERVICE, "drifted", {"spec": {"sessionAffinity": "ClientIP"}}),
    (DEPLOYMENT, "scaled", {"spec": {"progressDeadlineSeconds": 9}}),
    (DEPLOYMENT, "scaled", {"metadata": {"labels": MARKS}}),
    (CONFIG_MAP, "handed", {"data": {"hub.yaml": "changed"}}),
    (AUTOSCALER, "handed", {"spec": {"maxReplicas": 9}}),
    (HTTP_ROUTE, "changed", {"spec": {"hostnames": ["other.example.com"]}}),
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """The hubs; the pairs are further specs, before and after."""

    pairs: tuple[tuple[Spec, Spec], ...] = ()
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What the specs of the pairs refer to."""

    @property
    def hubs(self) -> int:
        """Return how many hubs take part."""
        return len(BEGINNING) + len(self.pairs)

    @property
    def steps(self) -> tuple[Step, ...]:
        """Return what happens, in order."""
        return (
            self.begin,
            self.change,
            scale,
            rotate,
            lose_children,
            change_children,
            end_hubs,
            recreate,
        )

    async def begin(self, world: World) -> None:
        """Make the Secrets that are there from the start, and all hubs."""
        for name, data in self.secrets.items():
            await world.create_secret(name, **data)
        await world.create_secret("login", username="u", password="first")
        for name, spec in BEGINNING.items():
            await world.apply_hub(name, **spec)
        for number, (before, _) in enumerate(self.pairs):
            await world.apply_hub(f"drawn-{number}", **before)

    async def change(self, world: World) -> None:
        """Give hubs their later spec."""
        for name, spec in LATER.items():
            await world.apply_hub(name, **spec)
        for number, (_, after) in enumerate(self.pairs):
            await world.apply_hub(f"drawn-{number}", **after)


async def scale(world: World) -> None:
    """Play the autoscaler of two hubs."""
    for name in ("scaled", "handed"):
        await _wait_for(world, AUTOSCALER, name)
        await _wait_for(world, DEPLOYMENT, name)
        change = {"spec": {"replicas": SCALED_TO}}
        await world.patch(DEPLOYMENT, name, change, "/scale")


async def rotate(world: World) -> None:
    """Change a Secret that pods have, and bring the one that was missing."""
    await world.patch(SECRET, "login", {"stringData": {"password": "second"}})
    await world.create_secret("late", username="u", password="p")


async def lose_children(world: World) -> None:
    """Delete children."""
    for kind, name in LOST_CHILDREN:
        await _wait_for(world, kind, name)
        await world.delete(kind, name)


async def change_children(world: World) -> None:
    """Change what is the operator's."""
    for kind, name, change in CHANGED:
        await _wait_for(world, kind, name)
        await world.patch(kind, name, change)


async def end_hubs(world: World) -> None:
    """Delete two hubs."""
    await world.delete(HUB, "ended")
    await world.delete(HUB, "recreated")


async def recreate(world: World) -> None:
    """Create one of them again, with another spec."""
    await world.apply_hub("recreated", **RECREATED)


async def _wait_for(world: World, kind: Kind, name: str) -> None:
    async def exists() -> bool:
        return await world.find(kind, name) is not None

    await wait_until(exists)
