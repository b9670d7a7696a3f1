"""Every field that the operator owns, changed and taken away, on every child."""

import json
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from mcphub_operator import names
from mcphub_operator.client.api import Call
from mcphub_operator.client.kinds import BY_NAME, CHILD_KINDS
from mcphub_operator.client.writer import JSON_PATCH
from mcphub_operator.errors import ApiError
from tests.support.fault_matrix.end_state import find_differences, normalize
from tests.support.fault_matrix.matrix import Matrix, Run
from tests.support.fault_matrix.runner import Runner, Sandbox
from tests.support.observed import INGRESS, ROUTE
from tests.support.running_operator import running_operator
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(900)

SPEC: dict[str, Any] = {
    "backends": [
        {
            "name": "postgres",
            "postgres": {
                "host": "postgres.data.svc",
                "database": "app",
                "credentialsSecretRef": {"name": "login"},
            },
        },
        {"name": "cluster", "kubernetes": {}},
    ],
    "service": {"type": "NodePort"},
    "disruptionBudget": {},
    "replicas": 1,
    "route": ROUTE,
    "ingress": {**INGRESS, "className": "edge", "tlsSecretRef": {"name": "mcp-tls"}},
}
AUTOSCALED = {"autoscaling": {"minReplicas": 1, "maxReplicas": 3}}

# Whose an object is, the operator does not take from its owner: it reports a conflict.
NOT_TAKEN_BACK = ("ownerReferences",)


class Field(NamedTuple):
    """A field of a child that the operator owns."""

    kind: str
    name: str
    path: tuple[str | int, ...]

    def __str__(self) -> str:
        return f"{self.kind} {self.name} {self.pointer}"

    @property
    def pointer(self) -> str:
        parts = (str(p).replace("~", "~0").replace("/", "~1") for p in self.path)
        return "".join(f"/{part}" for part in parts)


def owned_fields(item: dict[str, Any]) -> Iterator[tuple[str | int, ...]]:
    """Return the paths of the leaves that the operator's apply owns."""
    for entry in item["metadata"]["managedFields"]:
        ours = entry["manager"] == names.FIELD_MANAGER
        if ours and entry["operation"] == "Apply":
            yield from _leaves(entry["fieldsV1"], item, ())


def _leaves(fields: dict, live: Any, path: tuple) -> Iterator[tuple[str | int, ...]]:
    nested = {key: part for key, part in fields.items() if key != "."}
    if not nested:
        yield path
    for key, part in nested.items():
        step = _find_step(key, live)
        if step is not None:
            yield from _leaves(part, live[step], (*path, step))


def _find_step(key: str, live: Any) -> str | int | None:
    sort, _, rest = key.partition(":")
    if sort == "f":
        return rest if rest in live else None
    if sort == "k":
        wanted = json.loads(rest).items()
        return next(
            i for i, e in enumerate(live) if all(e.get(k) == v for k, v in wanted)
        )
    return None


