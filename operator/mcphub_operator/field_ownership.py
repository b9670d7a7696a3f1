"""Which fields of its children the operator owns exactly, and which it shares.

Server-side apply puts a field back when it was changed or removed. It leaves what
others *add*, and for some fields more means something else: another label in a selector
selects no pod, another port in a policy opens it. Those fields are exact: additions are
removed too (`repairs`). Everything else is shared: others may add to it.

This table is the only list of them; the documentation is made from it
(`ownership_reference`), and the tests add to every field in it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mcphub_operator import names

Path = tuple[str, ...]
OWN_CONTAINER = f"[{names.CONTAINER}]"
"""A step of a path: the item of a list with the name of the hub's container."""

_TEMPLATE = ("spec", "template", "spec")
_OWN = (*_TEMPLATE, "containers", OWN_CONTAINER)


class ExactField(NamedTuple):
    """A field to which others may add nothing."""

    kind: str
    path: Path
    why: str
    defaults: tuple[object, ...] = ()
    """What may stand where the manifest says nothing: the API server fills it in, or
    policies for all pods choose it."""
    while_unset: bool = False
    """Whether additions to what the manifest says stay: the API server makes some."""

    def __str__(self) -> str:
        steps = (f"[{step}]" if "/" in step else step for step in self.path)
        return ".".join(steps).replace(".[", "[")


class ExactItems(NamedTuple):
    """A list to which others may add, but not to the items that the hub needs.

    Those are the items of the manifest, and items whose key lies below a prefix.
    """

    kind: str
    path: Path
    key: str
    why: str
    prefix: str = ""
    """What the keys begin with that belong to the hub, though no item has them."""

    def is_own(self, item: Any, wish: Any) -> bool:
        """Tell whether an item is one of the hub's, or would pass for one."""
        key = str(item.get(self.key))
        below = self.prefix and key.startswith(self.prefix)
        return bool(below) or key in {str(part.get(self.key)) for part in wish or ()}

    def __str__(self) -> str:
        own = f"{self.prefix}…" if self.prefix else "the hub's own"
        return f"{'.'.join(self.path)}[{own}]".replace(".[", "[")


class SharedField(NamedTuple):
    """A field to which others may add."""

    kind: str
    path: str
    examples: str


def _exact(kind: str, prefix: Path, reasons: Mapping[str, str]) -> Iterator[ExactField]:
    for name, why in reasons.items():
        yield ExactField(kind, (*prefix, *name.split(".")), why)


EXACT: tuple[ExactField, ...] = (
    *_exact(
        "Service",
        ("spec",),
        {
            "selector": "one more label selects other pods, or none",
            "ports": "one more port reaches pods where nothing was meant to",
            "publishNotReadyAddresses": "sends clients to pods that cannot serve",
            "externalIPs": "takes traffic of addresses that are not the hub's",
            "externalName": "gives the hub's name to another host",
            "loadBalancerSourceRanges": "shuts clients out",
            "sessionAffinityConfig": "changes how long a client stays with a pod",
        },
    ),
    ExactField(
        "Service",
        ("spec", "internalTrafficPolicy"),
        "clients on nodes without a pod of the hub reach nothing",
        defaults=("Cluster",),
    ),
    *(
        ExactField("Service", ("metadata", "labels", label), why)
        for label, why in {
            "service.kubernetes.io/service-proxy-name": "leaves the Service to another"
            " proxy than kube-proxy, and its address leads nowhere",
            "service.kubernetes.io/headless": "keeps kube-proxy from the Service, and"
            " its address leads nowhere",
        }.items()
    ),
    ExactField(
        "NetworkPolicy",
        ("spec",),
        "one more label protects no pod, one more peer or port opens the hub",
    ),
    ExactField(
        "RoleBinding", ("subjects",), "one more account reads what only the hub may"
    ),
    ExactField("PodDisruptionBudget", ("spec",), "one more label protects no pod"),
    *_exact(
        "HorizontalPodAutoscaler",
        ("spec",),
        {
            "scaleTargetRef": "scales another object",
            "metrics": "scales by something that the hub does not ask for",
        },
    ),
    ExactField(
        "HorizontalPodAutoscaler",
        ("spec", "behavior"),
        "scales late or never; left alone if `spec.autoscaling.behavior` is set",
        while_unset=True,
    ),
    ExactField(
        "HTTPRoute", ("spec",), "one more rule, filter or Gateway leads elsewhere"
    ),
    *_exact(
        "Ingress",
        ("spec",),
        {
            "rules": "one more rule leads other names or paths to the hub",
            "tls": "serves another certificate",
            "defaultBackend": "leads requests for other names elsewhere",
        },
    ),
    ExactField(
        "Deployment", ("spec", "minReadySeconds"), "keeps old pods, and delays new ones"
    ),
    *_exact(
        "Deployment",
        _TEMPLATE,
        {
            "hostNetwork": "gives pods the network of the node",
            "hostPID": "shows pods the processes of the node",
            "hostIPC": "gives pods the memory of the node",
            "shareProcessNamespace": "lets other containers read the hub's memory",
            "securityContext": "gives pods rights that they do not need",
            "activeDeadlineSeconds": "ends pods that serve",
            "nodeName": "puts all pods on one node, past the scheduler",
            "readinessGates": "keeps pods from ever being ready",
            "schedulingGates": "keeps pods from ever being placed",
            "hostAliases": "sends queries to other addresses than the names have",
        },
    ),
    ExactField(
        "Deployment",
        (*_TEMPLATE, "dnsPolicy"),
        "the names of replicas and databases do not resolve",
        defaults=("ClusterFirst",),
    ),
    *_exact(
        "Deployment",
        _OWN,
        {
            "command": "runs something else",
            "args": "runs the server with another configuration",
            "workingDir": "runs the server elsewhere",
            "ports": "opens ports of the node",
            "startupProbe": "restarts or spares pods wrongly",
            "readinessProbe": "sends clients to pods that cannot serve",
            "livenessProbe": "restarts or spares pods wrongly",
            "lifecycle": "ends pods before clients have left",
            "restartPolicy": "leaves a server that ended as it is",
            "restartPolicyRules": "leaves a server that ended as it is",
            "securityContext": "gives the container rights that it does not need",
        },
    ),
    ExactField(
        "Deployment",
        (*_OWN, "imagePullPolicy"),
        "`Never` starts no pod on a node without the image; `Always` stays",
        defaults=("IfNotPresent", "Always"),
    ),
    ExactField(
        "Deployment",
        (*_OWN, "terminationMessagePath"),
        "keeps the container from starting if its folder is read-only",
        defaults=("/dev/termination-log",),
    ),
)

