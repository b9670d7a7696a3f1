"""Hub specs made from the CRD's schema, fit to be applied by the dozen.

What would make hubs disturb one another or the machine is taken out: fixed node ports,
large numbers of replicas; and Secrets that are referred to exist, unless a test wants
them missing.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcphub_operator.errors import Refused
from tests.support.certificates import issue
from tests.support.drawn_hubs import REAL_TEXTS, draw_sections
from tests.support.running_operator import World
from tools.project import ROOT

SECRET = "generated-credentials"
SECRET_KEY = "key"
SECRET_DATA = {
    SECRET_KEY: "value",
    "username": "u",
    "password": "p",
    **{name: content.decode() for name, content in issue().files.items()},
}
"""With the keys that a reference has by default, and a certificate."""
MOST_REPLICAS = 2

ZONE = "topology.kubernetes.io/zone"
PASSED_THROUGH: tuple[tuple[str, str, Any], ...] = (
    (
        "pod",
        "affinity",
        {
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 1, "podAffinityTerm": {"topologyKey": ZONE}}
                ]
            }
        },
    ),
    (
        "pod",
        "topologySpreadConstraints",
        [{"maxSkew": 1, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule"}],
    ),
    ("autoscaling", "behavior", {"scaleDown": {"stabilizationWindowSeconds": 60}}),
)
"""The CRD hands these on unread; what it would let through is mostly noise."""

_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
_AT_ONCE = 32
"""Questions to the API server; more of them only wait, and some too long."""
_ALWAYS = ("backends", "service", "autoscaling", "disruptionBudget", "networkPolicy")


def draw_specs(count: int) -> list[dict[str, Any]]:
    """Return this many specs, the same on every run.

    A process of its own draws them: hypothesis also tries constants that it finds in
    the modules that are loaded, and those depend on the tests that ran before.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    drawn = subprocess.run(
        [sys.executable, "-m", __name__, str(count)],
        check=True,
        capture_output=True,
        env=environment,
        cwd=ROOT,
    )
    found: list[dict[str, Any]] = json.loads(drawn.stdout)
    return found


def _draw(count: int) -> list[dict[str, Any]]:
    sections = draw_sections(REAL_TEXTS)
    optional = st.fixed_dictionaries({}, optional=sections)
    rich = st.fixed_dictionaries(
        {name: sections[name] for name in _ALWAYS},
        optional={k: s for k, s in sections.items() if k not in _ALWAYS},
    )
    found: list[dict[str, Any]] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=_QUIET,
    )
    @given(st.one_of(optional, rich))
    def collect(spec: dict[str, Any]) -> None:
        found.append(tame(spec))

    collect()
    return found[:count]


async def choose_accepted(
    world: World, specs: Iterable[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the specs that the API server's rules let through."""

    turn = asyncio.Semaphore(_AT_ONCE)

    async def fits(spec: dict[str, Any]) -> bool:
        try:
            async with turn:
                await world.dry_run_hub(**spec)
        except Refused:
            return False
        return True

    drawn = list(specs)
    found = await asyncio.gather(*(fits(spec) for spec in drawn))
    return [spec for spec, fit in zip(drawn, found, strict=True) if fit]


def tame(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a spec that many hubs can have at once."""
    tamed: dict[str, Any] = _point_at_secret(spec)
    tamed.get("service", {}).pop("nodePort", None)
    if "replicas" in tamed:
        tamed["replicas"] = min(tamed["replicas"], MOST_REPLICAS)
    if "autoscaling" in tamed:
        tamed["autoscaling"] |= {"minReplicas": 1, "maxReplicas": MOST_REPLICAS}
    budget = tamed.get("disruptionBudget") or {}
    if isinstance(budget.get("maxUnavailable"), int):
        budget["maxUnavailable"] = min(budget["maxUnavailable"], MOST_REPLICAS)
    tamed.pop("paused", None)
    for section, field, valid in PASSED_THROUGH:
        if tamed.get(section, {}).get(field):
            tamed[section][field] = valid
    return tamed


def _point_at_secret(value: Any, field: str = "") -> Any:
    if isinstance(value, dict):
        made = {k: _point_at_secret(part, k) for k, part in value.items()}
        if field.endswith(("SecretRef", "secretRef")) and made.get("name"):
            keys = {k: SECRET_KEY for k, part in made.items() if k != "name" and part}
            return {**made, "name": SECRET, **keys}
        return made
    if isinstance(value, list):
        return [_point_at_secret(part) for part in value]
    return value


if __name__ == "__main__":
    print(json.dumps(_draw(int(sys.argv[1]))))
