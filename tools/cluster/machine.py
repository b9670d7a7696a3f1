"""What this machine must have for clusters without Docker, and installing it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tools.cluster import cgroups
from tools.cluster.errors import BadInput, MissingPart
from tools.cluster.places import clusters_dir, exclusive, log_dir, made
from tools.cluster.progress import run_logged
from tools.cluster.registries import APT, fetching

# The program that shows that a package is there, and the package's name in Debian.
NEEDED = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "ip": "iproute2",
    "ethtool": "ethtool",
    "socat": "socat",
    "conntrack": "conntrack",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "mount": "mount",
    "setpriv": "util-linux",
}
FOR_IMAGES = {"buildah": "buildah", "debootstrap": "debootstrap"}
CNI_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))
CNI_PACKAGE = "containernetworking-plugins"
CAP_SYS_RESOURCE = 24
NODE_BYTES = 2 * 1024**3
HIDDEN_IN_NODES = (Path("/run"), Path("/var/run"), Path("/var/log"))


def find_cni_plugins() -> Path | None:
    """Return the folder of the CNI plugins, if they are installed."""
    folders = (folder for folder in CNI_FOLDERS if (folder / "bridge").exists())
    return next(folders, None)


def missing_packages(needed: dict[str, str]) -> list[str]:
    """Return the Debian packages whose programs are not there."""
    return sorted({pkg for program, pkg in needed.items() if not shutil.which(program)})


def require_root() -> None:
    """Fail unless the user is root."""
    if os.geteuid() != 0:
        raise MissingPart(
            "clusters without Docker need root: run it with sudo, or install Docker "
            "and kind"
        )


def install(packages: list[str]) -> None:
    """Install Debian packages, or say which ones are wanted."""
    if not packages:
        return
    names = " ".join(packages)
    if not shutil.which("apt-get"):
        raise MissingPart(f"install these first (Debian's names): {names}")
    apt = ["apt-get", "-o", "DPkg::Lock::Timeout=300"]
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with exclusive("apt"), fetching(names, APT, log=_log("update")):
        run_logged("Updating apt's lists", [*apt, "update"], _log("update"), env=env)
        words = [*apt, "install", "-y", "--no-install-recommends", *packages]
        run_logged(f"Installing {names}", words, _log("install"), env=env)


def _log(what: str) -> Path:
    return log_dir() / f"apt-{what}.log"


def ensure_packages() -> Path:
    """Install what nodes need where it is missing; return the CNI plugins' folder."""
    packages = missing_packages(NEEDED)
    if find_cni_plugins() is None:
        packages.append(CNI_PACKAGE)
    install(packages)
    plugins = find_cni_plugins()
    if plugins is None:
        raise MissingPart(f"install {CNI_PACKAGE}: no CNI plugins in {CNI_FOLDERS[0]}")
    return plugins


def check_kernel() -> None:
    """Refuse a kernel that lacks what containers need."""
    filesystems = Path("/proc/filesystems").read_text().split()
    if "overlay" not in filesystems:
        raise MissingPart(
            "the kernel has no overlayfs: load it with `modprobe overlay`"
        )
    cgroups.check(cgroups.hierarchies())


def check_ipv6() -> None:
    """Refuse a kernel without IPv6."""
    if not Path("/proc/net/if_inet6").exists():
        raise MissingPart(
            "the kernel has no IPv6: load it with `modprobe ipv6`, or leave"
            " networking.ipFamily out"
        )


def check_disk() -> None:
    """Refuse a disk that is full, and places that nodes cannot see."""
    folder = made(clusters_dir())
    if any(folder.is_relative_to(hidden) for hidden in HIDDEN_IN_NODES):
        raise BadInput(f"XDG_STATE_HOME must not be below {folder.parts[1]!r} folders")
    free = shutil.disk_usage(folder).free
    if free < NODE_BYTES:
        raise BadInput(
            f"only {free / 1024**3:.1f} GiB are free in {folder}, a cluster wants 2: "
            "make room, or point XDG_STATE_HOME at a larger disk"
        )


def may_raise_priority() -> bool:
    """Tell whether we hold CAP_SYS_RESOURCE."""
    status = Path("/proc/self/status").read_text()
    line = next(x for x in status.splitlines() if x.startswith("CapEff:"))
    return bool(int(line.split()[1], 16) >> CAP_SYS_RESOURCE & 1)
