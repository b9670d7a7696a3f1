"""The operator works with the rights that config/ gives it, and needs each of them.

It runs as its own ServiceAccount against a real API server; a proxy between them
remembers every request. What is asked and not granted fails, and so does what is
granted and never asked.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import pytest

from mcphub_operator.client.kinds import (
    AUTOSCALER,
    CHILD_KINDS,
    CONFIG_MAP,
    DEPLOYMENT,
    DISRUPTION_BUDGET,
    HTTP_ROUTE,
    HUB,
    NETWORK_POLICY,
    POD,
    ROLE_BINDING,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
    Kind,
)
from mcphub_operator.client.kinds import INGRESS as INGRESS_KIND
from mcphub_operator.names import OBSERVER_ROLE
from mcphub_operator.permissions import (
    CLUSTER,
    DEVELOPMENT,
    OWN_NAMESPACE,
    SERVED,
    Permission,
)
from mcphub_operator.status.condition_model import find_condition
from tests.support.installed_operator import Installed, installing
from tests.support.observed import INGRESS, ROUTE
from tests.support.recording_proxy import Used
from tools.cluster.errors import StepFailed

pytestmark = pytest.mark.timeout(600)  # one setup is an operator's whole work

Build = Callable[[str], list[dict[str, Any]]]

UNREACHABLE = "240.0.0.1"  # reserved: no network carries it

# Not requests. The first right is needed to write a RoleBinding to the observer's role.
# With the plugin OwnerReferencesPermissionEnforcement (on here), an owner
# reference that blocks deletion takes the second right, and one that an existing
# object is given takes the others.
IMPLIED = {
    Used(ROLE_BINDING.group, "clusterroles", "bind"),
    Used("mcp.bigtorig.com", "mcphubs/finalizers", "update"),
    *(
        Used(kind.group, kind.plural, "delete")
        for kind in (CONFIG_MAP, SERVICE_ACCOUNT, SERVICE, DEPLOYMENT)
    ),
    # No replica answers here; integration/operator/test_live_configuration.py has some.
    Used("", "pods", "patch"),
}
BLOCKS_DELETION = b"cannot set blockOwnerDeletion"


def granted(objects: Iterable[dict[str, Any]]) -> set[Used]:
    """Return what the operator's roles allow, users' roles left out."""
    return {
        Used(group, resource, verb)
        for role in objects
        if role["kind"] in ("Role", "ClusterRole")
        and role["metadata"]["name"].startswith("mcphub-operator")
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def listed(*tables: Iterable[Permission]) -> set[Used]:
    return {
        Used(each.group, each.resource, verb)
        for table in tables
        for each in table
        for verb in each.verbs
    }


@pytest.mark.parametrize(
    ("folder", "tables"),
    [
        pytest.param("default", (SERVED, CLUSTER, OWN_NAMESPACE), id="everywhere"),
        pytest.param("namespaced", (SERVED, OWN_NAMESPACE), id="in some namespaces"),
        pytest.param("rbac/development", (DEVELOPMENT,), id="more on a desk"),
    ],
)
def test_the_roles_are_those_of_the_operators_own_table(
    build: Build, folder: str, tables: tuple[tuple[Permission, ...], ...]
) -> None:
    assert granted(build(folder)) == listed(*tables)


@pytest.fixture(scope="module")
def installed(
    build: Build, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installed]:
    """The operator with the rights of config/default, and those of development."""
    roles = [*build("default"), *build("rbac/development")]
    with installing(roles, tmp_path_factory.mktemp("operator")) as installation:
        yield installation


READING = [{"name": "cluster", "kubernetes": {}}]
RIGHTS: dict[str, Any] = {
    "apiVersion": "mcp.bigtorig.com/v1alpha1",
    "kind": "McpHub",
    "metadata": {"name": "rights", "namespace": "default"},
    "spec": {
        "backends": [
            {
                "name": "db",
                "postgres": {
                    "host": "postgres",
                    "database": "app",
                    "credentialsSecretRef": {"name": "login"},
                },
            },
            *READING,
        ],
        "service": {"type": "NodePort"},
        "autoscaling": {},
        "disruptionBudget": {},
        "route": ROUTE,
        "ingress": INGRESS,
    },
}
LESS = {
    "backends": RIGHTS["spec"]["backends"][:1],
    "service": RIGHTS["spec"]["service"],
    "auth": {"type": "None"},
    "networkPolicy": {"enabled": False},
}
"""The spec of the same hub without its optional children."""

LOGIN = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "login", "namespace": "default"},
    "stringData": {"username": "u", "password": "p"},
}

PODS = {
    "selector": {"matchLabels": {"foreign": "yes"}},
    "template": {
        "metadata": {"labels": {"foreign": "yes"}},
        "spec": {"containers": [{"name": "c", "image": "none"}]},
    },
}
ROLE = {"apiGroup": ROLE_BINDING.group, "kind": "ClusterRole"}
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "nothing"}
CONTENT: dict[str, dict[str, Any]] = {
    "Service": {"spec": {"ports": [{"port": 80}]}},
    "Deployment": {"spec": {"replicas": 0, **PODS}},
    "HorizontalPodAutoscaler": {"spec": {"maxReplicas": 1, "scaleTargetRef": TARGET}},
    "PodDisruptionBudget": {"spec": {"maxUnavailable": 1, "selector": {}}},
    "RoleBinding": {"roleRef": {**ROLE, "name": "view"}, "subjects": []},
    "NetworkPolicy": {"spec": {"podSelector": {"matchLabels": {"foreign": "yes"}}}},
    "Ingress": {"spec": {"rules": [{"host": "old.example.com"}]}},
    "HTTPRoute": {"spec": {"hostnames": ["old.example.com"]}},
}


def foreign(kind: Kind) -> dict[str, Any]:
    """Return an object of another owner with the name that a hub `taken` needs."""
    return {
        "apiVersion": kind.group_version,
        "kind": kind.name,
        "metadata": {
            "name": "taken-keys" if kind.name == "Secret" else "taken",
            "namespace": "default",
        },
        **CONTENT.get(kind.name, {}),
    }


def find_replica(installed: Installed) -> str | None:
    """Return the name of a pod of the hub's Deployment; no kubelet runs it."""
    pods = installed.client.get(POD.path("default")).get("items", ())
    names = [
        pod["metadata"]["name"]
        for pod in pods
        if "pod-template-hash" in pod["metadata"].get("labels", {})
    ]
    return names[0] if names else None


