"""Which points a caller may find, as conditions of a filter."""

import json

import pytest

from mcphub_server.backends.qdrant.identity import build_conditions, confine
from mcphub_server.config.backends import QdrantIdentityConfig
from mcphub_server.errors import Forbidden
from mcphub_server.web.claims import NO_CLAIMS, Claims

IDENTITY = QdrantIdentityConfig.model_validate(
    {"filter": [{"key": "tenant_id", "fromClaim": "tenant"}]}
)


def claims(value: object) -> Claims:
    return Claims(json.dumps({"tenant": value}))


@pytest.mark.parametrize("value", ["acme", "42", 42, -(2**63), 2**63 - 1, True])
def test_a_claim_keeps_its_type(value: object) -> None:
    found = build_conditions(IDENTITY, claims(value))

    assert found == [{"key": "tenant_id", "match": {"value": value}}]
    assert type(found[0]["match"]["value"]) is type(value)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="nothing"),
        pytest.param("x" * 257, id="a long text"),
        pytest.param("a\0b", id="a NUL"),
        pytest.param("\ud800", id="half a surrogate pair"),
        pytest.param(["acme"], id="a list"),
        pytest.param(4.5, id="a fraction"),
        pytest.param(42.0, id="a whole number as a fraction"),
        pytest.param(2**63, id="too many bits"),
        pytest.param(float("inf"), id="infinity"),
    ],
)
def test_a_claim_that_no_payload_equals_is_refused(value: object) -> None:
    with pytest.raises(Forbidden):
        build_conditions(IDENTITY, claims(value))


def test_a_caller_without_claims_is_refused() -> None:
    with pytest.raises(Forbidden):
        build_conditions(IDENTITY, NO_CLAIMS)


def test_without_identity_there_is_no_condition() -> None:
    assert build_conditions(None, NO_CLAIMS) is None


def test_a_callers_filter_is_one_condition_among_all() -> None:
    own = [{"key": "tenant_id", "match": {"value": "acme"}}]
    chosen = {"should": [{"key": "n", "match": {"value": 1}}]}

    assert confine(own, chosen) == {"must": [*own, chosen]}
    assert confine(own, None) == {"must": own}
