"""Installs Neo4j from Maven into the cache, once, whoever comes first.

Neo4j's server distribution is in no package registry, its jars are: `pom.xml` names
them, and `Neo4jServer.java` is the few lines that start them. The jars are copied
into a folder of another name and renamed when complete, so an interrupted download
leaves nothing that looks finished; Maven itself keeps what it has and resumes.
"""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.system_packages import ensure_packages
from tools.cluster.commands import run
from tools.cluster.places import cache_dir, exclusive

VERSION = "5.26.12"
SOURCES = Path(__file__).parent
DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"
DOWNLOAD_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Installation:
    """A folder with Neo4j's jars and the compiled starter."""

    home: Path

    @property
    def class_path(self) -> str:
        """What `java -cp` takes."""
        return f"{self.home / 'classes'}:{self.home / 'lib'}/*"


def install_neo4j() -> Installation:
    """Return the installation, made if it is missing."""
    home = cache_dir() / f"neo4j-{VERSION}"
    with exclusive(f"neo4j-{VERSION}"):
        if not home.is_dir():
            _install(home)
        return Installation(home)


def _install(home: Path) -> None:
    ensure_packages(java="openjdk-17-jdk-headless", javac="openjdk-17-jdk-headless")
    ensure_packages(mvn="maven")
    print(f"== Neo4j {VERSION} from Maven (once, 116 MB)", file=sys.stderr)
    partial = home.with_name(home.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    run(
        [
            *("mvn", "--batch-mode", "--quiet", "-f", SOURCES / "pom.xml"),
            f"{DEPENDENCY_PLUGIN}:copy-dependencies",
            *("-DincludeScope=runtime", f"-DoutputDirectory={partial / 'lib'}"),
        ],
        timeout_seconds=DOWNLOAD_SECONDS,
    )
    starter = SOURCES / "Neo4jServer.java"
    run(["javac", "-cp", f"{partial}/lib/*", "-d", partial / "classes", starter])
    partial.rename(home)
