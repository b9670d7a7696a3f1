"""What Qdrant's client raises, as what it is."""

import httpx
import pytest
from pydantic import BaseModel, ValidationError

from mcphub_server.backends.qdrant.failures import CLIENT_ERRORS, translate_failure
from mcphub_server.backends.qdrant.rest import (
    ResourceExhaustedResponse,
    ResponseHandlingException,
    UnexpectedResponse,
)
from mcphub_server.errors import (
    BackendUnavailable,
    LimitExceeded,
    QueryFailed,
    QueryTimeout,
)


class Answer(BaseModel):
    status: int


def build_error() -> ResponseHandlingException:
    try:
        Answer.model_validate({"status": "a word of a newer release"})
    except ValidationError as error:
        return ResponseHandlingException(error)
    raise AssertionError("it is valid")


def test_c2_an_answer_that_the_client_cannot_read_is_no_lost_connection():
    error = build_error()

    failure = translate_failure("vectors", error)

    assert isinstance(error, CLIENT_ERRORS)
    assert isinstance(failure, QueryFailed)
    assert "a word of a newer release" not in str(failure)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, QueryFailed),
        (401, BackendUnavailable),
        (403, QueryFailed),
        (404, QueryFailed),
        (408, QueryTimeout),
        (413, QueryFailed),
        (429, LimitExceeded),
        (500, QueryFailed),
        (501, QueryFailed),
        (502, BackendUnavailable),
        (503, BackendUnavailable),
        (504, BackendUnavailable),
    ],
)
def test_a_status_is_told_as_what_it_is(status: int, kind: type) -> None:
    error = UnexpectedResponse(status, "canary", b"canary", httpx.Headers())

    failure = translate_failure("vectors", error)

    assert type(failure) is kind
    assert "canary" not in str(failure)


def test_a_server_that_is_busy_says_for_how_long() -> None:
    failure = translate_failure("vectors", ResourceExhaustedResponse("canary", 7))

    assert isinstance(failure, LimitExceeded)
    assert failure.retry_after_seconds == 7
