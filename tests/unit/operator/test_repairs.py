"""Additions to exact fields are removed; additions to shared ones stay."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcphub_operator.cache.children import build_cached
from mcphub_operator.desired import build_desired
from mcphub_operator.diff import Apply, Repair, build_plan
from mcphub_operator.field_ownership import (
    EXACT,
    OWN_CONTAINER,
    ExactField,
    find_value,
)
from mcphub_operator.observed import Observed
from mcphub_operator.ownership_reference import render_reference
from mcphub_operator.resources.manifest import ChildId
from tests.support.exact_fields import add_to
from tests.support.observed import (
    CLUSTER,
    INGRESS,
    POSTGRES,
    ROUTE,
    hub,
    observe,
    settle,
)

AUTOSCALED = {
    "autoscaling": {"minReplicas": 1},
    "disruptionBudget": {},
    "backends": [CLUSTER],
    "route": ROUTE,
    "ingress": INGRESS,
}

Item = dict[str, Any]


def at_rest() -> Observed:
    return settle(observe(hub(**AUTOSCALED)))


def change(observed: Observed, kind: str, act: Callable[[Item], None]) -> Observed:
    child = ChildId(kind, "team-data")
    item = observed.children[child].read()
    act(item)
    children = {**observed.children, child: build_cached(item)}
    object.__setattr__(observed, "children", children)
    return observed


def steps(observed: Observed) -> list[Any]:
    plan = build_plan(observed, build_desired(observed))
    return [step for stage in plan for step in stage]


def apply_patch(item: Item, repair: Repair) -> None:
    """What the API server does with the operations of a repair."""
    for operation in repair.operations:
        steps = operation["path"].removeprefix("/").split("/")
        *path, last = (step.replace("~1", "/") for step in steps)
        target: Any = item
        for step in path:
            target = target[int(step)] if step.isdigit() else target[step]
        if operation["op"] == "remove":
            del target[last]
        else:
            target[last] = operation["value"]


@pytest.mark.parametrize("field", EXACT, ids=lambda f: f"{f.kind} {f}")
def test_an_addition_to_an_exact_field_is_removed(field: ExactField):
    before = at_rest().children[ChildId(field.kind, "team-data")].read()
    observed = change(at_rest(), field.kind, lambda item: add_to(item, field))

    found = steps(observed)

    repair = found[0]
    assert isinstance(repair, Repair)
    item = observed.children[repair.child].read()
    apply_patch(item, repair)
    assert find_value(item, field.path) == find_value(before, field.path)


@pytest.mark.parametrize("field", EXACT, ids=lambda f: f"{f.kind} {f}")
def test_what_the_api_server_fills_in_stays(field: ExactField):
    def fill_in(item: Item) -> None:
        found = find_value(item, field.path)
        for default in field.defaults[:1]:
            find_value(item, field.path[:-1])[field.path[-1]] = default
        if isinstance(found, dict) and "httpGet" in found:
            found |= {"successThreshold": 1}
            found["httpGet"]["scheme"] = "HTTP"
        if field.kind == "Service" and field.path[-1] == "ports":
            found[0]["nodePort"] = 30123

    assert steps(change(at_rest(), field.kind, fill_in)) == []


def run_as_root(item: Item) -> None:
    container = item["spec"]["template"]["spec"]["containers"][0]
    container["securityContext"] |= {"runAsUser": 0, "runAsNonRoot": False}


def admit_all_namespaces(item: Item) -> None:
    item["spec"]["egress"][1]["to"][0]["namespaceSelector"] = {}


def select_by_an_empty_label(item: Item) -> None:
    item["spec"]["selector"]["track"] = ""


@pytest.mark.parametrize(
    ("kind", "act"),
    [
        pytest.param("Service", select_by_an_empty_label, id="a label without a value"),
        pytest.param("Deployment", run_as_root, id="the user root, whose number is 0"),
        pytest.param(
            "NetworkPolicy",
            admit_all_namespaces,
            id="an empty selector, which selects all",
        ),
    ],
)
def test_an_addition_that_looks_like_nothing_is_removed(
    kind: str, act: Callable[[Item], None]
):
    before = at_rest().children[ChildId(kind, "team-data")].read()
    observed = change(at_rest(), kind, act)

    (repair,) = steps(observed)

    item = observed.children[repair.child].read()
    apply_patch(item, repair)
    assert item["spec"] == before["spec"]


def test_an_empty_selector_that_was_taken_away_is_put_back():
    peer = {"namespaceSelector": {}, "podSelector": {"matchLabels": {"a": "b"}}}
    policy = {"networkPolicy": {"monitoringFrom": [peer]}}

    def act(item: Item) -> None:
        peers = [
            each for rule in item["spec"]["ingress"] for each in rule.get("from", ())
        ]
        del next(each for each in peers if each == peer)["namespaceSelector"]

    found = steps(change(settle(observe(hub(**policy))), "NetworkPolicy", act))

    assert [type(step) for step in found] == [Apply]


def test_a_label_without_a_value_that_was_taken_away_is_put_back():
    worker = "node-role.kubernetes.io/worker"
    placed = settle(observe(hub(pod={"nodeSelector": {worker: ""}})))

    def act(item: Item) -> None:
        del item["spec"]["template"]["spec"]["nodeSelector"][worker]

    found = steps(change(placed, "Deployment", act))

    assert [type(step) for step in found] == [Apply]


def test_a_pull_policy_of_a_policy_for_all_pods_stays():
    def act(item: Item) -> None:
        pod = item["spec"]["template"]["spec"]
        pod["containers"][0]["imagePullPolicy"] = "Always"

    assert steps(change(at_rest(), "Deployment", act)) == []


def test_a_hub_with_a_login_and_the_api_as_backend_needs_no_repair():
    """Its projected volume has sources of different sorts, which have no names."""
    assert steps(settle(observe(hub(backends=[POSTGRES, CLUSTER])))) == []


def test_what_a_manifest_no_longer_has_is_left_to_the_apply():
    observed = settle(observe(hub(networkPolicy={"monitoringFrom": [PEER]})))
    changed = observe(hub(), children=observed.children)

    found = steps(changed)

    assert not [s for s in found if isinstance(s, Repair)]


def test_what_follows_from_a_changed_value_is_left_to_the_apply():
    """The API server fills sessionAffinityConfig in again while ClientIP is set."""

    def act(item: Item) -> None:
        config = {"clientIP": {"timeoutSeconds": 10800}}
        item["spec"] |= {"sessionAffinity": "ClientIP", "sessionAffinityConfig": config}

    found = steps(change(at_rest(), "Service", act))

    assert [type(step) for step in found] == [Apply]


def test_another_node_port_is_left_to_the_apply():
    """A taken one is refused: once a pass is enough, and told once."""
    before = settle(observe(hub(service={"type": "NodePort", "nodePort": 30800})))
    wanted = hub(service={"type": "NodePort", "nodePort": 30900})

    found = steps(observe(wanted, children=before.children))

    assert [type(step) for step in found if step.child.kind == "Service"] == [Apply]


def lead_elsewhere(item: Item) -> None:
    item["spec"]["selector"] = {"app": "theirs"}
    item["spec"]["ports"][0]["targetPort"] = 80


def test_a_selector_and_a_target_port_change_in_one_write():
    """Other pods have no port of the hub's name: nodes would refuse connections."""
    found = steps(change(at_rest(), "Service", lead_elsewhere))

    assert [type(step) for step in found] == [Apply]


