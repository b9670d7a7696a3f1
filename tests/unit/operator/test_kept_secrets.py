"""What a spec names, or a user put into a Secret, is not deleted."""

from dataclasses import replace

from mcphub_operator.cache.children import build_cached
from mcphub_operator.desired import build_desired
from mcphub_operator.diff import build_plan
from mcphub_operator.resources.manifest import ChildId
from tests.support.observed import hub, observe, settle


class TestASecretOfTheHubs:
    AUTH = ChildId("Secret", "team-data-auth")

    def test_that_another_hub_reads_outlives_the_hub(self):
        now = observe(shared_secrets=frozenset({self.AUTH.name}))

        owned = {
            m["metadata"]["name"]: "ownerReferences" in m["metadata"]
            for m in build_desired(now).children
            if m["kind"] == "Secret"
        }

        assert owned == {"team-data-auth": False, "team-data-keys": True}

    def test_into_which_a_user_wrote_is_not_deleted(self):
        before = settle(observe())
        now = observe(hub(auth={"type": "None"}), children=before.children)
        assert self.AUTH in deleted(now)

        item = before.children[self.AUTH].read()
        item["metadata"]["managedFields"] = [{"manager": "kubectl-edit"}]
        written = {**before.children, self.AUTH: build_cached(item)}

        assert self.AUTH not in deleted(replace(now, children=written))


def deleted(observed) -> set[ChildId]:
    plan = build_plan(observed, build_desired(observed))
    steps = [s for stage in plan for s in stage]
    return {s.child for s in steps if type(s).__name__ == "Delete"}
