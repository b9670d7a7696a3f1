import httpcore2
import pytest

from mcphub_server.sessions.forwarding.protocol import ForwardResult, find_refusal


@pytest.mark.parametrize(
    ("status", "reason", "result"),
    [
        pytest.param(200, None, None, id="an answer"),
        pytest.param(404, None, None, id="an answer that refuses"),
        pytest.param(421, b"draining", ForwardResult.OWNER_DRAINS, id="it drains"),
        pytest.param(421, b"another", ForwardResult.OWNER_GONE, id="another pod"),
        pytest.param(401, None, ForwardResult.OWNER_GONE, id="another release"),
    ],
)
def test_who_answers_for_the_owner(status, reason, result):
    headers = [] if reason is None else [(b"mcphub-misdirected", reason)]

    assert find_refusal(httpcore2.Response(status, headers=headers)) is result
