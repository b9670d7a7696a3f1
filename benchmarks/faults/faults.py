"""What is done to the hubs while clients call, and how it is undone.

A planned fault is what Kubernetes is asked to do: it should cost no call. An unplanned
one is what happens: it may cost the calls inside what died, each with an error.
"""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.faults.bench import HUB_KIND, RESTART, ROLES, ROTATE, Bench
from benchmarks.faults.hubs import REPLICAS, build_autoscaling
from benchmarks.faults.killing import kill_pod_processes
from benchmarks.faults.pods import Pod, count_restarts, is_ready
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
        restore: Brings the bench back to what the next fault expects.
    """

    name: str
    inject: Callable[[Bench], None]
    restore: Callable[[Bench], None] | None = None
    prepare: Callable[[Bench], None] | None = None


@contextmanager
def replacing(bench: Bench) -> Iterator[None]:
    """Wait at the end until every pod of now has been replaced, and is gone."""
    before = bench.pod_uids()
    yield
    bench.until("new pods", lambda: not before & bench.pod_uids())
    bench.settle()


def restart(bench: Bench) -> None:
    """Replace every pod, by the annotation that asks for it."""
    with replacing(bench):
        bench.annotate_hubs(RESTART)


def change_image(bench: Bench) -> None:
    """Replace every pod by one of another image."""
    with replacing(bench):
        bench.patch_hubs({"image": bench.second_image})


def restore_image(bench: Bench) -> None:
    """Go back to the operator's image."""
    with replacing(bench):
        bench.patch_hubs({"image": ""})


def scale(bench: Bench) -> None:
    """Scale each hub from two replicas to five, and back to two."""
    for hub in REPLICAS:
        scale_to(bench, hub, FEW)
        with bench.timing(f"{hub} from {FEW} replicas to {MANY}, all ready"):
            scale_to(bench, hub, MANY)
        scale_to(bench, hub, FEW)


def scale_to(bench: Bench, hub: str, count: int) -> None:
    """Scale a hub, and wait for it."""
    bench.kubectl("scale", f"{HUB_KIND}/{hub}", f"--replicas={count}")
    bench.settle({hub: count})


def scale_down(bench: Bench) -> None:
    """Scale each hub to one replica."""
    bench.kubectl("scale", *HUBS, "--replicas=1")
    bench.settle(dict.fromkeys(REPLICAS, 1))


def restore_scale(bench: Bench) -> None:
    """Go back to the replicas of the beginning."""
    for hub, count in REPLICAS.items():
        bench.kubectl("scale", f"{HUB_KIND}/{hub}", f"--replicas={count}")
    bench.settle()
    occupy_spare_node(bench)


def scale_by_autoscaler(bench: Bench) -> None:
    """Give each hub an autoscaler, and move its lower bound up and down."""
    for least in (MANY - 1, FEW):
        bench.patch_hubs({"autoscaling": build_autoscaling(least, MANY)})
        bench.settle(dict.fromkeys(REPLICAS, least))


def restore_autoscaling(bench: Bench) -> None:
    """Take the autoscalers away again."""
    bench.patch_hubs({"autoscaling": None})
    bench.settle()
    occupy_spare_node(bench)


def occupy_spare_node(bench: Bench) -> None:
    """Have pods of both hubs on the node that faults take away."""
    if bench.find_hubs_on(bench.spare_node) != set(REPLICAS):
        restart(bench)


def drain_node(bench: Bench) -> None:
    """Drain a node that carries hubs."""
    bench.require_hubs_on_spare_node()
    words = ("--ignore-daemonsets", "--delete-emptydir-data", "--timeout=170s")
    bench.kubectl("drain", bench.spare_node, *words)
    bench.settle()


def uncordon(bench: Bench) -> None:
    """Let the node take pods again."""
    bench.kubectl("uncordon", bench.spare_node)


def restore_node(bench: Bench) -> None:
    """Let the node take pods again, and spread the hubs again."""
    uncordon(bench)
    restart(bench)


def delete_pods(bench: Bench) -> None:
    """Delete one pod of each hub."""
    victims = [find_victim(bench, hub) for hub in REPLICAS]
    names = [pod["metadata"]["name"] for pod in victims]
    bench.kubectl("delete", "pod", "--wait=false", *names)
    gone = {pod["metadata"]["uid"] for pod in victims}
    bench.until("the deleted pods' end", lambda: not gone & bench.pod_uids())
    bench.settle()


