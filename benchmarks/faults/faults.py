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
from benchmarks.faults.stage import HUB_KIND, RESTART, ROLES, ROTATE, Stage
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
        restore: Brings the stage back to what the next fault expects.
    """

    name: str
    inject: Callable[[Stage], None]
    restore: Callable[[Stage], None] | None = None
    prepare: Callable[[Stage], None] | None = None


@contextmanager
def replacing(stage: Stage) -> Iterator[None]:
    """Wait at the end until every pod of now has been replaced, and is gone."""
    before = stage.pod_uids()
    yield
    stage.until("new pods", lambda: not before & stage.pod_uids())
    stage.settle()


def restart(stage: Stage) -> None:
    """Replace every pod, by the annotation that asks for it."""
    with replacing(stage):
        stage.annotate_hubs(RESTART)


def change_image(stage: Stage) -> None:
    """Replace every pod by one of another image."""
    with replacing(stage):
        stage.patch_hubs({"image": stage.second_image})


def restore_image(stage: Stage) -> None:
    """Go back to the operator's image."""
    with replacing(stage):
        stage.patch_hubs({"image": ""})


def scale(stage: Stage) -> None:
    """Scale each hub from two replicas to five, and back to two."""
    for hub in REPLICAS:
        scale_to(stage, hub, FEW)
        with stage.timing(f"{hub} from {FEW} replicas to {MANY}, all ready"):
            scale_to(stage, hub, MANY)
        scale_to(stage, hub, FEW)


def scale_to(stage: Stage, hub: str, count: int) -> None:
    """Scale a hub, and wait for it."""
    stage.kubectl("scale", f"{HUB_KIND}/{hub}", f"--replicas={count}")
    stage.settle({hub: count})


def scale_down(stage: Stage) -> None:
    """Scale each hub to one replica."""
    stage.kubectl("scale", *HUBS, "--replicas=1")
    stage.settle(dict.fromkeys(REPLICAS, 1))


def restore_scale(stage: Stage) -> None:
    """Go back to the replicas of the beginning."""
    for hub, count in REPLICAS.items():
        stage.kubectl("scale", f"{HUB_KIND}/{hub}", f"--replicas={count}")
    stage.settle()
    occupy_spare_node(stage)


def scale_by_autoscaler(stage: Stage) -> None:
    """Give each hub an autoscaler, and move its lower bound up and down."""
    for least in (MANY - 1, FEW):
        stage.patch_hubs({"autoscaling": build_autoscaling(least, MANY)})
        stage.settle(dict.fromkeys(REPLICAS, least))


def restore_autoscaling(stage: Stage) -> None:
    """Take the autoscalers away again."""
    stage.patch_hubs({"autoscaling": None})
    stage.settle()
    occupy_spare_node(stage)


def occupy_spare_node(stage: Stage) -> None:
    """Have pods of both hubs on the node that faults take away."""
    if stage.find_hubs_on(stage.spare_node) != set(REPLICAS):
        restart(stage)


def drain_node(stage: Stage) -> None:
    """Drain a node that carries hubs."""
    stage.require_hubs_on_spare_node()
    words = ("--ignore-daemonsets", "--delete-emptydir-data", "--timeout=170s")
    stage.kubectl("drain", stage.spare_node, *words)
    stage.settle()


def uncordon(stage: Stage) -> None:
    """Let the node take pods again."""
    stage.kubectl("uncordon", stage.spare_node)


def restore_node(stage: Stage) -> None:
    """Let the node take pods again, and spread the hubs anew."""
    uncordon(stage)
    restart(stage)


def delete_pods(stage: Stage) -> None:
    """Delete one pod of each hub."""
    victims = [find_victim(stage, hub) for hub in REPLICAS]
    names = [pod["metadata"]["name"] for pod in victims]
    stage.kubectl("delete", "pod", "--wait=false", *names)
    gone = {pod["metadata"]["uid"] for pod in victims}
    stage.until("the deleted pods' end", lambda: not gone & stage.pod_uids())
    stage.settle()


def find_victim(stage: Stage, hub: str) -> Pod:
    """Return a ready pod of a hub."""
    return next(pod for pod in stage.list_pods(hub) if is_ready(pod))


