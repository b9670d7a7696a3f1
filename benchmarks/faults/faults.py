"""What is done to the hubs while clients call, and how it is undone.

A planned fault is what Kubernetes is asked to do: it should cost no call. An unplanned
one is what happens: it may cost the calls inside what died, each with an error.
"""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.faults.hubs import REPLICAS, build_autoscaling
from benchmarks.faults.killing import kill_pod_processes
from benchmarks.faults.pods import Pod, count_restarts, is_ready
from benchmarks.faults.testbed import HUB_KIND, RESTART, ROLES, ROTATE, Testbed
from tools.quickstart.site import KIND

AWAY_SECONDS = 30
MANY, FEW = 5, 2
HUBS = tuple(f"{HUB_KIND}/{hub}" for hub in REPLICAS)


@dataclass(frozen=True, slots=True)
class Fault:
    """One of them.

    Attributes:
        prepare: Makes what it needs, before the clients call.
        inject: Does it, and returns when it is over for the cluster.
        restore: Brings the testbed back to what the next fault expects.
    """

    name: str
    inject: Callable[[Testbed], None]
    restore: Callable[[Testbed], None] | None = None
    prepare: Callable[[Testbed], None] | None = None


@contextmanager
def replacing(testbed: Testbed) -> Iterator[None]:
    """Wait at the end until every pod of now has been replaced, and is gone."""
    before = testbed.pod_uids()
    yield
    testbed.until("new pods", lambda: not before & testbed.pod_uids())
    testbed.settle()


def restart(testbed: Testbed) -> None:
    """Replace every pod, by the annotation that asks for it."""
    with replacing(testbed):
        testbed.annotate_hubs(RESTART)


def change_image(testbed: Testbed) -> None:
    """Replace every pod by one of another image."""
    with replacing(testbed):
        testbed.patch_hubs({"image": testbed.second_image})


def restore_image(testbed: Testbed) -> None:
    """Go back to the operator's image."""
    with replacing(testbed):
        testbed.patch_hubs({"image": ""})


def scale(testbed: Testbed) -> None:
    """Scale each hub from two replicas to five, and back to two."""
    for hub in REPLICAS:
        scale_to(testbed, hub, FEW)
        with testbed.timing(f"{hub} from {FEW} replicas to {MANY}, all ready"):
            scale_to(testbed, hub, MANY)
        scale_to(testbed, hub, FEW)


def scale_to(testbed: Testbed, hub: str, count: int) -> None:
    """Scale a hub, and wait for it."""
    testbed.kubectl("scale", f"{HUB_KIND}/{hub}", f"--replicas={count}")
    testbed.settle({hub: count})


def scale_down(testbed: Testbed) -> None:
    """Scale each hub to one replica."""
    testbed.kubectl("scale", *HUBS, "--replicas=1")
    testbed.settle(dict.fromkeys(REPLICAS, 1))


def restore_scale(testbed: Testbed) -> None:
    """Go back to the replicas of the beginning."""
    for hub, count in REPLICAS.items():
        testbed.kubectl("scale", f"{HUB_KIND}/{hub}", f"--replicas={count}")
    testbed.settle()
    occupy_spare_node(testbed)


def scale_by_autoscaler(testbed: Testbed) -> None:
    """Give each hub an autoscaler, and move its lower bound up and down."""
    for least in (MANY - 1, FEW):
        testbed.patch_hubs({"autoscaling": build_autoscaling(least, MANY)})
        testbed.settle(dict.fromkeys(REPLICAS, least))


def restore_autoscaling(testbed: Testbed) -> None:
    """Take the autoscalers away again."""
    testbed.patch_hubs({"autoscaling": None})
    testbed.settle()
    occupy_spare_node(testbed)


def occupy_spare_node(testbed: Testbed) -> None:
    """Have pods of both hubs on the node that faults take away."""
    if testbed.find_hubs_on(testbed.spare_node) != set(REPLICAS):
        restart(testbed)


def drain_node(testbed: Testbed) -> None:
    """Drain a node that carries hubs."""
    testbed.require_hubs_on_spare_node()
    words = ("--ignore-daemonsets", "--delete-emptydir-data", "--timeout=170s")
    testbed.kubectl("drain", testbed.spare_node, *words)
    testbed.settle()


def uncordon(testbed: Testbed) -> None:
    """Let the node take pods again."""
    testbed.kubectl("uncordon", testbed.spare_node)


def restore_node(testbed: Testbed) -> None:
    """Let the node take pods again, and spread the hubs anew."""
    uncordon(testbed)
    restart(testbed)


def delete_pods(testbed: Testbed) -> None:
    """Delete one pod of each hub."""
    victims = [find_victim(testbed, hub) for hub in REPLICAS]
    names = [pod["metadata"]["name"] for pod in victims]
    testbed.kubectl("delete", "pod", "--wait=false", *names)
    gone = {pod["metadata"]["uid"] for pod in victims}
    testbed.until("the deleted pods' end", lambda: not gone & testbed.pod_uids())
    testbed.settle()


