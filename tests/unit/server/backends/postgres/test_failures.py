"""asyncpg's errors as reasons, without the driver's or the server's words."""

import socket
import ssl
from pathlib import Path

import asyncpg
import pytest

from mcphub_server.backends.postgres import sqlstates
from mcphub_server.backends.postgres.bounded import MessageTooLarge
from mcphub_server.backends.postgres.failures import (
    DRIVER_ERRORS,
    Attempt,
    Login,
    translate_connect_error,
    translate_query_error,
)
from mcphub_server.errors import (
    BackendReason,
    BackendUnavailable,
    QueryFailed,
    QueryTimeout,
)


def server_error(code: str, message: str) -> asyncpg.PostgresError:
    return asyncpg.PostgresError.new({"C": code, "M": message, "S": "ERROR"})


def interface_data_error(message: str) -> Exception:
    """Make what asyncpg raises for an argument; its public DataError is another."""
    return type("DataError", (asyncpg.InterfaceError, ValueError), {})(message)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (socket.gaierror(-2, "secret-host"), BackendReason.DNS_FAILURE),
        (ConnectionRefusedError(), BackendReason.CONNECTION_REFUSED),
        (TimeoutError(), BackendReason.TIMEOUT),
        (ssl.SSLError(), BackendReason.TLS_FAILURE),
        (ConnectionError("server rejected SSL upgrade"), BackendReason.TLS_FAILURE),
        (ConnectionResetError(), BackendReason.ERROR),
        (OSError(113, "No route"), BackendReason.CONNECTION_REFUSED),
        (server_error("28P01", "for user x"), BackendReason.BAD_CREDENTIALS),
        (server_error("28000", "no pg_hba.conf entry …"), BackendReason.ACCESS_DENIED),
        (
            server_error("28000", "kein pg_hba.conf-Eintrag …, keine Verschlüsselung"),
            BackendReason.ACCESS_DENIED,
        ),
        (server_error("42501", "permission denied"), BackendReason.ACCESS_DENIED),
        (server_error("55000", "not accepting"), BackendReason.ACCESS_DENIED),
        (server_error("3D000", "database x"), BackendReason.UNKNOWN_DATABASE),
        (server_error("53300", "too many"), BackendReason.TOO_MANY_CONNECTIONS),
        (server_error("57P03", "starting up"), BackendReason.ERROR),
        (
            server_error("XX000", "Tenant or user not found"),
            BackendReason.BAD_CREDENTIALS,
        ),
        (
            server_error("XX000", "MaxClientsInSessionMode: max clients reached"),
            BackendReason.TOO_MANY_CONNECTIONS,
        ),
        (server_error("XX000", "cache lookup failed"), BackendReason.ERROR),
        (
            server_error("08P01", "no such database: x"),
            BackendReason.UNKNOWN_DATABASE,
        ),
        (
            server_error("08P01", "query_wait_timeout"),
            BackendReason.TOO_MANY_CONNECTIONS,
        ),
        (
            server_error("08P01", "server login has been failing, try again later"),
            BackendReason.CONNECTION_REFUSED,
        ),
        (
            server_error("08P01", "unsupported startup parameter: options"),
            BackendReason.ERROR,
        ),
        (server_error("08P01", "pgbouncer is shutting down"), BackendReason.ERROR),
        (
            server_error("08P01", "password authentication failed"),
            BackendReason.BAD_CREDENTIALS,
        ),
    ],
    ids=lambda value: str(getattr(value, "value", repr(value)))[:40],
)
def test_a_failed_connection_has_a_reason(
    error: BaseException, reason: BackendReason
) -> None:
    failure = translate_connect_error(Login("orders"), error)

    assert failure.reason is reason
    assert str(failure).startswith("orders is unavailable: ")
    assert "secret-host" not in str(failure)


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        pytest.param(
            asyncpg.InternalClientError("cannot switch to state 15; another …"),
            True,
            id="a connection that was ended while idle",
        ),
        pytest.param(asyncpg.InterfaceError("connection is closed"), True, id="closed"),
        pytest.param(
            asyncpg.InternalClientError("could not resolve query result types"),
            False,
            id="a type without a codec",
        ),
        pytest.param(
            asyncpg.UnsupportedClientFeatureError("cannot decode type"),
            False,
            id="a composite type that cannot be read",
        ),
        pytest.param(
            interface_data_error("invalid input for query argument"),
            False,
            id="a parameter that cannot be written",
        ),
    ],
)
def test_only_a_lost_connection_counts_against_the_backend(
    error: Exception,
    lost: bool,  # noqa: FBT001 -- a column of the table
) -> None:
    failure = translate_query_error(Attempt("o", analysed=False), error)

    assert isinstance(error, DRIVER_ERRORS)
    assert isinstance(failure, BackendUnavailable) is lost


def test_the_servers_text_passes_while_no_row_has_been_read() -> None:
    error = server_error("42703", 'column "x" does not exist')

    failure = translate_query_error(Attempt("o", analysed=False), error)

    assert str(failure) == 'column "x" does not exist (42703).'


