"""Asking whether what pods wait for exists: to be mounted, or to pull images with.

Only of volumes that others added to pods, and only while a pod waits: a hub without
such volumes costs no request. Of a Secret only the metadata is kept, and its type.
"""

from collections.abc import Iterable

from mcphub_operator.client.api import Api
from mcphub_operator.client.concurrency import run_together
from mcphub_operator.client.kinds import CONFIG_MAP, SECRET
from mcphub_operator.errors import NotFound, Refused
from mcphub_operator.observed import Pod
from mcphub_operator.spec.hub import Hub
from mcphub_operator.status.condition_model import Reason
from mcphub_operator.status.pod_waits import VolumeSource

_KINDS = {kind.name: kind for kind in (CONFIG_MAP, SECRET)}
"""What the operator may read."""
_LOGINS = ("kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg")


async def find_missing_sources(
    api: Api, namespace: str, pods: Iterable[Pod]
) -> tuple[VolumeSource, ...]:
    """Return which of the things that pods wait to mount do not exist."""
    waits = (pod.wait for pod in pods if pod.wait and not pod.terminating)
    listed = {s for wait in waits for s in wait.sources if s.kind in _KINDS}
    sources = sorted(listed)
    there = await run_together(_exists(api, namespace, source) for source in sources)
    return tuple(s for s, exists in zip(sources, there, strict=True) if not exists)


async def find_pull_faults(
    api: Api, hub: Hub, defaults: Iterable[str], pods: Iterable[Pod]
) -> tuple[str, ...]:
    """Return what is wrong with Secrets for pulling, if an image cannot be pulled.

    The defaults are for hubs that list none.
    """
    faults = (pod.fault for pod in pods if pod.fault and not pod.terminating)
    if all(fault.reason is not Reason.IMAGE_PULL_FAILED for fault in faults):
        return ()
    listed = [secret.name for secret in hub.spec.image_pull_secrets]
    place = "spec.imagePullSecrets" if listed else "MCPHUB_IMAGE_PULL_SECRETS"
    found = await run_together(
        _judge(api, hub.namespace, name, place) for name in listed or defaults
    )
    return tuple(filter(None, found))


async def _judge(api: Api, namespace: str, name: str, place: str) -> str:
    words = f"Secret {name} of {place}"
    try:
        kind = (await api.get(SECRET, namespace, name)).get("type")
    except NotFound:
        return f"{words} does not exist"
    except Refused:
        return ""  # not for the operator to know
    if kind in _LOGINS:
        return ""
    return f"{words} has the type {kind}, of which kubelets read no login"


async def _exists(api: Api, namespace: str, source: VolumeSource) -> bool:
    try:
        await api.get_metadata(_KINDS[source.kind], namespace, source.name)
    except NotFound:
        return False
    except Refused:
        return True  # not for the operator to know
    return True
