"""Which backend and which tools belong to a configured database.

A kind's packages are found by its name: `backends/<kind>` connects and reads,
`tools/<kind>` makes the tools. They are imported when a backend of the kind is
enabled and not before: the drivers of three kinds cost 163 MiB and almost two seconds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from fastmcp.tools.base import Tool

from mcphub_server.backends.base import Backend
from mcphub_server.config.backends import BackendConfig
from mcphub_server.config.tools import DeclaredToolConfig
from mcphub_server.tools.context import ToolContext
from mcphub_server.tools.declared.tool import DeclaredStatement
from mcphub_server.tools.objects.searching import build_search_tool
from mcphub_server.tools.objects.source import ObjectSource

PACKAGE = "mcphub_server"


class BackendModule(Protocol):
    """`backends/<kind>/backend.py`."""

    def build_backend(self, name: str, config: Any, secrets_dir: Path) -> Backend:
        """Make a backend from its kind's options; it does not connect yet."""
        ...


class ToolsetModule(Protocol):
    """`tools/<kind>/toolset.py`."""

    def build_tools(self, backend: Any, context: ToolContext) -> Sequence[Tool]:
        """Make the tools of one backend of the kind."""
        ...


class ObjectsModule(Protocol):
    """`tools/<kind>/objects.py`, of kinds that have tables, collections or labels."""

    def build_source(self, backend: Any, context: ToolContext) -> ObjectSource:
        """Make the source of the objects in one backend."""
        ...


class DeclaredModule(Protocol):
    """`tools/<kind>/declared.py`, of kinds that can have declared tools."""

    def build_statement(
        self, backend: Any, config: DeclaredToolConfig, context: ToolContext
    ) -> DeclaredStatement:
        """Check a declared statement by its text; raise Rejected."""
        ...


BuildStatement = Callable[[DeclaredToolConfig], DeclaredStatement]
BuildDeclared = Callable[[DeclaredToolConfig, ToolContext], DeclaredStatement]


@dataclass(frozen=True, slots=True)
class Registered:
    """A backend, and how to make its tools once the context exists."""

    backend: Backend
    build_tools: Callable[[ToolContext], Sequence[Tool]]
    build_statement: BuildDeclared | None = None
    """How declared statements are built; None: this kind has none."""
    build_source: Callable[[ToolContext], ObjectSource] | None = None
    """How its objects are found; None: this kind has none with a schema."""


def register(config: BackendConfig, secrets_dir: Path) -> Registered:
    """Make a backend of the configured kind; it does not connect yet."""
    kind = config.kind
    backend = import_backend(kind).build_backend(
        config.name, config.options, secrets_dir
    )
    toolset, declared = import_toolset(kind), find_module(kind, "declared")
    objects = find_module(kind, "objects")
    build_source = partial(objects.build_source, backend) if objects else None

    def build_all(context: ToolContext) -> list[Tool]:
        tools = [*toolset.build_tools(backend, context)]
        if build_source is not None:
            source = build_source(context)
            tools.append(build_search_tool(config.name, source, context))
        return select(config, tools)

    return Registered(
        backend,
        build_all,
        partial(declared.build_statement, backend) if declared else None,
        build_source,
    )


def build_builders(
    backends: Sequence[Registered], context: ToolContext
) -> dict[str, BuildStatement]:
    """Return how declared statements are built, by backend."""

    def bind(build: BuildDeclared) -> BuildStatement:
        return lambda config: build(config, context)

    return {
        each.backend.name: bind(each.build_statement)
        for each in backends
        if each.build_statement is not None
    }


def select(config: BackendConfig, tools: Sequence[Tool]) -> list[Tool]:
    """Return those of a backend's own tools that its configuration wants."""
    prefix = f"{config.name}_"
    wanted = config.built_in_tools
    return [tool for tool in tools if wanted.has(tool.name.removeprefix(prefix))]


def find_module(kind: str, name: str) -> Any:
    """Import a module that not every kind's tools have; None without one."""
    path = f"{PACKAGE}.tools.{kind}.{name}"
    return import_module(path) if find_spec(path) else None


def import_backend(kind: str) -> BackendModule:
    """Import the kind's driver and what is built on it."""
    module: Any = import_module(f"{PACKAGE}.backends.{kind}.backend")
    checked: BackendModule = module
    return checked


def import_toolset(kind: str) -> ToolsetModule:
    """Import the kind's tools."""
    module: Any = import_module(f"{PACKAGE}.tools.{kind}.toolset")
    checked: ToolsetModule = module
    return checked
