"""An upgrade of the server's image that does not come up, and the way back."""

from tests.e2e.states import StatusCaptures
from tests.support.installation import Installation
from tools.quickstart.calls import call_tool


class TestAnUpgradeThatGetsStuck:
    def test_leaves_the_older_pods_serving(self, stuck_upgrade: Installation):
        token = stuck_upgrade.token("team-data")

        with stuck_upgrade.forwarded("service/team-data") as url:
            answer = call_tool(f"{url}/mcp", token, "health_check", {})

        assert answer.result["status"] == "healthy"
        ready = stuck_upgrade.condition("team-data", "Ready")
        assert ready["status"] == "True"

    def test_is_said_when_kubernetes_gives_it_up(
        self, stuck_upgrade: Installation, captures: StatusCaptures
    ):
        stuck_upgrade.wait("mcphub/team-data", "condition=Stalled")

        captures.take(stuck_upgrade, "upgrade stuck")

        row = stuck_upgrade.kubectl("get", "mcphubs").splitlines()[1].split()
        assert row[1:4] == ["2/2", "1/1", "ImagePullFailed"]
        condition = stuck_upgrade.condition("team-data", "Stalled")
        assert condition["reason"] == "ImagePullFailed"
        assert "mcphub-server:not-there" in condition["message"]

    def test_goes_back_with_the_image(self, stuck_upgrade: Installation, stopwatch):
        pods = {
            p for p in stuck_upgrade.pod_names("team-data") if serves(stuck_upgrade, p)
        }

        with stopwatch("stuck upgrade taken back -> settled"):
            back = '{"spec":{"image":null}}'
            stuck_upgrade.kubectl(
                *("patch", "mcphub", "team-data", "--type=merge", "-p", back)
            )
            stuck_upgrade.wait_settled("team-data")

        assert stuck_upgrade.pod_names("team-data") == pods
        stuck_upgrade.kubectl("delete", "namespace", "upgrade", "--wait=false")


def serves(team: Installation, pod: str) -> bool:
    conditions = team.get(*pod.split("/"))["status"]["conditions"]
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
