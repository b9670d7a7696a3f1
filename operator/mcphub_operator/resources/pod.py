"""The pod template of a hub: restricted, probed, drained before it ends.

Everything that rolls a hub is in here; what is not here (replicas, Services) never
does. The two hashes are how a changed configuration or rotated credentials roll pods
exactly once.
"""

from dataclasses import dataclass
from typing import Any

from mcphub_operator import names
from mcphub_operator.resources.manifest import drop_empty
from mcphub_operator.resources.pod_volumes import build_mounts, build_volumes
from mcphub_operator.spec.hub import Hub

USER = 65532
PRE_STOP_SECONDS = 5
"""Endpoints drop out of every node's rules before SIGTERM: without it 240 of 4,219
requests were refused in one rollout."""
LONGEST_CALL_SECONDS = 45
LINGER_SECONDS = 10
STORAGE = "ephemeral-storage"
STORAGE_REQUEST, STORAGE_LIMIT = "128Mi", "1Gi"
"""The scratch volume and the rotated logs, and room for longer logs.

Not a default of the CRD: the API server would store it in every hub, as if the user
had chosen it (`deployment.EARLIER_DEFAULTS`).
"""


@dataclass(frozen=True, slots=True)
class Revision:
    """What of a pod template does not come from the hub's spec."""

    image: str
    version: str
    config_hash: str
    secrets_hash: str
    image_pull_secrets: tuple[str, ...] = ()
    """Names of Secrets, where the spec lists none."""


def build_pod_template(hub: Hub, revision: Revision) -> dict[str, Any]:
    """Return the template of the hub's pods."""
    return {
        "metadata": {
            "labels": _labels(hub, revision),
            "annotations": _annotations(hub, revision),
        },
        "spec": _pod_spec(hub, revision),
    }


def _labels(hub: Hub, revision: Revision) -> dict[str, str]:
    return {
        **hub.spec.pod.labels,
        **names.selector_labels(hub.name),
        names.LABEL_MANAGED_BY: names.OPERATOR_NAME,
        names.LABEL_VERSION: revision.version,
    }


def _annotations(hub: Hub, revision: Revision) -> dict[str, str]:
    restart = hub.annotations.get(names.ANNOTATION_RESTART)
    return {
        **hub.spec.pod.annotations,
        **({names.ANNOTATION_RESTART: restart} if restart else {}),
        names.ANNOTATION_CONFIG_HASH: revision.config_hash,
        names.ANNOTATION_SECRETS_HASH: revision.secrets_hash,
    }


def _pod_spec(hub: Hub, revision: Revision) -> dict[str, Any]:
    pod = hub.spec.pod
    listed = tuple(secret.name for secret in hub.spec.image_pull_secrets)
    secrets = [{"name": name} for name in listed or revision.image_pull_secrets]
    return drop_empty(
        {
            "serviceAccountName": hub.name,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": grace_seconds(hub),
            "securityContext": _pod_security(),
            "imagePullSecrets": secrets,
            "nodeSelector": dict(pod.node_selector),
            "tolerations": [
                t.model_dump(mode="json", by_alias=True, exclude_none=True)
                for t in pod.tolerations
            ],
            "affinity": dict(pod.affinity),
            "topologySpreadConstraints": _spread(hub),
            "priorityClassName": pod.priority_class_name,
            "containers": [_container(hub, revision)],
            "volumes": build_volumes(hub),
        }
    )


def grace_seconds(hub: Hub) -> int:
    """Return how long a pod may take to end: its longest call fits in, and more."""
    longest = max(LONGEST_CALL_SECONDS, hub.spec.limits.statement_timeout_seconds)
    return PRE_STOP_SECONDS + longest + LINGER_SECONDS


def _pod_security() -> dict[str, Any]:
    return {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "fsGroup": USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _spread(hub: Hub) -> list[dict[str, Any]]:
    chosen = hub.spec.pod.topology_spread_constraints
    if chosen:
        return [dict(constraint) for constraint in chosen]
    return [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": names.selector_labels(hub.name)},
            "matchLabelKeys": ["pod-template-hash"],
        }
    ]


def _container(hub: Hub, revision: Revision) -> dict[str, Any]:
    policy = hub.spec.image_pull_policy
    return drop_empty(
        {
            "name": names.CONTAINER,
            "image": revision.image,
            "imagePullPolicy": str(policy) if policy else None,
            "env": _environment(hub),
            "ports": [
                _port(names.PORT_MCP, names.PORT_MCP_NUMBER),
                _port(names.PORT_MANAGEMENT, names.PORT_MANAGEMENT_NUMBER),
            ],
            "resources": _resources(hub),
            "startupProbe": _probe(names.PATH_LIVE, every=1, timeout=5, failures=120),
            "readinessProbe": _probe(names.PATH_READY, every=2, timeout=3, failures=3),
            "livenessProbe": _probe(names.PATH_LIVE, every=10, timeout=5, failures=3),
            "lifecycle": {"preStop": {"sleep": {"seconds": PRE_STOP_SECONDS}}},
            # A program that cannot start says why in its log alone.
            "terminationMessagePolicy": "FallbackToLogsOnError",
            "securityContext": _container_security(),
            "volumeMounts": build_mounts(hub),
        }
    )


def _resources(hub: Hub) -> dict[str, Any]:
    """Return the hub's resources, with local storage bounded if they do not say."""
    chosen = hub.spec.resources.model_dump(mode="json", by_alias=True)
    if not any(STORAGE in amounts for amounts in chosen.values()):
        chosen["requests"][STORAGE] = STORAGE_REQUEST
        chosen["limits"][STORAGE] = STORAGE_LIMIT
    return drop_empty(chosen)


def _environment(hub: Hub) -> list[dict[str, Any]]:
    fields = {
        "MCPHUB_POD_NAME": "metadata.name",
        "MCPHUB_POD_IP": "status.podIP",
        "MCPHUB_POD_UID": "metadata.uid",
    }
    return [
        {"name": "MCPHUB_HUB", "value": hub.name},
        {"name": "MCPHUB_NAMESPACE", "value": hub.namespace},
        *(
            {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
            for name, path in fields.items()
        ),
    ]


def _port(name: str, number: int) -> dict[str, Any]:
    return {"name": name, "containerPort": number, "protocol": "TCP"}


def _probe(path: str, *, every: int, timeout: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": names.PORT_MANAGEMENT},
        "periodSeconds": every,
        "timeoutSeconds": timeout,
        "failureThreshold": failures,
    }


def _container_security() -> dict[str, Any]:
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
