"""An addition to each field that the operator owns exactly."""

from typing import Any

from mcphub_operator.field_ownership import ExactField, find_value

LABEL = {"matchLabels": {"track": "canary"}}
OBJECT = {"kind": "Bucket", "name": "x"}
FILTER = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["x"]}}
ON_42 = {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}
ADDITIONS: dict[tuple[str, str], Any] = {
    ("Service", "selector"): {"track": "canary"},
    ("Service", "ports"): [{"name": "x", "port": 9, "targetPort": 9}],
    ("Service", "publishNotReadyAddresses"): True,
    ("Service", "internalTrafficPolicy"): "Local",
    ("Service", "service.kubernetes.io/service-proxy-name"): "elsewhere",
    ("Service", "service.kubernetes.io/headless"): "",
    ("Service", "externalIPs"): ["192.0.2.1"],
    ("Service", "externalName"): "elsewhere.example.com",
    ("Service", "loadBalancerSourceRanges"): ["192.0.2.0/24"],
    ("Service", "sessionAffinityConfig"): {"clientIP": {"timeoutSeconds": 60}},
    ("NetworkPolicy", "spec"): {"podSelector": {"matchLabels": {"x": "y"}}},
    ("RoleBinding", "subjects"): [{"apiGroup": "rbac.authorization.k8s.io"}],
    ("PodDisruptionBudget", "spec"): {"selector": {"matchLabels": {"x": "y"}}},
    ("HorizontalPodAutoscaler", "scaleTargetRef"): {"extra": "x"},
    ("HorizontalPodAutoscaler", "metrics"): [{"resource": {"container": "x"}}],
    ("HorizontalPodAutoscaler", "behavior"): {"scaleUp": {"selectPolicy": "Disabled"}},
    ("HTTPRoute", "spec"): {"rules": [{"filters": [FILTER]}]},
    ("Ingress", "rules"): [{"http": {"paths": [{"backend": {"resource": OBJECT}}]}}],
    ("Ingress", "tls"): [{"hosts": ["x.example.com"]}],
    ("Ingress", "defaultBackend"): {"resource": OBJECT},
    ("Deployment", "minReadySeconds"): 100,
    ("Deployment", "hostNetwork"): True,
    ("Deployment", "hostPID"): True,
    ("Deployment", "hostIPC"): True,
    ("Deployment", "shareProcessNamespace"): True,
    ("Deployment", "activeDeadlineSeconds"): 60,
    ("Deployment", "dnsPolicy"): "Default",
    ("Deployment", "nodeName"): "elsewhere",
    ("Deployment", "readinessGates"): [{"conditionType": "example.com/Never"}],
    ("Deployment", "schedulingGates"): [{"name": "example.com/never"}],
    ("Deployment", "hostAliases"): [{"ip": "192.0.2.1", "hostnames": ["db"]}],
    ("Deployment", "command"): ["false"],
    ("Deployment", "args"): ["--help"],
    ("Deployment", "workingDir"): "/tmp",
    ("Deployment", "ports"): [{"name": "x", "containerPort": 9, "hostPort": 9}],
    ("Deployment", "startupProbe"): {"initialDelaySeconds": 60},
    ("Deployment", "readinessProbe"): {"initialDelaySeconds": 60},
    ("Deployment", "livenessProbe"): {"initialDelaySeconds": 60},
    ("Deployment", "lifecycle"): {"postStart": {"exec": {"command": ["false"]}}},
    ("Deployment", "restartPolicy"): "Never",
    ("Deployment", "imagePullPolicy"): "Never",
    ("Deployment", "terminationMessagePath"): "/etc/mcphub/end",
    ("Deployment", "restartPolicyRules"): [ON_42],
    ("Deployment", "securityContext"): {"capabilities": {"add": ["NET_ADMIN"]}},
}
POD_SECURITY = {"supplementalGroups": [0]}


def find_addition(field: ExactField) -> Any:
    """A value that may be added to a field, where the API server takes it."""
    own_container = any(step.startswith("[") for step in field.path)
    if field.path[-1] == "securityContext" and not own_container:
        return POD_SECURITY
    return ADDITIONS[field.kind, field.path[-1]]


def add_to(item: dict[str, Any], field: ExactField) -> None:
    """Add something to a field of an object."""
    parent = find_value(item, field.path[:-1])
    name = field.path[-1]
    parent[name] = merge(parent.get(name), find_addition(field))


def merge(found: Any, addition: Any) -> Any:
    """The value with the addition, as a merge patch and a person would make it."""
    if isinstance(found, dict) and isinstance(addition, dict):
        both = {k: merge(found.get(k), v) for k, v in addition.items()}
        return {**found, **both}
    if isinstance(found, list) and isinstance(addition, list):
        if addition and "name" not in addition[0] and isinstance(found[0], dict):
            return [merge(found[0], addition[0]), *found[1:]]
        return [*found, *addition]
    return addition
