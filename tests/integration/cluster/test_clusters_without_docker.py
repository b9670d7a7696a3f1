"""A cluster of this project's own: it works, it can be broken, and it leaves nothing.

pytest-kind makes it, which knows nothing of it but kind's command line. Where the real
kind makes clusters, these are its maker's affair.
"""

import contextlib
import json
import re
import signal
import socket
import subprocess
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pytest_kind import KindCluster

from tools.cluster import cgroups, provider
from tools.cluster.binaries import find_module, kubernetes_version
from tools.cluster.namespaces import find_inits
from tools.cluster.plan import ClusterPlan
from tools.cluster.state import state_of
from tools.ports import reserve_port
from tools.quickstart.site import KIND

NAME, HALF = "selftest", "selftest-half"
pytestmark = [
    pytest.mark.timeout(1500),  # the very first run builds Kubernetes
    pytest.mark.skipif(provider.choose().is_real, reason="the real kind works here"),
]

CONFIG = """
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
- role: control-plane
  extraPortMappings:
  - {{containerPort: 30800, hostPort: {port}, listenAddress: 127.0.0.1}}
- role: worker
"""
# Answers each line with a line, for as long as the connection lasts.
ECHO = """
import socketserver
class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line)
class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
Server(("", 8000), Echo).serve_forever()
"""
WEB = {
    "kind": "List",
    "apiVersion": "v1",
    "items": [
        {
            "kind": "Pod",
            "apiVersion": "v1",
            "metadata": {"name": "web", "labels": {"app": "web"}},
            "spec": {
                "terminationGracePeriodSeconds": 1,
                "containers": [
                    {
                        "name": "web",
                        "image": "python:3.13-slim",
                        "imagePullPolicy": "IfNotPresent",
                        "command": ["python", "-c", ECHO],
                        "readinessProbe": {
                            "tcpSocket": {"port": 8000},
                            "periodSeconds": 1,
                        },
                    }
                ],
            },
        },
        {
            "kind": "Service",
            "apiVersion": "v1",
            "metadata": {"name": "web"},
            "spec": {
                "type": "NodePort",
                "selector": {"app": "web"},
                "ports": [{"port": 80, "targetPort": 8000, "nodePort": 30800}],
            },
        },
    ],
}


