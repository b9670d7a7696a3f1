"""Access rules, judged for one caller."""

from typing import Any

import pytest

from mcphub_server.config.access import AccessConfig
from mcphub_server.tools.access import AccessPolicy
from mcphub_server.web.caller import Client
from mcphub_server.web.claims import keep_claims


def policy(*rules: dict[str, Any]) -> AccessPolicy:
    return AccessPolicy(AccessConfig.model_validate({"rules": rules}))


def caller(*scopes: str, **claims: Any) -> Client:
    return Client(scopes=frozenset(scopes), claims=keep_claims(claims, claims))


ETL = caller("read", "write", sub="etl-1", department=["ops", "it"], level=3, on=True)

ONE_RULE = [
    pytest.param({}, True, id="no condition"),
    pytest.param({"clients": ["etl-1"]}, True, id="the client"),
    pytest.param({"clients": ["etl-*"]}, True, id="the beginning of the client"),
    pytest.param({"clients": ["etl"]}, False, id="another client"),
    pytest.param({"scopes": ["read", "write"]}, True, id="all scopes"),
    pytest.param({"scopes": ["read", "admin"]}, False, id="a scope is missing"),
    pytest.param({"claims": {"department": ["it"]}}, True, id="an item of a list"),
    pytest.param({"claims": {"department": ["hr"]}}, False, id="another department"),
    pytest.param({"claims": {"level": ["3"]}}, True, id="a number"),
    pytest.param({"claims": {"on": ["true"]}}, True, id="a boolean"),
    pytest.param({"claims": {"missing": ["x"]}}, False, id="no such claim"),
    pytest.param({"clients": ["etl-1"], "scopes": ["admin"]}, False, id="both"),
    pytest.param({"tools": ["db_q*"]}, True, id="the beginning of the tool"),
    pytest.param({"tools": ["db"]}, False, id="another tool"),
]


@pytest.mark.parametrize(("rule", "allowed"), ONE_RULE)
def test_all_conditions_of_a_rule_hold(rule: dict[str, Any], *, allowed: bool) -> None:
    rules = policy({"tools": ["*"], **rule})

    assert rules.allows(ETL, "db_query") is allowed
    assert bool(rules.explain(ETL, "db_query")) is True


def test_rules_add_up() -> None:
    rules = policy(
        {"clients": ["a"], "tools": ["one"]}, {"clients": ["b"], "tools": ["two"]}
    )

    assert not rules.allows(caller(sub="a"), "two")
    assert rules.allows(caller(sub="b"), "two")


def test_without_rules_only_the_hubs_own_tools_are_left() -> None:
    assert not policy().allows(ETL, "db_query")
    assert policy().allows(caller(), "health_check")
    assert AccessPolicy(None).allows(caller(), "db_query")


def test_a_caller_without_a_name_is_no_client() -> None:
    assert not policy({"clients": ["*"], "tools": ["*"]}).allows(caller(), "db_query")


def test_a_pattern_that_matches_no_tool_is_reported() -> None:
    idle = policy({"tools": ["db_*", "gone_*"]}).find_idle(["db_query"])

    assert idle == ["access.rules[0].tools: gone_* matches no tool"]
