"""What an object of another owner is in use for, beside the hub.

A hub that took over such an object would take it from whatever it serves: the pods of a
database from their Service, other pods from a policy that protects them. A reference
to the hub's own objects is no use by others.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from mcphub_operator import names
from mcphub_operator.resources.manifest import ChildId

DEPLOYMENT, ROLE_BINDING = "Deployment", "RoleBinding"
ROUTES = frozenset({"Service", "Ingress", "HTTPRoute"})
"""What leads clients somewhere."""
Item = Mapping[str, Any]
_RBAC = "rbac.authorization.k8s.io"


def find_foreign_use(child: ChildId, item: Item, hub: str) -> str:
    """Return what an object does for others than the hub; empty if it does nothing."""
    words, is_own = _USES.get(child.kind, ("", None))
    return "" if is_own is None or is_own(item, hub) else words


def binds_other_role(child: ChildId, item: Item) -> bool:
    """Tell whether a RoleBinding is of another role; its role can never be changed."""
    role = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": names.OBSERVER_ROLE}
    return child.kind == ROLE_BINDING and item.get("roleRef") != role


def is_headless(item: Item) -> bool:
    """Tell whether a Service has no address, but those of its pods."""
    return bool(_read_spec(item).get("clusterIP") == "None")


def _serves_own(item: Item, hub: str) -> bool:
    return bool(_read_spec(item).get("selector") == names.selector_labels(hub))


def _runs_own(item: Item, hub: str) -> bool:
    selected = {"matchLabels": names.selector_labels(hub)}
    return bool(_read_spec(item).get("selector") == selected)


def _protects_own(item: Item, hub: str) -> bool:
    selector = _read_spec(item).get("selector")
    return selector is None or _selects_own(selector, hub)  # None selects no pod


def _confines_own(item: Item, hub: str) -> bool:
    return _selects_own(_read_spec(item).get("podSelector"), hub)


def _selects_own(selector: Any, hub: str) -> bool:
    """Tell whether a selector selects no other pods; it may select fewer."""
    found = (selector or {}).get("matchLabels") or {}
    return names.selector_labels(hub).items() <= found.items()


def _scales_own(item: Item, hub: str) -> bool:
    target = _read_spec(item).get("scaleTargetRef") or {}
    kinds = (DEPLOYMENT, names.KIND)
    return target.get("kind") in kinds and target.get("name") == hub


def _is_for_own(item: Item, hub: str) -> bool:
    namespace = item["metadata"].get("namespace")
    own = ("ServiceAccount", hub, namespace)
    subjects = item.get("subjects") or ()
    found = ((s.get("kind"), s.get("name"), s.get("namespace")) for s in subjects)
    return all(subject == own for subject in found)


def _leads_to_own(item: Item, hub: str) -> bool:
    return {*_find_backends(_read_spec(item))} <= {hub}


def _holds_own(item: Item, hub: str) -> bool:
    del hub
    keys = (item.get("data") or {}).keys() | (item.get("binaryData") or {}).keys()
    return keys <= {names.CONFIG_KEY, names.LIVE_KEY}


def _is_unused(item: Item, hub: str) -> bool:
    """Which pods have an account no object says, and pods are not asked."""
    del item, hub
    return False


def _find_backends(spec: Mapping[str, Any]) -> Iterator[str]:
    """Yield the Services to which an Ingress or HTTPRoute leads; else what they are."""
    if default := spec.get("defaultBackend"):
        yield _find_service(default)
    for rule in spec.get("rules") or ():
        for path in (rule.get("http") or {}).get("paths") or ():
            yield _find_service(path.get("backend") or {})
        yield from _find_references(rule)


def _find_service(backend: Mapping[str, Any]) -> str:
    return str((backend.get("service") or {}).get("name") or "")


def _find_references(rule: Mapping[str, Any]) -> Iterator[str]:
    filters: Iterable[Mapping[str, Any]] = rule.get("filters") or ()
    mirrors = (f["requestMirror"] for f in filters if f.get("requestMirror"))
    redirects = any(f.get("requestRedirect") for f in filters)
    references = [
        *(rule.get("backendRefs") or ()),
        *(m.get("backendRef") or {} for m in mirrors),
    ]
    for reference in references:
        kind, where = reference.get("kind", "Service"), reference.get("namespace")
        plain = kind == "Service" and not where
        yield str(reference.get("name")) if plain else ""
    if redirects:
        yield ""


def _read_spec(item: Item) -> Mapping[str, Any]:
    return item.get("spec") or {}


_USES: Mapping[str, tuple[str, Callable[[Item, str], bool]]] = {
    "Service": ("leads to something else", _serves_own),
    "Deployment": ("runs other pods", _runs_own),
    "PodDisruptionBudget": ("protects other pods", _protects_own),
    "NetworkPolicy": ("applies to other pods", _confines_own),
    "HorizontalPodAutoscaler": ("scales something else", _scales_own),
    "Ingress": ("leads to something else", _leads_to_own),
    "HTTPRoute": ("leads to something else", _leads_to_own),
    "ConfigMap": ("holds other data", _holds_own),
    "RoleBinding": ("gives rights to other accounts", _is_for_own),
    "ServiceAccount": ("may be the account of other pods", _is_unused),
}
"""What objects do, by kind, and whether it is done for the hub alone."""
