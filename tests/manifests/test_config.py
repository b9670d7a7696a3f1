"""What `kubectl apply -k` installs: complete, accepted, and no more than needed."""

import json
from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import Any

import pytest

from mcphub_operator.names import (
    APP_NAME,
    LABEL_NAME,
    PORT_MANAGEMENT,
)
from mcphub_operator.settings import parse_settings
from tests.support.hub_api import HubApi

Build = Callable[[str], list[dict[str, Any]]]

INSTALLATIONS = [
    "default",
    "namespaced",
    "overlays/dev",
    "overlays/staging",
    "overlays/prod",
]
PARTS = ["crd", "rbac", "operator", "rbac/development", "argocd", "remove"]
MONITORING = "monitoring.coreos.com/v1"


def of_kind(objects: Iterable[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each for each in objects if each["kind"] == kind]


def only(objects: Iterable[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    (found,) = [o for o in of_kind(objects, kind) if o["metadata"]["name"] == name]
    return found


def operator_pod(objects: Iterable[dict[str, Any]]) -> dict[str, Any]:
    deployment = only(objects, "Deployment", "mcphub-operator")
    return dict(deployment["spec"]["template"]["spec"])


def namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def apply(api: HubApi, objects: Iterable[dict[str, Any]]) -> str:
    items = [o for o in objects if o["apiVersion"] != MONITORING]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    return api.server.run_kubectl(
        *("apply", "--server-side", "--force-conflicts", "-f", "-"), stdin=text
    )


@pytest.fixture(scope="module")
def namespaces(api: HubApi) -> None:
    """The namespaces that the kustomizations write into."""
    apply(api, map(namespace, ("argocd", "hubs", "mcphub-system")))


@pytest.fixture(scope="module")
def installed(api: HubApi, build: Build) -> None:
    """The default installation, its namespace's Pod Security included."""
    apply(api, build("default"))


@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize("folder", [*INSTALLATIONS, *PARTS])
def test_the_api_server_takes_every_object(
    api: HubApi, build: Build, folder: str
) -> None:
    objects = build(folder)

    said = apply(api, objects)

    known = [o for o in objects if o["apiVersion"] != MONITORING]
    assert said.count("serverside-applied") == len(known)


@pytest.mark.parametrize("folder", INSTALLATIONS)
class TestTheOperatorsDeployment:
    def test_has_settings_that_the_operator_understands(
        self, build: Build, folder: str
    ) -> None:
        (container,) = operator_pod(build(folder))["containers"]

        settings = parse_settings([], {e["name"]: e["value"] for e in container["env"]})

        assert settings.server_image

    def test_is_probed_on_the_port_that_it_opens(
        self, build: Build, folder: str
    ) -> None:
        (container,) = operator_pod(build(folder))["containers"]
        settings = parse_settings([], {})

        (port,) = container["ports"]

        assert port == {"name": "http", "containerPort": settings.http_port}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert container[probe]["httpGet"]["port"] == "http"

    def test_d18_is_reached_by_probes_and_metrics_only(
        self, build: Build, folder: str
    ) -> None:
        policy = only(build(folder), "NetworkPolicy", "mcphub-operator")

        (rule,) = policy["spec"]["ingress"]
        assert [port["port"] for port in rule["ports"]] == [8080]
        labels = policy["spec"]["podSelector"]["matchLabels"]
        deployment = only(build(folder), "Deployment", "mcphub-operator")
        assert deployment["spec"]["selector"]["matchLabels"] == labels

    @pytest.mark.usefixtures("installed")
    def test_passes_restricted_pod_security(
        self, api: HubApi, build: Build, folder: str
    ) -> None:
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "tried", "namespace": "mcphub-system"},
            "spec": operator_pod(build(folder)),
        }

        said = api.server.run_kubectl(
            "create", "--dry-run=server", "-f", "-", stdin=json.dumps(pod)
        )

        assert said == "pod/tried created (server dry run)\n"


@pytest.mark.usefixtures("installed")
def test_an_insecure_pod_is_not_let_in(api: HubApi, build: Build) -> None:
    spec = operator_pod(build("default"))
    del spec["containers"][0]["securityContext"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "tried", "namespace": "mcphub-system"},
        "spec": spec,
    }

    with pytest.raises(Exception, match='violates PodSecurity "restricted'):
        api.server.run_kubectl(
            "create", "--dry-run=server", "-f", "-", stdin=json.dumps(pod)
        )


