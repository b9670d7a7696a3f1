"""asyncpg's errors as reasons, without the driver's or the server's words."""

import socket
import ssl

import asyncpg
import pytest

from mcphub_server.backends.postgres.failures import (
    DRIVER_ERRORS,
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
        (
            server_error("28000", "no pg_hba.conf entry …, no encryption"),
            BackendReason.TLS_FAILURE,
        ),
        (server_error("3D000", "database x"), BackendReason.UNKNOWN_DATABASE),
        (server_error("53300", "too many"), BackendReason.TOO_MANY_CONNECTIONS),
        (server_error("57P03", "starting up"), BackendReason.ERROR),
        (
            server_error("08P01", "no such database: x"),
            BackendReason.UNKNOWN_DATABASE,
        ),
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
    failure = translate_connect_error("orders", error)

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
    failure = translate_query_error("o", error, analysed=False, timeout_seconds=1)

    assert isinstance(error, DRIVER_ERRORS)
    assert isinstance(failure, BackendUnavailable) is lost


def test_the_servers_text_passes_while_no_row_has_been_read() -> None:
    error = server_error("42703", 'column "x" does not exist')

    failure = translate_query_error("o", error, analysed=False, timeout_seconds=1)

    assert str(failure) == 'column "x" does not exist (42703).'


@pytest.mark.parametrize("code", ["22P02", "P0001", "42601", "XX000"])
def test_no_text_of_the_server_passes_once_rows_are_read(code: str) -> None:
    error = server_error(code, 'invalid input: "row-content"')

    failure = translate_query_error("o", error, analysed=True, timeout_seconds=1)

    assert isinstance(failure, QueryFailed)
    assert failure.code == code
    assert "row-content" not in str(failure)


def test_a_cancelled_statement_is_a_timeout() -> None:
    error = server_error("57014", "canceling statement due to statement timeout")

    failure = translate_query_error("o", error, analysed=True, timeout_seconds=30)

    assert isinstance(failure, QueryTimeout)
    assert "30 s" in str(failure)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(server_error("57P01", "terminating"), id="shut down"),
        pytest.param(server_error("08006", "lost"), id="lost"),
        pytest.param(asyncpg.InterfaceError("connection is closed"), id="closed"),
        pytest.param(ConnectionResetError(), id="reset"),
    ],
)
def test_a_lost_connection_is_the_backends_fault(error: BaseException) -> None:
    failure = translate_query_error("o", error, analysed=True, timeout_seconds=1)

    assert isinstance(failure, BackendUnavailable)