@pytest.mark.parametrize("code", ["26000", "42P05"])
def test_a_pooler_between_is_told_in_words_of_this_server(code: str) -> None:
    error = server_error(code, 'prepared statement "__asyncpg_stmt_1__" …')

    failure = translate_query_error(Attempt("o", analysed=False), error)

    assert "pooler to true" in str(failure)
    assert "asyncpg" not in str(failure)


@pytest.mark.parametrize("code", ["22P02", "P0001", "42601", "XX000"])
def test_no_text_of_the_server_passes_once_rows_are_read(code: str) -> None:
    error = server_error(code, 'invalid input: "row-content"')

    failure = translate_query_error(Attempt("o", analysed=True), error)

    assert isinstance(failure, QueryFailed)
    assert failure.code == code
    assert "row-content" not in str(failure)


@pytest.mark.parametrize(
    ("elapsed", "failure"),
    [
        pytest.param(30.1, QueryTimeout, id="after its time: a timeout"),
        pytest.param(2.0, QueryFailed, id="before: a cancel"),
    ],
)
@pytest.mark.parametrize("analysed", [True, False])
def test_only_time_tells_a_timeout_from_a_cancel(
    elapsed: float,
    failure: type[Exception],
    analysed: bool,  # noqa: FBT001 -- a column of the table
) -> None:
    error = server_error("57014", "Anweisung wird abgebrochen")
    attempt = Attempt("o", analysed, elapsed_seconds=elapsed, timeout_seconds=30)

    found = translate_query_error(attempt, error)

    assert isinstance(found, failure)


CODES = [
    "08000", "08001", "08003", "08006", "08P01", "0A000", "21000", "22P02", "25006",
    "25P02", "26000", "28000", "28P01", "2F003", "38000", "40001", "40P01", "42501",
    "42P01", "53100", "53200", "53300", "54001", "55P03", "57014", "57P01", "57P02",
    "57P03", "57P04", "57P05", "58030", "F0000", "HV00N", "P0001", "XX000", "XX002",
]  # fmt: skip


@pytest.mark.parametrize("code", CODES)
def test_a_statement_may_carry_any_code_while_its_connection_lives(code: str) -> None:
    error = server_error(code, "row content")

    failure = translate_query_error(Attempt("o", analysed=True), error)

    assert isinstance(failure, QueryFailed)
    assert failure.code == code
    assert "row content" not in str(failure)


@pytest.mark.parametrize("code", CODES)
def test_a_lost_connection_is_the_backends_fault_whatever_was_said(code: str) -> None:
    error = asyncpg.ConnectionDoesNotExistError("closed in the middle of operation")
    error.__cause__ = server_error(code, "row content")

    failure = translate_query_error(
        Attempt("o", analysed=True, connection_lost=True), error
    )

    assert isinstance(failure, BackendUnavailable)
    assert "row content" not in str(failure)


@pytest.mark.parametrize("code", CODES)
def test_a_refused_login_makes_the_backend_unavailable(code: str) -> None:
    failure = translate_connect_error(Login("o"), server_error(code, "secret text"))

    assert code in str(failure)
    assert "secret text" not in str(failure)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(asyncpg.InterfaceError("connection is closed"), id="closed"),
        pytest.param(ConnectionResetError(), id="reset"),
    ],
)
def test_what_the_driver_finds_lost_is_lost(error: BaseException) -> None:
    failure = translate_query_error(Attempt("o", analysed=True), error)

    assert isinstance(failure, BackendUnavailable)


def test_a_message_past_its_bound_is_the_statements_fault() -> None:
    error = asyncpg.ConnectionDoesNotExistError("closed in the middle of operation")
    error.__cause__ = MessageTooLarge()
    attempt = Attempt("o", analysed=True, connection_lost=True)

    failure = translate_query_error(attempt, error)

    assert isinstance(failure, QueryFailed)


def test_the_table_in_the_documentation_is_this_one() -> None:
    page = (Path(__file__).parents[5] / "docs" / "databases.md").read_text()

    assert sqlstates.render() in page


@pytest.mark.parametrize(
    ("code", "part", "retry"),
    [
        ("23514", "domain", None),
        ("23502", "domain", None),
        ("72000", "removed meanwhile", 1.0),
        ("F0000", "configuration", None),
        ("08006", "foreign server", None),
        ("57P01", "interrupted", None),
        ("57P05", "interrupted", None),
        ("40P01", "try again", 1.0),
    ],
)
def test_a_statements_class_of_errors_is_told(
    code: str, part: str, retry: float | None
) -> None:
    attempt = Attempt("orders", analysed=True)

    failure = translate_query_error(attempt, server_error(code, "canary"))

    assert isinstance(failure, QueryFailed)
    assert part in str(failure)
    assert failure.retry_after_seconds == retry
    assert "canary" not in str(failure)


def test_an_idle_connection_that_the_server_closed_is_told_as_such() -> None:
    attempt = Attempt("orders", analysed=True, connection_lost=True)

    failure = translate_query_error(attempt, server_error("57P05", "canary"))

    assert isinstance(failure, BackendUnavailable)
    assert "idle" in str(failure)
