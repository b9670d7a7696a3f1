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


def register(config: BackendConfig, secrets_dir: Path) -> Registered:
    """Make a backend of the configured kind; it does not connect yet."""
    module = import_backend(config.kind)
    backend = module.build_backend(config.name, config.options, secrets_dir)
    build_all = partial(import_toolset(config.kind).build_tools, backend)
    declared = find_declared(config.kind)
    return Registered(
        backend,
        lambda context: select(config, build_all(context)),
        partial(declared.build_statement, backend) if declared else None,
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


def find_declared(kind: str) -> DeclaredModule | None:
    """Import what builds the kind's declared statements, if it has any."""
    name = f"{PACKAGE}.tools.{kind}.declared"
    module: Any = import_module(name) if find_spec(name) else None
    checked: DeclaredModule | None = module
    return checked


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
