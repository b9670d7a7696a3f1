"""One release of the chart from its installation to its end, while hubs serve.

The tests share a cluster and run in the order of this file. Each checks that no call of
a client failed meanwhile; every call is a new client's.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import yaml

from mcphub_operator.names import FIELD_MANAGER
from tests.helm.conftest import LATER, PULL_SECRET, Published
from tests.support import frozen
from tests.support.helm import Helm
from tests.support.installation import Installation, selector_of
from tests.support.steady_calls import CallLog, steady_calls
from tools.cluster.errors import StepFailed
from tools.quickstart.site import HUB, HUB_NAME, NAMESPACE
from tools.release.version import SERVER

pytestmark = pytest.mark.timeout(900)

OPERATOR = "mcphub-operator"
PULL_SECRETS = [{"name": PULL_SECRET}]
OLDER_TEAM, OLDER_HUB, OLDER_TOKEN = (
    "ai",
    "team-data",
    "a-token-of-an-older-release-0123",
)
OLDER_KINDS = "deployments,services,configmaps,secrets,serviceaccounts,hpa,pdb"


def build_values(published: Published) -> dict[str, Any]:
    """What the documentation has users set, and the hub of the quickstart."""
    spec = yaml.safe_load(HUB.read_text())["spec"]
    hub = {"enabled": True, "name": HUB_NAME, "namespace": NAMESPACE}
    return {
        "registry": published.release.registry,
        "image": {"pullSecrets": PULL_SECRETS},
        "serverImage": {"pullSecrets": PULL_SECRETS},
        "hub": hub | {"spec": spec},
    }


@contextmanager
def calls_succeed(
    installation: Installation, url: str, token: str, tool: str = "health_check"
) -> Iterator[CallLog]:
    """Call the hub before, during and after the block; no call may fail."""
    with steady_calls(url, token, tool, {}) as calls:
        installation.until("a first answer", calls.has_more_than(0))
        yield calls
        installation.until("one more answer", calls.has_more_than(calls.count))
    assert calls.failures == []


@contextmanager
def demo_serves(installation: Installation) -> Iterator[None]:
    """Let no call of the first hub fail that reads from its database."""
    url, token = f"{installation.base_url}/mcp", installation.token(HUB_NAME)
    tool = "postgres_list_tables"
    with calls_succeed(installation, url, token, tool):
        yield


def find_images(installation: Installation, hub: str) -> set[str]:
    """Return the images that a hub's pods run."""
    pods = installation.pods(hub)
    return {pod["spec"]["containers"][0]["image"] for pod in pods}


def wait_rolled(installation: Installation, hub: str, image: str) -> None:
    """Wait until all pods of a hub run an image, and the hub is settled."""
    installation.until(
        f"pods of {image}", lambda: find_images(installation, hub) == {image}
    )
    installation.wait_settled(hub)


def find_identities(installation: Installation, hub: str) -> dict[str, str]:
    """Return the uid of each object of a hub."""
    found = installation.items(OLDER_KINDS, "-l", selector_of(hub))
    return {f"{o['kind']}/{o['metadata']['name']}": o["metadata"]["uid"] for o in found}


def read_settings(installation: Installation) -> dict[str, str]:
    """Return the environment of the operator."""
    deployment = installation.operator.get("deployment", OPERATOR)
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return {entry["name"]: entry["value"] for entry in container["env"]}