def find_victim(testbed: Testbed, hub: str) -> Pod:
    """Return a ready pod of a hub."""
    return next(pod for pod in testbed.list_pods(hub) if is_ready(pod))


def rotate_credentials(testbed: Testbed) -> None:
    """Change user and password of the database in the hubs' Secret; both are valid."""
    with replacing(testbed):
        testbed.use_role(ROLES[1])


def restore_credentials(testbed: Testbed) -> None:
    """Go back to the first role."""
    with replacing(testbed):
        testbed.use_role(ROLES[0])


def rotate_tokens(testbed: Testbed) -> None:
    """Add a token, have every client change to it, take the old one away."""
    clients = testbed.clients
    assert clients is not None
    (old,) = testbed.tokens
    new = "ann-next" if old == "ann" else "ann"
    testbed.tokens[new] = secrets.token_urlsafe(24)
    write_tokens(testbed)
    clients.renew(testbed.tokens[new])
    testbed.until("clients with the new token", lambda: clients.is_renewed)
    del testbed.tokens[old]
    write_tokens(testbed)


def write_tokens(testbed: Testbed) -> None:
    """Write the tokens, and wait until every pod has these and no others."""
    testbed.use_tokens()
    testbed.poke_pods()
    wanted = set(testbed.tokens)
    testbed.until(
        "the tokens in every pod",
        lambda: all(names == wanted for names in testbed.find_token_names()),
    )


def rotate_keys(testbed: Testbed) -> None:
    """Have the operator rotate the keys that sign sessions."""
    before = testbed.signing_keys()
    testbed.annotate_hubs(ROTATE)
    testbed.until("new keys", lambda: not testbed.signing_keys() & before)
    testbed.poke_pods()


def kill_operator(testbed: Testbed) -> None:
    """Kill the operator's process; its pod starts it again."""
    pods = testbed.list_operator_pods()
    for pod in pods:
        kill_pod_processes(pod["metadata"]["uid"])
    killed = count_restarts(pods) + len(pods)
    testbed.until(
        "the operator again", lambda: is_back(testbed.list_operator_pods(), killed)
    )


def is_back(pods: Sequence[Pod], restarts: int) -> bool:
    """Say whether all are ready, and were started again so often altogether."""
    return count_restarts(pods) >= restarts and all(map(is_ready, pods))


def stop_api_server(testbed: Testbed) -> None:
    """Stop the API server, and start it again."""
    apiserver = (KIND, "apiserver")
    testbed.shell.run(*apiserver, "stop", "--name", testbed.site.cluster)
    time.sleep(AWAY_SECONDS)
    testbed.shell.run(*apiserver, "start", "--name", testbed.site.cluster)
    testbed.settle()


def kill_pods(testbed: Testbed) -> None:
    """Kill the server's process in one pod of each hub, with SIGKILL."""
    killed = count_restarts(testbed.list_pods()) + len(REPLICAS)
    with testbed.timing("SIGKILL to ready again"):
        for hub in REPLICAS:
            kill_pod_processes(find_victim(testbed, hub)["metadata"]["uid"])
        testbed.until("killed pods again", lambda: is_back(testbed.list_pods(), killed))
    testbed.settle()


def kill_node(testbed: Testbed) -> None:
    """Pull the plug of a node that carries hubs, until Kubernetes has noticed."""
    testbed.require_hubs_on_spare_node()
    name = testbed.spare_node
    testbed.shell.run(KIND, "node", "kill", "--name", testbed.site.cluster, name)
    testbed.until("the node's end noticed", lambda: not testbed.is_node_ready(name))


def restore_killed_node(testbed: Testbed) -> None:
    """Put the plug in again, and spread the hubs anew."""
    cluster = ("--name", testbed.site.cluster)
    testbed.shell.run(KIND, "node", "start", *cluster, testbed.spare_node)
    restart(testbed)


PLANNED: Sequence[Fault] = (
    Fault("rolling restart", restart),
    Fault("image change", change_image, restore_image, Testbed.load_second_image),
    Fault("scale 2 to 5 to 2", scale, restore_scale),
    Fault("scaled by the HPA", scale_by_autoscaler, restore_autoscaling),
    Fault("node drained", drain_node, restore_node),
    Fault("pod deleted", delete_pods),
    Fault("database secret rotated", rotate_credentials, restore_credentials),
    Fault("tokens rotated", rotate_tokens),
    Fault("session keys rotated", rotate_keys),
    Fault("operator killed", kill_operator),
    Fault("API server down 30 s", stop_api_server),
)
UNPLANNED: Sequence[Fault] = (
    Fault("pod SIGKILLed", kill_pods),
    Fault("node killed", kill_node, restore_killed_node),
    Fault("database restarted", Testbed.restart_database),
)
FAULTS = (*PLANNED, *UNPLANNED)
CUT: Sequence[Fault] = (
    Fault("rolling restart", restart),
    Fault("scale down", scale_down, restore_scale),
    Fault("pod SIGKILLed", kill_pods),
    Fault("node drained", drain_node, uncordon),
)
"""The most telling ones, for a test."""
