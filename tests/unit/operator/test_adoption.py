"""Whose an object is, and what must be said before a hub takes it over."""

from typing import Any

import pytest

from mcphub_operator import names
from mcphub_operator.adoption import Adopter, Claim, Owner, judge_claim
from mcphub_operator.resources.manifest import ChildId
from tests.support.observed import CLUSTER, INGRESS, ROUTE, find_child, hub, observe

HUB = Adopter("team-data", "ai", "hub-uid")
READY = HUB._replace(has_ready_pod=True)
ADOPT = {names.ANNOTATION_ADOPT: "team-data"}
BOTH = {**ADOPT, names.ANNOTATION_TAKE_OVER: "team-data"}
OTHERS = {"matchLabels": {"app": "theirs"}}
SERVED = {"service": {"name": "theirs", "port": {"number": 80}}}
OTHER_HOST = {"host": "x", "http": {"paths": [{"path": "/", "backend": SERVED}]}}
GATEWAY = {"backendRefs": [{"name": "theirs", "port": 80}]}
OWN_GATEWAY = {"name": "team-data", "port": 8000}
MIRROR = {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "theirs"}}}
ACCOUNT = {"kind": "ServiceAccount", "name": "theirs", "namespace": "ai"}
ROLE = {
    "apiGroup": "rbac.authorization.k8s.io",
    "kind": "ClusterRole",
    "name": names.OBSERVER_ROLE,
}
FULL = hub(
    replicas=2,
    autoscaling={"minReplicas": 2},
    backends=[CLUSTER],
    ingress=INGRESS,
    route=ROUTE,
)
IN_USE = [
    pytest.param("Service", {"spec": {"selector": {"app": "x"}}}, id="Service"),
    pytest.param("PodDisruptionBudget", {"spec": {"selector": OTHERS}}, id="budget"),
    pytest.param("PodDisruptionBudget", {"spec": {"selector": {}}}, id="of all pods"),
    pytest.param("NetworkPolicy", {"spec": {"podSelector": OTHERS}}, id="policy"),
    pytest.param("NetworkPolicy", {"spec": {"podSelector": {}}}, id="of a namespace"),
    pytest.param(
        "HorizontalPodAutoscaler",
        {"spec": {"scaleTargetRef": {"kind": "Deployment", "name": "theirs"}}},
        id="autoscaler",
    ),
    pytest.param(
        "HorizontalPodAutoscaler",
        {"spec": {"scaleTargetRef": {"kind": "StatefulSet", "name": "team-data"}}},
        id="autoscaler of another kind",
    ),
    pytest.param("Ingress", {"spec": {"rules": [OTHER_HOST]}}, id="Ingress"),
    pytest.param("Ingress", {"spec": {"defaultBackend": SERVED}}, id="by default"),
    pytest.param(
        "Ingress",
        {"spec": {"defaultBackend": {"resource": {"kind": "Bucket", "name": "b"}}}},
        id="Ingress of a bucket",
    ),
    pytest.param("HTTPRoute", {"spec": {"rules": [GATEWAY]}}, id="HTTPRoute"),
    pytest.param(
        "HTTPRoute",
        {"spec": {"rules": [{"backendRefs": [OWN_GATEWAY | {"namespace": "x"}]}]}},
        id="HTTPRoute to another namespace",
    ),
    pytest.param(
        "HTTPRoute",
        {"spec": {"rules": [{"backendRefs": [OWN_GATEWAY], "filters": [MIRROR]}]}},
        id="HTTPRoute that copies requests",
    ),
    pytest.param(
        "RoleBinding", {"roleRef": ROLE, "subjects": [ACCOUNT]}, id="RoleBinding"
    ),
    pytest.param("ConfigMap", {"data": {"app.ini": "x"}}, id="ConfigMap"),
    pytest.param("ConfigMap", {"binaryData": {"logo": "eA=="}}, id="of bytes"),
    pytest.param("ServiceAccount", {}, id="ServiceAccount"),
]


def judge(
    kind: str,
    content: dict[str, Any],
    annotations: dict[str, str] | None = None,
    by: Adopter = READY,
    **metadata: Any,
) -> Claim:
    head = {"name": "team-data", "namespace": "ai", "annotations": annotations or {}}
    item = {"metadata": head | metadata, **content}
    return judge_claim(by, ChildId(kind, "team-data"), item)


class TestAnObjectThatServesOthers:
    @pytest.mark.parametrize(("kind", "content"), IN_USE)
    def test_is_left_and_not_asked_for(self, kind: str, content: dict[str, Any]):
        claim = judge(kind, content)

        assert claim.owner is Owner.UNOWNED
        assert f"{kind} team-data exists and" in claim.refusal
        assert "rename this hub" in claim.refusal
        assert names.ANNOTATION_ADOPT not in claim.refusal

    @pytest.mark.parametrize(("kind", "content"), IN_USE)
    def test_is_not_adopted_by_one_annotation(self, kind: str, content: dict[str, Any]):
        claim = judge(kind, content, ADOPT)

        assert claim.owner is Owner.UNOWNED
        assert f"{names.ANNOTATION_TAKE_OVER}=team-data" in claim.refusal

    @pytest.mark.parametrize(("kind", "content"), IN_USE)
    def test_is_adopted_by_two(self, kind: str, content: dict[str, Any]):
        assert judge(kind, content, BOTH) == Claim(Owner.HUB)

    @pytest.mark.parametrize("kind", ["Service", "Ingress", "HTTPRoute"])
    def test_leads_clients_to_a_hub_that_can_serve_only(self, kind: str):
        spec = {"selector": {"app": "x"}, "rules": [OTHER_HOST | GATEWAY]}
        claim = judge(kind, {"spec": spec}, BOTH, HUB)

        assert claim.owner is Owner.UNOWNED
        assert "once a pod of this hub is ready" in claim.refusal

    def test_with_another_role_is_never_adopted(self):
        role = ROLE | {"name": "admin"}

        claim = judge("RoleBinding", {"roleRef": role, "subjects": []}, BOTH)

        assert claim.owner is Owner.UNOWNED
        assert "cannot be changed" in claim.refusal

    @pytest.mark.parametrize("labels", [{"app": "x"}, names.selector_labels(HUB.name)])
    def test_without_an_address_is_never_adopted(self, labels: dict[str, str]):
        headless = {"spec": {"clusterIP": "None", "selector": labels}}

        claim = judge("Service", headless, BOTH)

        assert claim.owner is Owner.UNOWNED
        assert "it is headless" in claim.refusal

    def test_for_another_hub_is_not_adopted(self):
        other = dict.fromkeys(BOTH, "another")

        claim = judge("NetworkPolicy", {"spec": {"podSelector": {}}}, other)

        assert claim.owner is Owner.UNOWNED


