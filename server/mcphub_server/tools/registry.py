"""Which backend and which tools belong to a configured database.

A kind's packages are found by its name: `backends/<kind>` connects and reads,
`tools/<kind>` makes the tools. They are imported when a backend of the kind is
enabled and not before: the drivers of three kinds cost 163 MiB and almost two seconds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from fastmcp.tools.base import Tool

from mcphub_server.backends.base import Backend
from mcphub_server.config.backends import BackendConfig
from mcphub_server.tools.context import ToolContext

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


@dataclass(frozen=True, slots=True)
class Registered:
    """A backend, and how to make its tools once the context exists."""

    backend: Backend
    build_tools: Callable[[ToolContext], Sequence[Tool]]


def register(config: BackendConfig, secrets_dir: Path) -> Registered:
    """Make a backend of the configured kind; it does not connect yet."""
    module = import_backend(config.kind)
    backend = module.build_backend(config.name, config.options, secrets_dir)
    return Registered(
        backend, partial(import_toolset(config.kind).build_tools, backend)
    )


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
