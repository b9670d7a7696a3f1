"""A hub as a process, where nothing else has imported Qdrant's client before."""

import subprocess
import sys

from tests.support.hub import hub_process

from .conftest import MakeHub

CALLS: list[tuple[str, dict[str, object]]] = [
    ("search", {"collection": "mixed", "point_id": 2, "using": "dense"}),
    ("collection_info", {"collection": "mixed"}),
    ("list_collections", {}),
]


async def test_the_rest_part_of_the_client_is_enough(vector_files: MakeHub) -> None:
    with hub_process(vector_files()) as hub:
        async with hub.client() as client:
            answers = [
                await client.call_tool_mcp(f"qdrant_{tool}", arguments)
                for tool, arguments in CALLS
            ]

    assert [answer.is_error for answer in answers] == [False] * len(CALLS)


def test_the_tools_import_neither_grpc_nor_the_local_engine() -> None:
    program = (
        "import sys, mcphub_server.tools.qdrant.toolset; "
        "print([m for m in ('grpc', 'qdrant_client.local') if m in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_the_whole_client_can_be_imported_afterwards() -> None:
    program = (
        "import mcphub_server.backends.qdrant.rest as rest; "
        "from qdrant_client import QdrantClient; from qdrant_client.http import models;"
        "print(models.ScoredPoint is rest.models.ScoredPoint)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "True"
