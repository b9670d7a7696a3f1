"""A hub is read as the API server sends it, or refused by the name of a field."""

from typing import Any

import pytest

from mcphub_operator.errors import InvalidHub
from mcphub_operator.spec.hub import parse_hub

POSTGRES = {
    "host": "postgres.data.svc",
    "database": "app",
    "credentialsSecretRef": {"name": "credentials"},
}


def body(**spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "ai", "name": "team", "uid": "u-1", "generation": 3},
        "spec": spec,
    }


def test_metadata_and_spec_are_read() -> None:
    hub = parse_hub(body(replicas=2))

    assert (hub.namespace, hub.name, hub.uid, hub.generation) == (
        "ai",
        "team",
        "u-1",
        3,
    )
    assert hub.spec.replicas == 2


def test_annotations_and_labels_are_empty_where_there_are_none() -> None:
    hub = parse_hub(body())

    assert (hub.annotations, hub.labels) == ({}, {})


def test_a_field_of_a_newer_crd_is_ignored() -> None:
    assert parse_hub(body(telepathy=True)).spec == parse_hub(body()).spec


@pytest.mark.parametrize(
    ("member", "settings"),
    [
        ("postgres", POSTGRES),
        ("qdrant", {"url": "http://q:6333"}),
        ("neo4j", {"uri": "bolt://n", "credentialsSecretRef": {"name": "s"}}),
    ],
)
def test_a_backend_knows_its_type(member: str, settings: dict[str, Any]) -> None:
    hub = parse_hub(body(backends=[{"name": "db", member: settings}]))

    assert hub.spec.backends[0].type == member


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        pytest.param(
            {"replicas": 101},
            "spec.replicas: Input should be less than or equal to 100",
            id="a number out of range",
        ),
        pytest.param(
            {"backends": [{"name": "db"}]},
            "spec.backends[0]: needs exactly one of postgres, qdrant, neo4j, mongodb"
            " and kubernetes",
            id="a backend without a member",
        ),
        pytest.param(
            {"backends": [{"name": "db", "postgres": POSTGRES | {"port": 0}}]},
            "spec.backends[0].postgres.port:"
            " Input should be greater than or equal to 1",
            id="a field of a list's item",
        ),
        pytest.param(
            {"auth": {"type": "Magic"}, "paused": "perhaps"},
            "spec.auth.type: Input should be 'Token', 'JWT' or 'None' (and 1 more)",
            id="several at once name the first",
        ),
    ],
)
def test_a_bad_field_is_named(spec: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidHub) as refusal:
        parse_hub(body(**spec))

    assert str(refusal.value) == sentence


def test_the_bad_value_stays_out_of_the_message() -> None:
    credentials = {"name": ["hunter2"]}
    backend = {
        "name": "db",
        "postgres": POSTGRES | {"credentialsSecretRef": credentials},
    }

    with pytest.raises(InvalidHub) as refusal:
        parse_hub(body(backends=[backend]))

    assert "hunter2" not in str(refusal.value)
