"""Where a request comes from, as far as trusted proxies let us know."""

import pytest
from starlette.datastructures import Headers

from mcphub_server.web.forwarded import find_origin, parse_networks

TRUSTED = parse_networks(["10.0.0.0/8", "fd00::/8"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        pytest.param("203.0.113.9", "198.51.100.7", "203.0.113.9", id="a stranger"),
        pytest.param("10.0.0.1", "198.51.100.7", "198.51.100.7", id="one proxy"),
        pytest.param(
            "10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7", id="two proxies"
        ),
        pytest.param(
            "10.0.0.1",
            "127.0.0.1, 198.51.100.7, 10.0.0.2",
            "198.51.100.7",
            id="what the client made up stands left and is not believed",
        ),
        pytest.param("10.0.0.1", "", "10.0.0.1", id="a proxy that tells nothing"),
        pytest.param("10.0.0.1", "x, 10.0.0.2", "10.0.0.2", id="rubbish ends it"),
        pytest.param("10.0.0.1", "198.51.100.7:4711", "198.51.100.7", id="with a port"),
        pytest.param("::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7", id="mapped"),
        pytest.param("fd00::1", "[2001:db8::5]:1", "2001:db8::5", id="IPv6"),
    ],
)
def test_headers_are_believed_from_trusted_proxies_only(
    peer: str, forwarded: str, address: str
) -> None:
    headers = Headers({"x-forwarded-for": forwarded} if forwarded else {})

    assert find_origin(peer, "http", headers, TRUSTED).address == address


@pytest.mark.parametrize(
    ("peer", "scheme"),
    [
        pytest.param("10.0.0.1", "https", id="a trusted proxy says how"),
        pytest.param("203.0.113.9", "http", id="a stranger does not"),
    ],
)
def test_the_scheme_too(peer: str, scheme: str) -> None:
    headers = Headers({"x-forwarded-proto": "https"})

    assert find_origin(peer, "http", headers, TRUSTED).scheme == scheme


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        pytest.param(
            ["127.0.0.1", "198.51.100.7"], "198.51.100.7", id="one proxy, a line"
        ),
        pytest.param(
            ["127.0.0.1, 192.0.2.1", "198.51.100.7", "10.0.0.2"],
            "198.51.100.7",
            id="two proxies, a line each",
        ),
        pytest.param(["", "198.51.100.7"], "198.51.100.7", id="after an empty line"),
    ],
)
def test_a_line_that_a_proxy_adds_is_believed_before_the_clients_own(
    lines: list[str], address: str
) -> None:
    headers = Headers(raw=[(b"x-forwarded-for", line.encode()) for line in lines])

    assert find_origin("10.0.0.1", "http", headers, TRUSTED).address == address


def test_a_proxys_own_line_tells_the_scheme() -> None:
    lines = [(b"x-forwarded-proto", b"https"), (b"x-forwarded-proto", b"http")]

    origin = find_origin("10.0.0.1", "http", Headers(raw=lines), TRUSTED)

    assert origin.scheme == "http"
