"""What Qdrant's client raises, as what it is."""

from pydantic import BaseModel, ValidationError

from mcphub_server.backends.qdrant.failures import CLIENT_ERRORS, translate_failure
from mcphub_server.backends.qdrant.rest import ResponseHandlingException
from mcphub_server.errors import QueryFailed


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