def test_a_selector_changes_with_ports_that_an_apply_cannot_merge():
    def act(item: Item) -> None:
        lead_elsewhere(item)
        item["spec"]["ports"].append({"name": "more", "port": 3000})

    observed = change(at_rest(), "Service", act)

    repair, apply = steps(observed)

    assert isinstance(repair, Repair)
    item = observed.children[repair.child].read()
    apply_patch(item, repair)
    assert item["spec"]["selector"] == apply.manifest["spec"]["selector"]
    assert item["spec"]["ports"] == apply.manifest["spec"]["ports"]


PEER = {"namespaceSelector": {"matchLabels": {"team": "observers"}}}


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(
            lambda item: item["metadata"]["annotations"].update(a="b"),
            id="an annotation",
        ),
        pytest.param(
            lambda item: item["spec"]["template"]["metadata"]["annotations"].update(
                a="b"
            ),
            id="an annotation of the pods",
        ),
        pytest.param(
            lambda item: item["spec"]["template"]["spec"]["containers"].append(
                {"name": "sidecar", "image": "x", "command": ["run"]}
            ),
            id="a container",
        ),
        pytest.param(
            lambda item: item["spec"]["template"]["spec"].update(
                initContainers=[{"name": "init", "image": "x"}]
            ),
            id="an init container",
        ),
        pytest.param(
            lambda item: item["spec"]["template"]["spec"]["containers"][0][
                "env"
            ].append({"name": "HTTPS_PROXY", "value": "http://proxy"}),
            id="a variable",
        ),
        pytest.param(
            lambda item: item["spec"].update(paused=True), id="a paused rollout"
        ),
    ],
)
def test_an_addition_to_a_shared_field_stays(act: Callable[[Item], None]):
    assert steps(change(at_rest(), "Deployment", act)) == []


