"""The operator as its own program, with its own account, before a real API server.

No node runs pods here. What the operator asks goes through a proxy that remembers it.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from mcphub_operator.client.kinds import Kind
from tests.support.gateway_api.definition import install_routes
from tests.support.recording_proxy import Recording, recording_proxy
from tests.support.waiting import GUARD_SECONDS, pauses
from tools.cluster.api import ApiClient
from tools.cluster.apiserver import ApiServer, running_api_server

NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "hubs"}}
NEEDED = {
    *("Namespace", "CustomResourceDefinition", "ServiceAccount"),
    *("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"),
}


@dataclass(frozen=True, slots=True)
class Installed:
    """An API server with config/ applied, and the operator's requests to it."""

    server: ApiServer
    recording: Recording
    client: ApiClient

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return self.server.run_kubectl(*arguments, stdin=stdin)

    def apply(self, *objects: dict[str, Any]) -> None:
        items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl(
            *("apply", "--server-side", "--force-conflicts", "-f", "-"),
            stdin=json.dumps(items),
        )

    def find(
        self, kind: Kind, name: str, namespace: str = "default"
    ) -> dict[str, Any] | None:
        return self.client.get(kind.path(namespace, name)) or None

    def until(self, what: str, holds: Callable[[], Any]) -> Any:
        deadline, pause = time.monotonic() + GUARD_SECONDS, pauses()
        while not (found := holds()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what}; refused: {self.recording.forbidden}")
            time.sleep(next(pause))
        return found

    def until_used(self, resource: str, verb: str) -> None:
        self.until(
            f"no {verb} of {resource}",
            lambda: any(
                (used.resource, used.verb) == (resource, verb)
                for used in self.recording.used
            ),
        )


def kubeconfig_of(token: str, url: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "recorded", "cluster": {"server": url}}],
        "users": [{"name": "operator", "user": {"token": token}}],
        "contexts": [
            {"name": "it", "context": {"cluster": "recorded", "user": "operator"}}
        ],
        "current-context": "it",
    }


@contextmanager
def running_operator(kubeconfig: Path, *flags: str) -> Iterator[None]:
    """Run the operator as its own program until the block ends.

    It runs again when it exits, as kubelets do: one that loses its Lease because the
    API server is slow exits for a restart. It has no other reason to exit.
    """
    argv = [
        *(sys.executable, "-m", "mcphub_operator"),
        *("--kubeconfig", str(kubeconfig), "--http-port", "0"),
        *("--lease-namespace", "mcphub-system", "--pod-access", "proxy"),
        *("--relist-seconds", "5", *flags),
    ]
    log = kubeconfig.with_name("operator.log")
    with log.open("wb") as output:
        process = KeptProcess(argv, output)
        try:
            yield
        finally:
            process.end()
    said = log.read_text()
    assert process.exits <= said.count("lease_lost"), said[-2000:]


class KeptProcess:
    """A program that is started again whenever it exits, until it is ended.

    Attributes:
        exits: How often it exited by itself.
    """

    def __init__(self, argv: list[str], output: BinaryIO) -> None:
        self.exits = 0
        self._argv = argv
        self._output = output
        self._lock = threading.Lock()
        self._is_ended = False
        self._process = self._start()
        self._keeper = threading.Thread(target=self._keep)
        self._keeper.start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._argv, stdout=self._output, stderr=self._output)

    def _keep(self) -> None:
        while True:
            self._process.wait()
            with self._lock:
                if self._is_ended:
                    return
                self.exits += 1
                self._process = self._start()

    def end(self) -> None:
        """End it for good."""
        with self._lock:
            self._is_ended = True
            self._process.terminate()
        self._keeper.join(GUARD_SECONDS)


@contextmanager
def installing(
    roles: Iterable[dict[str, Any]], folder: Path, *flags: str
) -> Iterator[Installed]:
    """Run an API server with these roles, and the operator with no others."""
    with running_api_server(prepare=install_routes) as server:
        authority = str(server.pki / "ca.crt")
        with recording_proxy(server.url, authority) as recording:
            client = ApiClient(server.url, server.pki)
            installation = Installed(server, recording, client)
            installation.apply(NAMESPACE, *(o for o in roles if o["kind"] in NEEDED))
            account = ("mcphub-operator", "-n", "mcphub-system")
            token = installation.kubectl("create", "token", *account).strip()
            file = folder / "kubeconfig"
            file.write_text(json.dumps(kubeconfig_of(token, recording.url)))
            with running_operator(file, *flags):
                yield installation
