"""Installs Neo4j from Maven into the cache, once, whoever comes first.

Neo4j's server distribution is in no package registry, its jars are: `pom.xml` names
them, and `Neo4jServer.java` is the few lines that start them. The jars are copied
into a folder of another name and renamed when complete, so an interrupted download
leaves nothing that looks finished; Maven itself keeps what it has and resumes.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.support.system_packages import ensure_packages
from tools.cluster.commands import run
from tools.cluster.places import cache_dir, exclusive, log_dir
from tools.cluster.progress import run_logged
from tools.cluster.registries import MAVEN, fetching

VERSION = "5.26.12"
SOURCES = Path(__file__).parent
DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"


@dataclass(frozen=True, slots=True)
class Installation:
    """A folder with Neo4j's jars and the starter's."""

    home: Path

    @property
    def class_path(self) -> str:
        """What `java -cp` takes."""
        return f"{self.starter}:{self.home / 'lib'}/*"

    @property
    def starter(self) -> Path:
        """The starter as a jar: Java keeps no archive of classes from folders."""
        return self.home / "starter.jar"


def install_neo4j() -> Installation:
    """Return the installation, made if it is missing."""
    home = cache_dir() / f"neo4j-{VERSION}"
    with exclusive(f"neo4j-{VERSION}"):
        if not home.is_dir():
            _install(home)
        installed = Installation(home)
        if not installed.starter.exists():
            run(["jar", "cf", installed.starter, "-C", home / "classes", "."])
        return installed


def _install(home: Path) -> None:
    ensure_packages(java="openjdk-17-jdk-headless", javac="openjdk-17-jdk-headless")
    ensure_packages(mvn="maven")
    partial = home.with_name(home.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    with fetching(f"Neo4j {VERSION}", MAVEN):
        run_logged(
            f"Fetching Neo4j {VERSION} from Maven (once, 116 MB)",
            [
                *("mvn", "--batch-mode", "-f", SOURCES / "pom.xml"),
                f"{DEPENDENCY_PLUGIN}:copy-dependencies",
                *("-DincludeScope=runtime", f"-DoutputDirectory={partial / 'lib'}"),
            ],
            log_dir() / "neo4j.log",
        )
    starter = SOURCES / "Neo4jServer.java"
    run(["javac", "-cp", f"{partial}/lib/*", "-d", partial / "classes", starter])
    partial.rename(home)
