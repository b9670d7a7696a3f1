"""Credentials, tokens and keys that change while real pods use them."""

import httpx
import pytest

from tests.support.hub_manifests import backend, copied, hub, login
from tests.support.installation import Installation, selector_of

ROLE = "rotating"


@pytest.fixture(scope="module")
def team(installation: Installation):
    """A namespace with a hub whose database role is its own."""
    team = installation.open_namespace("secrets")
    team.psql(
        f"DROP ROLE IF EXISTS {ROLE};"
        f" CREATE ROLE {ROLE} LOGIN PASSWORD 'first' IN ROLE mcphub"
    )
    team.apply(
        login("rotated", ROLE, "first"),
        hub("shop", replicas=2, backends=[backend(secret="rotated")]),
    )
    team.wait_settled("shop")
    team.wait("mcphub/shop", "condition=BackendsReachable")
    return team


def generation(team: Installation) -> int:
    """What any change of the Deployment's spec raises."""
    return int(team.get("deployment", "shop")["metadata"]["generation"])


class TestASecretThatIsMissing:
    def test_and_then_created_makes_the_hub_ready(self, team: Installation, stopwatch):
        team.apply(hub("late", backends=[backend(secret="late")]))
        team.wait_reason("late", "Ready", "SecretMissing")

        with stopwatch("missing Secret created -> hub Ready"):
            team.apply(login("late", ROLE, "first"))
            team.wait("mcphub/late", "condition=Ready")

        team.kubectl("delete", "mcphub/late", "--wait=false")

    def test_leaves_pods_that_serve_alone_and_says_so(self, team: Installation):
        pods, before = team.pod_names("shop"), generation(team)
        kept = team.get("secret", "rotated")

        team.kubectl("delete", "secret", "rotated")
        condition = team.wait_reason("shop", "Ready", "SecretMissing")

        row = team.kubectl("get", "mcphub", "shop").splitlines()[1].split()
        assert row[:5] == ["shop", "2/2", "1/1", "SecretMissing", URL]
        assert condition["status"] == "True"
        assert "rotated" in condition["message"]
        team.apply(copied(kept, "rotated"))
        team.wait_reason("shop", "Ready", "Available")
        assert (team.pod_names("shop"), generation(team)) == (pods, before)


URL = "http://shop.secrets.svc:8000/mcp"


class TestRotation:
    def test_of_a_password_rolls_the_pods_exactly_once(
        self, team: Installation, stopwatch
    ):
        before, pods = generation(team), team.pod_names("shop")
        sets = team.names("replicasets", selector_of("shop"))
        team.psql(f"ALTER ROLE {ROLE} PASSWORD 'second'")

        with stopwatch("password rotated -> both pods have it and serve"):
            team.apply(login("rotated", ROLE, "second"))
            team.until("new pods", lambda: not team.pod_names("shop") & pods)
            team.wait_settled("shop")
            team.wait("mcphub/shop", "condition=BackendsReachable")

        assert generation(team) == before + 1
        assert len(team.names("replicasets", selector_of("shop")) - sets) == 1

    def test_of_token_and_keys_rolls_nothing_and_reaches_the_pods(
        self, team: Installation, stopwatch
    ):
        """Also a change of metadata, which the operator has seen by then.

        The kubelet brings a changed Secret into a pod at its next look, within a
        minute and a half; a change of the pod makes it look.
        """
        before, pods = generation(team), team.pod_names("shop")
        old = team.token("shop")
        team.kubectl("annotate", "secret", "rotated", "note=seen")

        with stopwatch("token rotated -> accepted by the pods"):
            team.kubectl("annotate", "mcphub", "shop", "mcp.bigtorig.com/rotate=one")
            team.until("a new token", lambda: team.token("shop") != old)
            team.kubectl("annotate", "pods", "-l", selector_of("shop"), "look=now")
            team.until("its use", lambda: all(accepts(team, team.token("shop"))))

        assert (team.pod_names("shop"), generation(team)) == (pods, before)
        assert all(accepts(team, old))  # in its grace period

    def test_of_a_token_may_be_a_revocation_without_grace(self, team: Installation):
        old = team.token("shop")

        team.kubectl("annotate", "mcphub", "shop", "mcp.bigtorig.com/revoke=one")

        team.until("a new token", lambda: team.token("shop") != old)
        team.kubectl("annotate", "pods", "-l", selector_of("shop"), "again=now")
        team.until("its use", lambda: all(accepts(team, team.token("shop"))))
        assert not any(accepts(team, old))


def accepts(team: Installation, token: str) -> list[bool]:
    """Ask every replica whether it takes the token."""
    return [accepted_by(team, pod, token) for pod in sorted(team.pod_names("shop"))]


def accepted_by(team: Installation, pod: str, token: str) -> bool:
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/json, text/event-stream",
    }
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    with team.forwarded(pod) as url:
        answer = httpx.post(f"{url}/mcp", json=ping, headers=headers)
    return answer.status_code != httpx.codes.UNAUTHORIZED