def rotate_credentials(stage: Stage) -> None:
    """Change user and password of the database in the hubs' Secret; both are valid."""
    with replacing(stage):
        stage.use_role(ROLES[1])


def restore_credentials(stage: Stage) -> None:
    """Go back to the first role."""
    with replacing(stage):
        stage.use_role(ROLES[0])


def rotate_tokens(stage: Stage) -> None:
    """Add a token, have every client change to it, take the old one away."""
    clients = stage.clients
    assert clients is not None
    (old,) = stage.tokens
    new = "ann-next" if old == "ann" else "ann"
    stage.tokens[new] = secrets.token_urlsafe(24)
    write_tokens(stage)
    clients.renew(stage.tokens[new])
    stage.until("clients with the new token", lambda: clients.is_renewed)
    del stage.tokens[old]
    write_tokens(stage)


def write_tokens(stage: Stage) -> None:
    """Write the tokens, and wait until every pod has these and no others."""
    stage.use_tokens()
    stage.poke_pods()
    wanted = set(stage.tokens)
    stage.until(
        "the tokens in every pod",
        lambda: all(names == wanted for names in stage.find_token_names()),
    )


def rotate_keys(stage: Stage) -> None:
    """Have the operator rotate the keys that sign sessions."""
    before = stage.signing_keys()
    stage.annotate_hubs(ROTATE)
    stage.until("new keys", lambda: not stage.signing_keys() & before)
    stage.poke_pods()


def kill_operator(stage: Stage) -> None:
    """Kill the operator's process; its pod starts it again."""
    pods = stage.list_operator_pods()
    for pod in pods:
        kill_pod_processes(pod["metadata"]["uid"])
    killed = count_restarts(pods) + len(pods)
    stage.until(
        "the operator again", lambda: is_back(stage.list_operator_pods(), killed)
    )


def is_back(pods: Sequence[Pod], restarts: int) -> bool:
    """Say whether all are ready, and were started again so often altogether."""
    return count_restarts(pods) >= restarts and all(map(is_ready, pods))


def stop_api_server(stage: Stage) -> None:
    """Stop the API server, and start it again."""
    apiserver = (KIND, "apiserver")
    stage.shell.run(*apiserver, "stop", "--name", stage.site.cluster)
    time.sleep(AWAY_SECONDS)
    stage.shell.run(*apiserver, "start", "--name", stage.site.cluster)
    stage.settle()


def kill_pods(stage: Stage) -> None:
    """Kill the server's process in one pod of each hub, with SIGKILL."""
    killed = count_restarts(stage.list_pods()) + len(REPLICAS)
    with stage.timing("SIGKILL to ready again"):
        for hub in REPLICAS:
            kill_pod_processes(find_victim(stage, hub)["metadata"]["uid"])
        stage.until("killed pods again", lambda: is_back(stage.list_pods(), killed))
    stage.settle()


def kill_node(stage: Stage) -> None:
    """Pull the plug of a node that carries hubs, until Kubernetes has noticed."""
    stage.require_hubs_on_spare_node()
    name = stage.spare_node
    stage.shell.run(KIND, "node", "kill", "--name", stage.site.cluster, name)
    stage.until("the node's end noticed", lambda: not stage.is_node_ready(name))


def restore_killed_node(stage: Stage) -> None:
    """Put the plug in again, and spread the hubs anew."""
    cluster = ("--name", stage.site.cluster)
    stage.shell.run(KIND, "node", "start", *cluster, stage.spare_node)
    restart(stage)


PLANNED: Sequence[Fault] = (
    Fault("rolling restart", restart),
    Fault("image change", change_image, restore_image, Stage.load_second_image),
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
    Fault("database restarted", Stage.restart_database),
)
FAULTS = (*PLANNED, *UNPLANNED)
CUT: Sequence[Fault] = (
    Fault("rolling restart", restart),
    Fault("scale down", scale_down, restore_scale),
    Fault("pod SIGKILLed", kill_pods),
    Fault("node drained", drain_node, uncordon),
)
"""The most telling ones, for a test."""
