"""A Kubernetes API without nodes, for tests of what only the API decides.

etcd, the API server and the controller manager on free loopback ports: schema and CEL
rules, server-side apply, owner references and garbage collection are the real thing;
pods stay Pending. Needs no root. Several can run at once; all end with the
program that started them, even a killed one.
"""

from __future__ import annotations

import ctypes
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tools.cluster.api import ApiClient, wait_until
from tools.cluster.binaries import Binaries, ensure_binaries
from tools.cluster.commands import run
from tools.cluster.components import (
    ControlPlane,
    api_server_arguments,
    controller_manager_arguments,
    etcd_arguments,
)
from tools.cluster.errors import StepFailed
from tools.cluster.kubeconfig import build_kubeconfig, write_private
from tools.cluster.pki import control_plane_subjects, write_pki
from tools.cluster.progress import last_line
from tools.ports import reserve_ports

SERVICE_SUBNET = "10.96.0.0/16"
SERVICE_IP = "10.96.0.1"
READY_SECONDS = 60.0
SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG

_LIBC = ctypes.CDLL(None)


def _die_with_parent() -> None:
    _LIBC.prctl(SET_DEATH_SIGNAL, signal.SIGKILL)


class _Program:
    """One program of the control plane, which can be stopped and started again."""

    def __init__(self, path: Path, arguments: Sequence[str], log: Path) -> None:
        self._argv = [str(path), *arguments]
        self._log = log
        self.name = path.name
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._log.parent,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one call into libc
            )

    def check(self) -> None:
        if self._process is None or self._process.poll() is not None:
            raise StepFailed(f"Running {self.name}", last_line(self._log), self._log)

    def stop(self) -> None:
        # A graceful stop takes ten seconds while watches are open, and there is nothing
        # to save: etcd keeps its data, and the test server's data is temporary.
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class ApiAccess:
    """Where an API is, and what its administrator needs to call it."""

    def __init__(self, url: str, kubeconfig: Path, kubectl: Path) -> None:
        """Take what another process has started."""
        self.url = url
        self.kubeconfig = kubeconfig
        self.kubectl = kubectl

    @property
    def pki(self) -> Path:
        """Return the folder of the certificates."""
        return self.kubeconfig.parents[1] / "pki"

    def run_kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl against this API and return what it printed."""
        return run(
            [self.kubectl, f"--kubeconfig={self.kubeconfig}", *arguments], stdin=stdin
        )


class ApiServer(ApiAccess):
    """An API that this process runs; it can stop and start the API server."""

    def __init__(self, binaries: Binaries, plane: ControlPlane, folder: Path) -> None:
        """Write certificates and kubeconfigs; start nothing yet."""
        kubeconfig = plane.kubeconfigs / "admin.conf"
        super().__init__(plane.url, kubeconfig, binaries.part("kubectl"))
        write_pki(plane.pki, control_plane_subjects("127.0.0.1", SERVICE_IP))
        for user in ("admin", "controller-manager"):
            document = build_kubeconfig(user, plane.url, plane.pki, user)
            write_private(plane.kubeconfigs / f"{user}.conf", document)
        self._client = ApiClient(plane.url, plane.pki)

        def program(name: str, arguments: Sequence[str]) -> _Program:
            return _Program(binaries.part(name), arguments, folder / f"{name}.log")

        self._etcd = program("etcd", etcd_arguments(plane))
        self._api = program("kube-apiserver", api_server_arguments(plane))
        self._manager = program(
            "kube-controller-manager", controller_manager_arguments(plane)
        )

    def start(self) -> None:
        """Start the API server again after `stop`, and wait until it is ready."""
        self._api.start()
        self._wait_until(self._is_ready)

    def stop(self) -> None:
        """Stop the API server alone; what it knows stays in etcd."""
        self._api.stop()

    def start_api(self) -> None:
        """Start etcd and the API server, and wait until the API is ready."""
        self._etcd.start()
        self.start()

    def start_controllers(self) -> None:
        """Start the controller manager and wait until it works."""
        self._manager.start()
        # Without its namespace's default account no pod can be made.
        self._wait_until(self._has_default_account)

    def stop_all(self) -> None:
        """Stop every program, the dependent ones first."""
        for program in (self._manager, self._api, self._etcd):
            program.stop()

    def _is_ready(self) -> bool:
        return self._client.answers("/readyz")

    def _has_default_account(self) -> bool:
        self._manager.check()
        path = "/api/v1/namespaces/default/serviceaccounts/default"
        return self._client.answers(path)

    def _wait_until(self, condition: Callable[[], bool]) -> None:
        def holds() -> bool:
            self._etcd.check()
            self._api.check()
            return condition()

        what = "Waiting for the API server"
        wait_until(what, holds, timeout_seconds=READY_SECONDS)


def _plane(folder: Path) -> ControlPlane:
    api, etcd, peer, manager = reserve_ports(4)
    return ControlPlane(
        pki=folder / "pki",
        kubeconfigs=folder / "kubeconfigs",
        data=folder,
        address="127.0.0.1",
        advertise="127.0.0.1",
        service_subnet=SERVICE_SUBNET,
        api_port=api,
        etcd_port=etcd,
        etcd_peer_port=peer,
        manager_port=manager,
        has_nodes=False,
    )


@contextmanager
def running_api_server(
    *, prepare: Callable[[ApiServer], None] | None = None, controllers: bool = True
) -> Iterator[ApiServer]:
    """Run a Kubernetes API on free ports for as long as the block lasts.

    Args:
        prepare: called when the API is ready, before the controllers start. They learn
            of a kind that is installed here at once, of later ones after 30 s.
        controllers: also run the controller manager (garbage collection, Deployments,
            service accounts); without it the API is ready a second sooner.
    """
    binaries = ensure_binaries()
    with tempfile.TemporaryDirectory(prefix="mcphub-api-") as name:
        server = ApiServer(binaries, _plane(Path(name)), Path(name))
        try:
            server.start_api()
            if prepare is not None:
                prepare(server)
            if controllers:
                server.start_controllers()
            yield server
        finally:
            server.stop_all()
