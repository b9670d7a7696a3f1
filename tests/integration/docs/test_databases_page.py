"""The role that docs/databases.md tells to make reads, and does nothing else."""

import re
import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.support.postgres import PostgresServer, running_postgres
from tools.project import ROOT

PAGE = ROOT / "docs" / "databases.md"
(ROLE_SQL,) = re.findall(
    r"^```sql\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE
)

INSUFFICIENT_PRIVILEGE = "42501"

AsReader = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with running_postgres() as running:
        running.run_sql(ROLE_SQL.replace("DATABASE app", "DATABASE shop"), "shop")
        running.run_sql("CREATE TABLE later (id integer)", "shop")
        yield running


@pytest.fixture
def as_reader(server: PostgresServer) -> AsReader:
    """Run SQL as the documented role."""

    def run(sql: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                str(server.bin_dir / "psql"),
                *("-h", server.host, "-p", str(server.port), "-U", "hub_reader"),
                *("-d", "shop", "-X", "-v", "VERBOSITY=sqlstate", "-c", sql),
            ],
            capture_output=True,
            text=True,
            check=False,
            env={"PGPASSWORD": "…", "LC_ALL": "C"},
        )

    return run


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("SELECT count(*) FROM customers", id="a table that was there"),
        pytest.param("SELECT count(*) FROM later", id="a table made afterwards"),
    ],
)
def test_the_role_reads(as_reader: AsReader, sql: str) -> None:
    answer = as_reader(sql)

    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM customers",
        "UPDATE customers SET name = ''",
        "INSERT INTO customers (name) VALUES ('x')",
        "TRUNCATE customers",
        "CREATE TABLE mine (id integer)",
        "DROP TABLE customers",
        "COPY customers TO PROGRAM 'cat'",
        "SELECT * FROM sales.orders",
        "SELECT pg_read_file('/etc/hostname')",
    ],
)
def test_the_role_does_nothing_else(as_reader: AsReader, sql: str) -> None:
    answer = as_reader(sql)

    assert INSUFFICIENT_PRIVILEGE in answer.stderr
