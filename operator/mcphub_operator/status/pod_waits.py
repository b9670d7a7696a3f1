"""What a pod waits for while it is not ready, from the pod alone.

Every pod waits for a while. That is no fault (`pod_faults`) until it lasts, or until
the pod has been ready before; then the status says what the pod waits for.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from mcphub_operator.status.condition_model import find_condition
from mcphub_operator.status.pod_faults import has_ended

GATES = "ReadinessGatesNotReady"


_NEEDS = "PodReadyToStartContainers"
"""False until volumes are mounted and the network is there; since Kubernetes 1.29."""
_CREATING = frozenset({"ContainerCreating", "PodInitializing"})
_OWN_VOLUMES = frozenset({"config", "secrets", "tokens", "keys", "scratch"})
"""What they contain is made by the operator, or known to be missing (SecretMissing)."""


class VolumeSource(NamedTuple):
    """A volume that another owner added, and the object that is mounted by it."""

    kind: str
    name: str
    volume: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class PodWait(NamedTuple):
    """What a pod waits for, and since when it has not been ready."""

    message: str
    since: str
    sources: tuple[VolumeSource, ...] = ()
    """What it may wait to mount, of volumes that others added."""


def find_wait(pod: Mapping[str, Any]) -> PodWait | None:
    """Return what a pod waits for; None if it is ready or has ended."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    conditions = status.get("conditions") or ()
    ready = find_condition(conditions, "Ready") or {}
    if ready.get("status") == "True" or has_ended(pod):
        return None
    name = metadata["name"]
    message = f"pod {name} {_describe(pod, ready)}; `kubectl describe pod {name}`"
    since = ready.get("lastTransitionTime") or metadata.get("creationTimestamp")
    mounts = tuple(find_sources(pod)) if _awaits_volumes(pod) else ()
    return PodWait(f"{message} shows more", str(since or ""), mounts)


def _describe(pod: Mapping[str, Any], ready: Mapping[str, Any]) -> str:
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    node = spec.get("nodeName")
    if not node:
        scheduler = spec.get("schedulerName") or "default-scheduler"
        return f"waits for a node from scheduler {scheduler}"
    initial = status.get("initContainerStatuses") or ()
    containers = status.get("containerStatuses") or ()
    if _awaits_volumes(pod):
        listed = ", ".join(dict.fromkeys(map(str, find_sources(pod))))
        volumes = f"its volumes ({listed})" if listed else "its volumes"
        return f"waits on node {node} for {volumes} or its network"
    found = _find_unready(initial, "init container", status) or _find_unready(
        containers, "container", status
    )
    if found:
        return found
    if not containers:
        return f"waits for node {node} to start it"
    if ready.get("reason") == GATES:
        return f"waits for a readiness gate: {ready.get('message')}"
    return f"is not called ready, though its containers are: node {node} may be down"


def _awaits_volumes(pod: Mapping[str, Any]) -> bool:
    status = pod.get("status") or {}
    able = find_condition(status.get("conditions") or (), _NEEDS) or {}
    placed = bool((pod.get("spec") or {}).get("nodeName"))
    return placed and able.get("status") == "False"


def find_sources(pod: Mapping[str, Any]) -> Iterator[VolumeSource]:
    """Yield what must exist for the volumes that others added to a pod.

    Kubelets pass over volumes that no container mounts.
    """
    spec = pod.get("spec") or {}
    mounted = {*_find_mounted(spec)} - _OWN_VOLUMES
    for volume in spec.get("volumes") or ():
        if volume.get("name") not in mounted:
            continue
        projected = (volume.get("projected") or {}).get("sources") or ()
        for source in (volume, *projected):
            yield from _find_objects(str(volume.get("name")), source)


def _find_mounted(spec: Mapping[str, Any]) -> Iterator[str]:
    for group in ("initContainers", "containers"):
        for container in spec.get(group) or ():
            for mount in container.get("volumeMounts") or ():
                yield str(mount.get("name"))


def _find_objects(volume: str, source: Mapping[str, Any]) -> Iterator[VolumeSource]:
    secret, claim = source.get("secret"), source.get("persistentVolumeClaim")
    config = source.get("configMap")
    if secret and not secret.get("optional"):
        name = secret.get("secretName") or secret.get("name")
        yield VolumeSource("Secret", str(name), volume)
    if config and not config.get("optional"):
        yield VolumeSource("ConfigMap", str(config.get("name")), volume)
    if claim:
        yield VolumeSource("PersistentVolumeClaim", str(claim["claimName"]), volume)


def _find_unready(
    containers: Iterable[Mapping[str, Any]], word: str, status: Mapping[str, Any]
) -> str:
    """Return the state of the first container that holds a pod up, if one does."""
    able = find_condition(status.get("conditions") or (), _NEEDS) or {}
    for container in containers:
        state, name = container.get("state") or {}, container.get("name")
        if container.get("ready"):
            continue
        if "running" in state:
            return f"is not ready: {word} {name} runs and is not ready"
        reason = (state.get("waiting") or {}).get("reason") or "not started"
        if reason in _CREATING and able.get("status") == "True":
            return f"is not ready: {word} {name} waits for its image, or to be created"
        return f"is not ready: {word} {name} waits ({reason})"
    return ""
