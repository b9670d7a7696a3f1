"""A hub's ServiceAccount on a real API server with RBAC."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.hub import HubFiles
from tools.cluster.apiserver import ApiAccess
from tools.project import ROOT

CANARY = "canary-of-a-secret"
NODES_BINDING = "mcphub-observer-nodes-hubs-hub"
ROLES = ROOT / "config" / "rbac" / "users" / "roles.yaml"


@dataclass(frozen=True, slots=True)
class Cluster:
    """The API server, and two namespaces: one agreed, the other did not."""

    api: ApiAccess
    folder: Path

    def kubectl(self, *arguments: str, text: str | None = None) -> str:
        """Run kubectl as the administrator."""
        done = subprocess.run(
            [self.api.kubectl, f"--kubeconfig={self.api.kubeconfig}", *arguments],
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.returncode, done.stderr
        return done.stdout

    def apply(self, *objects: dict[str, Any]) -> None:
        """Apply objects."""
        self.kubectl("apply", "-f", "-", text=yaml.safe_dump_all(objects))

    def files(self, name: str, **options: Any) -> HubFiles:
        """Make the files of a hub, with a token as the kubelet would put it there."""
        token = self.kubectl("create", "token", "hub", "-n", "hubs")
        authority = (self.api.pki / "ca.crt").read_text()
        return HubFiles(
            self.folder / name,
            {"backends": [{"name": "cluster", "kubernetes": options}]},
            {"cluster": {"token": token, "ca.crt": authority}},
        )


def build_namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def build_secret(namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "login", "namespace": namespace},
        "stringData": {"password": CANARY},
    }


def build_deployment(namespace: str) -> dict[str, Any]:
    container = {
        "name": "app",
        "image": "shop:1",
        "args": [f"--password={CANARY}"],
        "env": [{"name": "PASSWORD", "value": CANARY}],
    }
    template = {"metadata": {"labels": {"app": "shop"}}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "shop", "namespace": namespace},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "shop"}},
            "template": {**template, "spec": {"containers": [container]}},
        },
    }


@pytest.fixture(scope="module")
def cluster(
    api_server: ApiAccess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    made = Cluster(api_server, tmp_path_factory.mktemp("hubs"))
    account = {"name": "hub", "namespace": "hubs"}
    made.apply(*(build_namespace(name) for name in ("hubs", "agreed", "silent")))
    made.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})
    roles = yaml.safe_load_all(ROLES.read_text())
    observers = ("mcphub-observer", "mcphub-observer-nodes")
    made.apply(*(each for each in roles if each["metadata"]["name"] in observers))
    for namespace in ("agreed", "silent"):
        made.apply(build_secret(namespace), build_deployment(namespace))
    grant(made, "agreed")
    made.kubectl(
        *("wait", "-n", "agreed", "deployment/shop", "--timeout=60s"),
        "--for=jsonpath={.status.replicas}=2",
    )
    yield made
    made.kubectl("delete", "namespace", "hubs", "agreed", "silent", "--wait=false")
    made.kubectl("delete", "clusterrolebinding", NODES_BINDING, "--ignore-not-found")


def grant(cluster: Cluster, namespace: str) -> None:
    """Do what the message of a forbidden namespace says."""
    cluster.kubectl(
        *("create", "rolebinding", "mcphub-observer-hubs-hub", "-n", namespace),
        *("--clusterrole=mcphub-observer", "--serviceaccount=hubs:hub"),
    )


def find_pod(cluster: Cluster, namespace: str) -> str:
    found = json.loads(cluster.kubectl("get", "pods", "-n", namespace, "-o", "json"))
    name: str = found["items"][0]["metadata"]["name"]
    return name
