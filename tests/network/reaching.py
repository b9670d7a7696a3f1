"""Which pods reach which: they try to connect, and say what came of it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tests.support.installation import Installation

LISTENING = (5432, 8080)
"""The ports of the pods here: one that hubs may reach, one of the operator's."""

CLOSED = 9999
"""A port at which no pod listens: a connection that arrives there is refused."""

LISTEN = f"""
import signal, socket
listening = [
    socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    for port in {LISTENING}
]
signal.pause()
"""

CONNECT = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def connect(target):
    try:
        socket.create_connection(target, 3).close()
    except ConnectionRefusedError:
        return "refused"
    except TimeoutError:
        return "silent"
    return "open"
targets = [tuple(target) for target in json.loads(sys.argv[1])]
with ThreadPoolExecutor(len(targets)) as pool:
    print(json.dumps(list(pool.map(connect, targets))))
"""


class Reached(StrEnum):
    """What a pod sees of a connection that it tries to open."""

    OPEN = "open"
    REFUSED = "refused"
    """It arrived, and no program listens."""

    SILENT = "silent"
    """It did not arrive: a policy drops what it does not admit."""


Target = tuple[str, int]


@dataclass(frozen=True)
class Prober:
    """A pod whose Python opens connections."""

    place: Installation
    pod: str

    @property
    def addresses(self) -> tuple[str, ...]:
        """The pod's address of each family."""
        return find_addresses(self.place.get("pod", self.pod))

    def reach(self, targets: Iterable[Target]) -> list[Reached]:
        """Try each target once."""
        python = ("exec", self.pod, "--", "python", "-c", CONNECT)
        printed = self.place.kubectl(*python, json.dumps(list(targets)))
        return [Reached(each) for each in json.loads(printed)]

    def wait_until(self, expected: Reached, targets: Iterable[Target]) -> None:
        """Wait until every target is what is expected: policies take a moment."""
        tried = list(targets)
        self.place.until(
            f"{expected} from {self.pod}", lambda: {*self.reach(tried)} == {expected}
        )


def find_addresses(pod: dict[str, Any]) -> tuple[str, ...]:
    return tuple(one["ip"] for one in pod["status"]["podIPs"])


def targets_of(pods: Iterable[dict[str, Any]], port: int) -> list[Target]:
    """The port of each pod at its addresses of both families."""
    return [(address, port) for pod in pods for address in find_addresses(pod)]


def build_pod(name: str, image: str, labels: dict[str, str]) -> dict[str, Any]:
    """A pod that listens, and stays; the operator's namespace admits it too."""
    container = {
        "name": "main",
        "image": image,
        "command": ["python", "-c", LISTEN],
        "readinessProbe": {"tcpSocket": {"port": LISTENING[0]}, "periodSeconds": 1},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    security = {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "containers": [container],
            "securityContext": security,
            "terminationGracePeriodSeconds": 0,
        },
    }
