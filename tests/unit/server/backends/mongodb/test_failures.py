"""What MongoDB and its driver raise, as what it is."""

import re
import socket
import ssl

import pytest
from pymongo.errors import (
    AutoReconnect,
    NetworkTimeout,
    OperationFailure,
    WaitQueueTimeoutError,
)

from mcphub_server.backends.mongodb import codes
from mcphub_server.backends.mongodb.failures import translate_failure
from mcphub_server.errors import (
    BackendReason,
    BackendUnavailable,
    LimitExceeded,
    QueryFailed,
    QueryTimeout,
)
from tools.project import ROOT

VALUE = "canary-of-a-row"


def build_error(code: int, name: str = "SomeName") -> OperationFailure:
    text = f"Failed to parse number '{VALUE}' in $convert"
    return OperationFailure(text, code, {"errmsg": text, "codeName": name})


def caused_by(cause: Exception) -> AutoReconnect:
    error = AutoReconnect("mongo.example.com:27017: it failed")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize("code", sorted(set(codes.EXPLANATIONS) | {8, 51_000}))
def test_the_servers_words_about_values_stay_inside(code):
    failure = translate_failure("docs", build_error(code))

    assert isinstance(failure, QueryFailed)
    assert VALUE not in str(failure)
    assert failure.code == "SomeName"


@pytest.mark.parametrize("code", sorted(codes.QUOTABLE))
def test_the_servers_words_about_the_statement_help(code):
    assert "Failed to parse" in str(translate_failure("docs", build_error(code)))


@pytest.mark.parametrize("code", sorted(codes.TIMEOUTS))
def test_a_statement_past_its_time_is_a_timeout(code):
    assert isinstance(translate_failure("docs", build_error(code)), QueryTimeout)


@pytest.mark.parametrize(("code", "reason"), codes.BACKEND_REASONS.items())
def test_a_code_about_the_server_makes_it_unavailable(code, reason):
    failure = translate_failure("docs", build_error(code))

    assert isinstance(failure, BackendUnavailable)
    assert failure.reason is reason
    assert VALUE not in str(failure)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("bad auth : authentication failed", BackendUnavailable),
        ("user is not allowed to do action [find] on [shop.x]", QueryFailed),
        ("$facet is not allowed in this atlas tier", QueryFailed),
    ],
)
def test_only_a_refused_login_of_atlas_makes_it_unavailable(text, kind):
    error = OperationFailure(text, 8000, {"errmsg": text, "codeName": "AtlasError"})

    assert isinstance(translate_failure("docs", error), kind)


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        pytest.param(socket.gaierror(), BackendReason.DNS_FAILURE, id="no such host"),
        pytest.param(
            ConnectionRefusedError(), BackendReason.CONNECTION_REFUSED, id="no listener"
        ),
        pytest.param(ssl.SSLError(), BackendReason.TLS_FAILURE, id="a bad certificate"),
        pytest.param(NetworkTimeout("x"), BackendReason.TIMEOUT, id="silence"),
        pytest.param(OSError(), BackendReason.ERROR, id="a lost connection"),
    ],
)
def test_why_a_connection_breaks_is_found_by_its_cause(cause, reason):
    failure = translate_failure("docs", caused_by(cause))

    assert isinstance(failure, BackendUnavailable)
    assert failure.reason is reason


@pytest.mark.parametrize("code", sorted(codes.PASSING))
def test_what_passes_may_be_tried_again(code):
    failure = translate_failure("docs", build_error(code))

    assert isinstance(failure, QueryFailed)
    assert "try again" in str(failure)
    assert failure.retry_after_seconds == 1.0


def test_a_busy_pool_is_a_limit():
    failure = translate_failure("docs", WaitQueueTimeoutError("full"))

    assert isinstance(failure, LimitExceeded)
    assert failure.retry_after_seconds


def test_a_name_that_the_server_makes_up_is_not_repeated():
    failure = translate_failure("docs", build_error(51_000, f"a {VALUE}"))

    assert failure.code == "Location51000"


def test_the_page_lists_the_codes():
    page = (ROOT / "docs" / "databases.md").read_text()
    section = page.partition("### MongoDB's error codes")[2]

    listed = [int(code) for code in re.findall(r"^\| (\d+) \|", section, re.MULTILINE)]

    assert listed == sorted(
        codes.BACKEND_REASONS | codes.EXPLANATIONS | dict.fromkeys(codes.TIMEOUTS, "")
    )
