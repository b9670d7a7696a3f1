"""A real PostgreSQL on loopback, in a temporary folder, for one test session.

It can be stopped, killed and started again on the same port, because recovery is what
half of the tests are about. As root it runs as the user `postgres`: the server refuses
to run as root. Each starts from a copy of one data folder that is made once and kept
in the cache: `initdb` takes ten times as long as all the rest.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.system_packages import ensure_packages
from tools.cluster.places import cache_dir, exclusive
from tools.ports import reserve_port

START_SECONDS = 100.0
SYSTEM_USER = "postgres"

ADMIN = "postgres"
ADMIN_PASSWORD = "admin-secret"
READER = "reader"
READER_PASSWORD = "reader-secret"
DATABASE = "shop"

SETTINGS = """
listen_addresses = '127.0.0.1'
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 32MB
max_connections = 40
log_min_messages = error
lc_messages = 'C'
"""


def find_bin_dir() -> Path:
    """Return the folder of the newest server's programs, installed if missing."""
    found = list_bin_dirs()
    if not found:
        ensure_packages(**{"/usr/lib/postgresql/bin/postgres": "postgresql"})
        found = list_bin_dirs()
    return found[-1]


def find_vector_bin_dir(scratch: Path) -> Path:
    """Return the folder of a server that has pgvector.

    Debian packages the extension from release 13 on; elsewhere a Python package
    brings a whole server with it, copied to where the server's user may read it.
    """
    for folder in reversed(list_bin_dirs()):
        if has_vector(folder):
            return folder
        package = f"postgresql-{folder.parent.name}-pgvector"
        if is_packaged(package):
            ensure_packages(**{f"/{package}": package})
            return folder
    spec = importlib.util.find_spec("pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("These tests need PostgreSQL with pgvector installed")
    copied = scratch / "pgserver" / "pginstall"
    shutil.copytree(Path(spec.origin).parent / "pginstall", copied)
    shutil.copytree(
        Path(spec.origin).parent.parent / "pgserver.libs", scratch / "pgserver.libs"
    )
    return copied / "bin"


def ensure_extension(name: str) -> None:
    """Install the package of an extension for the newest server, if it is missing."""
    release = find_bin_dir().parent.name
    control = Path("/usr/share/postgresql") / release / "extension" / f"{name}.control"
    if not control.exists():
        ensure_packages(**{f"/{name}": f"postgresql-{release}-{name}"})


def has_vector(bin_dir: Path) -> bool:
    """Tell whether an installed server has pgvector."""
    shared = Path("/usr/share/postgresql") / bin_dir.parent.name
    return (shared / "extension" / "vector.control").exists()


def is_packaged(package: str) -> bool:
    """Tell whether the system's package lists know a package."""
    if os.geteuid() != 0 or not shutil.which("apt-cache"):
        return False
    done = subprocess.run(
        ["apt-cache", "show", package], capture_output=True, check=False
    )
    return done.returncode == 0


def list_bin_dirs() -> list[Path]:
    """Return the folders of all installed servers, oldest first."""
    found = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    folders = sorted((path.parent for path in found), key=_version)
    if not folders and (program := shutil.which("postgres")):
        folders = [Path(program).resolve().parent]
    return folders


def _version(folder: Path) -> int:
    return int(folder.parent.name) if folder.parent.name.isdigit() else 0


@dataclass(slots=True)
class PostgresServer:
    """A server that tests may treat badly."""

    folder: Path
    bin_dir: Path
    port: int
    settings: str = ""
    host: str = "127.0.0.1"
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def copy_data(self, template: Path) -> None:
        """Take over a data folder, owners and all."""
        give_to_server(self.folder)
        data = self.folder / "data"
        subprocess.run(["cp", "-a", template, data], check=True)
        with (data / "postgresql.conf").open("a") as file:
            file.write(self.settings)

    def initialise(self) -> None:
        """Make the data folder."""
        password = self.folder / "admin-password"
        password.write_text(ADMIN_PASSWORD)
        give_to_server(self.folder)
        self._run(
            "initdb",
            *("-D", str(self.folder / "data"), "-U", ADMIN, "-A", "scram-sha-256"),
            *("--pwfile", str(password), "-E", "UTF8", "--locale", "C"),
            *("--no-sync", "--no-instructions"),
        )
        with (self.folder / "data" / "postgresql.conf").open("a") as file:
            file.write(SETTINGS)

    def start(self) -> None:
        """Start, and return once it accepts connections."""
        log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(
            [
                str(self.bin_dir / "postgres"),
                *("-D", str(self.folder / "data"), "-p", str(self.port)),
                *("-k", str(self.folder)),
            ],
            stdout=log,
            stderr=log,
            **run_as_server(),
        )
        log.close()
        self._wait_until_ready()

    def stop(self) -> None:
        """Stop at once, as `pg_ctl stop -m immediate`; clients see a crash."""
        self._end(signal.SIGQUIT)

    def shut_down(self) -> None:
        """Stop as an administrator would: sessions are told, then closed."""
        self._end(signal.SIGINT)

    def restart(self) -> None:
        """Shut down and start again on the same port."""
        self.shut_down()
        self.start()

    def run_sql(self, sql: str, database: str = "postgres") -> str:
        """Run statements as the administrator, and return what psql prints."""
        return self._run(
            "psql",
            *("-h", self.host, "-p", str(self.port), "-U", ADMIN, "-d", database),
            *("-v", "ON_ERROR_STOP=1", "-X", "-q", "-A", "-t", "-f", "-"),
            stdin=sql,
        )

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=START_SECONDS)
            self._process = None

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            done = subprocess.run(
                [
                    str(self.bin_dir / "pg_isready"),
                    *("-q", "-h", self.host, "-p", str(self.port)),
                ],
                check=False,
            )
            if done.returncode == 0:
                return
            time.sleep(0.05)
        text = (self.folder / "log").read_text()[-2000:]
        raise RuntimeError(f"PostgreSQL did not start:\n{text}")

    def _run(self, program: str, *arguments: str, stdin: str = "") -> str:
        done = subprocess.run(
            [str(self.bin_dir / program), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env={**os.environ, "PGPASSWORD": ADMIN_PASSWORD, "LC_ALL": "C"},
            check=False,
            **run_as_server(),
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed:\n{done.stderr}")
        return str(done.stdout)


def run_as_server() -> dict[str, Any]:
    """Return subprocess arguments that leave root's rights behind."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam(SYSTEM_USER)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def give_to_server(folder: Path) -> None:
    """Let the server's user own a folder and what is in it."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, SYSTEM_USER)


@contextmanager
def running_postgres(
    settings: str = "", *, with_vector: bool = False, port: int = 0
) -> Iterator[PostgresServer]:
    """Run a server with the trial data, and remove it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="mcphub-postgres-"))
    bin_dir = find_vector_bin_dir(folder) if with_vector else find_bin_dir()
    give_to_server(folder)  # a copied server is run from there
    server = PostgresServer(folder, bin_dir, port or reserve_port(), settings)
    try:
        server.copy_data(find_template(bin_dir))
        server.start()
        if with_vector:
            server.run_sql("CREATE EXTENSION vector", DATABASE)
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def find_template(bin_dir: Path) -> Path:
    """Return a data folder with the trial data, made if it is missing."""
    version = subprocess.check_output([bin_dir / "postgres", "--version"], text=True)
    content = f"{version}{ADMIN_PASSWORD}{SETTINGS}{SEED}"
    name = f"postgres-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
    template = cache_dir() / name
    with exclusive(name):
        if not template.is_dir():
            _make_template(bin_dir, template)
    return template


def _make_template(bin_dir: Path, template: Path) -> None:
    partial = template.with_name(f"{template.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix="mcphub-postgres-"))
    server = PostgresServer(folder, bin_dir, reserve_port())
    try:
        server.initialise()
        server.start()
        seed(server)
        server.shut_down()
        subprocess.run(["cp", "-a", folder / "data", partial], check=True)
        partial.rename(template)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def seed(server: PostgresServer) -> None:
    """Make a read-only role and a little shop."""
    server.run_sql(f"CREATE DATABASE {DATABASE}")
    server.run_sql(SEED, DATABASE)


SEED = f"""
CREATE ROLE {READER} LOGIN PASSWORD '{READER_PASSWORD}';
CREATE SCHEMA sales;
COMMENT ON SCHEMA sales IS 'Orders and what belongs to them';
CREATE TABLE public.customers (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  email text UNIQUE,
  country char(2) NOT NULL DEFAULT 'DE',
  created timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE public.customers IS 'Who buys';
COMMENT ON COLUMN public.customers.country IS 'ISO 3166-1 alpha-2';
CREATE TABLE sales.orders (
  id bigint PRIMARY KEY,
  customer_id integer NOT NULL REFERENCES public.customers (id),
  total numeric(12, 2) NOT NULL CHECK (total >= 0),
  placed date NOT NULL
);
CREATE INDEX orders_by_date ON sales.orders (placed);
CREATE VIEW sales.big_orders AS SELECT * FROM sales.orders WHERE total > 500;
CREATE MATERIALIZED VIEW sales.by_day AS
  SELECT placed, count(*) AS orders, sum(total) AS total
  FROM sales.orders GROUP BY placed;
CREATE TABLE public.private_notes (id integer PRIMARY KEY, note text);
INSERT INTO public.customers (name, email)
  SELECT 'Customer ' || n, 'c' || n || '@example.com' FROM generate_series(1, 50) n;
INSERT INTO sales.orders
  SELECT n, 1 + n % 50, (n * 7.25)::numeric(12, 2), date '2026-01-01' + n % 300
  FROM generate_series(1, 1000) n;
REFRESH MATERIALIZED VIEW sales.by_day;
GRANT USAGE ON SCHEMA public, sales TO {READER};
GRANT SELECT ON public.customers, sales.orders, sales.big_orders, sales.by_day
  TO {READER};
ANALYZE;
"""  # noqa: S608 -- constants


def is_listening(port: int) -> bool:
    """Tell whether something accepts connections on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