def find_victim(bench: Bench, hub: str) -> Pod:
    """Return a ready pod of a hub."""
    return next(pod for pod in bench.list_pods(hub) if is_ready(pod))


def rotate_credentials(bench: Bench) -> None:
    """Change user and password of the database in the hubs' Secret; both are valid."""
    with replacing(bench):
        bench.use_role(ROLES[1])


def restore_credentials(bench: Bench) -> None:
    """Go back to the first role."""
    with replacing(bench):
        bench.use_role(ROLES[0])


def rotate_tokens(bench: Bench) -> None:
    """Add a token, have every client change to it, take the old one away."""
    clients = bench.clients
    assert clients is not None
    (old,) = bench.tokens
    new = "ann-next" if old == "ann" else "ann"
    bench.tokens[new] = secrets.token_urlsafe(24)
    write_tokens(bench)
    clients.renew(bench.tokens[new])
    bench.until("clients with the new token", lambda: clients.is_renewed)
    del bench.tokens[old]
    write_tokens(bench)


def write_tokens(bench: Bench) -> None:
    """Write the tokens, and wait until every pod has these and no others."""
    bench.use_tokens()
    bench.poke_pods()
    wanted = set(bench.tokens)
    bench.until(
        "the tokens in every pod",
        lambda: all(names == wanted for names in bench.find_token_names()),
    )


def rotate_keys(bench: Bench) -> None:
    """Have the operator rotate the keys that sign sessions."""
    before = bench.signing_keys()
    bench.annotate_hubs(ROTATE)
    bench.until("new keys", lambda: not bench.signing_keys() & before)
    bench.poke_pods()


def kill_operator(bench: Bench) -> None:
    """Kill the operator's process; its pod starts it again."""
    pods = bench.list_operator_pods()
    for pod in pods:
        kill_pod_processes(pod["metadata"]["uid"])
    killed = count_restarts(pods) + len(pods)
    bench.until(
        "the operator again", lambda: is_back(bench.list_operator_pods(), killed)
    )


def is_back(pods: Sequence[Pod], restarts: int) -> bool:
    """Say whether all are ready, and were started again so often altogether."""
    return count_restarts(pods) >= restarts and all(map(is_ready, pods))


def stop_api_server(bench: Bench) -> None:
    """Stop the API server, and start it again."""
    apiserver = (KIND, "apiserver")
    bench.shell.run(*apiserver, "stop", "--name", bench.site.cluster)
    time.sleep(AWAY_SECONDS)  # the fault lasts so long
    bench.shell.run(*apiserver, "start", "--name", bench.site.cluster)
    bench.settle()


def kill_pods(bench: Bench) -> None:
    """Kill the server's process in one pod of each hub, with SIGKILL."""
    killed = count_restarts(bench.list_pods()) + len(REPLICAS)
    with bench.timing("SIGKILL to ready again"):
        for hub in REPLICAS:
            kill_pod_processes(find_victim(bench, hub)["metadata"]["uid"])
        bench.until("killed pods again", lambda: is_back(bench.list_pods(), killed))
    bench.settle()


def kill_node(bench: Bench) -> None:
    """Pull the plug of a node that carries hubs, until Kubernetes has noticed."""
    bench.require_hubs_on_spare_node()
    name = bench.spare_node
    bench.shell.run(KIND, "node", "kill", "--name", bench.site.cluster, name)
    bench.until("the node's end noticed", lambda: not bench.is_node_ready(name))


def restore_killed_node(bench: Bench) -> None:
    """Put the plug in again, and spread the hubs again."""
    cluster = ("--name", bench.site.cluster)
    bench.shell.run(KIND, "node", "start", *cluster, bench.spare_node)
    restart(bench)


PLANNED: Sequence[Fault] = (
    Fault("rolling restart", restart),
    Fault("image change", change_image, restore_image, Bench.load_second_image),
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
    Fault("database restarted", Bench.restart_database),
)
FAULTS = (*PLANNED, *UNPLANNED)
CUT: Sequence[Fault] = (
    Fault("rolling restart", restart),
    Fault("scale down", scale_down, restore_scale),
    Fault("pod SIGKILLed", kill_pods),
    Fault("node drained", drain_node, uncordon),
)
"""The most telling ones, for a test."""
