"""What a caller reads of a Neo4j driver's error, by code and by cause."""

import socket
import ssl

import pytest
from neo4j.exceptions import ConfigurationError, Neo4jError, ServiceUnavailable

from mcphub_server.backends.neo4j.failures import (
    find_reason,
    shorten,
    translate_failure,
)
from mcphub_server.backends.neo4j.metering import RecordTooLarge
from mcphub_server.errors import (
    BackendReason,
    BackendUnavailable,
    QueryFailed,
    QueryTimeout,
)


def tell(code: str, message: str = "text: canary") -> Neo4jError:
    return Neo4jError._basic_hydrate(neo4j_code=code, message=message)


def wrap(cause: BaseException) -> ServiceUnavailable:
    """Wrap a cause as the driver does: in its own error, in a group, in another."""
    inner = ServiceUnavailable("inner")
    inner.__cause__ = cause
    outer = ServiceUnavailable("Unable to retrieve routing information")
    outer.__cause__ = ExceptionGroup("all failed", [inner])
    return outer


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        pytest.param(socket.gaierror(-2, "no"), "DNSFailure", id="a name"),
        pytest.param(ConnectionRefusedError(), "ConnectionRefused", id="a port"),
        pytest.param(TimeoutError(), "Timeout", id="a wait"),
        pytest.param(ssl.SSLError("no"), "TLSFailure", id="a certificate"),
        pytest.param(ConnectionAbortedError(), "Timeout", id="a slow TLS handshake"),
        pytest.param(OSError("no data"), "Error", id="a broken connection"),
    ],
)
def test_the_reason_is_found_behind_the_drivers_wrappers(
    cause: BaseException, reason: str
) -> None:
    assert find_reason(wrap(cause)) == reason


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        pytest.param(
            "Neo.ClientError.Security.Unauthorized", BackendUnavailable, id="login"
        ),
        pytest.param(
            "Neo.ClientError.Database.DatabaseNotFound", BackendUnavailable, id="name"
        ),
        pytest.param(
            "Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration",
            QueryTimeout,
            id="time",
        ),
        pytest.param(
            "Neo.ClientError.Security.AuthProviderFailed", BackendUnavailable, id="ldap"
        ),
        pytest.param("Neo.ClientError.Statement.TypeError", QueryFailed, id="type"),
        pytest.param("Neo.ClientError.Something.New", QueryFailed, id="unheard of"),
    ],
)
def test_codes_decide_what_kind_of_failure_it_is(code: str, kind: type) -> None:
    failure = translate_failure("graph", tell(code))

    assert type(failure) is kind
    assert "canary" not in str(failure)


@pytest.mark.parametrize(
    ("code", "part", "retry"),
    [
        ("Neo.TransientError.Transaction.Terminated", "administrator", 1.0),
        ("Neo.ClientError.Transaction.TransactionTerminated", "administrator", 1.0),
        ("Neo.TransientError.Transaction.DeadlockDetected", "try again", 1.0),
        ("Neo.TransientError.Transaction.LockClientStopped", "try again", 1.0),
        ("Neo.ClientError.Security.AuthorizationExpired", "try again", 1.0),
        ("Neo.TransientError.General.OutOfMemoryError", "memory", None),
        ("Neo.ClientError.Cluster.NotALeader", "try again", 1.0),
        ("Neo.TransientError.Cluster.ReplicationFailure", "try again", 1.0),
        ("Neo.TransientError.Schema.SchemaModifiedConcurrently", "try again", 1.0),
        ("Neo.TransientError.Security.AuthProviderTimeout", "try again", 1.0),
        ("Neo.TransientError.General.TransactionOutOfMemoryError", "memory", None),
        ("Neo.TransientError.General.StackOverFlowError", "too deeply", None),
        ("Neo.ClientError.Statement.AccessMode", "only reads", None),
        ("Neo.ClientError.General.ForbiddenOnReadOnlyDatabase", "only reads", None),
        ("Neo.DatabaseError.General.UnknownError", "internal error", None),
        ("Neo.DatabaseError.Statement.ExecutionFailed", "internal error", None),
        ("Neo.ClientError.Something.New", "failed while it ran", None),
    ],
)
def test_a_terminated_statement_is_no_timeout(
    code: str, part: str, retry: float | None
) -> None:
    failure = translate_failure("graph", tell(code))

    assert isinstance(failure, QueryFailed)
    assert part in str(failure)
    assert failure.retry_after_seconds == retry
    assert "canary" not in str(failure)


def test_the_planners_words_pass_because_they_quote_the_statement_only() -> None:
    error = tell("Neo.ClientError.Statement.SyntaxError", "Variable `x` not defined")

    failure = translate_failure("graph", error, explaining=True)

    assert "Variable `x` not defined" in str(failure)


def test_a_record_that_is_too_large_is_told_with_its_bound() -> None:
    failure = translate_failure("graph", wrap(RecordTooLarge(1024)))

    assert isinstance(failure, QueryFailed)
    assert "1024 bytes" in str(failure)


def test_a_long_message_keeps_its_position() -> None:
    message = "Invalid input: expected " + "'WORD', " * 200 + "(line 3, column 14 (o"

    assert shorten(message).endswith("… (line 3, column 14)")


def test_b4_a_server_that_is_too_old_is_no_failure_of_tls():
    error = ConfigurationError("Notification filtering is not supported in Bolt 4.4")

    failure = translate_failure("graph", error)

    assert isinstance(failure, BackendUnavailable)
    assert failure.reason is BackendReason.UNSUPPORTED_VERSION
    assert "Neo4j 5" in str(failure)
