"""A node is a set of namespaces held open by one process.

Processes, mounts, interfaces and firewall rules of a node live in its own PID, mount,
network, IPC and UTS namespaces. Killing the first process is pulling the plug: the
kernel ends every process and drops every mount, interface and rule with it, so
nothing of a node can be left behind. The node sees the host's files, with fresh
folders where programs insist on fixed places.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.cluster.api import wait_until
from tools.cluster.errors import StepFailed
from tools.cluster.places import made
from tools.cluster.plan import ClusterPlan, NodePlan
from tools.cluster.progress import last_line
from tools.cluster.state import ClusterState

START_SECONDS = 15.0
KILL_SECONDS = 20.0
# Folders compiled into the kubelet and into containerd's CNI library.
KUBELET_ROOT = Path("/var/lib/kubelet")
CNI_ROOT = Path("/var/lib/cni")
PORTS = "ports"
FIXED_FOLDERS = (KUBELET_ROOT, CNI_ROOT)
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
INIT_SCRIPT = """set -e
mount --make-rshared /
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/netns /run/containerd
mount -t tmpfs -o mode=755 tmpfs /var/log
mount --bind "$3" "$4"
mount -t tmpfs -o mode=755 tmpfs "$5"
echo "$2" > /proc/sys/kernel/hostname
ip link set lo up
touch "$3/../started"
exec "$0" "$1" "$2"
"""


def _init_argv(state: ClusterState, node: NodePlan, pause: Path) -> list[str]:
    kubelet_root = state.node_folder(node) / "kubelet"
    unshare = "unshare --mount --uts --ipc --net --pid --fork --mount-proc --".split()
    words = [pause, state.folder, node.name, kubelet_root, *FIXED_FOLDERS]
    return [*unshare, "sh", "-c", INIT_SCRIPT, *map(str, words)]


def start_node_init(state: ClusterState, node: NodePlan, pause: Path) -> int:
    """Start a node's first process and return its process id on the host."""
    made(state.node_folder(node) / "kubelet")
    for folder in FIXED_FOLDERS:
        made(folder)
    started = state.node_folder(node) / "started"
    started.unlink(missing_ok=True)
    log = state.log(node, "node")
    with log.open("ab") as file:
        process = subprocess.Popen(
            _init_argv(state, node, pause),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            cwd="/",
            env={"PATH": PATH},
            start_new_session=True,
        )

    def has_started() -> bool:
        if process.poll() is not None:
            raise StepFailed(f"Starting node {node.name}", last_line(log), log)
        return started.exists() and find_node_init(state, node) is not None

    wait_until(f"Starting node {node.name}", has_started, timeout_seconds=START_SECONDS)
    pid = find_node_init(state, node)
    assert pid is not None
    return pid


def hold_ports(state: ClusterState, plan: ClusterPlan, pause: Path) -> None:
    """Take the host's mapped ports, so that other programs see that they are taken.

    The firewall leads what is sent to them to a node; nothing arrives at the holder.
    """
    mappings = [mapping for node in plan.nodes for mapping in node.mappings]
    if not mappings or any(name == PORTS for _, name in find_inits(state)):
        return
    ports = [f"{m.protocol}:{m.listen}:{m.host_port}" for m in mappings]
    log = made(state.folder / "logs") / "ports.log"
    with log.open("ab") as file:
        subprocess.Popen(
            [pause, state.folder, PORTS, *ports],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            cwd="/",
            start_new_session=True,
        )


def _command_lines() -> Iterator[tuple[int, list[str]]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            yield int(entry.name), line.decode(errors="replace").split("\0")[:-1]


def _after_script(words: Sequence[str]) -> Sequence[str]:
    """Return the words of the first process to be, while `sh` still sets up for it."""
    if INIT_SCRIPT not in words:
        return words
    return words[words.index(INIT_SCRIPT) + 1 :]


def _is_init(words: Sequence[str], folder: Path) -> bool:
    return list(words[1:2]) == [str(folder)] and Path(words[0]).name == "pause"


def find_inits(state: ClusterState) -> list[tuple[int, str]]:
    """Return every first process of the cluster's nodes, with the node's name.

    Found by their command lines: the maker may have died before it noted a number.
    """
    lines = ((pid, _after_script(words)) for pid, words in _command_lines())
    return [(pid, words[2]) for pid, words in lines if _is_init(words, state.folder)]


def find_node_init(state: ClusterState, node: NodePlan) -> int | None:
    """Return the host's process id of a running node; None for one that is off."""
    for pid, words in _command_lines():
        if words[1:] == [str(state.folder), node.name] and words[0].endswith("/pause"):
            return pid
    return None


def require_node_init(state: ClusterState, node: NodePlan) -> int:
    """Return the host's process id of a running node."""
    pid = find_node_init(state, node)
    if pid is None:
        raise StepFailed(f"Using node {node.name}", "it is not running; start it first")
    return pid


def enter(pid: int, *kinds: str) -> list[str]:
    """Return the words that run a command in a node's namespaces."""
    return ["nsenter", f"--target={pid}", *(f"--{kind}" for kind in kinds), "--"]


ALL = ("mount", "uts", "ipc", "net", "pid")


def start_in_node(init: int, argv: Sequence[str | Path], log: Path) -> None:
    """Start a program in a node; it outlives this one and ends with the node."""
    with log.open("ab") as file:
        subprocess.Popen(
            [*enter(init, *ALL), *map(str, argv)],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            cwd="/",
            env={"PATH": PATH, "HOME": "/root"},
            start_new_session=True,
        )


def find_in_node(init: int, program: str) -> list[int]:
    """Return the host's process ids of a program that runs in a node."""
    space = _pid_namespace(init)
    return [
        pid
        for pid, words in _command_lines()
        if words and Path(words[0]).name == program and _pid_namespace(pid) == space
    ]


def _pid_namespace(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    except OSError:
        return ""


THREADS = 17
"""Place of the number of threads behind the name in /proc/<pid>/stat; see proc(5)."""


def kill_all(pids: Sequence[int]) -> None:
    """Kill processes and wait until the kernel has buried them."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    wait_until(
        "Ending processes",
        lambda: not any(_is_alive(pid) for pid in pids),
        timeout_seconds=KILL_SECONDS,
    )


def kill_inits(inits: Sequence[int]) -> None:
    """Kill the first processes of nodes, and with them all that runs there.

    `nsenter` stops with the program that it started, and does not continue with it. A
    stopped one buries no program, and a node ends only when all of its are buried.
    """
    targets = {f"--target={pid}" for pid in inits}
    parents = [
        pid
        for pid, words in _command_lines()
        if words[:1] == ["nsenter"] and targets & {*words[1:2]}
    ]
    kill_all([*parents, *inits])


def _is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    state, *_, threads = stat.rpartition(")")[2].split()[: THREADS + 1]
    # A zombie waits for its parent only, and holds nothing any more; unless threads of
    # its own are still ending: until the last of them its sockets are open.
    return state not in "ZX" or int(threads) > 1
