"""What the first run does, step by step; each step may be repeated at will.

A step looks at what is there and adds what is missing, so a second run is quick
and changes nothing. The end-to-end tests install with these same steps.
"""

import base64
import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tools.project import ROOT
from tools.quickstart.site import (
    CLUSTER_CONFIG,
    HUB,
    HUB_NAME,
    KIND,
    NAMESPACE,
    OPERATOR_NAMESPACE,
    POSTGRES,
    Site,
    find_kubectl,
)
from tools.quickstart.steps import Shell, Step, StepFailedError

_CREDENTIALS = "demo-credentials"
_ROLLOUT_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Image:
    """An image to build: its name without a tag, its Dockerfile, its context."""

    name: str
    dockerfile: Path
    context: Path


SERVER = Image("mcphub-server", ROOT / "Dockerfile.server", ROOT)
OPERATOR = Image("mcphub-operator", ROOT / "Dockerfile.operator", ROOT)
DATABASE = Image("mcphub-trial-postgres", POSTGRES / "Dockerfile", POSTGRES)
IMAGES = (SERVER, OPERATOR, DATABASE)


@dataclass(frozen=True)
class Trial:
    """The steps, on one site, with the images of one moment."""

    site: Site
    images: dict[str, str] = field(default_factory=dict)

    @cached_property
    def _kubectl(self) -> tuple[str, ...]:
        return (find_kubectl(), "--kubeconfig", str(self.site.kubeconfig))

    def cluster_steps(self) -> list[Step]:
        return [
            Step("Kubernetes and base images", "build", self.build_kubernetes),
            Step("Images of server, operator, database", "images", self.build_images),
            Step("Cluster: a control plane, two workers", "cluster", self.make_cluster),
            Step("Images onto the nodes", "load", self.load_images),
        ]

    def install_steps(self) -> list[Step]:
        return [
            Step("Operator", "operator", self.install_operator),
            Step("Trial PostgreSQL with data", "postgres", self.install_database),
            Step("McpHub `demo`", "hub", self.apply_hub),
        ]

    # -- the cluster ---------------------------------------------------------

    def build_kubernetes(self, shell: Shell) -> str | None:
        shell.run(KIND, "build")
        return None

    def build_images(self, shell: Shell) -> str:
        for image in IMAGES:
            shell.run(*_build_command(image))
        return ", ".join(self.image(shell, image) for image in IMAGES)

    def image(self, shell: Shell, image: Image) -> str:
        """The image's full name, tagged by its content; built if it is not there.

        Asked once: one run installs what the sources were when it began.
        """
        if image.name not in self.images:
            printed = shell.capture(*_build_command(image), timeout_seconds=1800)
            self.images[image.name] = printed.strip()
        return self.images[image.name]

    def make_cluster(self, shell: Shell) -> str:
        """Make it, or keep the one that answers; a half-made one is deleted first."""
        name = self.site.cluster
        if name in shell.capture(KIND, "get", "clusters").split():
            if self._nodes_ready(shell):
                return "is there"
            shell.note("the cluster of that name does not answer: making it again")
            shell.run(KIND, "delete", "cluster", "--name", name)
        self.site.state.mkdir(parents=True, exist_ok=True)
        shell.run(
            *(KIND, "create", "cluster", "--name", name, "--wait", "120s"),
            *("--config", self.cluster_config()),
            *("--kubeconfig", self.site.kubeconfig),
        )
        return "nodes Ready"

    def cluster_config(self) -> Path:
        text = CLUSTER_CONFIG.read_text().replace(
            "hostPort: 30800", f"hostPort: {self.site.port}"
        )
        written = self.site.state / "cluster.yaml"
        written.write_text(text)
        return written

    def _nodes_ready(self, shell: Shell) -> bool:
        try:
            shell.capture(
                *self._kubectl,
                *("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=10s"),
            )
        except StepFailedError:
            return False
        return True

    def load_images(self, shell: Shell) -> None:
        for image in IMAGES:
            shell.run(
                *(KIND, "load", "docker-image", "--name", self.site.cluster),
                self.image(shell, image),
            )

    def delete_cluster(self, shell: Shell) -> None:
        shell.run(KIND, "delete", "cluster", "--name", self.site.cluster)

    # -- what runs in it -----------------------------------------------------

    def install_operator(self, shell: Shell, config: str = "default") -> str:
        """Apply a folder of config/ with this checkout's images in it."""
        folder = self.site.state / "operator"
        folder.mkdir(parents=True, exist_ok=True)
        overlay = operator_overlay(
            base=os.path.relpath(ROOT / "config" / config, folder.resolve()),
            operator=self.image(shell, OPERATOR),
            server=self.image(shell, SERVER),
        )
        (folder / "kustomization.yaml").write_text(overlay)
        self.kubectl(shell, "apply", "--server-side", "--force-conflicts", "-k", folder)
        self._rollout(shell, OPERATOR_NAMESPACE, "deployment/mcphub-operator")
        return "available"

    def install_database(self, shell: Shell) -> str:
        self.kubectl(shell, "apply", "-f", "-", stdin=_namespace_manifest(NAMESPACE))
        if not self._exists(shell, "secret", _CREDENTIALS):
            self.kubectl(shell, "apply", "-f", "-", stdin=_credentials_manifest())
        self.kubectl(
            shell, "-n", NAMESPACE, "apply", "-f", "-", stdin=self._database(shell)
        )
        self._rollout(shell, NAMESPACE, "deployment/postgres")
        return "ready"

    def _database(self, shell: Shell) -> str:
        manifest = (POSTGRES / "postgres.yaml").read_text()
        return manifest.replace(f"{DATABASE.name}:dev", self.image(shell, DATABASE))

    def apply_hub(self, shell: Shell) -> str:
        """Apply it and wait until it is settled: Ready, all replicas, its database."""
        self.kubectl(shell, "apply", "-f", HUB)
        for condition in ("Ready", "Reconciling=False", "BackendsReachable"):
            self.kubectl(
                *(shell, "-n", NAMESPACE, "wait", f"--for=condition={condition}"),
                *(f"mcphub/{HUB_NAME}", f"--timeout={_ROLLOUT_SECONDS}s"),
            )
        return "Ready"

    # -- asking --------------------------------------------------------------

    def token(self, shell: Shell, hub: str = HUB_NAME) -> str:
        """The token that the operator made for the hub's client `default`."""
        encoded = self.kubectl(
            *(shell, "-n", NAMESPACE, "get", "secret", f"{hub}-auth"),
            *("-o", "jsonpath={.data.default}"),
        )
        return base64.b64decode(encoded).decode()

    def kubectl(
        self,
        shell: Shell,
        *arguments: str | Path,
        stdin: str | None = None,
        timeout_seconds: float = _ROLLOUT_SECONDS + 30,
    ) -> str:
        return shell.capture(
            *self._kubectl, *arguments, stdin=stdin, timeout_seconds=timeout_seconds
        )

    def _rollout(self, shell: Shell, namespace: str, what: str) -> None:
        self.kubectl(
            *(shell, "-n", namespace, "rollout", "status", what),
            f"--timeout={_ROLLOUT_SECONDS}s",
        )

    def _exists(self, shell: Shell, kind: str, name: str) -> bool:
        found = self.kubectl(
            shell,
            "-n",
            NAMESPACE,
            "get",
            kind,
            name,
            "--ignore-not-found",
            "-o",
            "name",
        )
        return bool(found.strip())


