"""Specs made from the CRD's schema: what a hub was before must not show.

In the manner of Acto: a hub that went from A to B has the same children as a fresh B,
and one that went from A through something bad back to A the same as a fresh A.
"""

import json
import re
from itertools import pairwise
from typing import Any

import pytest

from mcphub_operator import names
from mcphub_operator.client.api import Call
from mcphub_operator.client.kinds import CHILD_KINDS, HUB
from mcphub_operator.client.writer import JSON_PATCH
from tests.support.fault_matrix.end_state import find_differences
from tests.support.fault_matrix.matrix import Matrix, Run
from tests.support.generated_specs import (
    SECRET,
    SECRET_DATA,
    choose_accepted,
    draw_specs,
)
from tests.support.running_operator import Running, World, running_operator
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(1800)

BATCH = 30
SPARE = 8
"""Specs drawn for each pair: the API server's rules refuse many."""

OWN_HASHES = (
    names.ANNOTATION_APPLIED,
    names.ANNOTATION_INPUTS,
    names.ANNOTATION_TEMPLATE,
    names.ANNOTATION_SECRETS_HASH,
    "deployment.kubernetes.io/revision",
)
ALLOCATED = ("clusterIP", "clusterIPs", "nodePort", "healthCheckNodePort")
TOLD_OF_OTHERS = ("patch McpHub/status", "create Event")
"""Controllers may change a Deployment's status meanwhile."""
TOLD = ("Stalled", "SecretsResolved", "Paused")


def normal(item: Any) -> Any:
    """An object without what differs between any two hubs."""
    if isinstance(item, list):
        return [normal(part) for part in item]
    if not isinstance(item, dict):
        return item
    dropped = (*ALLOCATED, *OWN_HASHES, "uid")
    return {k: normal(v) for k, v in item.items() if k not in dropped}


async def observe(world: World) -> dict[str, dict[str, Any]]:
    """Every hub's children and what is said of it, under a neutral name."""
    hubs = {hub["metadata"]["name"]: hub for hub in await world.list(HUB)}
    found: dict[str, dict[str, Any]] = {name: {} for name in hubs}
    for kind in CHILD_KINDS:
        for item in await world.list(kind, names.MANAGED_SELECTOR):
            name = item["metadata"]["labels"][names.LABEL_INSTANCE]
            if name in hubs:
                key = f"{kind.name} {item['metadata']['name']}"
                found[name][key] = portray(kind.name, item, hubs[name])
    for name, hub in hubs.items():
        found[name]["conditions"] = [
            (c["type"], c["status"], c["reason"])
            for c in hub["status"]["conditions"]
            if c["type"] in TOLD
        ]
    return {
        name: json.loads(re.sub(rf"\b{name}\b", "HUB", json.dumps(seen)))
        for name, seen in found.items()
    }


def portray(kind: str, item: dict[str, Any], hub: dict[str, Any]) -> Any:
    """A child, as far as it follows from the hub's spec."""
    metadata = item["metadata"]
    kept = {k: v for k, v in item.items() if k not in ("metadata", "status")}
    if kind == "Secret":
        kept["data"] = sorted(item.get("data") or ())
    if kind == "Deployment" and "autoscaling" in hub["spec"]:
        kept["spec"].pop("replicas")
    kept["labels"] = metadata.get("labels")
    kept["annotations"] = metadata.get("annotations")
    kept["owners"] = len(metadata["ownerReferences"])
    return normal(kept)


def is_refused(found: dict[str, Any]) -> bool:
    """The API server takes the hub and not what follows from it."""
    return ["Stalled", "True", "InvalidSpec"] in found["conditions"]


async def settle(world: World, running: Running) -> None:
    """Wait until the operator has seen every hub as it is now, and is done with it.

    On a busy machine the news of a hub takes longer than any quiet that one waits for.
    """

    async def seen() -> bool:
        return all(
            (hub.get("status") or {}).get("observedGeneration")
            == hub["metadata"]["generation"]
            for hub in await world.list(HUB)
        )

    await wait_until(seen, timeout_seconds=120)
    await running.settle()


async def replace(world: World, name: str, spec: dict[str, Any]) -> None:
    """Give a hub exactly this spec.

    Apply would not: an empty map leaves the defaults in it that an earlier spec got.
    """
    if await world.find(HUB, name) is None:
        await world.apply_hub(name, **spec)
        return
    path, body = HUB.path(world.namespace, name), [replacement(spec)]
    await world.api.ask(
        Call("patch", HUB.name, "PATCH", path, body=body, content_type=JSON_PATCH)
    )


