"""What is rare or wrong in a request is read or refused, without a word in the log."""

import asyncio
import json

import pytest

from mcphub_server.web.plain_protocol import PlainProtocol
from tests.unit.server.web.test_plain_protocol import Answer, converse, serving

HOST = b"Host: localhost\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CLOSE = b"Connection: close\r\n"


def ask(*segments: bytes) -> list[Answer]:
    async def run() -> list[Answer]:
        async with serving(PlainProtocol) as port:
            return await converse(port, list(segments))

    return asyncio.run(run())


def find_host(body: bytes) -> str:
    (host,) = (each for each in json.loads(body)[3] if each.startswith("(b'host'"))
    return str(host)


@pytest.mark.parametrize(
    "segments",
    [
        pytest.param([b"ZZ\r\nabc\r\n"], id="a length that is no number"),
        pytest.param([b"3\r\nabcdef\r\n"], id="a chunk longer than it says"),
        pytest.param([b"0\r\nbad trailer\r\n\r\n"], id="a trailer without a name"),
        pytest.param([b"F" * 25 + b"\r\n"], id="a length beyond all bounds"),
        pytest.param([b"3\r\nabc\r\n", b"ZZ\r\n"], id="a later chunk"),
    ],
)
@pytest.mark.parametrize("path", [b"/early", b"/echo"])
def test_a_malformed_chunk_is_refused_without_a_trace(
    path: bytes, segments: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    head = b"POST %s HTTP/1.1\r\n" % path + HOST + CHUNKED + b"\r\n"

    answers = ask(head + segments[0], *segments[1:])

    assert [status for status, _ in answers] in ([400], [200])
    assert not [line for line in caplog.records if line.levelname == "ERROR"]


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        pytest.param(b"http://a.example:80/b?c=1", "/b", "c=1", id="a whole URL"),
        pytest.param(b"HTTPS://a.example:80/b", "/b", "", id="upper case"),
        pytest.param(b"http://a.example:80", "/", "", id="no path"),
        pytest.param(b"http://a.example:80?c=1", "/", "c=1", id="a query alone"),
    ],
)
def test_a_url_as_target_names_path_and_host(
    target: bytes, path: str, query: str
) -> None:
    request = b"GET " + target + b" HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n"

    ((status, body),) = ask(request)

    assert status == 200
    assert json.loads(body)[1:3] == [path, query]
    assert find_host(body) == "(b'host', b'a.example:80')"


@pytest.mark.parametrize(
    "target",
    [
        b"http://user@a.example/",
        b"http:///b",
        b"ftp://a.example/",
        b"http://a.example/b#c",
    ],
)
def test_a_url_that_names_no_host_or_more_is_refused(target: bytes) -> None:
    ((status, _),) = ask(b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n")

    assert status == 400


def test_an_upgrade_that_java_offers_by_itself_is_ignored_in_silence(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its client asks for HTTP/2 with the first request of each connection."""
    offer = (
        b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: A\r\n"
    )
    body = b"Content-Length: 2\r\n\r\n{}"
    first = b"POST /echo HTTP/1.1\r\n" + HOST + offer + body
    second = b"POST /echo HTTP/1.1\r\n" + HOST + CLOSE + body

    answers = ask(first + second)

    assert [status for status, _ in answers] == [200, 200]
    assert not caplog.records


ASK = b"GET /echo HTTP/1.1\r\n" + HOST
POST = b"POST /echo HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\n"


@pytest.mark.parametrize(
    "segments",
    [
        pytest.param([b"\r\n" + ASK + CLOSE + b"\r\n"], id="before the first"),
        pytest.param([b"\r\n\r\n\r\n" + ASK + CLOSE + b"\r\n"], id="several"),
        pytest.param([b"\r", b"\n", ASK + CLOSE + b"\r\n"], id="in parts"),
        pytest.param([b"\r", b"\n\r", b"\n" + ASK + CLOSE + b"\r\n"], id="odd parts"),
    ],
)
def test_empty_lines_before_a_request_are_ignored(segments: list[bytes]) -> None:
    """RFC 9112, section 2.2."""
    answers = ask(*segments)

    assert [status for status, _ in answers] == [200]


@pytest.mark.parametrize(
    "extra", [[b"\r\n"], [b"\r\n\r\n"], [b"", b"\r\n"], [b"\r", b"\n"]]
)
@pytest.mark.parametrize("head", [POST, POST + b"X:y\r\n"], ids=["plain", "h11"])
def test_an_empty_line_behind_a_body_is_ignored(
    extra: list[bytes], head: bytes
) -> None:
    first, *rest = extra

    answers = ask(head + b"\r\n{}" + first, *rest, head + CLOSE + b"\r\n{}")

    assert [status for status, _ in answers] == [200, 200]


@pytest.mark.parametrize("start", [b"\n", b" \r\n", b"\r\r\n", b"\r\n \r\n"])
def test_what_is_no_empty_line_is_refused(start: bytes) -> None:
    ((status, _),) = ask(start + ASK + b"\r\n")

    assert status == 400
