"""A hub reads what mem0's own store has written, for each user their own.

Run by `make integrations`. mem0 makes memories with a model; here its store has them.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from mcphub_operator.resources.config_map import build_config, build_live_text
from mcphub_operator.spec.hub import parse_hub
from tests.support import postgres
from tests.support.hub import HubFiles, hub_in_loop
from tests.support.postgres import ADMIN_PASSWORD, PostgresServer, running_postgres
from tools.integrations.frameworks import EXAMPLES, Framework, find_versions, install

pytestmark = pytest.mark.timeout(2100)

MEM0 = Framework("mem0.yaml", "mem0ai", ("psycopg[binary,pool]", "mcp"))
TOKENS = {"alice": "the-token-of-alice", "bob": "the-token-of-bob"}
WRITE = """
import sys
from mem0.vector_stores.pgvector import PGVector

store = PGVector(
    dbname=sys.argv[3], collection_name="mem0", embedding_model_dims=3, user="postgres",
    password=sys.argv[4], host=sys.argv[1], port=int(sys.argv[2]), diskann=False,
    hnsw=True,
)
memories = [("alice", "likes tea"), ("alice", "lives in Rome"), ("bob", "likes coffee")]
store.insert(
    [[1.0, 0.0, float(n)] for n, _ in enumerate(memories)],
    [
        {"user_id": user, "data": text, "created_at": f"2026-01-0{n + 1}"}
        for n, (user, text) in enumerate(memories)
    ],
    [f"00000000-0000-0000-0000-00000000000{n}" for n, _ in enumerate(memories)],
)
"""


@pytest.fixture(scope="module")
def memories() -> Iterator[PostgresServer]:
    install(MEM0)
    with running_postgres(with_vector=True) as server:
        place = (server.host, str(server.port), postgres.DATABASE, ADMIN_PASSWORD)
        environment = {"MEM0_TELEMETRY": "False", "HOME": "/nonexistent"}
        subprocess.run([MEM0.python, "-c", WRITE, *place], check=True, env=environment)
        server.run_sql(
            "CREATE ROLE memories_reader LOGIN PASSWORD 'change-me';"
            "GRANT SELECT ON mem0 TO memories_reader",
            postgres.DATABASE,
        )
        yield server


def build_files(server: PostgresServer, folder: Path) -> HubFiles:
    """What the operator would project into the pods of the example's hub."""
    documents = list(yaml.safe_load_all((EXAMPLES / MEM0.example).read_text()))
    secret, manifest = documents
    manifest["metadata"]["namespace"] = "default"
    hub = parse_hub(manifest)
    config = build_config(hub)
    (backend,) = config["backends"]
    backend["postgres"] |= {
        "host": server.host,
        "port": server.port,
        "database": postgres.DATABASE,
    }
    live = yaml.safe_load(build_live_text(hub))
    return HubFiles(folder, config, {"mem0": secret["stringData"]}, TOKENS, live)


async def test_each_user_reads_their_own_memories(
    memories: PostgresServer, tmp_path: Path
) -> None:
    seen: dict[str, Any] = {}
    async with hub_in_loop(build_files(memories, tmp_path)) as hub:
        for user, token in TOKENS.items():
            async with hub.client(token=token) as client:
                found = await client.call_tool("my_memories", {})
                words = await client.call_tool("my_memories", {"words": "likes"})
                names = {each.name for each in await client.list_tools()}
                seen[user] = [
                    [row[0] for row in each.structured_content["rows"]]
                    for each in (found, words)
                ]

    print(find_versions(MEM0))
    assert names == {"health_check", "list_services", "my_memories"}
    assert seen == {
        "alice": [["lives in Rome", "likes tea"], ["likes tea"]],
        "bob": [["likes coffee"], ["likes coffee"]],
    }