ITEMS: tuple[ExactItems, ...] = (
    ExactItems(
        "Deployment",
        (*_TEMPLATE, "volumes"),
        "name",
        "mounts other files, or fewer, in place of the hub's",
    ),
    ExactItems(
        "Deployment",
        (*_OWN, "volumeMounts"),
        "mountPath",
        "puts another configuration, password or client's token in place",
        prefix=f"{names.CONFIG_FOLDER}/",
    ),
    ExactItems(
        "Deployment",
        (*_OWN, "env"),
        "name",
        "sets what the server reads elsewhere than in its configuration",
        prefix="MCPHUB_",
    ),
)

SHARED: tuple[SharedField, ...] = (
    SharedField("all", "metadata.labels", "labels of a cost or policy tool"),
    SharedField("all", "metadata.annotations", "`kubectl rollout restart`, Argo CD"),
    SharedField("all", "metadata.finalizers", "a backup or load balancer controller"),
    SharedField("all", "metadata.ownerReferences", "owners that are not controllers"),
    SharedField(
        "Deployment", "spec.paused", "`kubectl rollout pause`; shown in STATUS"
    ),
    SharedField(
        "Deployment", "spec.template.metadata", "labels, annotations of an injector"
    ),
    SharedField(
        "Deployment", "spec.template.spec.containers", "containers of a service mesh"
    ),
    SharedField("Deployment", "spec.template.spec.initContainers", "init containers"),
    SharedField("Deployment", "spec.template.spec.volumes", "volumes of an injector"),
    SharedField(
        "Pod",
        "spec",
        "what admission webhooks inject into a new pod; the operator never writes it",
    ),
    SharedField(
        "Deployment",
        "spec.template.spec.nodeSelector",
        "placement, as affinity and tolerations; what fits no node shows in STATUS",
    ),
    SharedField(
        "Deployment",
        "spec.template.spec.runtimeClassName",
        "a sandbox, as schedulerName and dnsConfig: what policies choose for all pods",
    ),
    SharedField(
        "Deployment",
        f"spec.template.spec.containers[{names.CONTAINER}].env",
        "proxy settings; `envFrom` too",
    ),
    SharedField(
        "Deployment",
        f"spec.template.spec.containers[{names.CONTAINER}].volumeMounts",
        "certificates",
    ),
    SharedField(
        "Deployment",
        f"spec.template.spec.containers[{names.CONTAINER}].resources",
        "devices, amounts that `spec.resources` does not name",
    ),
    SharedField(
        "ConfigMap, Secret",
        "data",
        "further keys; one of `NAME-auth` is one more client",
    ),
    SharedField("ServiceAccount", "imagePullSecrets", "credentials of a registry"),
)


SELECTORS = frozenset({"namespaceSelector", "podSelector", "labelSelector"})
"""Fields of which an empty one selects everything, and an absent one does not."""


def find_exact_fields(kind: str) -> Iterator[ExactField]:
    """Yield the exact fields of a kind."""
    return (field for field in EXACT if field.kind == kind)


def find_exact_items(kind: str) -> Iterator[ExactItems]:
    """Yield the lists of a kind of which the hub's items are exact."""
    return (items for items in ITEMS if items.kind == kind)


def find_value(item: Any, path: Path) -> Any:
    """Return what stands at a path; None if nothing does."""
    for step in path:
        if item is None:
            return None
        item = _step(item, step)
    return item


def build_pointer(item: Any, path: Path) -> str:
    """Return a path as JSON patches write it, for an object that has it."""
    pointer = ""
    for step in path:
        key: str | int = step
        if step == OWN_CONTAINER:
            key = next(i for i, c in enumerate(item) if c["name"] == names.CONTAINER)
        item = item[key]
        pointer += f"/{str(key).replace('/', '~1')}"
    return pointer


def _step(item: Any, step: str) -> Any:
    if step != OWN_CONTAINER:
        return item.get(step) if isinstance(item, dict) else None
    items = item if isinstance(item, list) else ()
    named = (i for i in items if isinstance(i, dict) and i.get("name"))
    return next((i for i in named if i["name"] == names.CONTAINER), None)
