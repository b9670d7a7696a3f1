"""Which backend and which tools belong to a configured database.

Drivers are imported here, when a backend of their kind is enabled, and nowhere else:
all three together cost 163 MiB and almost two seconds.
"""

# ruff: noqa: PLC0415 -- importing late is what this module is for

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fastmcp.tools.base import Tool

from mcphub_server.backends.base import Backend
from mcphub_server.config.backends import (
    BackendConfig,
    Neo4jConfig,
    PostgresConfig,
    QdrantConfig,
)
from mcphub_server.errors import ConfigError
from mcphub_server.tools.context import ToolContext


@dataclass(frozen=True, slots=True)
class Registered:
    """A backend, and how to make its tools once the context exists."""

    backend: Backend
    build_tools: Callable[[ToolContext], Sequence[Tool]]


def register(config: BackendConfig, secrets_dir: Path) -> Registered:
    """Make a backend of the configured kind; it does not connect yet."""
    if config.postgres is not None:
        return register_postgres(config.name, config.postgres, secrets_dir)
    if config.neo4j is not None:
        return register_neo4j(config.name, config.neo4j, secrets_dir)
    if config.qdrant is not None:
        return register_qdrant(config.name, config.qdrant, secrets_dir)
    raise ConfigError(f"The backend {config.name} has no kind.")


def register_postgres(
    name: str, config: PostgresConfig, secrets_dir: Path
) -> Registered:
    """Make a PostgreSQL backend."""
    from mcphub_server.backends.postgres.backend import PostgresBackend
    from mcphub_server.tools.postgres.toolset import build_postgres_tools

    backend = PostgresBackend(name, config, secrets_dir)
    return Registered(backend, lambda context: build_postgres_tools(backend, context))


def register_neo4j(name: str, config: Neo4jConfig, secrets_dir: Path) -> Registered:
    """Make a Neo4j backend."""
    from mcphub_server.backends.neo4j.backend import Neo4jBackend
    from mcphub_server.tools.neo4j.toolset import build_neo4j_tools

    backend = Neo4jBackend(name, config, secrets_dir)
    return Registered(backend, lambda context: build_neo4j_tools(backend, context))


def register_qdrant(name: str, config: QdrantConfig, secrets_dir: Path) -> Registered:
    """Make a Qdrant backend."""
    from mcphub_server.backends.qdrant.backend import QdrantBackend
    from mcphub_server.tools.qdrant.toolset import build_qdrant_tools

    backend = QdrantBackend(name, config, secrets_dir)
    return Registered(backend, lambda context: build_qdrant_tools(backend, context))
