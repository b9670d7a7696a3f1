"""The generated list of functions against the catalog of the server at hand."""

import asyncpg
import pytest

from mcphub_server.guards.sql import functions, known_names
from tools.derive_known_names import FUNCTIONS, derive, split_names


@pytest.fixture
async def catalog(dsn):
    connection = await asyncpg.connect(dsn)
    rows = await connection.fetch(FUNCTIONS, [])
    await connection.close()
    return split_names([(row["proname"], row["volatility"]) for row in rows])


async def test_no_allowed_function_is_unfit_on_this_server(catalog):
    _, refused = catalog

    assert functions.BUILT_IN & set(refused) == set()


async def test_most_of_this_servers_fit_functions_are_allowed(catalog):
    fit, _ = catalog

    unknown = set(fit) - functions.BUILT_IN
    assert len(unknown) < len(fit) / 20, sorted(unknown)


async def test_the_list_can_be_derived_anew(dsn):
    text = await derive(dsn.replace("/target", "/postgres"))

    derived: dict[str, frozenset[str]] = {}
    exec(text, derived)  # noqa: S102
    assert "pg_sleep" in derived["REFUSED_CATALOG_FUNCTIONS"]
    assert derived["CATALOG_FUNCTIONS"] >= known_names.CATALOG_FUNCTIONS - {
        name for name in known_names.CATALOG_FUNCTIONS if name.startswith("pg_")
    }