@pytest.mark.parametrize("folder", ["default", "namespaced"])
def test_images_are_those_of_this_version(build: Build, folder: str) -> None:
    (container,) = operator_pod(build(folder))["containers"]
    server = {e["name"]: e["value"] for e in container["env"]}["MCPHUB_SERVER_IMAGE"]

    assert container["image"] == f"mcphub-operator:{version('mcphub')}"
    assert server == f"mcphub-server:{version('mcphub')}"


class TestRights:
    def rules(self, objects: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        roles = [*of_kind(objects, "Role"), *of_kind(objects, "ClusterRole")]
        return [rule for role in roles for rule in role["rules"]]

    @pytest.mark.parametrize("folder", INSTALLATIONS)
    def test_nothing_is_granted_by_wildcard(self, build: Build, folder: str) -> None:
        granted = self.rules(build(folder))

        assert "*" not in {
            word for rule in granted for words in rule.values() for word in words
        }

    @pytest.mark.parametrize("folder", INSTALLATIONS)
    def test_the_operator_can_neither_widen_its_rights_nor_run_in_pods(
        self, build: Build, folder: str
    ) -> None:
        rules = self.rules(build(folder))
        granted = {r for rule in rules for r in rule["resources"]}
        of_roles = [rule for rule in rules if "clusterroles" in rule["resources"]]

        # RoleBindings are written to one role, by the only right over ClusterRoles.
        assert all(rule["verbs"] == ["bind"] for rule in of_roles)
        assert all(rule["resourceNames"] == ["mcphub-observer"] for rule in of_roles)
        assert not granted & {
            *("roles", "clusterrolebindings"),
            *("pods/exec", "pods/attach", "serviceaccounts/token"),
        }

    def test_pods_are_proxied_to_in_development_alone(self, build: Build) -> None:
        by_folder = {
            folder: any(
                "pods/proxy" in rule["resources"] for rule in self.rules(build(folder))
            )
            for folder in INSTALLATIONS
        }

        assert [folder for folder, granted in by_folder.items() if granted] == [
            "overlays/dev"
        ]

    def test_one_namespace_takes_no_right_over_the_cluster(self, build: Build) -> None:
        objects = build("namespaced")

        bound = of_kind(objects, "ClusterRoleBinding")

        assert bound == []

    def test_one_namespace_takes_the_same_rights_there(self, build: Build) -> None:
        everywhere = only(build("default"), "ClusterRole", "mcphub-operator")
        there = only(build("namespaced"), "Role", "mcphub-operator")

        assert there["metadata"]["namespace"] == "hubs"
        assert there["rules"] == everywhere["rules"]

    def test_the_operator_is_told_the_namespaces_that_it_may_serve(
        self, build: Build
    ) -> None:
        objects = build("namespaced")
        (container,) = operator_pod(objects)["containers"]

        told = {e["name"]: e["value"] for e in container["env"]}["MCPHUB_NAMESPACES"]

        bindings = of_kind(objects, "RoleBinding")
        served = {b["metadata"]["namespace"] for b in bindings} - {"mcphub-system"}
        assert served == set(told.split(","))


class TestMonitoring:
    def test_the_hubs_monitor_selects_the_pods_of_hubs(self, build: Build) -> None:
        monitor = only(build("monitoring"), "PodMonitor", "mcphub-hubs")

        selected = monitor["spec"]["selector"]["matchLabels"]
        (endpoint,) = monitor["spec"]["podMetricsEndpoints"]

        assert selected[LABEL_NAME] == APP_NAME
        assert endpoint["port"] == PORT_MANAGEMENT

    def test_the_operators_monitor_selects_its_pods(self, build: Build) -> None:
        monitor = only(build("monitoring"), "PodMonitor", "mcphub-operator")
        deployment = only(build("operator"), "Deployment", "mcphub-operator")

        selected = monitor["spec"]["selector"]["matchLabels"].items()

        assert selected <= deployment["spec"]["template"]["metadata"]["labels"].items()

    def test_every_monitor_carries_the_label_that_prometheus_looks_for(
        self, build: Build
    ) -> None:
        labels = [o["metadata"]["labels"] for o in build("monitoring")]

        assert all("release" in each for each in labels)
