"""What the API server does with a hub that it took: defaults, /scale, columns."""

from typing import Any

import pytest
import yaml

from mcphub_operator.spec.hub import parse_hub
from mcphub_operator.spec.hub_spec import HubSpec
from tests.support.hub_api import HubApi, Refused
from tools.project import CRD

STATUS = {
    "observedGeneration": 1,
    "replicas": 2,
    "readyReplicas": 2,
    "selector": "app.kubernetes.io/name=mcphub,app.kubernetes.io/instance=seen",
    "summary": {
        "replicas": "2/2",
        "backends": "2/3",
        "tools": "3/4",
        "image": "mcphub-server:1.0",
        "autoscaling": "2-10",
    },
    "endpoints": {
        "mcp": "http://10.0.0.5:30800/mcp",
        "sse": "http://10.0.0.5:30800/sse",
    },
    "serverVersion": "0.1.0",
    "backends": [
        {
            "name": "graph",
            "type": "neo4j",
            "state": "Unreachable",
            "reason": "BadCredentials",
            "message": "2 of 2 replicas: the server refuses user and password",
            "lastTransitionTime": "2026-11-21T08:00:00Z",
        }
    ],
    "conditions": [
        {
            "type": "Ready",
            "status": "True",
            "observedGeneration": 1,
            "reason": "Available",
            "message": "2 of 2 replicas serve",
            "lastTransitionTime": "2026-11-21T08:00:00Z",
        }
    ],
}


def hub(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "mcp.bigtorig.com/v1alpha1",
        "kind": "McpHub",
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }


def created(api: HubApi, wanted: dict[str, Any]) -> dict[str, Any]:
    answer = api.apply(wanted)
    assert not isinstance(answer, Refused), answer
    return answer


def as_spec(model: HubSpec) -> dict[str, Any]:
    return model.model_dump(mode="json", exclude_none=True)


class TestDefaults:
    @pytest.mark.parametrize(
        "spec",
        [
            pytest.param({}, id="an empty hub"),
            pytest.param(
                {"service": {}, "auth": {"jwt": {}}, "autoscaling": {}, "pod": {}},
                id="empty sections",
            ),
            pytest.param(
                {"disruptionBudget": {}, "resources": {"limits": {"cpu": 2}}},
                id="half a section",
            ),
            pytest.param(
                {
                    "backends": [
                        {
                            "name": "a",
                            "postgres": {
                                "host": "h",
                                "database": "d",
                                "credentialsSecretRef": {"name": "s"},
                            },
                        },
                        {"name": "b", "qdrant": {"url": "http://q:6333"}},
                        {
                            "name": "c",
                            "neo4j": {
                                "uri": "bolt://n:7687",
                                "credentialsSecretRef": {"name": "s"},
                            },
                        },
                    ]
                },
                id="a backend of each kind",
            ),
        ],
    )
    def test_the_api_server_fills_in_what_the_operator_would(
        self, api: HubApi, spec: dict[str, Any]
    ) -> None:
        answer = api.try_hub(hub("defaults", **spec))

        assert not isinstance(answer, Refused), answer
        # Items of lists stay as they were written (D34).
        lists = {name: value for name, value in spec.items() if isinstance(value, list)}
        assert answer["spec"] == as_spec(HubSpec.model_validate(spec)) | lists

    def test_a_stored_hub_reads_back_as_it_was_written(
        self, api: HubApi, every_field: dict[str, Any]
    ) -> None:
        every_field["metadata"]["name"] = "stored"

        stored = created(api, every_field)

        written = HubSpec.model_validate(every_field["spec"])
        assert as_spec(parse_hub(stored).spec) == as_spec(written)

    def test_a_misspelt_field_is_named_to_who_asks_for_strictness(
        self, api: HubApi
    ) -> None:
        answer = api.try_hub(hub("strict", replica=2))

        assert isinstance(answer, Refused)
        assert 'unknown field "spec.replica"' in answer.message


class TestScale:
    def test_scaling_sets_the_replicas_of_the_hub(self, api: HubApi) -> None:
        wanted = hub("scaled")
        created(api, wanted)

        api.scale(wanted, 5)

        assert api.get(wanted)["spec"]["replicas"] == 5

    def test_an_autoscaler_finds_the_count_and_the_pods(self, api: HubApi) -> None:
        wanted = hub("watched", replicas=3)
        created(api, wanted)
        api.set_status(wanted, {"replicas": 2, "selector": "a=b"})

        scale = api.get_scale(wanted)

        assert scale["spec"] == {"replicas": 3}
        assert scale["status"] == {"replicas": 2, "selector": "a=b"}

    def test_scaling_too_far_is_refused(self, api: HubApi) -> None:
        wanted = hub("limited")
        created(api, wanted)

        answer = api.scale(wanted, 101)

        assert isinstance(answer, Refused)
        assert "less than or equal to 100" in answer.message


class TestStatus:
    def test_is_stored_whole(self, api: HubApi) -> None:
        wanted = hub("seen")
        created(api, wanted)

        api.set_status(wanted, STATUS)

        assert api.get(wanted)["status"] == STATUS

    def test_is_out_of_reach_of_who_writes_the_hub(self, api: HubApi) -> None:
        stored = created(api, hub("plain") | {"status": STATUS})

        assert "status" not in stored


class TestKubectl:
    def table(self, api: HubApi, *arguments: str) -> list[list[str]]:
        wanted = hub("shown")
        created(api, wanted)
        api.set_status(wanted, STATUS)
        text = api.server.run_kubectl("get", "mhub", "shown", *arguments)
        return [line.split(maxsplit=9) for line in text.splitlines()]

    def test_shows_the_hub_at_a_glance(self, api: HubApi) -> None:
        header, row = self.table(api)

        assert header == ["NAME", "READY", "BACKENDS", "STATUS", "URL", "AGE"]
        assert row[:5] == [
            *("shown", "2/2", "2/3", "Available"),
            "http://10.0.0.5:30800/mcp",
        ]

    def test_shows_more_when_asked(self, api: HubApi) -> None:
        header, row = self.table(api, "-o", "wide")

        assert header[6:] == ["TOOLS", "IMAGE", "AUTOSCALED", "MESSAGE"]
        assert row[6:] == ["3/4", "mcphub-server:1.0", "2-10", "2 of 2 replicas serve"]

    def test_lists_hubs_among_all_things(self, api: HubApi) -> None:
        created(api, hub("listed"))

        assert "mcphub.mcp.bigtorig.com/listed" in api.server.run_kubectl(
            "get", "all", "-o", "name"
        )

    def test_explains_each_field(self, api: HubApi) -> None:
        text = api.server.run_kubectl("explain", "mhub.spec.backends.postgres.pooler")

        assert "PgBouncer" in text

    def test_applies_the_crd_with_its_own_annotation_too(self, api: HubApi) -> None:
        # Client-side apply keeps the whole object in an annotation of limited size.
        text = api.server.run_kubectl(
            "apply", "--dry-run=server", "--force-conflicts=false", "-f", str(CRD)
        )

        assert "configured" in text or "unchanged" in text

    def test_waits_for_a_condition(self, api: HubApi) -> None:
        wanted = hub("awaited")
        created(api, wanted)
        api.set_status(wanted, STATUS)

        text = api.server.run_kubectl(
            "wait", "--for=condition=Ready", "mhub/awaited", "--timeout=5s"
        )

        assert "condition met" in text


def test_the_crd_is_small_enough_for_kubectl() -> None:
    assert len(yaml.safe_dump(yaml.safe_load(CRD.read_text()))) < 262_144