def pod_of(item: Item) -> Item:
    pod: Item = item["spec"]["template"]["spec"]
    return pod


def find_volume(item: Item, name: str) -> Item:
    found: Item = next(v for v in pod_of(item)["volumes"] if v["name"] == name)
    return found


def append(item: Item, name: str, part: Item) -> None:
    pod_of(item)["containers"][0][name].append(part)


def swap(item: Item, old: str, new: str, value: object) -> None:
    del item[old]
    item[new] = value


@pytest.mark.parametrize(
    ("kind", "act"),
    [
        pytest.param(
            "Deployment",
            lambda item: swap(
                pod_of(item)["containers"][0]["livenessProbe"],
                "httpGet",
                "exec",
                {"command": ["true"]},
            ),
            id="a probe of another kind",
        ),
        pytest.param(
            "Deployment",
            lambda item: swap(
                pod_of(item)["containers"][0]["lifecycle"]["preStop"],
                "sleep",
                "exec",
                {"command": ["true"]},
            ),
            id="another end",
        ),
        pytest.param(
            "Deployment",
            lambda item: swap(find_volume(item, "config"), "configMap", "emptyDir", {}),
            id="a volume of another kind",
        ),
        pytest.param(
            "Deployment",
            lambda item: swap(
                pod_of(item)["containers"][0]["env"][0],
                "value",
                "valueFrom",
                {"fieldRef": {"fieldPath": "metadata.name"}},
            ),
            id="a variable from elsewhere",
        ),
        pytest.param(
            "PodDisruptionBudget",
            lambda item: swap(item["spec"], "maxUnavailable", "minAvailable", 1),
            id="a budget from below",
        ),
    ],
)
def test_what_an_apply_would_be_refused_for_is_removed_first(
    kind: str, act: Callable[[Item], None]
):
    before = at_rest().children[ChildId(kind, "team-data")].read()
    observed = change(at_rest(), kind, act)

    repair, apply = steps(observed)

    assert isinstance(repair, Repair)
    assert isinstance(apply, Apply)
    item = observed.children[repair.child].read()
    apply_patch(item, repair)
    assert item["spec"] == before["spec"]


OWN_ITEMS = [
    pytest.param(
        lambda item: find_volume(item, "config")["configMap"].update(
            items=[{"key": "hub.yaml", "path": "other.yaml"}]
        ),
        id="fewer files of the configuration",
    ),
    pytest.param(
        lambda item: find_volume(item, "tokens")["secret"].update(optional=True),
        id="tokens that may be missing",
    ),
    pytest.param(
        lambda item: pod_of(item)["containers"][0]["volumeMounts"][0].update(
            subPath="hub.yaml"
        ),
        id="a part of a volume",
    ),
    pytest.param(
        lambda item: append(
            item, "volumeMounts", {"name": "x", "mountPath": "/etc/mcphub/tokens/x"}
        ),
        id="one more client",
    ),
    pytest.param(
        lambda item: append(item, "env", {"name": "MCPHUB_CONFIG", "value": "/x"}),
        id="another configuration",
    ),
    pytest.param(
        lambda item: append(item, "env", {"name": "MCPHUB_NEW", "value": "x"}),
        id="a variable that a later server may read",
    ),
]


