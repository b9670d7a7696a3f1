"""Command lines of the control plane's programs: pure, one function a program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# The second plugin is off by default; some clusters have it on, and operators that
# set owner references need one more right there.
ADMISSION = "NodeRestriction,OwnerReferencesPermissionEnforcement"


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """Where one control plane listens and keeps its files."""

    pki: Path
    kubeconfigs: Path
    data: Path
    address: str
    advertise: str
    service_subnet: str
    api_port: int = 6443
    etcd_port: int = 2379
    etcd_peer_port: int = 2380
    manager_port: int = 10257
    scheduler_port: int = 10259
    has_nodes: bool = True

    @property
    def url(self) -> str:
        """Return the address under which every client calls the API server."""
        return f"https://{self.advertise}:{self.api_port}"

    @property
    def etcd_url(self) -> str:
        """Return etcd's address, on loopback only."""
        return f"http://127.0.0.1:{self.etcd_port}"


def etcd_arguments(plane: ControlPlane) -> list[str]:
    """Return etcd's arguments: loopback, and no waiting for the disk."""
    peer = f"http://127.0.0.1:{plane.etcd_peer_port}"
    return [
        "--name=default",
        f"--data-dir={plane.data / 'etcd'}",
        f"--listen-client-urls={plane.etcd_url}",
        f"--advertise-client-urls={plane.etcd_url}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def _aggregation_arguments(pki: Path) -> list[str]:
    return [
        f"--requestheader-client-ca-file={pki / 'ca.crt'}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={pki / 'front-proxy-client.crt'}",
        f"--proxy-client-key-file={pki / 'front-proxy-client.key'}",
        "--enable-aggregator-routing",
    ]


def _kubelet_arguments(pki: Path) -> list[str]:
    return [
        # By default exec and logs look node names up in a DNS that does not know them.
        "--kubelet-preferred-address-types=InternalIP",
        f"--kubelet-certificate-authority={pki / 'ca.crt'}",
        f"--kubelet-client-certificate={pki / 'kubelet-client.crt'}",
        f"--kubelet-client-key={pki / 'kubelet-client.key'}",
    ]


def api_server_arguments(plane: ControlPlane) -> list[str]:
    """Return the API server's arguments."""
    pki = plane.pki
    arguments = [
        f"--etcd-servers={plane.etcd_url}",
        f"--bind-address={plane.address}",
        f"--advertise-address={plane.advertise}",
        f"--secure-port={plane.api_port}",
        f"--service-cluster-ip-range={plane.service_subnet}",
        f"--tls-cert-file={pki / 'apiserver.crt'}",
        f"--tls-private-key-file={pki / 'apiserver.key'}",
        f"--client-ca-file={pki / 'ca.crt'}",
        f"--service-account-key-file={pki / 'service-account.pub'}",
        f"--service-account-signing-key-file={pki / 'service-account.key'}",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        "--authorization-mode=Node,RBAC",
        f"--enable-admission-plugins={ADMISSION}",
        "--allow-privileged",
        "--profiling=false",
        *_aggregation_arguments(pki),
        *_kubelet_arguments(pki),
    ]
    # Without nodes no pod uses the endpoint, which would be a loopback address.
    return arguments if plane.has_nodes else [*arguments, *_without_endpoints()]


def _without_endpoints() -> list[str]:
    return ["--endpoint-reconciler-type=none"]


def _kubeconfig_arguments(kubeconfig: Path) -> list[str]:
    return [
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        "--profiling=false",
    ]


def controller_manager_arguments(plane: ControlPlane) -> list[str]:
    """Return the controller manager's arguments."""
    pki = plane.pki
    return [
        *_kubeconfig_arguments(plane.kubeconfigs / "controller-manager.conf"),
        f"--secure-port={plane.manager_port}",
        f"--service-account-private-key-file={pki / 'service-account.key'}",
        f"--root-ca-file={pki / 'ca.crt'}",
        f"--cluster-signing-cert-file={pki / 'ca.crt'}",
        f"--cluster-signing-key-file={pki / 'ca.key'}",
        "--use-service-account-credentials",
        # A killed node is noticed in seconds: tests wait for it.
        "--node-monitor-period=2s",
        "--node-monitor-grace-period=20s",
        # Tests scale up and down within seconds; without nodes there are no metrics,
        # and an autoscaler's first evaluation is all that a test can wait for.
        f"--horizontal-pod-autoscaler-sync-period={5 if plane.has_nodes else 2}s",
    ]


def scheduler_arguments(plane: ControlPlane) -> list[str]:
    """Return the scheduler's arguments."""
    return [
        *_kubeconfig_arguments(plane.kubeconfigs / "scheduler.conf"),
        f"--secure-port={plane.scheduler_port}",
    ]