class TestARelease:
    def test_needs_the_pull_secret(
        self, installation: Installation, published: Published
    ):
        """Without it the nodes are refused: what follows does not pass by accident."""
        image = published.release.image(SERVER)
        installation.kubectl("run", "refused", f"--image={image}", "--restart=Never")
        reason = "{.status.containerStatuses[0].state.waiting.reason}"

        installation.wait("pod/refused", f"jsonpath={reason}=ImagePullBackOff")

        installation.kubectl("delete", "pod", "refused", "--wait=false")

    def test_is_installed_with_a_first_hub_from_the_registry(
        self, helm: Helm, installation: Installation, published: Published
    ):
        helm.install(build_values(published))

        installation.wait_settled(HUB_NAME)
        installation.wait(f"mcphub/{HUB_NAME}", "condition=BackendsReachable")
        (container, *_) = [
            status
            for pod in installation.pods(HUB_NAME)
            for status in pod["status"]["containerStatuses"]
        ]
        assert find_images(installation, HUB_NAME) == {published.release.image(SERVER)}
        assert container["imageID"].startswith(published.release.repository(SERVER))

    def test_passes_its_own_test(self, helm: Helm):
        said = helm.test()

        assert "Succeeded" in said

    def test_fails_its_own_test_without_an_operator(
        self, helm: Helm, installation: Installation
    ):
        with demo_serves(installation):
            scale_operator(installation, 0)

            with pytest.raises(StepFailed):
                helm.test()

            said = installation.operator.kubectl("logs", f"{OPERATOR}-test")
            assert "no replica of the operator is available" in said
            scale_operator(installation, 2)

    def test_is_upgraded_with_changed_values(
        self, helm: Helm, installation: Installation, published: Published
    ):
        """The others are kept: the registry, the secrets, the hub."""
        changed = {
            "image": {"tag": LATER},
            "serverImage": {"tag": LATER},
            "settings": {"logLevel": "debug"},
            "replicas": 1,
        }
        with demo_serves(installation):
            helm.upgrade(changed)

            wait_rolled(installation, HUB_NAME, published.later.image(SERVER))

        assert read_settings(installation)["MCPHUB_LOG_LEVEL"] == "debug"
        assert (
            installation.operator.get("deployment", OPERATOR)["spec"]["replicas"] == 1
        )

    def test_that_cannot_work_changes_nothing(
        self, helm: Helm, installation: Installation
    ):
        before = read_settings(installation)

        with pytest.raises(StepFailed):
            helm.upgrade({"replicas": "two", "settings": {"logLevel": "error"}})

        assert helm.status() == "deployed"
        assert read_settings(installation) == before

    def test_is_rolled_back(
        self, helm: Helm, installation: Installation, published: Published
    ):
        with demo_serves(installation):
            helm.rollback()

            wait_rolled(installation, HUB_NAME, published.release.image(SERVER))

        assert read_settings(installation)["MCPHUB_LOG_LEVEL"] == "info"
        assert (
            installation.operator.get("deployment", OPERATOR)["spec"]["replicas"] == 2
        )

    def test_leaves_definition_and_hubs_when_it_is_uninstalled(
        self, helm: Helm, installation: Installation
    ):
        pods = installation.pod_names(HUB_NAME)
        with demo_serves(installation):
            helm.uninstall()

            assert not installation.operator.exists("deployment", OPERATOR)
            assert installation.exists("mcphub", HUB_NAME)
        assert installation.pod_names(HUB_NAME) == pods


class TestAnInstallationOverWhatIsThere:
    @pytest.mark.parametrize("path", frozen.FILES, ids=lambda path: path.stem)
    def test_takes_over_the_objects_of_an_older_release(
        self, helm: Helm, installation: Installation, published: Published, path
    ):
        team = open_older_team(installation, published, path)
        before = find_identities(team, OLDER_HUB)
        (port,) = team.get("service", OLDER_HUB)["spec"]["ports"]
        url = f"http://{team.node_address()}:{port['nodePort']}/mcp"

        with demo_serves(installation), calls_succeed(team, url, OLDER_TOKEN):
            helm.install(without_first_hub(build_values(published)))
            team.wait_settled(OLDER_HUB)
            team.wait(f"mcphub/{OLDER_HUB}", "condition=BackendsReachable")

        after = find_identities(team, OLDER_HUB)
        assert before
        assert before.items() <= after.items()
        helm.uninstall()


def without_first_hub(values: dict[str, Any]) -> dict[str, Any]:
    """It is there already, and Helm would refuse to create it again."""
    return values | {"hub": {"enabled": False}}


def scale_operator(installation: Installation, replicas: int) -> None:
    what = f"deployment/{OPERATOR}"
    installation.operator.kubectl("scale", what, f"--replicas={replicas}")
    installation.operator.kubectl("rollout", "status", what)
    installation.until(
        f"{replicas} replicas of the operator",
        lambda: count_operators(installation) == replicas,
    )


def count_operators(installation: Installation) -> int:
    selector = f"app.kubernetes.io/name={OPERATOR},app.kubernetes.io/component"
    return len(installation.operator.names("pods", selector))


def open_older_team(
    installation: Installation, published: Published, path: Any
) -> Installation:
    """A hub of an older release that serves; that release's operator is gone."""
    team = installation.open_namespace(OLDER_TEAM)
    secret = installation.get("secret", PULL_SECRET)
    pull = {"name": PULL_SECRET}
    team.apply(
        {key: secret[key] for key in ("apiVersion", "kind", "type", "data")}
        | {"metadata": pull}
    )
    hub = yaml.safe_load(HUB.read_text())
    spec = {"backends": hub["spec"]["backends"], "imagePullSecrets": [pull]}
    team.apply(hub | {"metadata": {"name": OLDER_HUB}, "spec": spec | frozen.SPEC})
    uid = team.get("mcphub", OLDER_HUB)["metadata"]["uid"]
    children = frozen.make_runnable(
        frozen.read_frozen(path, team.namespace, uid),
        published.release.image(SERVER),
        PULL_SECRET,
        OLDER_TOKEN,
    )
    items = {"apiVersion": "v1", "kind": "List", "items": children}
    manager = f"--field-manager={FIELD_MANAGER}"
    team.kubectl("apply", "--server-side", manager, "-f", "-", stdin=json.dumps(items))
    team.wait(f"deployment/{OLDER_HUB}", "condition=Available")
    return team
