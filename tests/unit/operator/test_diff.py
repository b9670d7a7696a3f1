"""What is written, and that nothing is where nothing differs."""

from dataclasses import replace

import pytest
import yaml

from mcphub_operator import names
from mcphub_operator.cache.children import build_cached
from mcphub_operator.desired import build_desired
from mcphub_operator.diff import (
    Apply,
    Delete,
    Handover,
    Repair,
    Scale,
    Step,
    build_plan,
    find_contested,
)
from mcphub_operator.observed import MissingKey, Observed, UserSecrets
from mcphub_operator.resources.manifest import ChildId
from mcphub_operator.spec.hub import parse_hub
from tests.support.observed import (
    CLUSTER,
    DEPLOYMENT,
    POSTGRES,
    hub,
    observe,
    settle,
    with_deployment,
)
from tools.project import EXAMPLES


def plan(observed: Observed) -> list[Step]:
    return [s for stage in build_plan(observed, build_desired(observed)) for s in stage]


def touched(observed: Observed) -> list[str]:
    return [f"{type(step).__name__} {step.child}" for step in plan(observed)]


def example_hubs() -> list:
    return [
        pytest.param(document, id=path.stem)
        for path in sorted(EXAMPLES.rglob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text())
        if isinstance(document, dict) and document.get("kind") == names.KIND
    ]


class TestAHubAtRest:
    @pytest.mark.parametrize("document", example_hubs())
    def test_is_not_written_again(self, document: dict):
        document["metadata"] |= {"namespace": "ai", "uid": "u", "generation": 1}
        observed = settle(observe(parse_hub(document)))

        assert touched(observed) == []

    def test_is_compared_in_the_api_servers_spelling_of_quantities(self):
        resources = {"requests": {"cpu": "1000m", "memory": "0.5Gi"}}
        observed = settle(observe(hub(resources=resources)))

        def respell(item):
            container = item["spec"]["template"]["spec"]["containers"][0]
            container["resources"]["requests"] |= {"cpu": "1", "memory": "512Mi"}

        assert touched(with_deployment(observed, respell)) == []

    def test_keeps_what_others_added(self):
        observed = settle(observe(hub(backends=[POSTGRES])))

        def inject(item):
            template = item["spec"]["template"]
            restarted = {"kubectl.kubernetes.io/restartedAt": "2026-11-21T08:00:00Z"}
            template["metadata"]["annotations"] |= restarted
            template["spec"]["containers"].insert(0, {"name": "sidecar"})
            template["spec"]["containers"][1]["env"].append({"name": "ADDED"})

        assert touched(with_deployment(observed, inject)) == []

    def test_may_come_from_a_list_whose_items_name_no_kind(self):
        observed = settle(observe())
        bare = {
            child: build_cached(
                {
                    key: part
                    for key, part in found.read().items()
                    if key not in ("apiVersion", "kind")
                }
            )
            for child, found in observed.children.items()
        }

        assert touched(replace(observed, children=bare)) == []


class TestANewHub:
    def test_gets_its_prerequisites_before_its_deployment_and_the_autoscaler_last(self):
        observed = observe(hub(autoscaling={}, disruptionBudget={}))

        stages = build_plan(observed, build_desired(observed))

        kinds = [sorted({step.child.kind for step in stage}) for stage in stages]
        assert kinds == [
            [
                "ConfigMap",
                "NetworkPolicy",
                "PodDisruptionBudget",
                "Secret",
                "Service",
                "ServiceAccount",
            ],
            ["Deployment"],
            ["HorizontalPodAutoscaler"],
        ]

    def test_leaves_what_belongs_to_others_alone(self):
        taken = ChildId("Service", "team-data")
        observed = observe(foreign=(taken,))

        assert f"Apply {taken}" not in touched(observed)
        assert "Apply Service team-data-pods" in touched(observed)


DRIFTS = [
    pytest.param(
        lambda d: d["spec"].update(replicas=7), id="a user scales the Deployment"
    ),
    pytest.param(
        lambda d: d["spec"]["template"]["spec"]["containers"][0].update(image="x"),
        id="a user changes the image",
    ),
    pytest.param(
        lambda d: d["spec"]["template"]["spec"]["containers"][0]["env"].pop(0),
        id="a user takes a variable away",
    ),
    pytest.param(
        lambda d: d["spec"]["template"]["spec"]["volumes"].pop(0),
        id="a user takes a volume away",
    ),
    pytest.param(
        lambda d: d["metadata"]["labels"].pop("app.kubernetes.io/version"),
        id="a user takes a label away",
    ),
    pytest.param(
        lambda d: d["metadata"]["annotations"].clear(),
        id="a user clears the annotations",
    ),
    pytest.param(
        lambda d: d["spec"]["strategy"]["rollingUpdate"].update(maxUnavailable=1),
        id="a user lets a rollout take pods away",
    ),
]


