"""Makes kubelets refresh the live configuration in pods at once.

A kubelet refreshes the files of a ConfigMap every 60 to 90 seconds, and whenever the
pod itself changes. So a replica that runs another configuration than the ConfigMap has
gets an annotation. Without the right to write it, the change only takes longer: a
failure is no finding about the hub.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from mcphub_operator import names
from mcphub_operator.cache.pods import PodCache
from mcphub_operator.client.concurrency import run_together
from mcphub_operator.client.kinds import CONFIG_MAP
from mcphub_operator.client.writer import Writer
from mcphub_operator.errors import ApiError
from mcphub_operator.observed import Observed, Pod
from mcphub_operator.resources.config_map import build_live_digest, digest_live_text
from mcphub_operator.resources.manifest import ChildId

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PodRefresher:
    """Annotates pods whose files are old."""

    writer: Writer
    pods: PodCache

    async def refresh(self, observed: Observed) -> None:
        """Annotate each pod that runs an old live configuration, once."""
        digest = build_live_digest(observed.hub)
        namespace = observed.hub.namespace
        outdated = find_outdated(observed, digest)
        await run_together(self._annotate(namespace, pod, digest) for pod in outdated)

    async def _annotate(self, namespace: str, pod: Pod, digest: str) -> None:
        annotate = self.writer.annotate_pod
        try:
            found = await annotate(namespace, pod, names.ANNOTATION_LIVE, digest)
        except ApiError as error:
            log.debug("pod_not_refreshed", pod=pod.name, error=error.message)
        else:
            self.pods.upsert(found)


def find_outdated(observed: Observed, digest: str) -> Sequence[Pod]:
    """Return the pods that run another live configuration than the ConfigMap has.

    Args:
        observed: what is there.
        digest: by what a server names the hub's live configuration.
    """
    behind = [pod for pod in observed.pods if _is_behind(observed, pod, digest)]
    return behind if behind and _is_written(observed, digest) else ()


def _is_behind(observed: Observed, pod: Pod, digest: str) -> bool:
    report = observed.reports.get(pod.uid)
    runs = report.digest if report is not None else None
    return runs not in {None, digest} and pod.live != digest and not pod.terminating


def _is_written(observed: Observed, digest: str) -> bool:
    """Tell whether kubelets would find the hub's live configuration."""
    live = observed.children.get(ChildId(CONFIG_MAP.name, observed.hub.name))
    data = live.read().get("data") or {} if live is not None else {}
    return digest_live_text(str(data.get(names.LIVE_KEY) or "")) == digest