def other(value: Any) -> Any:
    """Return a value of the same type that is another."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return f"{value}x"
        case list():
            return []
        case _:
            return {}


def look_up(item: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        try:
            item = item[step]
        except LookupError:
            return None
    return item


class DriftTester:
    """Changes single fields of a hub's children and sees whether they come back."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.world = sandbox.world
        self.tried = self.refused = 0
        self.lasting: list[str] = []

    async def fields(self) -> list[Field]:
        return [
            Field(kind.name, item["metadata"]["name"], path)
            for kind in CHILD_KINDS
            for item in await self.world.list(kind, names.MANAGED_SELECTOR)
            for path in owned_fields(item)
            if not set(path) & set(NOT_TAKEN_BACK)
        ]

    async def spoil(self, field: Field) -> None:
        before = await self.world.get(BY_NAME[field.kind], field.name)
        found = look_up(before, field.path)
        if found is None:
            return  # a list that has another order by now
        value = other(found)
        for operation in ({"op": "replace", "value": value}, {"op": "remove"}):
            if not await self._patch(field, operation):
                self.refused += 1
                continue
            self.tried += 1
            await self._see_it_mended(field, operation, before)

    async def _patch(self, field: Field, operation: dict[str, Any]) -> bool:
        path = BY_NAME[field.kind].path(self.world.namespace, field.name)
        body = [operation | {"path": field.pointer}]
        params = {"fieldManager": "another-manager"}
        call = Call("patch", field.kind, "PATCH", path, params, body, JSON_PATCH)
        try:
            await self.world.api.ask(call)
        except ApiError:
            return False
        return True

    async def _see_it_mended(
        self, field: Field, operation: dict[str, Any], before: dict[str, Any]
    ) -> None:
        """Wait until all that is the operator's is back.

        An entry that got another name belongs to another manager and may stay;
        the child is then created again, so that it is not in the way of the next try.
        """
        wanted, found = portray(before), {}

        async def is_mended() -> bool:
            found.clear()
            found.update(await self._look(field))
            return contains(found, wanted)

        async def is_as_before() -> bool:
            return await self._look(field) == wanted

        try:
            await wait_until(is_mended)
            if found != wanted:
                await self.world.delete(BY_NAME[field.kind], field.name)
                await wait_until(is_as_before)
        except AssertionError:
            lines = find_differences(wanted, found)
            self.lasting.append(f"{operation['op']} {field}: {lines}")

    async def _look(self, field: Field) -> dict[str, Any]:
        found = await self.world.find(BY_NAME[field.kind], field.name)
        return portray(found or {})


def contains(found: Any, wanted: Any) -> bool:
    """Tell whether everything wanted is there, whatever else is."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return all(contains(found.get(key), part) for key, part in wanted.items())
    if isinstance(wanted, list) and isinstance(found, list):
        return all(any(contains(f, w) for f in found) for w in wanted)
    return found == wanted


def portray(item: dict[str, Any]) -> dict[str, Any]:
    """A child without its status and what the API server counts."""
    kept = {k: v for k, v in item.items() if k not in ("metadata", "status")}
    metadata = item.get("metadata") or {}
    kept["labels"] = metadata.get("labels")
    kept["annotations"] = {
        k: v
        for k, v in (metadata.get("annotations") or {}).items()
        if not k.startswith("deployment.kubernetes.io")
    }
    if item.get("kind") == "Secret":
        # A key that was taken away comes back with another random value.
        kept["data"] = sorted(item.get("data") or ())
    return dict(normalize(kept))


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(SPEC, id="a hub with a fixed number of replicas"),
        pytest.param(SPEC | AUTOSCALED, id="an autoscaled hub"),
    ],
)
async def test_every_owned_field_is_put_right(
    runner: Runner, matrix: Matrix, extent: str, spec: dict
):
    began = time.monotonic()
    async with runner.open_sandbox() as sandbox:
        await sandbox.world.create_secret("login", username="u", password="p")
        async with running_operator(sandbox.world) as running:
            await sandbox.world.apply_hub("hub", **spec)
            await sandbox.world.wait_condition("Reconciling", "False", name="hub")
            await running.settle()
            tester = DriftTester(sandbox)
            fields = await tester.fields()
            for field in fields[:: 1 if extent == "full" else 16]:
                await tester.spoil(field)
    violations = sandbox.watcher.violations
    seconds = time.monotonic() - began
    matrix.add(
        Run(
            "each owned field changed, and taken away",
            tester.tried,
            wrong=len(tester.lasting),
            violations=len(violations),
            seconds=seconds,
        )
    )
    matrix.notes.append(
        f"{len(fields)} owned fields on {len({(f.kind, f.name) for f in fields})}"
        f" children: {tester.tried} changes tried, {tester.refused} refused by the"
        " API server itself."
    )
    assert not tester.lasting, "\n".join(tester.lasting)
    assert violations == []
