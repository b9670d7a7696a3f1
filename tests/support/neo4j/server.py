"""One real Neo4j process on a loopback port: started, stopped, killed, started again.

Tests of recovery need the same database on the same port after a crash, so port and
home folder belong to the object and not to the process.
"""

import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import neo4j
from neo4j.exceptions import DriverError, Neo4jError

from tests.support.neo4j.installation import Installation
from tools.ports import reserve_port

START_SECONDS = 600.0
STOP_SECONDS = 600.0
"""The first start and stop, which write the archive of classes, run beside builds."""
PASSWORD = "correct-horse-battery"
FIRST_PASSWORD = "neo4j"

JAVA = (
    *("java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
)


@dataclass(slots=True)
class Neo4jServer:
    """A Neo4j of the community edition with one user, `neo4j`."""

    installation: Installation
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=reserve_port)
    username: str = "neo4j"
    password: str = PASSWORD
    process: subprocess.Popen[bytes] | None = None
    driver: neo4j.Driver | None = None
    trusted: Path | None = None
    java_options: tuple[str, ...] = ()

    @property
    def uri(self) -> str:
        """The address that drivers take."""
        return f"bolt://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the process and return when it accepts logins."""
        begun = time.monotonic()
        self.folder.mkdir(parents=True, exist_ok=True)
        configuration = self.folder / "neo4j.conf"
        configuration.write_text(self._configuration(), encoding="utf-8")
        with (self.folder / "neo4j.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(*JAVA, *self.java_options),
                    *("-cp", self.installation.class_path, "Neo4jServer"),
                    *(self.folder / "home", configuration),
                ],
                stdout=log,
                stderr=log,
            )
        self._wait_until_open(begun + START_SECONDS)
        seconds = time.monotonic() - begun
        print(f"== Neo4j on port {self.port} after {seconds:.1f} s", file=sys.stderr)

    def stop(self) -> None:
        """End the process in good order."""
        self._end(graceful=True)

    def kill(self) -> None:
        """End the process as a crash does."""
        self._end(graceful=False)

    def connect(self, password: str = "") -> neo4j.Driver:
        """Return a driver of the user, trusting `trusted` if that is set."""
        secure: dict[str, Any] = {}
        if self.trusted is not None:
            authorities = neo4j.TrustCustomCAs(str(self.trusted))
            secure = {"encrypted": True, "trusted_certificates": authorities}
        login = (self.username, password or self.password)
        return neo4j.GraphDatabase.driver(self.uri, auth=login, **secure)

    def run(self, cypher: str, **parameters: object) -> list[neo4j.Record]:
        """Run a statement outside the hub, to prepare or to verify."""
        if self.driver is None:
            self.driver = self.connect()
        return self.driver.execute_query(cypher, parameters, database_="neo4j").records

    def _configuration(self) -> str:
        settings = {
            "server.bolt.enabled": "true",
            "server.bolt.listen_address": f"127.0.0.1:{self.port}",
            "server.bolt.advertised_address": f"127.0.0.1:{self.port}",
            "dbms.security.auth_enabled": "true",
            "dbms.usage_report.enabled": "false",
            "server.memory.pagecache.size": "32m",
            **self.settings,
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())

    def _end(self, *, graceful: bool) -> None:
        if self.driver is not None:
            self.driver.close()
        process, self.process, self.driver = self.process, None, None
        if process is None:
            return
        if graceful:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                graceful = False
        if not graceful:
            process.kill()
            process.wait()

    def _wait_until_open(self, deadline: float) -> None:
        while True:
            try:
                self._log_in()
            except (DriverError, Neo4jError) as error:
                self._check_alive(deadline, error)
                time.sleep(0.05)
            else:
                return

    def _check_alive(self, deadline: float, error: Exception) -> None:
        ended = self.process is None or self.process.poll() is not None
        if ended or time.monotonic() > deadline:
            log = (self.folder / "neo4j.log").read_text(encoding="utf-8")
            self.kill()
            raise RuntimeError(f"Neo4j did not start: {log[-2000:]}") from error

    def _log_in(self) -> None:
        """Log in, changing the first password if it is still in force."""
        marker = self.folder / "password-changed"
        if marker.exists():
            with self.connect() as driver:
                driver.verify_connectivity()
            return
        first = self.connect(FIRST_PASSWORD)
        with first as driver, driver.session(database="system") as session:
            session.run(
                "ALTER CURRENT USER SET PASSWORD FROM $old TO $new",
                {"old": FIRST_PASSWORD, "new": self.password},
            ).consume()
        marker.touch()
