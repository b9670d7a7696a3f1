"""Which Secret keys become which files of a hub's pods."""

from typing import Any

import pytest

from mcphub_operator.spec.hub import parse_hub
from mcphub_operator.spec.references import (
    SecretRef,
    find_backend_services,
    find_login_names,
    find_secret_names,
    secret_refs,
)

POSTGRES = {
    "host": "postgres.data.svc",
    "database": "app",
    "credentialsSecretRef": {"name": "login"},
}
QDRANT = {"url": "http://qdrant:6333"}
NEO4J = {
    "uri": "bolt://graph",
    "credentialsSecretRef": {"name": "login", "usernameKey": "u", "passwordKey": "p"},
}
KEY = {"name": "keys", "key": "k"}
EMBEDDING = {"url": "https://e.example.com", "model": "m", "apiKeySecretRef": KEY}


def references(backend: dict[str, Any]) -> list[tuple[str, str, str]]:
    body = {
        "metadata": {"namespace": "ai", "name": "team"},
        "spec": {"backends": [{"name": "db", **backend}]},
    }
    refs = secret_refs(parse_hub(body))
    return [(ref.secret_name, ref.key, ref.file_name) for ref in refs]


LOGIN = [("login", "username", "username"), ("login", "password", "password")]


@pytest.mark.parametrize(
    ("backend", "expected"),
    [
        pytest.param({"postgres": POSTGRES}, LOGIN, id="a login by its usual keys"),
        pytest.param(
            {"postgres": POSTGRES | {"caSecretRef": KEY}},
            [*LOGIN, ("keys", "k", "ca.crt")],
            id="an authority",
        ),
        pytest.param({"qdrant": QDRANT}, [], id="Qdrant without a key"),
        pytest.param(
            {"qdrant": QDRANT | {"apiKeySecretRef": KEY, "embedding": EMBEDDING}},
            [("keys", "k", "apiKey"), ("keys", "k", "embeddingApiKey")],
            id="Qdrant with both of its keys",
        ),
        pytest.param(
            {"qdrant": QDRANT | {"embedding": {"apiKeySecretRef": KEY}}},
            [],
            id="the key of no embedding endpoint",
        ),
        pytest.param(
            {"neo4j": NEO4J},
            [("login", "u", "username"), ("login", "p", "password")],
            id="a login by keys of one's own",
        ),
        pytest.param(
            {"postgres": POSTGRES, "enabled": False}, [], id="a disabled backend"
        ),
    ],
)
def test_a_backend_refers_to(
    backend: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    assert references(backend) == expected


def test_references_keep_the_order_of_the_backends() -> None:
    body = {
        "metadata": {"namespace": "ai", "name": "team"},
        "spec": {
            "backends": [
                {"name": "z", "qdrant": QDRANT | {"apiKeySecretRef": KEY}},
                {"name": "a", "qdrant": QDRANT | {"apiKeySecretRef": KEY}},
            ]
        },
    }

    assert secret_refs(parse_hub(body)) == (
        SecretRef("z", "keys", "k", "apiKey"),
        SecretRef("a", "keys", "k", "apiKey"),
    )


TRACES = {"endpoint": "http://collector:4318", "headersSecretRef": KEY}


@pytest.mark.parametrize(
    ("otlp", "expected"),
    [
        pytest.param(
            TRACES,
            (SecretRef("otlp-exporter", "keys", "k", "headers"),),
            id="headers for the collector",
        ),
        pytest.param(TRACES | {"endpoint": ""}, (), id="no collector"),
        pytest.param({"endpoint": "http://collector:4318"}, (), id="no headers"),
    ],
)
def test_the_headers_of_traces_have_a_folder_of_their_own(otlp, expected):
    body = {
        "metadata": {"namespace": "ai", "name": "team"},
        "spec": {"observability": {"otlp": otlp}},
    }

    assert secret_refs(parse_hub(body)) == expected


SPEC = {
    "backends": [{"name": "db", "postgres": POSTGRES}],
    "imagePullSecrets": [{"name": "registry"}],
    "auth": {
        "tokensSecretRef": {"name": "clients"},
        "jwt": {"jwksURI": "http://keycloak.iam.svc:8080/certs"},
    },
    "observability": {"otlp": {"endpoint": "http://collector:4318"}},
    "publicURL": "http://team.ai.svc:8000",
}


def test_all_secrets_of_a_spec_are_found_and_those_of_logins_told_apart():
    assert {*find_secret_names(SPEC)} == {"login", "registry", "clients"}
    assert {*find_login_names(SPEC)} == {"login", "registry"}


def test_a_hub_connects_to_its_backends_its_issuer_and_its_collector():
    found = {*find_backend_services(SPEC, "ai")}

    assert found == {"postgres.data", "keycloak.iam", "collector.ai"}


@pytest.mark.parametrize(
    ("host", "service"),
    [
        pytest.param("db", "db.ai", id="name"),
        pytest.param("db.data", "db.data", id="name and namespace"),
        pytest.param("DB.data.svc.cluster.local.", "db.data", id="whole name"),
        pytest.param("db-0.db", "db.ai", id="a pod by its headless Service"),
        pytest.param("db-0.db.data", "db.data", id="a pod of another namespace"),
        pytest.param("db-0.db.data.svc", "db.data", id="a pod by its whole name"),
    ],
)
def test_a_service_is_known_by_each_name_that_resolves(host: str, service: str):
    spec = {"backends": [{"name": "db", "postgres": {"host": host}}]}

    assert service in {*find_backend_services(spec, "ai")}
