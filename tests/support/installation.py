"""A cluster with everything installed, as the end-to-end tests see it."""

import base64
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pytest_kind import KindCluster

from tests.support.hub_manifests import CREDENTIALS, copied
from tools.quickstart.site import NAMESPACE, OPERATOR_NAMESPACE
from tools.quickstart.steps import Shell, StepFailedError
from tools.quickstart.trial import Trial

_CHILD_KINDS = (
    "deployments,services,configmaps,secrets,serviceaccounts,"
    "horizontalpodautoscalers,poddisruptionbudgets,networkpolicies,pods"
)

WAIT_SECONDS = 240
"""When to give up; no promise, so it is far above what a busy machine needs."""

_NEWLINE = '{"\\n"}'
_MARK = "watched-to-the"


@dataclass(frozen=True)
class Installation:
    """The operator, the trial database and the hub `demo` on a real cluster.

    Attributes:
        opened: The namespaces that tests of this process opened, the latest last.
    """

    cluster: KindCluster
    trial: Trial
    shell: Shell
    namespace: str = NAMESPACE
    opened: list[str] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        return self.trial.site.base_url

    # -- other places --------------------------------------------------------

    def at(self, namespace: str) -> "Installation":
        """The same cluster, looked at in another namespace."""
        return replace(self, namespace=namespace)

    def open_empty_namespace(self, name: str) -> "Installation":
        """Make a namespace."""
        self.opened.append(name)
        if not self.exists("namespace", name):
            self.kubectl("create", "namespace", name)
        return self.at(name)

    def open_namespace(self, name: str) -> "Installation":
        """Make a namespace that has the trial database's credentials."""
        self.open_empty_namespace(name)
        login = self.at(NAMESPACE).get("secret", CREDENTIALS)
        self.at(name).apply(copied(login, CREDENTIALS))
        return self.at(name)

    def delete_namespaces(self, *names: str) -> None:
        """Begin to delete namespaces with all that is in them."""
        self.kubectl(
            "delete", "namespace", "--ignore-not-found", "--wait=false", *names
        )

    def is_swept(self) -> bool:
        """Whether no namespace is being deleted any more."""
        phases = {item["status"]["phase"] for item in self.items("namespaces")}
        return phases == {"Active"}

    @property
    def operator(self) -> "Installation":
        return self.at(OPERATOR_NAMESPACE)

    # -- asking --------------------------------------------------------------

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return self.trial.kubectl(
            self.shell, "-n", self.namespace, *arguments, stdin=stdin
        )

    def get(self, kind: str, name: str) -> dict[str, Any]:
        return dict(json.loads(self.kubectl("get", kind, name, "-o", "json")))

    def items(self, kind: str, *arguments: str) -> list[dict[str, Any]]:
        listed = json.loads(self.kubectl("get", kind, "-o", "json", *arguments))
        return list(listed["items"])

    def exists(self, kind: str, name: str) -> bool:
        found = self.kubectl("get", kind, name, "--ignore-not-found", "-o", "name")
        return bool(found.strip())

    def names(self, kind: str, selector: str) -> set[str]:
        found = self.kubectl("get", kind, "-l", selector, "-o", "name")
        return set(found.split())

    def children(self, hub: str) -> set[str]:
        return self.names(_CHILD_KINDS, selector_of(hub))

    def pods(self, hub: str) -> list[dict[str, Any]]:
        """A hub's pods that are not being deleted."""
        found = self.items("pods", "-l", selector_of(hub))
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def pod_names(self, hub: str) -> set[str]:
        return {f"pod/{pod['metadata']['name']}" for pod in self.pods(hub)}

    def condition(self, hub: str, kind: str) -> dict[str, Any]:
        status = self.get("mcphub", hub).get("status") or {}
        found = [c for c in status.get("conditions") or () if c["type"] == kind]
        return found[0] if found else {"status": "absent", "reason": "", "message": ""}

    def token(self, hub: str = "demo") -> str:
        """The token that the operator made for the hub's client `default`."""
        data = self.get("secret", f"{hub}-auth")["data"]
        return base64.b64decode(data["default"]).decode()

    def psql(self, sql: str) -> str:
        """Run SQL as the trial database's superuser."""
        psql = ("psql", "--quiet", "--no-psqlrc", "-U", "postgres", "-d", "shop")
        return self.at(NAMESPACE).kubectl(
            *("exec", "deployment/postgres", "--", *psql, "-c", sql)
        )

    def login(self) -> tuple[str, str]:
        """User and password of the trial database."""
        data = self.at(NAMESPACE).get("secret", CREDENTIALS)["data"]
        user, password = data["postgres-user"], data["postgres-password"]
        return base64.b64decode(user).decode(), base64.b64decode(password).decode()

    def node_address(self) -> str:
        """Where node ports answer: the first address of a node."""
        (node, *_) = self.items("nodes")
        found = node["status"]["addresses"]
        return str(next(a["address"] for a in found if a["type"] == "InternalIP"))

    # -- doing ---------------------------------------------------------------

    def apply(self, *manifests: dict[str, Any]) -> None:
        """Server-side apply, as one who owns what it writes."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        self.kubectl(
            *("apply", "--server-side", "--force-conflicts", "-f", "-"),
            stdin=json.dumps(items),
        )

    def build_environment(self, folder: Path) -> dict[str, str]:
        """What the shell of a user has who works in this namespace."""
        kubectl, config = self.cluster.kubectl_path, folder / "kubeconfig"
        config.write_text(self.cluster.kubeconfig_path.read_text())
        command = ("config", "set-context", "--current", "--namespace", self.namespace)
        words = (str(kubectl), "--kubeconfig", str(config), *command)
        subprocess.run(words, check=True, capture_output=True)
        programs = folder / "bin"
        programs.mkdir()
        (programs / "kubectl").symlink_to(Path(kubectl).resolve())
        path = f"{programs}:{os.environ['PATH']}"
        return {"KUBECONFIG": str(config), "PATH": path}

    # -- waiting: until something holds, or it is clear that it never will ---

    def wait(self, what: str, condition: str, seconds: int = WAIT_SECONDS) -> None:
        words = ("wait", what, f"--for={condition}", f"--timeout={seconds}s")
        self.trial.kubectl(
            self.shell, "-n", self.namespace, *words, timeout_seconds=seconds + 30
        )

    def wait_settled(self, hub: str) -> None:
        """All replicas of the present spec are there and serve."""
        for condition in ("Ready", "Reconciling=False", "Stalled=False"):
            self.wait(f"mcphub/{hub}", f"condition={condition}")

    def wait_replicas(self, hub: str, count: int) -> None:
        replicas = f"jsonpath={{.status.summary.replicas}}={count}/{count}"
        self.wait(f"mcphub/{hub}", replicas)

    def wait_reason(self, hub: str, kind: str, reason: str) -> dict[str, Any]:
        """Wait until a condition has a reason, and return the condition."""
        path = f'{{.status.conditions[?(@.type=="{kind}")].reason}}'
        self.wait(f"mcphub/{hub}", f"jsonpath={path}={reason}")
        return self.condition(hub, kind)

    def until(self, what: str, check: Callable[[], bool]) -> None:
        self.shell.until(what, lambda: "yes" if check() else None, WAIT_SECONDS)

    @contextmanager
    def watched(self, kind: str, name: str, path: str) -> Iterator[list[str]]:
        """Every value that a field of an object has until the block ends, in order.

        `path` may name several fields: `.spec['a','b']`.

        The list is filled when the block has ended: by a mark on the object, after
        which nothing more is to come.
        """
        values: list[str] = []
        line = f"jsonpath={{.metadata.annotations.{_MARK}}}|{{{path}}}{_NEWLINE}"
        with self._running("get", kind, name, "--watch", "-o", line) as lines:
            values.append(next(lines).strip().removeprefix("|"))
            yield values
            self.kubectl("annotate", kind, name, f"{_MARK}=end")
            for seen in lines:
                mark, _, value = seen.strip().partition("|")
                if value != values[-1]:
                    values.append(value)
                if mark:
                    break
        self.kubectl("annotate", kind, name, f"{_MARK}-")

    @contextmanager
    def forwarded(self, target: str, port: int = 8000) -> Iterator[str]:
        """The URL at which a pod's or a Service's port answers on this machine."""
        with self._running("port-forward", target, f":{port}") as lines:
            address = next(lines).split()[2]
            yield f"http://{address}"

    @contextmanager
    def _running(self, *arguments: str) -> Iterator[Iterator[str]]:
        """Run a kubectl that does not end by itself, and read its lines."""
        command = (
            *(str(self.cluster.kubectl_path), "--kubeconfig"),
            *(str(self.cluster.kubeconfig_path), "-n", self.namespace, *arguments),
        )
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                yield process.stdout
            finally:
                process.terminate()

    def refused(self, *arguments: str) -> str:
        """What kubectl says to a command that fails."""
        try:
            self.kubectl(*arguments)
        except StepFailedError as refusal:
            return str(refusal)
        raise AssertionError(f"{arguments} was done")


def selector_of(hub: str) -> str:
    return f"app.kubernetes.io/instance={hub}"
