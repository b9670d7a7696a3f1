"""What a hub says of its databases, and that others do not read it."""

from types import SimpleNamespace
from typing import Any

from mcphub_server.backends.base import BackendState, Health
from mcphub_server.tools.hub import HubFacts, describe_services
from mcphub_server.tools.introduction import PURPOSE, build_introduction


def monitor(name: str, kind: str) -> Any:
    return SimpleNamespace(
        backend=SimpleNamespace(name=name, kind=kind, endpoint="db:1"),
        observation=SimpleNamespace(health=Health(BackendState.CONNECTED)),
    )


MONITORS = [monitor("orders", "postgres"), monitor("graph", "neo4j")]
DESCRIPTIONS = {"orders": "Orders of the shop,\n  since 2019.", "graph": ""}


def facts(**given: Any) -> HubFacts:
    return HubFacts(
        "1", MONITORS, lambda _: ["a_tool"], descriptions=DESCRIPTIONS, **given
    )


def test_the_introduction_names_each_database_on_a_line_of_its_own() -> None:
    assert build_introduction(facts()).split("\n") == [
        PURPOSE,
        "Databases:",
        "- orders (postgres): Orders of the shop, since 2019.",
        "- graph (neo4j)",
    ]


def test_the_introduction_is_silent_about_what_a_caller_may_not_know() -> None:
    said = build_introduction(facts(shows=lambda name: name == "graph"))

    assert "orders" not in said
    assert "- graph (neo4j)" in said


def test_a_hub_without_databases_says_only_what_it_is_for() -> None:
    assert build_introduction(HubFacts("1", [], lambda _: [])) == PURPOSE


def test_services_carry_a_description_where_there_is_one() -> None:
    services = describe_services(facts())["services"]

    assert services["orders"]["description"] == DESCRIPTIONS["orders"]
    assert "description" not in services["graph"]
