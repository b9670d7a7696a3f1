"""A server without what the images leave out answers every request of every transport.

A library may import a module only when a request first needs it, which no import of
all modules shows. So the modules that `slim.toml` removes are kept from a real server.
"""

import json
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp_types import ResourceTemplateReference

from tests.support import postgres
from tests.support.hub import HubFiles, HubProcess, hub_process
from tests.support.postgres import running_postgres
from tools.project import ROOT
from tools.release.slim import find_files, find_paths, read_rules

BLOCKER = """
import json, pathlib, sys
NAMES = set(json.loads(pathlib.Path(__file__).with_name("names.json").read_text()))
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name in NAMES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocker())
"""
AWAY = [
    {"name": "graph", "neo4j": {"uri": "bolt://127.0.0.1:1"}},
    {"name": "vectors", "qdrant": {"url": "http://127.0.0.1:1"}},
    {
        "name": "documents",
        "mongodb": {"uri": "mongodb://127.0.0.1:1", "database": "shop"},
    },
]
"""A backend of each other kind, for its driver."""

PROMPTS = [
    {
        "name": "summary",
        "description": "Summarise a table.",
        "arguments": [{"name": "table", "description": "Which."}],
        "text": "Summarise {{table}}.",
    }
]


def find_removed() -> set[str]:
    """Return the names of the modules that the server's image leaves out."""
    site = Path(sysconfig.get_path("purelib"))
    text = (ROOT / "tools/release/slim.toml").read_text(encoding="utf-8")
    removed: set[str] = set()
    for rule in read_rules(text, "server"):
        paths = [*find_paths(site, rule)]
        for name in rule.distributions:
            paths += find_files(site, name)
        for path in paths:
            below = path.rglob("*.py") if path.is_dir() else [path]
            removed |= {name_module(site, each) for each in below}
    return removed - {""}


def name_module(site: Path, path: Path) -> str:
    """Return the name by which a file is imported; empty for other files."""
    if not path.is_relative_to(site) or path.suffix not in {".py", ".so"}:
        return ""
    parts = [*path.relative_to(site).parts[:-1], path.name.partition(".")[0]]
    return ".".join(part for part in parts if part != "__init__")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    folder = tmp_path_factory.mktemp("slim")
    (folder / "sitecustomize.py").write_text(BLOCKER, encoding="utf-8")
    (folder / "names.json").write_text(json.dumps([*find_removed()]), encoding="utf-8")
    with running_postgres() as shop:
        options = {"host": shop.host, "port": shop.port, "database": postgres.DATABASE}
        login = {"username": postgres.READER, "password": postgres.READER_PASSWORD}
        files = HubFiles(
            folder / "hub",
            {
                "backends": [{"name": "postgres", "postgres": options}, *AWAY],
                "transports": {
                    "streamableHTTP": {"sessions": "Stateful"},
                    "webSocket": {"enabled": True},
                },
            },
            {"postgres": login},
            live={"prompts": PROMPTS},
        )
        with hub_process(files, PYTHONPATH=str(folder)) as running:
            yield running


def test_the_list_has_modules_of_each_kind() -> None:
    assert {"numpy", "grpc", "key_value.aio", "fastmcp.cli", "pygments.lexers.ada"} <= (
        find_removed()
    )


@pytest.mark.parametrize("mode", ["http", "modern", "sse", "websocket"])
async def test_every_request_is_answered(hub: HubProcess, mode: str) -> None:
    client = hub.client("http" if mode == "modern" else mode)
    if mode == "modern":
        client.mode = "2026-07-28"
    async with client:
        tools = {tool.name for tool in await client.list_tools()}
        result: Any = await client.call_tool("postgres_query", {"sql": "SELECT 1"})
        resources = await client.list_resources()
        content = await client.read_resource(str(resources[0].uri))
        templates = await client.list_resource_templates()
        prompts = await client.list_prompts()
        prompt = await client.get_prompt("summary", {"table": "orders"})
        reference = ResourceTemplateReference(uri=templates[0].uri_template)
        await client.complete(reference, {"name": "table", "value": ""})

    assert {"postgres_query", "graph_query", "documents_find"} <= tools
    assert result.structured_content["rows"] == [[1]]
    assert content
    assert [each.name for each in prompts] == ["summary"]
    assert prompt.messages
