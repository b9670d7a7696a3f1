"""Every kind of backend has all of its parts; docs/adding-a-backend.md lists them."""

import ast
from pathlib import Path

import pytest
import yaml

import mcphub_server
from mcphub_server.config.backends import KINDS, BackendConfig
from mcphub_server.config.model import ConfigModel
from mcphub_server.tools.registry import import_backend, import_toolset, register

PACKAGE = Path(mcphub_server.__file__).parent
ROOT = PACKAGE.parents[1]
GUARDS = {path.name for path in (PACKAGE / "guards").iterdir() if path.is_dir()}
HEADINGS = {
    "postgres": "PostgreSQL",
    "neo4j": "Neo4j",
    "qdrant": "Qdrant",
    "mongodb": "MongoDB",
    "kubernetes": "Kubernetes",
}

WITHOUT_SCHEMAS = {"kubernetes"}


def list_examples() -> list[Path]:
    return sorted((ROOT / "examples").rglob("*.yaml"))


def find_backends(path: Path) -> list[dict[str, object]]:
    documents = yaml.safe_load_all(path.read_text())
    hubs = [each for each in documents if each and each.get("kind") == "McpHub"]
    return [backend for hub in hubs for backend in hub["spec"].get("backends", ())]


def list_guards(kind: str) -> set[str]:
    """The packages of guards that the kind's own modules import."""
    modules = [
        path
        for layer in ("backends", "tools")
        for path in (PACKAGE / layer / kind).glob("*.py")
    ]
    names = {
        node.module
        for path in modules
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module
    }
    prefix = "mcphub_server.guards."
    return {n.removeprefix(prefix).split(".")[0] for n in names if n.startswith(prefix)}


def build_config(kind: str) -> BackendConfig:
    """The kind's first example, as the operator hands it on."""
    found = [b for path in list_examples() for b in find_backends(path) if kind in b]
    options = BackendConfig.model_fields[kind].annotation.__args__[0].model_fields
    known = {field.alias or name for name, field in options.items()}
    given = {key: value for key, value in found[0][kind].items() if key in known}
    return BackendConfig.model_validate({"name": "b", kind: given})


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_options_of_its_own(kind):
    config = build_config(kind)

    assert isinstance(config.options, ConfigModel)
    assert config.kind == kind


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_connected_and_read_by_its_own_package(kind, tmp_path):
    backend = register(build_config(kind), tmp_path).backend

    assert (backend.kind, backend.name) == (kind, "b")
    assert type(backend).__module__.startswith(f"mcphub_server.backends.{kind}.")
    for member in ("open", "close", "probe", "pool_usage", "endpoint", "shares"):
        assert hasattr(backend, member), member
    assert callable(import_backend(kind).build_backend)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_maps_its_drivers_failures_in_one_module(kind):
    assert (PACKAGE / "backends" / kind / "failures.py").is_file()


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_tools(kind):
    assert callable(import_toolset(kind).build_tools)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_that_has_schemas_can_be_searched(kind, tmp_path):
    registered = register(build_config(kind), tmp_path)

    assert (registered.build_source is not None) == (kind not in WITHOUT_SCHEMAS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_a_guard(kind):
    assert list_guards(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_in_the_pages_about_databases_and_tools(kind):
    for page in ("databases.md", "tools.md"):
        lines = (ROOT / "docs" / page).read_text().splitlines()
        assert f"## {HEADINGS[kind]}" in lines, page


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_an_example(kind):
    assert any(kind in b for path in list_examples() for b in find_backends(path))


def test_no_guard_and_no_backend_belongs_to_no_kind():
    used = set[str]().union(*(list_guards(kind) for kind in KINDS))
    folders = {path.name for path in (PACKAGE / "backends").iterdir() if path.is_dir()}

    assert used == GUARDS - {"__pycache__"}
    assert folders - {"__pycache__"} == set(KINDS)