class TestDrift:
    @pytest.mark.parametrize("change", DRIFTS)
    def test_of_an_owned_field_is_corrected_by_one_apply(self, change):
        observed = with_deployment(settle(observe()), change)

        assert touched(observed) == ["Apply Deployment team-data"]

    def test_of_an_atomic_list_is_corrected(self):
        policy = ChildId("NetworkPolicy", "team-data")
        observed = settle(observe())
        item = observed.children[policy].read()
        item["spec"]["ingress"].append({})
        children = {**observed.children, policy: build_cached(item)}

        assert touched(replace(observed, children=children)) == [f"Apply {policy}"]

    @pytest.mark.parametrize("child", sorted(settle(observe()).children))
    def test_of_a_deleted_child_is_corrected(self, child):
        observed = settle(observe())
        children = {c: live for c, live in observed.children.items() if c != child}

        assert touched(replace(observed, children=children)) == [f"Apply {child}"]

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            pytest.param(
                {"subjects": []}, "Apply", id="an account that lost its right"
            ),
            pytest.param(
                {"roleRef": {"kind": "ClusterRole", "name": "admin"}},
                "Delete",
                id="another role, which no write can change",
            ),
        ],
    )
    def test_of_a_role_binding_is_corrected(self, changes, expected):
        binding = ChildId("RoleBinding", "team-data")
        observed = settle(observe(hub(backends=[CLUSTER])))
        item = observed.children[binding].read() | changes
        children = {**observed.children, binding: build_cached(item)}

        assert touched(replace(observed, children=children)) == [
            f"{expected} {binding}"
        ]

    def test_of_a_key_in_the_keyring_is_corrected_and_the_others_kept(self):
        observed = settle(observe())
        name = names.keys_secret("team-data")
        own = observed.own_secrets[name]
        data = {k: v for k, v in own.data.items() if k != names.KEY_STATE}
        broken = {**observed.own_secrets, name: replace(own, data=data)}

        (step,) = plan(replace(observed, own_secrets=broken))

        assert isinstance(step, Apply)
        assert set(step.manifest["data"]) == {
            names.KEY_CURRENT,
            names.KEY_PREVIOUS,
            names.KEY_STATE,
            names.KEY_DIGEST,
            names.KEY_PREVIOUS_TOKEN,
        }


class TestASpecThatChanged:
    @pytest.mark.parametrize(
        ("before", "after", "expected"),
        [
            pytest.param(
                {},
                {"replicas": 2},
                ["Apply PodDisruptionBudget team-data", "Apply Deployment team-data"],
                id="a second replica comes with a disruption budget",
            ),
            pytest.param(
                {"replicas": 2},
                {"replicas": 5},
                ["Apply Deployment team-data"],
                id="more replicas touch the Deployment alone",
            ),
            pytest.param(
                {"disruptionBudget": {}},
                {},
                ["Delete PodDisruptionBudget team-data"],
                id="a removed disruption budget is deleted",
            ),
            pytest.param(
                {},
                {"networkPolicy": {"enabled": False}},
                ["Delete NetworkPolicy team-data"],
                id="a disabled network policy is deleted",
            ),
            pytest.param(
                {},
                {"logging": {"level": "debug"}},
                ["Apply ConfigMap team-data", "Apply Deployment team-data"],
                id="a changed setting writes the configuration before it rolls pods",
            ),
            pytest.param(
                {"service": {"annotations": {"a": "b"}}},
                {},
                ["Apply Service team-data"],
                id="a removed annotation of the Service is removed there",
            ),
            pytest.param(
                {},
                {"auth": {"type": "None"}},
                [
                    "Apply ConfigMap team-data",
                    "Apply Deployment team-data",
                    "Delete Secret team-data-auth",
                ],
                id="a hub without tokens loses the generated one",
            ),
        ],
    )
    def test_writes_only_what_follows_from_it(self, before, after, expected):
        observed = replace(settle(observe(hub(**before))), hub=hub(**after))

        assert touched(observed) == expected


