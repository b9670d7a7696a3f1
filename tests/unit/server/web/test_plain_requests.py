"""What is read without h11 is read as h11 reads it."""

import h11
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mcphub_server.web.plain_requests import END, read_plain_request

PLAIN = (
    b"POST /mcp?a=1 HTTP/1.1\r\nHost: localhost:8000\r\nContent-Length: 5\r\n"
    b"Accept: application/json, text/event-stream\r\nX-Two: words  here\r\n\r\nhello"
)
USUAL = [
    b"Host: localhost",
    b"content-length: 3",
    b"Connection: keep-alive",
    b"Authorization: Bearer abc",
]
RARE = [
    b"Host: other",
    b"Host:localhost",
    b"Content-Length: 4",
    b"Content-Length: +3",
    b"Content-Length: 3, 3",
    b"Content-Length: 0003",
    b"Content-Length: 99999999999999999999999",
    b"Transfer-Encoding: chunked",
    b"transfer-encoding : chunked",
    b"Connection: close",
    b"Connection: keep-alive, Upgrade",
    b"Upgrade: websocket",
    b"Expect: 100-continue",
    b" folded",
    b"\tfolded: x",
    b"X: a\tb",
    b"X: trailing ",
    b"X: \xc3\xa9",
    b"X: a\x00b",
    b"X: a\nY: b",
    b"X: a\rY: b",
    b"X : a",
    b"X",
    b": a",
    b"X:",
    b"X_Y: a",
]
LINES = [
    b"POST /mcp HTTP/1.1",
    b"GET /sse?x=%20&y#z HTTP/1.1",
    b"DELETE //host/mcp HTTP/1.1",
    b"POST /m cp HTTP/1.1",
    b"POST  /mcp HTTP/1.1",
    b"POST /mcp HTTP/1.0",
    b"POST /mcp HTTP/1.1 ",
    b"post /mcp HTTP/1.1",
    b"POST http://localhost/mcp HTTP/1.1",
    b"OPTIONS * HTTP/1.1",
    b"CONNECT localhost:80 HTTP/1.1",
    b"POST /\xc3\xa9 HTTP/1.1",
    b"\r\nPOST /mcp HTTP/1.1",
]


def build(line: bytes, headers: list[bytes], body: bytes) -> bytes:
    return b"\r\n".join([line, *headers]) + END + body


HEADS = st.builds(
    build,
    st.sampled_from(LINES),
    st.lists(
        st.sampled_from(USUAL + RARE)
        | st.builds(lambda a, b: a + b": " + b, st.binary(max_size=5), st.binary()),
        max_size=6,
    ).flatmap(lambda rest: st.permutations([USUAL[0], *rest])),
    st.binary(max_size=8),
)


def read_with_h11(data: bytes) -> tuple[h11.Request, int]:
    """Return the request and the length of its body.

    Raises:
        h11.RemoteProtocolError: h11 refuses it.
    """
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    request = connection.next_event()
    assert isinstance(request, h11.Request)
    assert connection.their_state is h11.SEND_BODY
    size = 0
    while True:
        connection.receive_data(b"x" * 8)
        event = connection.next_event()
        if isinstance(event, h11.EndOfMessage):
            return request, size
        assert isinstance(event, h11.Data)
        assert not event.chunk_start
        size += len(event.data)


def check_equal(data: bytes) -> bool:
    """Return whether the request is plain; then both readers must agree on it."""
    plain = read_plain_request(data)
    if plain is None:
        return False
    head = data[: plain.size]
    assert head.endswith(END)
    if plain.body > 100_000:  # h11 would have to be given all of it
        return True
    request, size = read_with_h11(head)
    assert plain.method == request.method
    assert plain.target == request.target
    assert plain.headers == list(request.headers)
    assert plain.body == size
    return True


@given(HEADS)
@example(PLAIN)
@settings(max_examples=600)
def test_a_plain_request_is_read_as_h11_reads_it(data: bytes) -> None:
    check_equal(data)


@given(st.integers(0, len(PLAIN)), st.integers(0, len(PLAIN)), st.binary(max_size=3))
@settings(max_examples=600)
def test_a_spoilt_request_is_not_read_otherwise_than_by_h11(
    begin: int, end: int, added: bytes
) -> None:
    check_equal(PLAIN[: min(begin, end)] + added + PLAIN[max(begin, end) :])


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        build(LINES[0], USUAL, b""),
        build(LINES[0], [*USUAL[::2], b"content-length: 0003"], b"abc"),
        build(b"GET /sse HTTP/1.1", [b"Host: [::1]:8000"], b""),
        build(b"DELETE /mcp HTTP/1.1", [b"host: h", b"Mcp-Session-Id: a.b-c_d"], b""),
    ],
)
def test_what_clients_send_is_plain(data: bytes) -> None:
    assert check_equal(data)


@pytest.mark.parametrize("rare", RARE)
def test_a_rare_header_is_left_to_h11(rare: bytes) -> None:
    assert not check_equal(build(LINES[0], [*USUAL, rare], b"abc"))


@pytest.mark.parametrize("line", LINES[1:])
def test_a_rare_request_line_is_left_to_h11(line: bytes) -> None:
    assert not check_equal(build(line, USUAL[:1], b""))


def test_a_head_that_is_not_whole_is_left_to_h11() -> None:
    assert read_plain_request(PLAIN[:40]) is None


def test_a_head_beyond_the_limit_is_left_to_h11() -> None:
    long = b"X: " + b"a" * 64 * 1024
    assert read_plain_request(build(LINES[0], [USUAL[0], long], b"")) is None