def replacement(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the operation that gives a hub this spec and nothing of the old one."""
    return {"op": "replace", "path": "/spec", "value": spec}


async def delete(world: World, number: int) -> None:
    """Delete a pair of hubs, if it is still there."""
    for name in (f"moved-{number}", f"fresh-{number}"):
        if await world.find(HUB, name) is not None:
            await world.delete(HUB, name)


ABSENT = {"credentialsSecretRef": {"name": "absent"}}
TERMS = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": "x"}}
BAD: tuple[dict[str, Any], ...] = (
    {"backends": [{"name": "x", "neo4j": {"uri": "bolt://g", **ABSENT}}]},
    {"service": {"type": "NodePort", "nodePort": 1}},
    {"pod": {"affinity": {"nodeAffinity": TERMS}}},
    {"pod": {"annotations": {"not a key": "x"}}},
    {"auth": {"type": "Token", "tokensSecretRef": {"name": "absent"}}},
)


@pytest.fixture(scope="module")
def count(request: pytest.FixtureRequest) -> int:
    """How many pairs: --pairs."""
    return int(request.config.getoption("pairs"))


@pytest.fixture(scope="module")
def specs(count: int) -> list[dict]:
    return draw_specs(count * SPARE)


async def test_from_a_to_b_ends_like_a_fresh_b(
    world: World, specs: list[dict], count: int, matrix: Matrix
):
    await world.create_secret(SECRET, **SECRET_DATA)
    good = await choose_accepted(world, specs)
    pairs = list(pairwise(good))[:count]
    assert len(pairs) == count
    refused, wrong, idle = 0, list[str](), list[str]()
    async with running_operator(world) as running:
        for start in range(0, count, BATCH):
            batch = list(enumerate(pairs[start : start + BATCH], start))
            for number, (a, _) in batch:
                await replace(world, f"moved-{number}", a)
            await settle(world, running)
            for number, (_, b) in batch:
                await replace(world, f"moved-{number}", b)
                await replace(world, f"fresh-{number}", b)
            await settle(world, running)
            seen = await observe(world)
            for number, pair in batch:
                moved, fresh = seen[f"moved-{number}"], seen[f"fresh-{number}"]
                if is_refused(fresh):
                    refused += 1
                    moved, fresh = moved["conditions"], fresh["conditions"]
                    await delete(world, number)
                if moved != fresh:
                    lines = find_differences(fresh, moved)
                    wrong.append(f"from {pair[0]} to {pair[1]}: {lines}")
            await settle(world, running)
            running.requests.forget()
            running.operator.enqueue_all()
            await settle(world, running)
            idle += [w for w in running.requests.writes if w not in TOLD_OF_OTHERS]
            for number, _ in batch:
                await delete(world, number)
    name = "from one generated spec to another"
    matrix.add(Run(name, count, wrong=len(wrong), idle_writes=len(idle)))
    matrix.notes.append(
        f"{count} pairs of generated specs ({len(specs)} drawn, {len(good)} accepted;"
        f" of {refused} the API server refused a child)."
    )
    assert (wrong, idle) == ([], [])
    assert refused < count / 2


async def test_from_a_through_bad_back_to_a_ends_like_a_fresh_a(
    world: World, specs: list[dict], count: int, matrix: Matrix
):
    await world.create_secret(SECRET, **SECRET_DATA)
    good = (await choose_accepted(world, specs))[: count // 3]
    async with running_operator(world) as running:
        for number, a in enumerate(good):
            await replace(world, f"moved-{number}", a)
        await settle(world, running)
        for number, a in enumerate(good):
            await replace(world, f"moved-{number}", a | BAD[number % len(BAD)])
        await settle(world, running)
        for number, a in enumerate(good):
            await replace(world, f"moved-{number}", a)
            await replace(world, f"fresh-{number}", a)
        await settle(world, running)
        seen = await observe(world)
    wrong = [
        f"{a} after {BAD[number % len(BAD)]}"
        for number, a in enumerate(good)
        if seen[f"moved-{number}"] != seen[f"fresh-{number}"]
    ]
    matrix.add(Run("to something bad and back", len(good), wrong=len(wrong)))
    assert wrong == []
