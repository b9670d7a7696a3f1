"""A real PgBouncer in transaction mode before a test's PostgreSQL."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import postgres
from tests.support.postgres import (
    PostgresServer,
    give_to_server,
    is_listening,
    run_as_server,
)
from tests.support.system_packages import ensure_packages
from tools.ports import reserve_port

START_SECONDS = 100.0
PROGRAM = "/usr/sbin/pgbouncer"

SETTINGS = """
[databases]
{database} = host={host} port={server_port} dbname={database} user={user} password={pw}
ghost = host={host} port={server_port} dbname=none user={user} password={pw}
cold = host={host} port=1 dbname=none user={user} password={pw}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 2
max_client_conn = {max_clients}
server_login_retry = 1
server_connect_timeout = 2
logfile = {folder}/log
pidfile = {folder}/pid
ignore_startup_parameters = extra_float_digits
"""


@contextmanager
def running_pgbouncer(server: PostgresServer, max_clients: int = 40) -> Iterator[int]:
    """Run a pooler that shares two connections; yield its port."""
    ensure_packages(**{PROGRAM: "pgbouncer"})
    folder = Path(tempfile.mkdtemp(prefix="mcphub-pgbouncer-"))
    port = reserve_port()
    users = f'"{postgres.READER}" "{postgres.READER_PASSWORD}"\n'
    (folder / "users").write_text(users)
    (folder / "pgbouncer.ini").write_text(
        SETTINGS.format(
            database=postgres.DATABASE,
            host=server.host,
            server_port=server.port,
            user=postgres.READER,
            pw=postgres.READER_PASSWORD,
            port=port,
            folder=folder,
            max_clients=max_clients,
        )
    )
    give_to_server(folder)
    process = subprocess.Popen(
        [PROGRAM, "-q", str(folder / "pgbouncer.ini")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **run_as_server(),
    )
    try:
        wait_until_listening(process, port, folder / "log")
        yield port
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)


def wait_until_listening(
    process: subprocess.Popen[bytes], port: int, log: Path
) -> None:
    """Return once it accepts connections; raise with its log if it does not."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if is_listening(port):
            return
        time.sleep(0.02)
    text = log.read_text() if log.exists() else ""
    raise RuntimeError(f"PgBouncer did not start:\n{text[-2000:]}")
