"""Every example, applied for real: first without its Secrets, then as it stands.

The trial database plays the databases of the examples as far as it can; the rest
(Qdrant, Neo4j, MongoDB, TLS, hosts of providers) are out of reach here, which a hub
must say and serve nevertheless.
"""

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.hub_manifests import secret
from tests.support.installation import Installation
from tools.project import EXAMPLES
from tools.quickstart.site import HUB, NAMESPACE

# One of the first modules: the upgrade's three minutes pass during all of them.
pytestmark = pytest.mark.usefixtures("stuck_upgrade", "began")


TROUBLE = ("reconcile_failed", "reconcile_crashed", "status_pruned", "event_lost")
BUSY = "no answer in time"
"""What the operator says of an API server that is too busy, and then tries again."""


def documents(file: Path) -> list[dict[str, Any]]:
    return [d for d in yaml.safe_load_all(file.read_text()) if d]


def hubs_of(file: Path) -> list[dict[str, Any]]:
    return [d for d in documents(file) if d["kind"] == "McpHub"]


WITHOUT_SECRETS = EXAMPLES / "kubernetes.yaml"
"""Can miss none; `test_observer` runs a hub of its kind."""
ELSEWHERE = {EXAMPLES / "tls.yaml", *(EXAMPLES / "clouds").glob("*.yaml")}
"""Need a cloud, or kinds that this cluster does not serve: `tests/manifests` checks
each field; `test_load_balancers`, `test_routes`, `test_certificates` play the rest."""
FILES = sorted(
    f
    for f in EXAMPLES.rglob("*.yaml")
    if f not in {HUB, WITHOUT_SECRETS, *ELSEWHERE} and hubs_of(f)
)
GROUPS = [FILES[start : start + 4] for start in range(0, len(FILES), 4)]
"""A few at a time: twenty pods that start at once are slow on a small machine."""


def names_of(files: list[Path]) -> list[str]:
    return [hub["metadata"]["name"] for file in files for hub in hubs_of(file)]


STATUS = {
    "minimal": ("1/1", "1/1", "Available"),
    "autoscaled": ("2/2", "1/1", "Available"),
    "jwt": ("2/2", "1/1", "KeysMissing"),
    "proxied": ("2/2", "1/1", "Available"),
    "postgres-hub": ("2/2", "0/1", "BackendsDown"),
    "qdrant-hub": ("1/1", "0/1", "BackendsDown"),
    "neo4j-hub": ("1/1", "0/1", "BackendsDown"),
    "mongodb-hub": ("1/1", "0/1", "BackendsDown"),
    "several": ("2/2", "0/3", "BackendsDown"),
    "production": ("3/3", "0/3", "BackendsDown"),
    "supabase": ("1/1", "0/1", "BackendsDown"),
    "aura": ("1/1", "0/1", "BackendsDown"),
    "qdrant-cloud": ("1/1", "0/1", "BackendsDown"),
    "diagnosis": ("1/1", "0/1", "BackendsDown"),
    "governed": ("1/1", "0/1", "BackendsDown"),
    "memories": ("1/1", "0/1", "BackendsDown"),
    "ingress": ("2/2", "1/1", "Available"),
    "routed": ("2/2", "1/1", "NotRouted"),
    "private": ("0/1", "0/1", "ImagePullFailed"),
}
"""READY, BACKENDS and STATUS of each. `private` names a registry that is not there, and
`jwt` an identity provider. The cluster has no Gateway API; of an Ingress that no
controller serves nothing is known."""


@pytest.fixture(scope="module")
def team(installation: Installation):
    """A namespace for the examples, and their database at the address they use."""
    alias = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "postgres"},
        "spec": {
            "type": "ExternalName",
            "externalName": f"postgres.{NAMESPACE}.svc.cluster.local",
        },
    }
    installation.open_namespace("data").apply(alias)
    for statement in (
        "DROP DATABASE IF EXISTS app WITH (FORCE)",
        "DROP ROLE IF EXISTS hub_reader",
        "CREATE ROLE hub_reader LOGIN PASSWORD 'change-me'",
        "CREATE DATABASE app",
    ):
        installation.psql(statement)
    return installation.open_namespace("examples")


@pytest.fixture(scope="module")
def began() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def tokens() -> list[dict[str, Any]]:
    """The clients' tokens, which the examples leave to their user."""
    names = ("production-clients", "governed-clients", "memories-clients")
    return [secret(name, {"acme": secrets.token_urlsafe(32)}) for name in names]


def table(team: Installation, names: list[str]) -> dict[str, tuple[str, ...]]:
    rows = team.kubectl("get", "mcphubs", "--no-headers", *names).splitlines()
    return {row.split()[0]: tuple(row.split()[1:4]) for row in rows}


def test_without_its_secrets_says_so_and_starts_no_pod(team: Installation):
    for file in FILES:
        team.apply(*hubs_of(file))

    for name in names_of(FILES):
        condition = team.wait_reason(name, "Ready", "SecretMissing")
        assert condition["status"] == "False", name

    assert team.items("deployments") == []


@pytest.mark.parametrize("files", GROUPS, ids=lambda files: " ".join(names_of(files)))
def test_with_its_secrets_comes_to_the_state_that_it_should(
    team: Installation, files: list[Path]
):
    for file in files:
        team.kubectl("apply", "--server-side", "-f", str(file))
    team.apply(*tokens())
    names = names_of(files)
    expected = {name: STATUS[name] for name in names}

    team.until("every hub's state", lambda: table(team, names) == expected)

    for name in names:
        status = team.get("mcphub", name)["status"]
        failed = [b for b in status["backends"] if b["state"] != "Connected"]
        assert all(b.get("reason") or b.get("message") for b in failed), failed
        assert ("endpoints" in status) == (name != "private")
    team.kubectl("delete", "mcphub", *names)


def test_gave_the_operator_no_trouble(team: Installation, began):
    logs = team.operator.kubectl(
        *("logs", "-l", "app.kubernetes.io/name=mcphub-operator"),
        *("--tail=-1", f"--since-time={began}"),
    )

    ours = [line for line in logs.splitlines() if f"{team.namespace}/" in line]
    told = [line for line in ours if any(event in line for event in TROUBLE)]
    trouble = [line for line in told if BUSY not in line]

    assert trouble == []
