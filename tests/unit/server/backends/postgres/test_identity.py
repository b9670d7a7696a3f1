"""The caller's identity as SQL: nothing in it ends a literal, nothing falls back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcphub_server.backends.postgres.identity import Identity, build_identity, quote
from mcphub_server.config.backends import PostgresIdentityConfig
from mcphub_server.errors import Forbidden
from mcphub_server.web.claims import Claims, keep_claims

CONFIG = PostgresIdentityConfig.model_validate(
    {
        "role": {"fromClaim": "group", "map": {"finance": "analyst"}},
        "settings": [{"name": "app.tenant", "fromClaim": "tenant"}],
    }
)


def claims(**given_: object) -> Claims:
    return keep_claims(given_, given_)


def read_literal(sql: str) -> str:
    """Read E'…' as PostgreSQL does; raise if anything is left behind its end."""
    assert sql.startswith("E'")
    read, rest = [], iter(sql[2:])
    for character in rest:
        if character == "\\":
            read.append(next(rest))
        elif character == "'":
            if (following := next(rest, None)) is None:
                return "".join(read)
            assert following == "'"
            read.append("'")
        else:
            read.append(character)
    raise AssertionError("the literal has no end")


@given(st.text(alphabet=st.sampled_from("\\'a;-\n") | st.characters(codec="utf-8")))
def test_a_literal_ends_where_its_value_ends(value: str) -> None:
    assert read_literal(quote(value)) == value


def test_role_and_settings_are_set_in_the_first_message() -> None:
    identity = build_identity(CONFIG, claims(group="finance", tenant="it's"))

    assert identity is not None
    assert identity.sql == (
        "; DISCARD PLANS; SELECT pg_catalog.set_config(E'app.tenant', E'it''s', true)"
        "; SET LOCAL ROLE E'analyst'"
    )
    assert Identity("r").sql.endswith("SET LOCAL ROLE E'r'")
    assert build_identity(None, Claims()) is None


@pytest.mark.parametrize(
    "given_",
    [
        pytest.param({"group": "finance"}, id="a claim is missing"),
        pytest.param({"group": "other", "tenant": "a"}, id="no role"),
        pytest.param({"group": "Finance", "tenant": "a"}, id="another case"),
        pytest.param({"group": ["finance"], "tenant": "a"}, id="a list"),
        pytest.param({"group": "finance", "tenant": {"a": 1}}, id="an object"),
        pytest.param({"group": "finance", "tenant": ""}, id="an empty text"),
        pytest.param({"group": "finance", "tenant": "a\0b"}, id="a NUL"),
        pytest.param({"group": "finance", "tenant": "\ud800"}, id="half a pair"),
        pytest.param({"group": "finance", "tenant": "ä" * 129}, id="258 bytes"),
    ],
)
def test_what_gives_no_identity_is_refused(given_: dict[str, object]) -> None:
    with pytest.raises(Forbidden):
        build_identity(CONFIG, claims(**given_))
