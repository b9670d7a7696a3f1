"""A cluster with everything installed, as the end-to-end tests see it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pytest_kind import KindCluster

from quickstart.site import NAMESPACE
from quickstart.steps import Shell
from quickstart.trial import Trial


@dataclass(frozen=True)
class Installation:
    """The operator, the trial database and the hub `demo` on a real cluster."""

    cluster: KindCluster
    trial: Trial
    shell: Shell
    namespace: str = NAMESPACE

    @property
    def base_url(self) -> str:
        return self.trial.site.base_url

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return self.trial.kubectl(
            self.shell, "-n", self.namespace, *arguments, stdin=stdin
        )

    def get(self, kind: str, name: str) -> dict[str, Any]:
        return dict(json.loads(self.kubectl("get", kind, name, "-o", "json")))

    def names(self, kind: str, selector: str) -> set[str]:
        found = self.kubectl("get", kind, "-l", selector, "-o", "name")
        return set(found.split())

    def live_pods(self, selector: str) -> set[str]:
        """Pods that nobody has told to go."""
        listed = json.loads(self.kubectl("get", "pods", "-l", selector, "-o", "json"))
        return {
            f"pod/{pod['metadata']['name']}"
            for pod in listed["items"]
            if "deletionTimestamp" not in pod["metadata"]
        }

    def apply(self, *manifests: dict[str, Any]) -> None:
        items = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(items))

    def wait(self, what: str, condition: str, seconds: int = 120) -> None:
        self.kubectl("wait", what, f"--for={condition}", f"--timeout={seconds}s")

    def until(self, what: str, check: Callable[[], bool], seconds: float = 60) -> None:
        self.shell.until(what, lambda: "yes" if check() else None, seconds)

    def token(self, hub: str = "demo") -> str:
        return self.trial.token(self.shell, hub)