class TestReplicas:
    def test_are_handed_over_before_the_operator_lets_go_of_them(self):
        observed = holding(settle(observe(hub(replicas=4))))
        observed = replace(observed, hub=hub(replicas=4, autoscaling={}))

        steps = plan(observed)

        assert steps[0] == Handover(DEPLOYMENT, 4, 5)
        assert isinstance(steps[1], Apply)
        assert "replicas" not in steps[1].manifest["spec"]
        assert steps[2].child.kind == "HorizontalPodAutoscaler"

    def test_at_zero_are_handed_over_at_the_autoscalers_least(self):
        """An autoscaler never raises a Deployment that stands at zero."""
        observed = holding(settle(observe(hub(replicas=0))))
        autoscaling = {"minReplicas": 3}
        wanted = hub(replicas=0, autoscaling=autoscaling, disruptionBudget=None)
        observed = replace(observed, hub=wanted)

        assert plan(observed)[0] == Handover(DEPLOYMENT, 3, 5)

    def test_are_taken_back_in_one_step_after_the_autoscaler_is_gone(self):
        observed = settle(observe(hub(replicas=5, autoscaling={})))
        observed = with_deployment(observed, lambda d: d["spec"].update(replicas=9))
        observed = replace(observed, hub=hub(replicas=5))

        autoscaler, deployment = plan(observed)

        assert isinstance(autoscaler, Delete)
        assert isinstance(deployment, Apply)
        assert deployment.manifest["spec"]["replicas"] == 5

    def test_of_an_autoscaled_hub_are_the_autoscalers(self):
        observed = settle(observe(hub(autoscaling={})))
        observed = with_deployment(observed, lambda d: d["spec"].update(replicas=9))

        assert touched(observed) == []

    def test_are_let_go_of_when_a_foreign_autoscaler_appears(self):
        observed = holding(settle(observe(hub(replicas=4))))
        observed = replace(observed, foreign_autoscalers=("theirs",))

        steps = plan(observed)

        assert steps[0] == Handover(DEPLOYMENT, 4, 5)
        assert isinstance(steps[1], Apply)
        assert "replicas" not in steps[1].manifest["spec"]

    def test_scale_even_while_the_template_waits_for_a_secret(self):
        missing = UserSecrets(missing=(MissingKey("hub-credentials"),))
        observed = settle(observe(hub(replicas=2, backends=[POSTGRES])))
        changed = hub(replicas=6, backends=[POSTGRES], logging={"level": "debug"})
        observed = replace(observed, hub=changed, user_secrets=missing)

        steps = plan(observed)

        assert Scale(DEPLOYMENT, 6) in steps
        assert not [s for s in steps if isinstance(s, Apply) and s.child == DEPLOYMENT]


def holding(observed: Observed) -> Observed:
    """The Deployment's replicas are the operator's by managed fields."""

    def own(item):
        entry = {
            "manager": names.FIELD_MANAGER,
            "operation": "Apply",
            "fieldsV1": {"f:spec": {"f:replicas": {}}},
        }
        item["metadata"]["managedFields"] = [entry]

    return with_deployment(observed, own)


class TestAPortWithAnotherNumber:
    """Ports merge by number: an apply would add ours beside it, and be refused."""

    def test_of_a_service_is_set_back_before_it_is_applied(self):
        observed = settle(observe())
        service = ChildId("Service", "team-data")
        item = observed.children[service].read()
        item["spec"]["ports"][0] |= {"port": 8001, "nodePort": 30123}
        changed = {**observed.children, service: build_cached(item)}

        steps = plan(replace(observed, children=changed))

        assert [type(step) for step in steps] == [Repair, Apply]
        (ports,) = steps[0].operations
        (port,) = ports["value"]
        assert ports["path"] == "/spec/ports"
        assert (port["port"], port["nodePort"]) == (8000, 30123)

    def test_of_a_container_is_set_back_before_it_is_applied(self):
        def spoil(item):
            container = item["spec"]["template"]["spec"]["containers"][0]
            container["ports"][1]["containerPort"] = 1

        steps = plan(with_deployment(settle(observe()), spoil))

        assert [type(step) for step in steps] == [Repair, Apply]
        (ports,) = steps[0].operations
        assert ports["path"].endswith("/containers/0/ports")
        assert [p["containerPort"] for p in ports["value"]] == [8000, 8081]


def test_a_false_that_a_user_removed_is_put_back():
    """Left out, most of them mean true: pods would get the account's token."""

    def spoil(item):
        del item["spec"]["template"]["spec"]["automountServiceAccountToken"]

    changed = with_deployment(settle(observe()), spoil)

    assert touched(changed) == ["Apply Deployment team-data"]


class TestD25AnAnswerThatAPolicyChanged:
    """The answer to an apply has another value where no spelling can differ."""

    def answered(self, change) -> Observed:
        observed = settle(observe(hub(replicas=2)))
        deployment = ChildId("Deployment", "team-data")
        item = observed.children[deployment].read()
        change(item)
        answer = build_cached(item, settled=True)
        return replace(observed, children={**observed.children, deployment: answer})

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            pytest.param(
                lambda item: item["spec"].update(replicas=1),
                "spec.replicas",
                id="replicas",
            ),
            pytest.param(
                lambda item: item["metadata"]["labels"].update(
                    {names.LABEL_VERSION: "theirs"}
                ),
                f"metadata.labels[{names.LABEL_VERSION}]",
                id="a label",
            ),
        ],
    )
    def test_is_tried_again_and_the_field_is_named(self, change, field):
        observed = self.answered(change)

        (step,) = plan(observed)

        assert str(step.child) == "Deployment team-data"
        assert find_contested(step.manifest, observed.children[step.child].read()) == (
            field
        )

    def test_in_its_spelling_alone_is_right(self):
        def spell(item):
            container = item["spec"]["template"]["spec"]["containers"][0]
            container["resources"]["limits"]["memory"] = "536870912"
            item["metadata"]["labels"]["added"] = "by a policy"

        assert plan(self.answered(spell)) == []
