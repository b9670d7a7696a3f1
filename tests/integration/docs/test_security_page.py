"""The role that docs/security.md tells to make is bounded as the page says."""

import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.support.corpus import load_corpus
from tests.support.postgres import PostgresServer, running_postgres
from tools.project import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text()
ROLE_SQL, VIEW_SQL = (
    text.replace("DATABASE app", "DATABASE shop")
    for text in re.findall(r"^```sql\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with running_postgres() as running:
        running.run_sql(ROLE_SQL, "shop")
        running.run_sql(VIEW_SQL, "shop")
        yield running


def ask(server: PostgresServer, sql: str) -> str:
    """Return what the documented role is answered, or the code of the refusal."""
    done = subprocess.run(
        [
            str(server.bin_dir / "psql"),
            *("-h", server.host, "-p", str(server.port), "-U", "hub_reader"),
            *("-d", "shop", "-X", "-A", "-t", "-v", "VERBOSITY=sqlstate", "-c", sql),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={"PGPASSWORD": "…", "LC_ALL": "C"},
    )
    return (done.stdout + done.stderr).strip()


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ("SELECT count(*) FROM shared.customers", "50"),
        ("SHOW temp_file_limit", "1GB"),
        ("SHOW statement_timeout", "40s"),
        ("SHOW work_mem", "16MB"),
        ("SHOW default_transaction_read_only", "on"),
    ],
)
def test_the_role_has_what_it_needs(
    server: PostgresServer, sql: str, answer: str
) -> None:
    assert ask(server, sql) == answer


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        pytest.param("SELECT * FROM customers", "42501", id="the hidden table"),
        pytest.param("SET temp_file_limit = -1", "42501", id="more temporary files"),
        pytest.param(
            "BEGIN READ WRITE; DELETE FROM shared.customers",
            "42501",
            id="writing through the view",
        ),
        pytest.param(
            "BEGIN READ WRITE; CREATE TEMP TABLE mine (id int)",
            "42501",
            id="temporary tables",
        ),
    ],
)
def test_the_role_gets_no_further(server: PostgresServer, sql: str, code: str) -> None:
    assert code in ask(server, sql)


def test_a_sort_ends_where_temporary_files_do(server: PostgresServer) -> None:
    """Tried with less than the page's gigabyte, which slow disks take minutes for."""
    server.run_sql("ALTER ROLE hub_reader IN DATABASE shop SET temp_file_limit = 20000")

    refused = ask(
        server,
        "SELECT count(*) FROM (SELECT DISTINCT repeat(n::text, 400), m"
        " FROM generate_series(1, 4000) n, generate_series(1, 400) m) AS t",
    )

    server.run_sql("ALTER ROLE hub_reader IN DATABASE shop RESET temp_file_limit")
    assert "53400" in refused


def test_the_corpus_has_as_many_inputs_as_the_page_says() -> None:
    kinds = [load_corpus(kind) for kind in ("postgres", "neo4j", "qdrant", "mongodb")]
    expected = [item.expected for items in kinds for item in items]
    numbers = [
        len(expected),
        *map(len, kinds),
        *(expected.count(word) for word in ("reject", "safe-error", "allow")),
    ]

    text = PAGE.partition("keeps a corpus of ")[2].partition("`make test`")[0]

    assert [int(number) for number in re.findall(r"\b\d+", text)] == numbers
