"""A Neo4j with the trial data, until the block ends."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.neo4j.installation import install_neo4j
from tests.support.neo4j.server import Neo4jServer

NO_LOCKOUT = {"dbms.security.auth_max_failed_attempts": "0"}
"""Tests that log in wrongly must not lock the others out."""

TRIAL_DATA = """
CREATE CONSTRAINT person_name IF NOT EXISTS FOR (p:Person) REQUIRE p.name IS UNIQUE;
CREATE FULLTEXT INDEX titles IF NOT EXISTS FOR (f:Film) ON EACH [f.title];
CREATE VECTOR INDEX plots IF NOT EXISTS FOR (f:Film) ON (f.embedding)
  OPTIONS {indexConfig: {`vector.dimensions`: 3,
  `vector.similarity_function`: 'cosine'}};
CREATE VECTOR INDEX idx IF NOT EXISTS FOR (t:Topic) ON (t.embedding)
  OPTIONS {indexConfig: {`vector.dimensions`: 2,
  `vector.similarity_function`: 'cosine'}};
UNWIND range(1, 120) AS n
  CREATE (:Person {name: 'Person ' + toString(n), born: 1900 + n,
                   email: 'canary-' + toString(n) + '@example.com'});
UNWIND range(1, 30) AS n
  CREATE (:Film {title: 'Film ' + toString(n), released: date({year: 1990 + n % 30}),
                 embedding: [n * 1.0, 1.0, 0.5], length: duration({minutes: 80 + n})});
MATCH (p:Person), (f:Film)
  WHERE p.born % 30 = f.released.year % 30
  CREATE (p)-[:ACTED_IN {role: 'Role of ' + p.name}]->(f);
MATCH (a:Person), (b:Person) WHERE b.born = a.born + 1 CREATE (a)-[:KNOWS]->(b);
MATCH (p:Person {name: 'Person 1'}) SET p:Director;
CALL db.awaitIndexes(60)
"""


@contextmanager
def running_neo4j(
    settings: Mapping[str, str] = NO_LOCKOUT, trusted: Path | None = None
) -> Iterator[Neo4jServer]:
    """Start a Neo4j, and kill it at the end: its data is thrown away."""
    with TemporaryDirectory(prefix="mcphub-neo4j-") as folder:
        server = Neo4jServer(
            install_neo4j(), Path(folder), dict(settings), trusted=trusted
        )
        try:
            server.start()
            yield server
        finally:
            server.kill()


def fill(server: Neo4jServer) -> None:
    """Write the trial data."""
    for statement in TRIAL_DATA.split(";"):
        server.run(statement)
