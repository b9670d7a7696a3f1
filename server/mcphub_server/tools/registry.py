"""Which backend and which tools belong to a configured database.

Drivers are imported here, when a backend of their kind is enabled, and nowhere else:
all three together cost 163 MiB and almost two seconds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fastmcp.tools.base import Tool

from mcphub_server.backends.base import Backend
from mcphub_server.config.backends import BackendConfig
from mcphub_server.tools.context import ToolContext


@dataclass(frozen=True, slots=True)
class Registered:
    """A backend, and how to make its tools once the context exists."""

    backend: Backend
    build_tools: Callable[[ToolContext], Sequence[Tool]]


def register(config: BackendConfig, secrets_dir: Path) -> Registered:
    """Make a backend of the configured kind; it does not connect yet."""
    if config.postgres is not None:
        from mcphub_server.backends.postgres.backend import (  # noqa: PLC0415
            PostgresBackend,
        )
        from mcphub_server.tools.postgres import (  # noqa: PLC0415
            build_postgres_tools,
        )

        postgres = PostgresBackend(config.name, config.postgres, secrets_dir)
        return Registered(
            postgres, lambda context: build_postgres_tools(postgres, context)
        )
    if config.qdrant is not None:
        from mcphub_server.backends.qdrant.backend import (  # noqa: PLC0415
            QdrantBackend,
        )
        from mcphub_server.tools.qdrant import build_qdrant_tools  # noqa: PLC0415

        qdrant = QdrantBackend(config.name, config.qdrant, secrets_dir)
        return Registered(qdrant, lambda context: build_qdrant_tools(qdrant, context))
    if config.neo4j is not None:
        from mcphub_server.backends.neo4j.backend import (  # noqa: PLC0415
            Neo4jBackend,
        )
        from mcphub_server.tools.neo4j import build_neo4j_tools  # noqa: PLC0415

        neo4j = Neo4jBackend(config.name, config.neo4j, secrets_dir)
        return Registered(neo4j, lambda context: build_neo4j_tools(neo4j, context))
    raise NotImplementedError(config.type)
