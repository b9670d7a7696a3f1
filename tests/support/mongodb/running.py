"""A FerretDB with trial data, until the block ends."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bson import Binary, Int64, ObjectId
from pymongo import MongoClient
from pymongo.errors import AutoReconnect

from tests.support.mongodb.installation import install_ferretdb
from tools.ports import reserve_ports

START_SECONDS = 100.0
OWNER, OWNER_PASSWORD = "owner", "owner-password"
READER, READER_PASSWORD = "reader", "reader-password"
DATABASE = "shop"
LARGE_INTEGER = 2**53 + 1
FIRST_ID = ObjectId("65a000000000000000000001")


@dataclass(slots=True)
class MongodbServer:
    """The double, as a process: started, killed, frozen, restarted."""

    folder: Path
    certificate: tuple[Path, Path] | None = None
    ports: list[int] = field(default_factory=lambda: reserve_ports(2))
    process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """The port of plain connections."""
        return self.ports[0]

    @property
    def tls_port(self) -> int:
        """The port of TLS connections."""
        return self.ports[1]

    @property
    def uri(self) -> str:
        """The address for a hub."""
        return f"mongodb://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and return once it answers."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(install_ferretdb()), *self._arguments()],
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        self._wait()

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        """Stop it from answering; its connections stay open."""
        assert self.process
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it answer again."""
        assert self.process
        os.kill(self.process.pid, signal.SIGCONT)

    def connect(self) -> MongoClient[dict[str, Any]]:
        """Connect as the owner."""
        return connect(self.uri)

    def _arguments(self) -> list[str]:
        tls = [f"--listen-tls=127.0.0.1:{self.tls_port}"]
        if self.certificate is None:
            tls = []
        else:
            tls += [f"--listen-tls-cert-file={self.certificate[0]}"]
            tls += [f"--listen-tls-key-file={self.certificate[1]}"]
        return [
            *build_arguments(str(self.folder)),
            f"--listen-addr=127.0.0.1:{self.port}",
            *tls,
        ]

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process and not self.process.poll():
            with suppress(AutoReconnect), self.connect() as client:
                client.admin.command("ping")
                return
            time.sleep(0.02)
        text = (self.folder / "log").read_text()
        raise RuntimeError(f"FerretDB did not start:\n{text[-2000:]}")


def connect(uri: str) -> MongoClient[dict[str, Any]]:
    """Connect as the owner."""
    return MongoClient(
        uri,
        username=OWNER,
        password=OWNER_PASSWORD,
        serverSelectionTimeoutMS=int(START_SECONDS * 1000),
    )


def build_arguments(folder: str) -> list[str]:
    """Return the program's arguments, without its addresses."""
    return [
        *("--handler=sqlite", f"--sqlite-url=file:{folder}/"),
        *(f"--state-dir={folder}", "--log-level=error"),
        *("--telemetry=disable", "--debug-addr=-"),
        *("--test-enable-new-auth", "--setup-database=admin"),
        *(f"--setup-username={OWNER}", f"--setup-password={OWNER_PASSWORD}"),
    ]


@contextmanager
def running_mongodb(
    certificate: tuple[Path, Path] | None = None,
) -> Iterator[MongodbServer]:
    """Start a server with the trial data, and kill it at the end."""
    with TemporaryDirectory(prefix="mcphub-mongodb-") as folder:
        server = MongodbServer(Path(folder), certificate)
        try:
            server.start()
            with server.connect() as client:
                fill(client)
            yield server
        finally:
            server.kill()


def fill(client: MongoClient[dict[str, Any]]) -> None:
    """Write the trial data, and make the user with which hubs log in."""
    shop = client[DATABASE]
    shop.command("createUser", READER, pwd=READER_PASSWORD, roles=[])
    shop.orders.insert_many(build_order(n) for n in range(1, 121))
    shop.orders.create_index("customer")
    shop.customers.insert_many(
        {"_id": n, "name": f"Customer {n}", "email": f"canary-{n}@example.com"}
        for n in range(1, 11)
    )
    shop.secrets.insert_one({"_id": 1, "value": "canary-secret"})


def build_order(n: int) -> dict[str, Any]:
    """One document with the types of which values are exact."""
    return {
        "_id": ObjectId(f"65a0000000000000{n:08x}"),
        "number": Int64(LARGE_INTEGER + n),
        "customer": n % 10 + 1,
        "total": n / 4,
        "placed": datetime(2026, 1, 1 + n % 28, 12, tzinfo=UTC),
        "tags": ["a", "b"] if n % 2 else [],
        "address": {"city": "Rome" if n % 3 else "Paris", "zip": None},
        "checksum": Binary(bytes([n % 256, 0, 255])),
    }