@pytest.fixture(scope="module")
def with_children(installed: Installed) -> Installed:
    """The first of the steps of one hub's life; each leaves requests behind."""
    installed.apply(LOGIN, RIGHTS)
    for kind in CHILD_KINDS:
        name = "rights-keys" if kind.name == "Secret" else "rights"
        installed.until(
            f"no {kind.name}", lambda kind=kind, name=name: installed.find(kind, name)
        )
    return installed


@pytest.fixture(scope="module")
def without_optional_children(with_children: Installed) -> Installed:
    with_children.apply(RIGHTS | {"spec": LESS})
    for kind in (
        *(SECRET, AUTOSCALER, DISRUPTION_BUDGET, NETWORK_POLICY),
        *(ROLE_BINDING, INGRESS_KIND, HTTP_ROUTE),
    ):
        name = "rights-auth" if kind is SECRET else "rights"
        with_children.until(
            f"{kind.name} is left",
            lambda kind=kind, name=name: with_children.find(kind, name) is None,
        )
    return with_children


@pytest.fixture(scope="module")
def with_taken_names(without_optional_children: Installed) -> Installed:
    metadata = {"name": "taken", "namespace": "default"}
    without_optional_children.apply(
        *map(foreign, CHILD_KINDS), RIGHTS | {"metadata": metadata}
    )
    for kind in CHILD_KINDS:
        without_optional_children.until_used(kind.plural, "get")
    return without_optional_children


@pytest.fixture(scope="module")
def with_a_ready_pod(with_taken_names: Installed) -> Installed:
    pod = with_taken_names.until("no pod", lambda: find_replica(with_taken_names))
    status = {
        "podIP": UNREACHABLE,
        "conditions": [{"type": "Ready", "status": "True"}],
    }
    with_taken_names.kubectl(
        *("patch", "pod", pod, "--subresource=status", "--type=merge"),
        *("-p", json.dumps({"status": status})),
    )
    with_taken_names.until_used("pods/proxy", "get")
    return with_taken_names


class Life(NamedTuple):
    """What an operator asked for in one hub's whole life."""

    used: set[Used]
    forbidden: set[str]


@pytest.fixture(scope="module")
def life(with_a_ready_pod: Installed) -> Life:
    with_a_ready_pod.kubectl("delete", "secret", "login")
    with_a_ready_pod.until_used("mcphubs/status", "patch")
    with_a_ready_pod.until_used("events", "create")
    with_a_ready_pod.until_used("leases", "update")
    recording = with_a_ready_pod.recording
    return Life(recording.used, recording.forbidden)


