"""The children that a spec asks for, and what may hold one back."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from mcphub_operator import names
from mcphub_operator.desired import build_desired, needs_upgrade
from mcphub_operator.observed import MissingKey, UpgradeTurn, UserSecrets
from mcphub_operator.resources.children import wanted_children
from mcphub_operator.resources.manifest import ChildId, child_id
from mcphub_operator.resources.secrets import TOKEN_GRACE_SECONDS
from mcphub_server.backends.kubernetes.backend import ROLE as OBSERVER_ROLE
from tests.support.observed import (
    CLUSTER,
    DEPLOYMENT,
    INGRESS,
    NOW,
    PLATFORM,
    POSTGRES,
    ROUTE,
    find_child,
    hub,
    observe,
    read_secret,
    settle,
)

GOLDEN = Path(__file__).parent / "golden.yaml"
NEWER = replace(PLATFORM, operator_version="0.2.0", server_image="mcphub-server:0.2.0")


def annotations(observed) -> dict:
    return find_child(observed, "Deployment")["metadata"]["annotations"]


class TestTheChildren:
    def test_of_a_plain_hub_are_these_to_the_last_field(self):
        """After a wanted change, write the file again and read its diff."""
        spec = {
            "replicas": 2,
            "backends": [POSTGRES],
            "service": {"type": "NodePort", "nodePort": 30800},
            "disruptionBudget": {},
        }

        children = build_desired(observe(hub(**spec))).children

        assert list(children) == list(yaml.safe_load_all(GOLDEN.read_text()))

    @pytest.mark.parametrize(
        "spec",
        [
            pytest.param({}, id="nothing"),
            pytest.param({"autoscaling": {}}, id="autoscaling"),
            pytest.param({"disruptionBudget": {}}, id="a disruption budget"),
            pytest.param({"replicas": 2}, id="two replicas"),
            pytest.param({"replicas": 2, "disruptionBudget": None}, id="none wanted"),
            pytest.param({"networkPolicy": {"enabled": False}}, id="no policy"),
            pytest.param({"backends": [CLUSTER]}, id="a hub that reads its namespace"),
            pytest.param({"auth": {"type": "None"}}, id="no authentication"),
            pytest.param({"route": ROUTE, "ingress": INGRESS}, id="routes"),
            pytest.param(
                {"auth": {"tokensSecretRef": {"name": "mine"}}}, id="own tokens"
            ),
        ],
    )
    def test_are_the_ones_whose_names_are_looked_after(self, spec):
        observed = observe(hub(**spec))

        built = {child_id(m) for m in build_desired(observed).children}

        assert built == wanted_children(observed.hub)

    def test_belong_to_their_hub(self):
        owners = [
            m["metadata"]["ownerReferences"] for m in build_desired(observe()).children
        ]

        assert all(o[0]["uid"] == "hub-uid" and o[0]["controller"] for o in owners)

    def test_select_pods_by_the_two_labels_that_never_change(self):
        selector = {names.LABEL_NAME: "mcphub", names.LABEL_INSTANCE: "team-data"}
        observed = observe(hub(disruptionBudget={}))

        assert find_child(observed, "Service")["spec"]["selector"] == selector
        spec = find_child(observed, "Deployment")["spec"]
        assert spec["selector"]["matchLabels"] == selector


class TestTheRightToRead:
    """A RoleBinding to the observer's role, in the hub's own namespace only."""

    def test_is_that_of_the_hubs_account_and_of_the_shipped_role(self):
        binding = find_child(observe(hub(backends=[CLUSTER])), "RoleBinding")

        assert binding["metadata"]["namespace"] == "ai"
        assert binding["roleRef"]["kind"] == "ClusterRole"
        assert binding["roleRef"]["name"] == OBSERVER_ROLE
        assert binding["subjects"] == [
            {"kind": "ServiceAccount", "name": "team-data", "namespace": "ai"}
        ]

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            pytest.param({}, True, id="no namespace named"),
            pytest.param(
                {"kubernetes": {"namespaces": ["ai", "b"]}}, True, id="its own"
            ),
            pytest.param(
                {"kubernetes": {"namespaces": ["b"]}}, False, id="others only"
            ),
            pytest.param({"enabled": False}, False, id="disabled"),
        ],
    )
    def test_is_given_where_a_backend_reads_the_namespace(self, changes, expected):
        wanted = wanted_children(hub(backends=[CLUSTER | changes]))

        assert (ChildId("RoleBinding", "team-data") in wanted) is expected


class TestATemplate:
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            pytest.param({}, {"logging": {"level": "debug"}}, id="configuration"),
            pytest.param({}, {"image": "mine:1"}, id="the image"),
            pytest.param(
                {}, {"annotations": {names.ANNOTATION_RESTART: "now"}}, id="a restart"
            ),
            pytest.param({}, {"pod": {"labels": {"a": "b"}}}, id="a pod's label"),
        ],
    )
    def test_changes_with(self, before, after):
        templates = [
            find_child(observe(hub(**parts)), "Deployment")["spec"]["template"]
            for parts in (before, after)
        ]

        assert templates[0] != templates[1]

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param({"replicas": 7}, id="replicas"),
            pytest.param({"service": {"type": "NodePort"}}, id="the Service"),
            pytest.param({"autoscaling": {}}, id="autoscaling"),
            pytest.param({"annotations": {"other": "x"}}, id="an annotation of others"),
            pytest.param(
                {"annotations": {names.ANNOTATION_ROTATE: "1"}}, id="a rotation"
            ),
        ],
    )
    def test_stays_with(self, change):
        templates = [
            find_child(observe(hub(**parts)), "Deployment")["spec"]["template"]
            for parts in ({}, change)
        ]

        assert templates[0] == templates[1]

    @pytest.mark.parametrize(
        ("listed", "expected"),
        [
            pytest.param([], ["common"], id="those of the operator"),
            pytest.param([{"name": "own"}], ["own"], id="its own alone"),
        ],
    )
    def test_has_secrets_to_pull_with(self, listed, expected):
        platform = replace(PLATFORM, image_pull_secrets=("common",))
        observed = observe(hub(imagePullSecrets=listed), platform=platform)

        template = find_child(observed, "Deployment")["spec"]["template"]

        secrets = template["spec"]["imagePullSecrets"]
        assert [each["name"] for each in secrets] == expected

    def test_with_other_default_secrets_is_an_upgrade(self):
        """Hubs roll a few at a time: their users changed nothing."""
        platform = replace(PLATFORM, image_pull_secrets=("common",))

        assert needs_upgrade(replace(settle(observe()), platform=platform))

    def test_changes_with_the_credentials(self):
        before, after = (
            find_child(observe(user_secrets=UserSecrets(h)), "Deployment")
            for h in ("a", "b")
        )

        assert before["spec"]["template"] != after["spec"]["template"]


class TestAMissingSecret:
    MISSING = UserSecrets(missing=(MissingKey("hub-credentials"),))

    def test_keeps_a_new_hub_from_getting_pods(self):
        desired = build_desired(observe(user_secrets=self.MISSING))

        assert DEPLOYMENT not in {child_id(m) for m in desired.children}
        assert desired.kept == frozenset()

    def test_keeps_the_pods_of_a_running_hub_as_they_are(self):
        observed = replace(settle(observe()), user_secrets=self.MISSING)

        desired = build_desired(observed)

        assert desired.kept == {DEPLOYMENT}
        assert DEPLOYMENT not in {child_id(m) for m in desired.children}


class TestAnUpgrade:
    def test_is_what_only_the_operator_brings(self):
        observed = settle(observe())

        assert not needs_upgrade(observed)
        assert needs_upgrade(replace(observed, platform=NEWER))

    def test_is_not_what_a_user_changed_too(self):
        changed = hub(logging={"level": "debug"})
        observed = replace(settle(observe()), platform=NEWER, hub=changed)

        assert not needs_upgrade(observed)

    def test_waits_for_its_turn_with_the_old_template(self):
        observed = replace(
            settle(observe()), platform=NEWER, upgrade=UpgradeTurn(granted=False)
        )

        assert build_desired(observed).kept == {DEPLOYMENT}

    def test_leaves_a_mark_that_the_next_pass_keeps(self):
        observed = replace(settle(observe()), platform=NEWER)
        upgraded = settle(observed)

        assert annotations(observed)[names.ANNOTATION_UPGRADE] == "0.2.0"
        assert annotations(upgraded)[names.ANNOTATION_UPGRADE] == "0.2.0"

    def test_mark_goes_when_the_user_changes_the_hub(self):
        upgraded = settle(replace(settle(observe()), platform=NEWER))
        changed = replace(upgraded, hub=hub(logging={"level": "debug"}))

        assert names.ANNOTATION_UPGRADE not in annotations(changed)


class TestRotation:
    def test_makes_a_new_key_current_and_keeps_the_last_one(self):
        rotated = self.rotated()

        keys = rotated.own_secrets[names.keys_secret("team-data")].data
        assert keys[names.KEY_CURRENT] == b"newer"
        assert keys[names.KEY_PREVIOUS] == b"current"
        assert keys[names.KEY_STATE] == b"state"
        assert keys[names.KEY_DIGEST] == b"digest"

    def test_ends_nothing_that_was_signed_in_a_hubs_first_minutes(self):
        new = settle(observe()).own_secrets[names.keys_secret("team-data")].data

        # Servers sign with the older key while the newer one is young.
        rotated = self.rotated().own_secrets[names.keys_secret("team-data")].data
        assert new[names.KEY_PREVIOUS] in rotated.values()

    def test_makes_a_new_token(self):
        token = self.rotated().own_secrets[names.auth_secret("team-data")].data

        assert token == {names.TOKEN_CLIENT: b"newer-token"}

    def test_keeps_the_previous_token_for_a_grace_period(self):
        keys = self.rotated().own_secrets[names.keys_secret("team-data")].data

        expiry = int(NOW.timestamp()) + TOKEN_GRACE_SECONDS
        assert keys[names.KEY_PREVIOUS_TOKEN] == b"%d default token" % expiry

    def test_has_the_previous_token_in_place_before_the_new_one(self):
        asked = hub(annotations={names.ANNOTATION_ROTATE: "1"})
        fresh = replace(observe().generated, token=b"newer-token")
        observed = replace(settle(observe()), hub=asked, generated=fresh)

        first = read_secret(find_child(observed, "Secret", "team-data-auth"))

        assert first.data == {names.TOKEN_CLIENT: b"token"}
        assert names.ANNOTATION_ROTATED not in first.annotations

    def test_ends_the_grace_period(self):
        later = NOW + timedelta(seconds=TOKEN_GRACE_SECONDS)

        ended = settle(replace(self.rotated(), now=later))

        keys = ended.own_secrets[names.keys_secret("team-data")].data
        assert keys[names.KEY_PREVIOUS_TOKEN] == b""

    def test_of_a_hub_with_tokens_of_its_user_keeps_none(self):
        tokens = {"tokensSecretRef": {"name": "clients"}}
        asked = hub(auth=tokens, annotations={names.ANNOTATION_ROTATE: "1"})

        rotated = settle(replace(settle(observe(hub(auth=tokens))), hub=asked))

        keys = rotated.own_secrets[names.keys_secret("team-data")].data
        assert keys[names.KEY_PREVIOUS_TOKEN] == b""

    def test_of_a_hub_that_is_made_with_the_annotation_is_none(self):
        asked = hub(annotations={names.ANNOTATION_ROTATE: "1"})
        fresh = replace(observe().generated, token=b"newer-token")

        again = settle(replace(settle(observe(asked)), generated=fresh))

        token = again.own_secrets[names.auth_secret("team-data")].data
        assert token == {names.TOKEN_CLIENT: b"token"}

    def test_happens_once_for_each_request(self):
        again = self.rotated("newest")

        keys = settle(again).own_secrets[names.keys_secret("team-data")].data
        assert keys[names.KEY_CURRENT] == b"newer"

    def rotated(self, later: str = "newer"):
        asked = hub(annotations={names.ANNOTATION_ROTATE: "1"})
        observed = settle(observe())
        fresh = replace(observed.generated, current=b"newer", token=b"newer-token")
        rotated = settle(replace(observed, hub=asked, generated=fresh))
        return replace(rotated, generated=replace(fresh, current=later.encode()))


class TestRevocation:
    def test_makes_a_new_token_without_a_grace_period(self):
        revoked = self.revoked(settle(observe()))

        token = revoked.own_secrets[names.auth_secret("team-data")].data
        keys = revoked.own_secrets[names.keys_secret("team-data")].data
        assert token == {names.TOKEN_CLIENT: b"newer-token"}
        assert keys[names.KEY_PREVIOUS_TOKEN] == b""
        assert keys[names.KEY_CURRENT] == b"current"

    def test_ends_the_grace_period_of_a_rotation(self):
        rotated = TestRotation().rotated()

        revoked = self.revoked(rotated, **{names.ANNOTATION_ROTATE: "1"})

        keys = revoked.own_secrets[names.keys_secret("team-data")].data
        assert keys[names.KEY_PREVIOUS_TOKEN] == b""

    def test_wins_over_a_rotation_at_the_same_time(self):
        revoked = self.revoked(settle(observe()), **{names.ANNOTATION_ROTATE: "1"})

        keys = revoked.own_secrets[names.keys_secret("team-data")].data
        assert keys[names.KEY_PREVIOUS_TOKEN] == b""
        assert keys[names.KEY_PREVIOUS] == b"current"

    def test_happens_once_for_each_request(self):
        revoked = self.revoked(settle(observe()))
        fresh = replace(revoked.generated, token=b"newest-token")

        again = settle(replace(revoked, generated=fresh))

        token = again.own_secrets[names.auth_secret("team-data")].data
        assert token == {names.TOKEN_CLIENT: b"newer-token"}

    def revoked(self, observed, **annotations: str):
        asked = hub(annotations={names.ANNOTATION_REVOKE: "1", **annotations})
        fresh = replace(observed.generated, token=b"newer-token", current=b"newer")
        return settle(replace(observed, hub=asked, generated=fresh))


def test_an_autoscaled_hub_starts_with_the_autoscalers_least():
    observed = observe(hub(autoscaling={"minReplicas": 3}))

    assert find_child(observed, "Deployment")["spec"]["replicas"] == 3


def test_names_of_children_follow_from_the_hubs():
    children = {child_id(m) for m in build_desired(observe()).children}

    assert ChildId("Service", "team-data-pods") in children
    assert ChildId("Secret", "team-data-auth") in children
    assert ChildId("Secret", "team-data-keys") in children