@pytest.mark.parametrize("act", OWN_ITEMS)
def test_an_addition_to_an_item_of_the_hub_is_removed(act: Callable[[Item], None]):
    def add(item: Item) -> None:
        append(item, "env", {"name": "HTTPS_PROXY", "value": "http://proxy"})
        act(item)

    before = at_rest().children[ChildId("Deployment", "team-data")].read()
    append(before, "env", {"name": "HTTPS_PROXY", "value": "http://proxy"})
    observed = change(at_rest(), "Deployment", add)

    (repair,) = steps(observed)

    assert isinstance(repair, Repair)
    item = observed.children[repair.child].read()
    apply_patch(item, repair)
    assert item == before


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(
            lambda item: pod_of(item)["volumes"].append(
                {"name": "ca", "configMap": {"name": "corp-ca"}}
            ),
            id="a volume",
        ),
        pytest.param(
            lambda item: append(
                item, "volumeMounts", {"name": "ca", "mountPath": "/etc/ssl/corp"}
            ),
            id="a mount",
        ),
        pytest.param(
            lambda item: pod_of(item)["containers"][0]["env"][-1]["valueFrom"][
                "fieldRef"
            ].update(apiVersion="v1"),
            id="the default of a variable",
        ),
        pytest.param(
            lambda item: pod_of(item)["containers"][0].update(
                envFrom=[{"configMapRef": {"name": "proxy"}}]
            ),
            id="variables",
        ),
        pytest.param(
            lambda item: pod_of(item)["containers"].insert(
                0, {"name": "istio-proxy", "image": "x", "ports": []}
            ),
            id="a container before the hub's",
        ),
        pytest.param(
            lambda item: pod_of(item).update(
                initContainers=[
                    {"name": "istio-init", "image": "x"},
                    {"name": "istio-proxy", "image": "x", "restartPolicy": "Always"},
                ]
            ),
            id="init containers that stay",
        ),
    ],
)
def test_what_an_injector_adds_to_the_template_stays(act: Callable[[Item], None]):
    assert steps(change(at_rest(), "Deployment", act)) == []


@pytest.mark.parametrize(
    ("of_the_container", "addition", "is_removed"),
    [
        pytest.param(True, {"runAsNonRoot": True}, False, id="no root"),
        pytest.param(
            True, {"seccompProfile": {"type": "RuntimeDefault"}}, False, id="a profile"
        ),
        pytest.param(
            True, {"appArmorProfile": {"type": "RuntimeDefault"}}, False, id="AppArmor"
        ),
        pytest.param(True, {"privileged": False}, False, id="no privileges"),
        pytest.param(True, {"procMount": "Default"}, False, id="a default"),
        pytest.param(
            False, {"fsGroupChangePolicy": "OnRootMismatch"}, False, id="a quick mount"
        ),
        pytest.param(True, {"privileged": True}, True, id="privileges"),
        pytest.param(True, {"procMount": "Unmasked"}, True, id="no mask"),
        pytest.param(
            True, {"seccompProfile": {"type": "Unconfined"}}, True, id="no profile"
        ),
    ],
)
def test_what_admission_policies_tighten_is_left_alone(
    *, of_the_container: bool, addition: Item, is_removed: bool
):
    def act(item: Item) -> None:
        pod = item["spec"]["template"]["spec"]
        part = pod["containers"][0] if of_the_container else pod
        part["securityContext"] |= addition

    assert bool(steps(change(at_rest(), "Deployment", act))) == is_removed


def test_the_table_names_fields_that_the_manifests_can_have():
    own = [field for field in EXACT if OWN_CONTAINER in field.path]

    assert own
    assert len({(f.kind, f.path) for f in EXACT}) == len(EXACT)


def test_the_committed_page_is_what_the_table_makes():
    page = (Path(__file__).parents[3] / "docs/fields.md").read_text()

    assert page == render_reference(), "run `make crd`"


def test_what_the_api_server_adds_to_a_behavior_of_the_spec_stays():
    scaling = {"minReplicas": 1, "behavior": {"scaleDown": {"selectPolicy": "Min"}}}
    observed = settle(observe(hub(**AUTOSCALED | {"autoscaling": scaling})))

    def fill_in(item: Item) -> None:
        item["spec"]["behavior"]["scaleDown"]["tolerance"] = "0.1"
        item["spec"]["behavior"]["scaleUp"] = {"selectPolicy": "Max"}

    assert steps(change(observed, "HorizontalPodAutoscaler", fill_in)) == []