class TestTheOperatorAtWork:
    """It creates and deletes children, finds names taken, polls pods, and reports."""

    def test_is_refused_nothing(self, life: Life) -> None:
        assert life.forbidden == set()

    def test_needs_every_right_that_it_has(self, life: Life, build: Build) -> None:
        rights = granted([*build("default"), *build("rbac/development")])

        assert rights - life.used - IMPLIED == set()

    def test_asks_for_nothing_that_it_was_not_given(
        self, life: Life, build: Build
    ) -> None:
        rights = granted([*build("default"), *build("rbac/development")])

        assert life.used - rights == set()

    @pytest.mark.usefixtures("life")
    @pytest.mark.parametrize("kind", [CONFIG_MAP, SERVICE_ACCOUNT, DISRUPTION_BUDGET])
    def test_owns_what_is_offered_for_adoption(
        self, installed: Installed, kind: Kind
    ) -> None:
        offers = [
            f"mcp.bigtorig.com/{name}=taken" for name in ("adopt", "take-over-selector")
        ]

        installed.kubectl("annotate", kind.plural, "taken", *offers)

        installed.until(
            f"{kind.name} is not owned",
            lambda: (installed.find(kind, "taken") or {})["metadata"].get(
                "ownerReferences"
            ),
        )

    @pytest.mark.usefixtures("life")
    def test_binds_no_other_role(self, installed: Installed) -> None:
        account = "system:serviceaccount:mcphub-system:mcphub-operator"
        words = (f"--as={account}", "--serviceaccount=default:x")

        installed.kubectl(
            *("create", "rolebinding", "allowed", *words),
            f"--clusterrole={OBSERVER_ROLE}",
        )
        with pytest.raises(StepFailed):
            installed.kubectl(
                *("create", "rolebinding", "refused", *words, "--clusterrole=view")
            )

        assert installed.find(ROLE_BINDING, "allowed")
        assert installed.find(ROLE_BINDING, "refused") is None

    @pytest.mark.usefixtures("life")
    def test_says_that_it_may_not_bind(
        self, installed: Installed, build: Build
    ) -> None:
        roles = [o for o in build("default") if o["kind"] == "ClusterRole"]
        installed.apply(*(without(role, "clusterroles") for role in roles))
        metadata = {"name": "unbound", "namespace": "default"}

        installed.apply(RIGHTS | {"metadata": metadata, "spec": {"backends": READING}})

        installed.until(
            "nothing is said",
            lambda: "bind on this role" in stall(installed, "unbound"),
        )
        assert installed.find(DEPLOYMENT, "unbound")

    @pytest.mark.usefixtures("life")
    def test_cannot_own_children_without_the_right_to_finalizers(
        self, installed: Installed, build: Build
    ) -> None:
        roles = [o for o in build("default") if o["kind"] == "ClusterRole"]
        installed.apply(*(without(role, "mcphubs/finalizers") for role in roles))

        installed.kubectl("delete", "configmap", "rights")

        installed.until(
            "written all the same",
            lambda: installed.recording.was_refused("configmaps", BLOCKS_DELETION),
        )


def without(role: dict[str, Any], resource: str) -> dict[str, Any]:
    """Return a role without the rights over a resource."""
    rules = [r for r in role["rules"] if resource not in r["resources"]]
    return role | {"rules": rules}


def stall(installed: Installed, name: str, namespace: str = "default") -> str:
    """Return why a hub is stalled; empty while it is not."""
    status = (installed.find(HUB, name, namespace) or {}).get("status") or {}
    stalled = find_condition(status.get("conditions") or (), "Stalled") or {}
    return str(stalled["message"]) if stalled.get("status") == "True" else ""


@pytest.fixture(scope="module")
def confined(
    build: Build, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installed]:
    folder = tmp_path_factory.mktemp("operator")
    flags = ("--namespaces", "hubs")
    with installing(build("namespaced"), folder, *flags) as installation:
        there = {"name": "rights", "namespace": "hubs"}
        login = LOGIN | {"metadata": {"name": "login", "namespace": "hubs"}}
        installation.apply(login, RIGHTS | {"metadata": there}, RIGHTS)
        yield installation


class TestTheOperatorInOneNamespace:
    """With config/namespaced it sees nothing else, and works all the same."""

    def test_serves_the_hub_there(self, confined: Installed) -> None:
        confined.until(
            "no status",
            lambda: (
                "conditions"
                in (confined.find(HUB, "rights", "hubs") or {}).get("status", {})
            ),
        )

        assert confined.find(DEPLOYMENT, "rights", "hubs")

    def test_leaves_hubs_elsewhere_alone(self, confined: Installed) -> None:
        elsewhere = confined.find(HUB, "rights", "default")

        assert elsewhere is not None
        assert "status" not in elsewhere

    def test_binds_the_observers_role_there(self, confined: Installed) -> None:
        confined.until(
            "no RoleBinding", lambda: confined.find(ROLE_BINDING, "rights", "hubs")
        )

    def test_is_refused_the_nodes_and_nothing_else(self, confined: Installed) -> None:
        assert confined.recording.forbidden <= {"list nodes"}

    def test_serves_hubs_without_any_right_over_role_bindings(
        self, confined: Installed, build: Build
    ) -> None:
        roles = [o for o in build("namespaced") if o["kind"] == "Role"]
        rules = [without(without(r, "rolebindings"), "clusterroles") for r in roles]
        confined.apply(*rules)
        confined.until(
            "not refused", lambda: "list rolebindings" in confined.recording.forbidden
        )
        metadata = {"name": "later", "namespace": "hubs"}

        confined.apply(RIGHTS | {"metadata": metadata, "spec": {"backends": READING}})

        confined.until(
            "nothing is said",
            lambda: "RoleBinding later" in stall(confined, "later", "hubs"),
        )
        assert confined.find(DEPLOYMENT, "later", "hubs")
