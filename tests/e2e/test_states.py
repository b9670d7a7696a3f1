"""One hub through every state that a person on call may meet, as kubectl shows it."""

import pytest

from tests.e2e.states import HUB, PAGE, STATES, StatusCaptures
from tests.support.hub_manifests import CREDENTIALS, backend, copied, hub
from tests.support.installation import Installation
from tools.quickstart.calls import call_tool
from tools.quickstart.site import POSTGRES
from tools.quickstart.trial import DATABASE

SECOND = backend("postgres", name="orders")
"""A database of the namespace's own, to be taken down."""


@pytest.fixture(scope="module")
def team(installation: Installation):
    """A namespace with a database of its own and a hub before it and another."""
    team = installation.open_namespace("ai")
    image = installation.trial.image(installation.shell, DATABASE)
    manifest = (POSTGRES / "postgres.yaml").read_text()
    team.kubectl(
        "apply", "-f", "-", stdin=manifest.replace(f"{DATABASE.name}:dev", image)
    )
    shop = backend(secret="shop-login", name="shop")
    login = copied(team.get("secret", CREDENTIALS), "shop-login")
    team.kubectl("rollout", "status", "deployment/postgres")
    team.apply(login, hub(HUB, replicas=2, backends=[shop, SECOND]))
    team.wait_settled(HUB)
    team.wait(f"mcphub/{HUB}", "condition=BackendsReachable")
    return team


def row(team: Installation) -> list[str]:
    """NAME, READY, BACKENDS, STATUS and what follows."""
    return team.kubectl("get", "mcphubs").splitlines()[1].split()


def kstatus(team: Installation) -> str:
    """What Flux and its like make of the hub, by the rules of kstatus."""
    body = team.get("mcphub", HUB)
    status = body["status"]
    is_true = {c["type"] for c in status["conditions"] if c["status"] == "True"}
    if status["observedGeneration"] != body["metadata"]["generation"]:
        return "InProgress"
    if "Reconciling" in is_true:
        return "InProgress"
    if "Stalled" in is_true:
        return "Failed"
    return "Current" if "Ready" in is_true else "InProgress"


URL = f"http://{HUB}.ai.svc:8000/mcp"
STATUS = (
    '.status.summary.replicas} {.status.conditions[?(@.type=="Ready")].reason}'
    " {.status.endpoints.mcp"
)
"""READY, STATUS and URL, as `watched` takes a path."""


def test_ready(team: Installation, captures: StatusCaptures):
    captures.take(team, "ready")

    assert row(team)[1:5] == ["2/2", "2/2", "Available", URL]
    states = [b["state"] for b in team.get("mcphub", HUB)["status"]["backends"]]
    assert states == ["Connected", "Connected"]
    assert kstatus(team) == "Current"


def test_scaling(team: Installation, captures: StatusCaptures, stopwatch):
    """A state that passes: it is looked for in all that was, not in what is."""
    with team.watched("mcphub", HUB, STATUS) as seen:
        with stopwatch("hub scaled 2 -> 4, all ready"):
            team.kubectl("scale", f"mcphub/{HUB}", "--replicas=4")
            captures.take(team, "scaling")
            team.wait_replicas(HUB, 4)
        team.kubectl("scale", f"mcphub/{HUB}", "--replicas=2")
        team.wait_replicas(HUB, 2)
        team.wait_settled(HUB)

    assert f"2/4 Progressing {URL}" in seen
    assert seen[-1] == f"2/2 Available {URL}"


def test_one_backend_down(team: Installation, captures: StatusCaptures, stopwatch):
    with stopwatch("database stopped -> said in the status"):
        team.kubectl("scale", "deployment/postgres", "--replicas=0")
        team.wait(f"mcphub/{HUB}", "condition=BackendsReachable=False")
    team.until("both replicas", lambda: "2 of 2" in down(team).get("message", ""))

    captures.take(team, "one backend down")

    assert row(team)[1:5] == ["2/2", "1/2", "Available", URL]
    assert kstatus(team) == "Current"
    assert down(team)["name"] == "orders"
    assert down(team)["reason"] in ("ConnectionRefused", "Timeout", "CircuitOpen")
    with team.forwarded(f"service/{HUB}") as url:
        sql = {"sql": "SELECT count(*) FROM orders"}
        answer = call_tool(f"{url}/mcp", team.token(HUB), "shop_query", sql)
    assert answer.result["rows"][0][0] > 0
    with stopwatch("database started -> connected again"):
        team.kubectl("scale", "deployment/postgres", "--replicas=1")
        team.wait(f"mcphub/{HUB}", "condition=BackendsReachable")