def kind(*arguments, check=True):
    done = subprocess.run(
        [KIND, *arguments], check=False, capture_output=True, text=True
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def eventually(condition, timeout_seconds=30.0):
    deadline = time.monotonic() + timeout_seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not within {timeout_seconds} s"
        time.sleep(0.1)  # between two looks at the condition
    return result


@dataclass
class Selftest:
    """The cluster under test, and what was seen of it while it lived."""

    cluster: KindCluster
    port: int
    plan: ClusterPlan = field(init=False)

    def kubectl(self, *arguments, stdin=None):
        return self.cluster.kubectl(*arguments, input=stdin, stderr=subprocess.STDOUT)


@pytest.fixture(scope="module")
def selftest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("selftest")
    kind("build")
    kind("delete", "clusters", NAME, HALF, f"--kubeconfig={folder / 'kubeconfig'}")
    kubectl = Path(kind("paths", "kubectl").stdout.strip())
    port = reserve_port()
    (folder / "config.yaml").write_text(CONFIG.format(port=port))
    with contextlib.chdir(folder):
        cluster = KindCluster(NAME, folder / "kubeconfig", None, KIND, kubectl)
        it = Selftest(cluster, port)
        cluster.create(folder / "config.yaml")
        it.plan = state_of(NAME).read_plan()
        try:
            yield it
        finally:
            cluster.delete()


@pytest.fixture(scope="module")
def web(selftest):
    selftest.kubectl("apply", "-f", "-", stdin=json.dumps(WEB))
    selftest.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    return selftest


def test_pytest_kind_sees_its_nodes_ready(selftest):
    nodes = json.loads(selftest.kubectl("get", "nodes", "-o", "json"))["items"]

    ready = {
        node["metadata"]["name"]: condition["status"]
        for node in nodes
        for condition in node["status"]["conditions"]
        if condition["type"] == "Ready"
    }

    assert ready == {f"{NAME}-control-plane": "True", f"{NAME}-worker": "True"}


def test_the_whole_cluster_is_of_the_version_that_is_asked_for(selftest):
    wanted = kubernetes_version(find_module().read_text())

    server = json.loads(selftest.kubectl("version", "--output=json"))
    nodes = json.loads(selftest.kubectl("get", "nodes", "--output=json"))

    assert server["serverVersion"]["gitVersion"] == wanted
    info = [node["status"]["nodeInfo"] for node in nodes["items"]]
    assert [node["kubeletVersion"] for node in info] == [wanted, wanted]


def test_the_control_plane_is_marked_as_kind_marks_it(selftest):
    name = f"{NAME}-control-plane"
    node = json.loads(selftest.kubectl("get", "node", name, "-o", "json"))

    assert "node-role.kubernetes.io/control-plane" in node["metadata"]["labels"]
    assert node["spec"]["taints"] == [
        {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
    ]


def test_kind_lists_the_cluster_and_its_nodes(selftest):
    assert NAME in kind("get", "clusters").stdout.split()
    assert kind("get", "nodes", f"--name={NAME}").stdout.split() == [
        node.name for node in selftest.plan.nodes
    ]


def test_a_pod_resolves_names_and_reaches_a_service_by_name(web):
    script = (
        "import socket; s = socket.create_connection(('web.default.svc', 80), 5);"
        "s.sendall(b'hello\\n'); print(s.recv(9).decode())"
    )

    answer = web.kubectl("exec", "web", "--", "python", "-c", script)

    assert answer.strip() == "hello"


def test_a_pod_reaches_a_program_on_this_machine(web):
    with socket.create_server((web.plan.gateway, 0)) as server:
        address = server.getsockname()
        script = f"import socket; socket.create_connection({address}, 5)"

        web.kubectl("exec", "web", "--", "python", "-c", script)


def test_this_machine_reaches_pods_and_node_ports(web):
    pod = web.kubectl("get", "pod", "web", "-o", "jsonpath={.status.podIP}")
    places = [(pod, 8000), *((node.address, 30800) for node in web.plan.nodes)]

    for place in places:
        with socket.create_connection(place, 5) as connection:
            connection.sendall(b"hello\n")
            assert connection.recv(9) == b"hello\n"


def test_usage_is_measured(selftest):
    def measured():
        with contextlib.suppress(subprocess.CalledProcessError):
            return selftest.kubectl("top", "nodes")
        return ""

    assert f"{NAME}-worker" in eventually(measured, 60)


@pytest.mark.usefixtures("selftest")
@pytest.mark.usefixtures("selftest")
def test_pods_weigh_more_than_one_program_of_the_machine():
    weights = {
        folder / name: int((folder / name).read_text())
        for folder in (tree.mount / cgroups.ROOT for tree in cgroups.hierarchies())
        for name in cgroups.WEIGHTS
        if (folder / name).exists()
    }

    assert weights
    assert {path: cgroups.WEIGHTS[path.name] for path in weights} == weights


def test_an_image_is_loaded_once(tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM python:3.13-slim\nCOPY file /file\n")
    (tmp_path / "file").write_text("selftest")
    name = kind("image", "build", "--name", "selftest", tmp_path).stdout.strip()

    first = kind("load", "docker-image", f"--name={NAME}", name)
    again = kind("load", "docker-image", f"--name={NAME}", name)

    assert "2 of 2 nodes did not have it" in first.stderr
    assert "0 of 2 nodes did not have it" in again.stderr


def test_the_mapped_port_is_taken_for_other_programs(selftest):
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

        with pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", selftest.port))


def test_a_connection_through_the_mapped_port_ends_with_its_pod(web):
    with socket.create_connection(("127.0.0.1", web.port), 5) as connection:
        for _ in range(3):
            connection.sendall(b"hello\n")
            assert connection.recv(9) == b"hello\n"

        web.kubectl("delete", "pod", "web", "--wait=false")
        connection.settimeout(20)
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(9) == b""


def test_the_api_server_can_be_stopped_and_started(selftest):
    url = f"https://{selftest.plan.control_plane.address}:6443/livez"

    kind("apiserver", "stop", f"--name={NAME}")
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url, timeout=5)
    kind("apiserver", "start", f"--name={NAME}")

    assert selftest.kubectl("get", "--raw", "/livez") == "ok"


def test_a_node_can_be_killed_and_started(selftest):
    name = f"{NAME}-worker"

    kind("node", "kill", f"--name={NAME}", name)
    living = {node for _, node in find_inits(state_of(NAME))}
    kind("node", "start", f"--name={NAME}", name)

    assert name not in living
    assert name in {node for _, node in find_inits(state_of(NAME))}
    assert "True" in selftest.kubectl(
        *("get", "node", name, "-o"),
        "jsonpath={.status.conditions[?(@.type=='Ready')].status}",
    )


@pytest.mark.usefixtures("selftest")
def test_a_second_cluster_of_the_name_is_refused():
    refused = kind("create", "cluster", f"--name={NAME}", check=False)

    assert refused.returncode == 1
    assert "already exist for a cluster with the name" in refused.stderr


# ------------------------------------------------------------ what may be left over


def processes(plan):
    folder = str(state_of(plan.name).folder)
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if folder in entry.read_bytes().decode(errors="replace").split("\0"):
                found.append(entry.parent.name)
    return found


def mounts(plan):
    folder = str(state_of(plan.name).folder)
    return [
        x for x in Path("/proc/self/mounts").read_text().splitlines() if folder in x
    ]


def interfaces(plan):
    ours = re.compile(rf"{plan.bridge}|mcphub{plan.index}n\d+")
    return [p.name for p in Path("/sys/class/net").iterdir() if ours.fullmatch(p.name)]


def namespaces(plan):
    """Network namespaces, besides this one, that hold one of the nodes' addresses."""
    seen, found = {Path("/proc/self/ns/net").readlink()}, []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            space = (entry / "ns/net").readlink()
            if space not in seen:
                seen.add(space)
                routes = (entry / "net/fib_trie").read_text()
                found += [n.address for n in plan.nodes if f" {n.address}\n" in routes]
    return found


def chains(plan):
    words = ["iptables-save"]
    rules = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    return [line for line in rules.splitlines() if f"{plan.chain}-" in line]


def routes(plan):
    words = ["ip", "-4", "route", "show", "table", "all"]
    lines = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    ours = (plan.node_subnet, *(node.pod_subnet for node in plan.nodes))
    return [x for x in lines.splitlines() if any(net in x for net in ours)]


def groups(plan):
    trees = cgroups.hierarchies()
    return [t.mount for t in trees if (t.mount / cgroups.ROOT / plan.name).exists()]


def files(plan):
    return [path for path in [state_of(plan.name).folder] if path.exists()]


LEFTOVERS = [processes, interfaces, namespaces, chains, routes, groups, files]


@pytest.mark.parametrize("leftover", LEFTOVERS, ids=lambda find: find.__name__)
def test_a_living_cluster_shows_what_is_looked_for(selftest, leftover):
    assert leftover(selftest.plan)


@pytest.fixture(scope="module")
def deleted(selftest):
    selftest.cluster.delete()
    return selftest.plan


@pytest.mark.parametrize(
    "leftover", [*LEFTOVERS, mounts], ids=lambda find: find.__name__
)
def test_a_deleted_cluster_leaves_nothing(deleted, leftover):
    assert leftover(deleted) == []


@pytest.fixture(scope="module")
def half_made(tmp_path_factory):
    """A cluster whose maker is killed once its first node is there."""
    path = tmp_path_factory.mktemp("half") / "kubeconfig"
    words = [KIND, "create", "cluster", f"--name={HALF}", f"--kubeconfig={path}"]
    maker = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    eventually(lambda: find_inits(state_of(HALF)), 60)
    maker.send_signal(signal.SIGKILL)
    maker.wait()
    yield path
    kind("delete", "cluster", f"--name={HALF}", f"--kubeconfig={path}")


def test_a_half_made_cluster_is_named_and_can_be_deleted(half_made):
    plan = state_of(HALF).read_plan()
    words = [f"--name={HALF}", f"--kubeconfig={half_made}"]

    refused = kind("create", "cluster", *words, check=False)
    kind("delete", "cluster", *words)

    assert "only half made" in refused.stderr
    left = {find.__name__: find(plan) for find in [*LEFTOVERS, mounts]}
    assert not any(left.values()), left
