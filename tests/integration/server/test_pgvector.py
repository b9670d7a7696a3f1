"""A PostgreSQL with pgvector: vectors as lists of numbers, searched in SQL."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from fastmcp import Client

from tests.support import postgres
from tests.support.hub import hub_in_loop
from tests.support.postgres import PostgresServer, running_postgres

from .conftest import MakeHub

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOTES = """
CREATE TABLE public.notes (id integer PRIMARY KEY, body text, embedding vector(3));
INSERT INTO public.notes VALUES
  (1, 'cat', '[1, 0, 0]'), (2, 'dog', '[0.9, 0.1, 0]'), (3, 'car', '[0, 0, 1]');
CREATE INDEX notes_by_embedding ON public.notes
  USING hnsw (embedding vector_cosine_ops);
GRANT SELECT ON public.notes TO reader;
"""


@pytest.fixture(scope="module")
def vectors() -> Iterator[PostgresServer]:
    with running_postgres(with_vector=True) as server:
        server.run_sql(NOTES, postgres.DATABASE)
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(
    vectors: PostgresServer,
    make_hub: MakeHub,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Client[Any]]:
    folder = tmp_path_factory.mktemp("vectors")
    files = make_hub(folder, backend={"port": vectors.port})
    async with hub_in_loop(files) as hub, hub.client() as connected:
        yield connected


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        pytest.param(
            "SELECT embedding FROM notes WHERE id = 2", [[[0.9, 0.1, 0]]], id="a vector"
        ),
        pytest.param(
            "SELECT body FROM notes ORDER BY embedding <=> '[1, 0, 0]' LIMIT 2",
            [["cat"], ["dog"]],
            id="the nearest by cosine distance",
        ),
        pytest.param(
            "SELECT round((embedding <-> '[1,0,0]')::numeric, 3) FROM notes "
            "ORDER BY id LIMIT 2",
            [[0], [0.141]],
            id="a distance",
        ),
        pytest.param(
            "SELECT avg(embedding) FROM notes WHERE id < 3",
            [[[0.95, 0.05, 0]]],
            id="an average",
        ),
        pytest.param(
            "SELECT ARRAY['[1,2]'::vector]", [[["[1,2]"]]], id="an array of vectors"
        ),
    ],
)
async def test_vectors_are_lists_of_numbers(
    client: Client[Any], sql: str, rows: list[list[object]]
) -> None:
    answer = await client.call_tool("postgres_query", {"sql": sql})

    assert answer.structured_content["rows"] == rows


async def test_a_vector_column_is_described_with_its_index(
    client: Client[Any],
) -> None:
    answer = await client.call_tool("postgres_describe_table", {"table": "notes"})

    columns = {
        each["name"]: each["type"] for each in answer.structured_content["columns"]
    }
    definitions = [each["definition"] for each in answer.structured_content["indexes"]]
    assert columns["embedding"] == "vector(3)"
    assert any("USING hnsw" in definition for definition in definitions)
