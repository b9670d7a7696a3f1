"""Neo4j."""

from collections.abc import Iterator

from mcphub_operator.spec.backends.kind import (
    BackendKind,
    CredentialsRef,
    Endpoint,
    SecretFile,
    parse_endpoint,
)
from mcphub_operator.spec.strings import DatabaseName, Neo4jURI

DEFAULT_PORT = 7687


class Neo4jBackend(BackendKind):
    """A Neo4j database."""

    TOOLS = ("query", "list_nodes", "get_relationships", "search_objects")
    DECLARES = True

    uri: Neo4jURI
    """neo4j://, neo4j+s:// or neo4j+ssc:// for a cluster or Aura; bolt://, bolt+s://
    or bolt+ssc:// for a single server."""

    database: DatabaseName = "neo4j"
    """Name of the database."""

    credentials_secret_ref: CredentialsRef
    """User with which the hub logs in; the role `reader` is sufficient."""

    def endpoints(self) -> Iterator[Endpoint]:
        """Yield the server's address."""
        yield parse_endpoint(self.uri, DEFAULT_PORT)

    def secret_files(self) -> Iterator[SecretFile]:
        """Yield the login."""
        yield from self.credentials_secret_ref.files()