OWN_KINDS = (
    *("Service", "PodDisruptionBudget", "NetworkPolicy", "HorizontalPodAutoscaler"),
    *("Ingress", "HTTPRoute", "RoleBinding", "Deployment", "ConfigMap"),
)


@pytest.mark.parametrize("kind", OWN_KINDS)
def test_what_serves_the_hub_alone_is_adopted_by_one_annotation(kind: str):
    child = find_child(observe(FULL), kind)
    content = {part: child[part] for part in child if part != "metadata"}

    free, offered = judge(kind, content), judge(kind, content, ADOPT, HUB)

    assert free == Claim(Owner.UNOWNED)
    assert offered == Claim(Owner.HUB)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        pytest.param("Ingress", {"spec": {"rules": [{"host": "x"}]}}, id="no path"),
        pytest.param("HTTPRoute", {"spec": {"rules": [{}]}}, id="no backend"),
        pytest.param("PodDisruptionBudget", {}, id="no pod"),
        pytest.param("RoleBinding", {"roleRef": ROLE}, id="no account"),
    ],
)
def test_what_serves_nothing_is_adopted_by_one_annotation(
    kind: str, content: dict[str, Any]
):
    assert judge(kind, content, ADOPT, HUB) == Claim(Owner.HUB)


def test_a_policy_for_some_of_the_hubs_pods_serves_the_hub_alone():
    labels = {**names.selector_labels("team-data"), "track": "canary"}
    policy = {"spec": {"podSelector": {"matchLabels": labels}}}

    assert judge("NetworkPolicy", policy, ADOPT) == Claim(Owner.HUB)


def test_a_secret_with_which_a_hub_logs_in_is_never_adopted():
    """Its keys would become clients' tokens, and it would go with the hub."""
    auth = ChildId("Secret", "team-data-auth")
    item = {"metadata": {"name": auth.name, "namespace": "ai", "annotations": BOTH}}
    logs_in = READY._replace(named_secrets=frozenset({auth.name}))

    claim = judge_claim(logs_in, auth, item)

    assert judge_claim(READY, auth, item) == Claim(Owner.HUB)
    assert claim.owner is Owner.UNOWNED
    assert "a hub's spec names it" in claim.refusal
    assert "rename this hub" in claim.refusal


class TestASecretOfOtherData:
    """A database's login under the name of a hub's tokens."""

    AUTH = ChildId("Secret", "team-data-auth")
    LOOKS = READY._replace(unlike_own=frozenset({AUTH.name}))

    def judge(self, annotations: dict[str, str]) -> Claim:
        item = {
            "metadata": {"name": "x", "namespace": "ai", "annotations": annotations}
        }
        return judge_claim(self.LOOKS, self.AUTH, item)

    def test_is_left_and_not_asked_for(self):
        claim = self.judge({})

        assert claim.owner is Owner.UNOWNED
        assert "exists and holds other data" in claim.refusal
        assert claim.refusal.endswith("rename this hub")

    def test_is_adopted_by_two_annotations_only(self):
        claim = self.judge(ADOPT)

        assert claim.owner is Owner.UNOWNED
        assert "would be deleted with the hub" in claim.refusal
        assert self.judge(BOTH) == Claim(Owner.HUB)


@pytest.mark.parametrize(
    ("kind", "name", "namespace"),
    [
        pytest.param("ServiceAccount", "default", "ai", id="account of a namespace"),
        pytest.param("Service", "kubernetes", "default", id="API server"),
    ],
)
def test_what_belongs_to_the_cluster_is_never_adopted(
    kind: str, name: str, namespace: str
):
    hub, child = READY._replace(name=name, namespace=namespace), ChildId(kind, name)
    both = dict.fromkeys(BOTH, name)
    for annotations in ({}, both):
        head = {"name": name, "namespace": namespace, "annotations": annotations}

        claim = judge_claim(hub, child, {"metadata": head})

        assert claim.owner is Owner.UNOWNED
        assert "belongs to the cluster" in claim.refusal
        assert claim.refusal.endswith("rename this hub")


def test_what_a_controller_owns_is_not_for_the_taking():
    owner = {"kind": "Database", "name": "db", "uid": "1", "controller": True}

    claim = judge("ConfigMap", {}, BOTH, ownerReferences=[owner])

    assert claim.owner is Owner.UNOWNED
    assert "belongs to Database db; rename this hub" in claim.refusal
