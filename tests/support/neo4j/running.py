"""A Neo4j with the trial data, until the block ends.

The first start of a Neo4j takes half a minute, and its data as long as a later start:
so each begins with a copy of a home folder that is made once, and with an archive of
the classes that Java loaded then. Both are kept in the cache.
"""

import hashlib
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.neo4j.installation import Installation, install_neo4j
from tests.support.neo4j.server import PASSWORD, Neo4jServer
from tools.cluster.places import exclusive

ARCHIVE = "classes.jsa"

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
    installation = install_neo4j()
    template = find_template(installation)
    with TemporaryDirectory(prefix="mcphub-neo4j-") as folder:
        without = shutil.ignore_patterns(ARCHIVE)
        shutil.copytree(template, folder, ignore=without, dirs_exist_ok=True)
        archive = f"-XX:SharedArchiveFile={template / ARCHIVE}"
        server = Neo4jServer(
            *(installation, Path(folder), dict(settings)),
            trusted=trusted,
            java_options=(archive,),
        )
        try:
            server.start()
            yield server
        finally:
            server.kill()


def find_template(installation: Installation) -> Path:
    """Return a server's folder with the trial data, made if it is missing."""
    key = hashlib.sha256(f"{TRIAL_DATA}{PASSWORD}".encode()).hexdigest()[:12]
    template = installation.home.with_name(f"{installation.home.name}-trial-{key}")
    with exclusive(template.name):
        if not template.is_dir():
            _make_template(installation, template)
    return template


def _make_template(installation: Installation, template: Path) -> None:
    print("== Neo4j's trial data (once, a minute)", file=sys.stderr)
    partial = template.with_name(f"{template.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    archive = f"-XX:ArchiveClassesAtExit={partial / ARCHIVE}"
    server = Neo4jServer(
        installation, partial, dict(NO_LOCKOUT), java_options=(archive,)
    )
    try:
        server.start()
        fill(server)
        server.stop()
    finally:
        server.kill()
    partial.rename(template)


def fill(server: Neo4jServer) -> None:
    """Write the trial data."""
    for statement in TRIAL_DATA.split(";"):
        server.run(statement)
