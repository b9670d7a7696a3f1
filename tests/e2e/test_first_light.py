"""A hub applied on a real cluster serves real tools, and is kept so.

The tests share one hub, `demo`, and run in the order of this file; a test that
needs a hub in another state makes one of its own.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.support.hub_manifests import backend, hub, secret
from tests.support.installation import Installation, selector_of
from tools.quickstart.calls import call_tool


class TestADemoHub:
    def test_is_ready_at_a_glance(self, installation: Installation):
        table = installation.kubectl("get", "mcphubs")

        header, row = table.splitlines()[:2]
        assert header.split() == ["NAME", "READY", "BACKENDS", "STATUS", "URL", "AGE"]
        assert row.split()[:4] == ["demo", "2/2", "1/1", "Available"]
        assert row.split()[4].endswith(":30800/mcp")

    @pytest.mark.parametrize("path", ["mcp", "sse"])
    def test_serves_its_tools_through_the_node_port(
        self, installation: Installation, path
    ):
        sql = "SELECT count(*) AS orders FROM orders"

        answer = call_tool(
            f"{installation.base_url}/{path}",
            installation.token(),
            "postgres_query",
            {"sql": sql},
        )

        assert {"health_check", "list_services"} <= set(answer.tools)
        assert {"postgres_query", "postgres_list_tables"} <= set(answer.tools)
        assert answer.result["columns"] == ["orders"]
        assert answer.result["rows"][0][0] > 0

    def test_answers_over_either_transport_from_every_replica(
        self, installation: Installation
    ):
        """Twelve clients on fresh connections land on both pods; none may fail."""
        token = installation.token()

        answers = [
            call_tool(f"{installation.base_url}/{path}", token, "health_check", {})
            for path in ("mcp", "sse") * 6
        ]

        assert {answer.result["status"] for answer in answers} == {"healthy"}

    def test_refuses_a_client_without_a_token(self, installation: Installation):
        answer = httpx.get(
            f"{installation.base_url}/sse", headers={"Authorization": "Bearer wrong"}
        )

        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    def test_scales_up_and_down_by_kubectl_scale(
        self, installation: Installation, stopwatch
    ):
        with stopwatch("kubectl scale mcphub 2 -> 5, all ready"):
            installation.kubectl("scale", "mcphub/demo", "--replicas=5")
            installation.wait_replicas("demo", 5)
        with stopwatch("kubectl scale mcphub 5 -> 2"):
            installation.kubectl("scale", "mcphub/demo", "--replicas=2")
            installation.wait_replicas("demo", 2)

        deployment = installation.get("deployment", "demo")
        assert deployment["spec"]["replicas"] == 2

    def test_replaces_a_deleted_pod(self, installation: Installation, stopwatch):
        before = installation.pod_names("demo")
        victim = min(before)

        with stopwatch("pod deleted -> replaced and ready"):
            installation.kubectl("delete", victim, "--wait=false")
            installation.until(
                "a new pod", lambda: bool(installation.pod_names("demo") - before)
            )
            installation.wait_replicas("demo", 2)

        answer = call_tool(
            f"{installation.base_url}/mcp", installation.token(), "health_check", {}
        )
        assert answer.result["status"] == "healthy"

    def test_restores_a_deleted_deployment(self, installation: Installation, stopwatch):
        old = installation.get("deployment", "demo")["metadata"]["uid"]

        with stopwatch("Deployment deleted -> restored and ready"):
            installation.kubectl("delete", "deployment", "demo")
            installation.until(
                "a new Deployment",
                lambda: installation.exists("deployment", "demo"),
            )
            installation.wait_replicas("demo", 2)

        assert installation.get("deployment", "demo")["metadata"]["uid"] != old


class TestASecretThatIsWrong:
    def test_is_named_with_its_key_and_mended_by_adding_it(
        self, installation: Installation, stopwatch
    ):
        installation.apply(
            secret("half-credentials", {"postgres-user": "mcphub"}),
            hub("half", backends=[backend(secret="half-credentials")]),
        )
        installation.wait("mcphub/half", "condition=SecretsResolved=False")
        condition = installation.condition("half", "SecretsResolved")
        assert "half-credentials" in condition["message"]
        assert "postgres-password" in condition["message"]

        password = installation.get("secret", "demo-credentials")["data"]
        patch = {"data": {"postgres-password": password["postgres-password"]}}
        with stopwatch("missing Secret key created -> hub Ready"):
            installation.kubectl(
                "patch", "secret", "half-credentials", "-p", json.dumps(patch)
            )
            installation.wait("mcphub/half", "condition=Ready")

        installation.kubectl("delete", "mcphub", "half")


class TestADatabaseThatIsDownAtTheStart:
    def test_leaves_the_hub_ready_and_is_found_when_it_comes(
        self, installation: Installation, stopwatch
    ):
        """Pods start without it; no pod restarts when it appears."""
        installation.apply(hub("early", backends=[backend(host="late-postgres")]))
        installation.wait("mcphub/early", "condition=Ready")
        installation.wait("mcphub/early", "condition=BackendsReachable=False")
        pods = installation.pod_names("early")

        late = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "late-postgres", "namespace": "mcphub-demo"},
            "spec": {
                "selector": installation.get("service", "postgres")["spec"]["selector"],
                "ports": [{"port": 5432}],
            },
        }
        with stopwatch("database appears -> BackendsReachable"):
            installation.apply(late)
            installation.wait("mcphub/early", "condition=BackendsReachable")

        assert installation.pod_names("early") == pods
        restarts = installation.kubectl(
            "get",
            "pods",
            "-l",
            selector_of("early"),
            "-o",
            "jsonpath={.items[*].status.containerStatuses[*].restartCount}",
        )
        assert set(restarts.split()) == {"0"}
        installation.kubectl("delete", "mcphub/early", "service/late-postgres")


class TestANodePortThatIsTaken:
    def test_is_said_so_on_the_second_hub(self, installation: Installation):
        service = {"type": "NodePort", "nodePort": 30800}
        installation.apply(hub("second", service=service))

        installation.wait(
            "mcphub/second",
            'jsonpath={.status.conditions[?(@.type=="Stalled")].reason}'
            "=NodePortUnavailable",
        )

        condition = installation.condition("second", "Stalled")
        assert "30800" in condition["message"]
        installation.kubectl("delete", "mcphub", "second")


class TestADeletedHub:
    def test_takes_all_its_children_with_it(
        self, installation: Installation, stopwatch
    ):
        installation.apply(hub("brief"))
        installation.wait("mcphub/brief", "condition=Ready")
        before = installation.children("brief")
        assert "deployment.apps/brief" in before
        assert "secret/brief-keys" in before

        with stopwatch("hub deleted -> no child left"):
            installation.kubectl("delete", "mcphub", "brief")
            installation.until(
                "the end of its children",
                lambda: not installation.children("brief"),
            )


class TestAPassOverAHubThatIsAsItShouldBe:
    def test_writes_to_none_of_its_children(self, installation: Installation):
        """A pause and its end make the operator look at everything once more."""
        installation.wait_replicas("demo", 2)
        installation.wait_settled("demo")
        before = written_by_the_operator(installation)

        for change, reason in PAUSE_AND_END.items():
            patch = ("patch", "mcphub", "demo", "--type=merge", "-p", change)
            installation.kubectl(*patch)
            installation.wait_reason("demo", "Ready", reason)

        assert written_by_the_operator(installation) == before


def written_by_the_operator(installation: Installation) -> dict[str, object]:
    """What a write of the operator's to a child of `demo` would change.

    Others write a Deployment's status and its revision.
    """
    kinds = "deployments,services,configmaps,secrets,serviceaccounts"
    items = installation.items(
        kinds, "-l", selector_of("demo"), "--show-managed-fields"
    )
    return {
        f"{item['kind']}/{item['metadata']['name']}": [
            entry
            for entry in item["metadata"]["managedFields"]
            if entry["manager"] == OPERATOR
        ]
        for item in items
    }


OPERATOR = "mcphub-operator"
PAUSE_AND_END = {
    '{"spec":{"paused":true}}': "PausedBySpec",
    '{"spec":{"paused":null}}': "Available",
}


class TestARollout:
    def test_fails_no_call(self, installation: Installation, stopwatch):
        """Queries on fresh connections before, during and after the rollout."""
        pods = installation.pod_names("demo")

        with querying(installation) as rows:
            installation.until("a first answer", lambda: bool(rows))
            with stopwatch("kubectl rollout restart under calls -> pods replaced"):
                installation.kubectl("rollout", "restart", "deployment/demo")
                installation.until(
                    "new pods", lambda: not installation.pod_names("demo") & pods
                )
                installation.wait_settled("demo")
            seen = len(rows)
            installation.until("one more answer", lambda: len(rows) > seen)

        assert [found for found in rows if found != [[1]]] == []


@contextmanager
def querying(installation: Installation) -> Iterator[list[object]]:
    """Query `demo` again and again; what was answered, or raised, is in the list."""
    token, url = installation.token(), f"{installation.base_url}/mcp"
    answers: list[object] = []
    ended = threading.Event()

    def query() -> None:
        while not ended.is_set():
            try:
                sql = {"sql": "SELECT 1 AS one"}
                answer = call_tool(url, token, "postgres_query", sql)
                answers.append(answer.result["rows"])
            except Exception as error:  # noqa: BLE001 -- clients raise anything
                answers.append(error)

    thread = threading.Thread(target=query)
    thread.start()
    try:
        yield answers
    finally:
        ended.set()
        thread.join()