def down(team: Installation) -> dict:
    backends = team.get("mcphub", HUB)["status"]["backends"]
    found = [b for b in backends if b["state"] == "Unreachable"]
    return found[0] if found else {}


def test_missing_secret(team: Installation, captures: StatusCaptures):
    kept = team.get("secret", "shop-login")
    team.kubectl("delete", "secret", "shop-login")
    condition = team.wait_reason(HUB, "SecretsResolved", "SecretMissing")

    captures.take(team, "missing secret")

    assert row(team)[1:5] == ["2/2", "2/2", "SecretMissing", URL]
    assert kstatus(team) == "Failed"
    assert "Secret shop-login does not exist" in condition["message"]
    team.apply(copied(kept, "shop-login"))
    team.wait(f"mcphub/{HUB}", "condition=SecretsResolved")


def test_conflict(team: Installation, captures: StatusCaptures):
    """The name of a PodDisruptionBudget is taken when the hub comes to want one."""
    budget = '{"spec":{"disruptionBudget":%s}}'
    off, on = budget % '{"enabled":false}', budget % "null"
    team.kubectl("patch", "mcphub", HUB, "--type=merge", "-p", off)
    team.until("its end", lambda: not team.exists("poddisruptionbudget", HUB))
    own = {"app.kubernetes.io/name": "mcphub", "app.kubernetes.io/instance": HUB}
    theirs = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": HUB},
        "spec": {"maxUnavailable": 0, "selector": {"matchLabels": own}},
    }
    team.apply(theirs)
    team.kubectl("patch", "mcphub", HUB, "--type=merge", "-p", on)
    condition = team.wait_reason(HUB, "Stalled", "Conflict")

    captures.take(team, "conflict")

    assert row(team)[1:5] == ["2/2", "2/2", "Conflict", URL]
    assert kstatus(team) == "Failed"
    assert f"PodDisruptionBudget {HUB}" in condition["message"]
    adopt = f"mcp.bigtorig.com/adopt={HUB}"
    assert adopt in condition["message"]
    team.kubectl("annotate", "poddisruptionbudget", HUB, adopt)
    team.wait_reason(HUB, "Stalled", "NotStalled")
    adopted = team.get("poddisruptionbudget", HUB)
    assert adopted["spec"]["maxUnavailable"] == 1


def test_paused(team: Installation, captures: StatusCaptures):
    pause = '{"spec":{"paused":%s}}'
    team.kubectl("patch", "mcphub", HUB, "--type=merge", "-p", pause % "true")
    team.wait(f"mcphub/{HUB}", "condition=Paused")

    captures.take(team, "paused")

    assert row(team)[1:5] == ["2/2", "2/2", "PausedBySpec", URL]
    team.kubectl("patch", "mcphub", HUB, "--type=merge", "-p", pause % "null")
    team.wait(f"mcphub/{HUB}", "condition=Paused=False")


def test_scaled_to_zero(team: Installation, captures: StatusCaptures):
    team.kubectl("scale", f"mcphub/{HUB}", "--replicas=0")
    team.wait_reason(HUB, "Ready", "ScaledToZero")
    team.wait(f"mcphub/{HUB}", "condition=Reconciling=False")

    captures.take(team, "scaled to zero")

    assert row(team)[1] == "0/0"
    assert row(team)[3] == "ScaledToZero"
    assert "endpoints" not in team.get("mcphub", HUB)["status"]
    assert kstatus(team) == "InProgress"


@pytest.mark.parametrize("state", STATES)
def test_the_page_for_those_on_call_shows_it(state: str):
    assert f"<!-- {state} -->" in PAGE.read_text(), PAGE
