"""What a hub's traces need of its children."""

import pytest
import yaml

from mcphub_operator import names
from mcphub_operator.resources.config_map import build_config_map
from mcphub_operator.resources.deployment import build_inputs_hash
from mcphub_operator.resources.network_policy import find_outside_ports
from mcphub_operator.resources.pod_volumes import build_volumes
from tests.support.observed import hub

ENDPOINT = "http://otel-collector.observability.svc:4318"
TRACED = {
    "otlp": {
        "endpoint": ENDPOINT,
        "sampleRatio": 0.5,
        "headersSecretRef": {"name": "otlp", "key": "headers"},
    }
}


def read_config(**spec):
    manifest = build_config_map(hub(**spec), "1.0")
    return yaml.safe_load(manifest["data"][names.CONFIG_KEY])


def test_servers_read_where_to_send_spans_and_no_secret():
    config = read_config(observability=TRACED)

    assert config["observability"] == {
        "otlp": {"endpoint": ENDPOINT, "sampleRatio": 0.5}
    }


def test_a_hub_without_traces_has_a_file_that_older_servers_read():
    assert "observability" not in read_config()


@pytest.mark.parametrize(
    ("endpoint", "port"), [(ENDPOINT, 4318), ("https://otlp.example.com", 443)]
)
def test_the_way_to_the_collector_is_open(endpoint: str, port: int):
    traced = hub(observability={"otlp": {"endpoint": endpoint}})

    assert find_outside_ports(traced) == (port,)
    assert find_outside_ports(hub()) == ()


def test_the_headers_are_a_file_in_the_pods():
    (volume,) = [
        volume
        for volume in build_volumes(hub(observability=TRACED))
        if volume["name"] == "secrets"
    ]

    (source,) = volume["projected"]["sources"]
    items = [{"key": "headers", "path": "otlp-exporter/headers"}]
    assert source == {"secret": {"name": "otlp", "items": items}}


def test_a_change_of_traces_is_the_users_choice():
    assert build_inputs_hash(hub(observability=TRACED), "") != build_inputs_hash(
        hub(), ""
    )
