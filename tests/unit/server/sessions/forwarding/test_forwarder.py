import httpcore2
import pytest

from mcphub_server.sessions.forwarding.forwarder import send_request


class Pool:
    """Fails at first, then answers; stands for connections to a busy replica."""

    def __init__(self, *failures):
        self.failures = list(failures)

    async def handle_async_request(self, _request):
        if self.failures:
            raise self.failures.pop(0)
        return "an answer"


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(httpcore2.ConnectTimeout(), id="no connection in time"),
        pytest.param(httpcore2.ReadError(), id="a kept connection that was closed"),
        pytest.param(
            httpcore2.RemoteProtocolError(), id="one closed without an answer"
        ),
    ],
)
async def test_a_request_is_sent_once_more_after(failure):
    assert await send_request(Pool(failure), None) == "an answer"


async def test_a_refused_connection_is_believed_at_once():
    with pytest.raises(httpcore2.ConnectError):
        await send_request(Pool(httpcore2.ConnectError()), None)