def _build_command(image: Image) -> tuple[str | Path, ...]:
    words = (KIND, "image", "build", "--name", image.name)
    return (*words, "--file", image.dockerfile, image.context)


def operator_overlay(base: str, operator: str, server: str) -> str:
    """A kustomization: `base` with the given images for operator and hubs."""
    name, tag = operator.rsplit(":", 1)
    patch = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "mcphub-operator", "namespace": OPERATOR_NAMESPACE},
        "spec": {
            "template": {
                "spec": {
                    "containers": [
                        {
                            "name": "operator",
                            "imagePullPolicy": "IfNotPresent",
                            "env": [{"name": "MCPHUB_SERVER_IMAGE", "value": server}],
                        }
                    ]
                }
            }
        },
    }
    return json.dumps(
        {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [base],
            "images": [{"name": "mcphub-operator", "newName": name, "newTag": tag}],
            "patches": [{"patch": json.dumps(patch)}],
        }
    )


def _namespace_manifest(name: str) -> str:
    return json.dumps(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    )


def _credentials_manifest() -> str:
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": _CREDENTIALS, "namespace": NAMESPACE},
            "stringData": {
                "postgres-user": "mcphub",
                "postgres-password": secrets.token_urlsafe(24),
            },
        }
    )


def all_steps(trial: Trial) -> Sequence[Step]:
    return [*trial.cluster_steps(), *trial.install_steps()]
