"""Which Host and Origin headers this server answers to."""

import pytest

from mcphub_server.web.hosts import (
    build_host_policy,
    is_host_allowed,
    is_origin_allowed,
)

POLICY = build_host_policy(
    "team-data", "ai", "https://mcp.example.com", ["mcp.corp.example"]
)


@pytest.mark.parametrize(
    ("header", "allowed"),
    [
        pytest.param("localhost:30800", True, id="loopback by name"),
        pytest.param("127.0.0.1:30800", True, id="loopback by address"),
        pytest.param("10.1.2.3:30800", True, id="a node by address"),
        pytest.param("[fd00::1]:30800", True, id="a node by IPv6 address"),
        pytest.param("worker-1:30800", True, id="a node by its short name"),
        pytest.param("ip-10-0-0-5.ec2.internal:30800", True, id="a cloud's node name"),
        pytest.param("team-data.ai.svc:8000", True, id="the service"),
        pytest.param("team-data.ai.svc.cluster.local:8000", True, id="in full"),
        pytest.param("TEAM-DATA.ai.svc.cluster.local.", True, id="case and root dot"),
        pytest.param("mcp.example.com", True, id="publicURL"),
        pytest.param("mcp.corp.example:8443", True, id="allowedHosts, any port"),
        pytest.param("other.ai.svc.cluster.local", False, id="another service"),
        pytest.param("evil.example.net:30800", False, id="a rebound name"),
        pytest.param("127.0.0.1.evil.example.net", False, id="an address in a name"),
        pytest.param("mcp.example.com.evil.net", False, id="a known name in front"),
        pytest.param("localhost.evil.net", False, id="localhost in front"),
        pytest.param("", False, id="no Host at all"),
        pytest.param("[127.0.0.1]evil.com", False, id="a name behind brackets"),
        pytest.param("[::1]evil.com:80", False, id="the same with IPv6"),
        pytest.param("[::1].", False, id="a dot behind brackets"),
        pytest.param("localhost@evil.com", False, id="a user in front"),
        pytest.param("evil@localhost", False, id="a user before loopback"),
        pytest.param("localhost:80:90", False, id="two ports"),
        pytest.param("localhost:http", False, id="a port in letters"),
        pytest.param("localhost/evil.com", False, id="a path"),
        pytest.param("localhost, evil.com", False, id="a list"),
        pytest.param("loc\u00e4lhost", False, id="letters that DNS lacks"),
    ],
)
def test_a_host_is_allowed_if_no_attacker_can_own_it(
    header: str, *, allowed: bool
) -> None:
    assert is_host_allowed(header, POLICY) is allowed


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        pytest.param("http://10.1.2.3:30800", True, id="the server itself"),
        pytest.param("http://localhost:6274", True, id="the inspector at home"),
        pytest.param("http://127.0.0.1:6274", True, id="the same by address"),
        pytest.param("https://mcp.example.com", True, id="publicURL"),
        pytest.param("https://mcp.corp.example", True, id="allowedHosts"),
        pytest.param("http://10.1.2.3:9999", False, id="another port of the node"),
        pytest.param("https://evil.example.net", False, id="any other page"),
        pytest.param("http://localhost.evil.net", False, id="localhost in front"),
        pytest.param("null", False, id="a sandboxed page"),
        pytest.param("file://", False, id="a file"),
        pytest.param("http://evil.com\\@localhost", False, id="a backslash"),
        pytest.param("http://evil.com@localhost", False, id="a user"),
        pytest.param("http://localhost/evil", False, id="a path"),
        pytest.param("http://localhost?evil", False, id="a query"),
        pytest.param("http://localhost#evil", False, id="a fragment"),
        pytest.param("http://[127.0.0.1]evil.com", False, id="brackets and a name"),
        pytest.param("http://localhost, http://evil.com", False, id="a list"),
        pytest.param("http://local\thost", False, id="a tab"),
        pytest.param("http://[::1]:6274", True, id="IPv6 loopback"),
    ],
)
def test_a_page_is_allowed_if_it_is_ours_or_the_users_own(
    origin: str, *, allowed: bool
) -> None:
    assert is_origin_allowed(origin, "http", "10.1.2.3:30800", POLICY) is allowed


@pytest.mark.parametrize("header", ["mcp.example.com", "mcp.example.com."])
def test_a_public_url_may_end_its_name_with_the_root_dot(header: str) -> None:
    policy = build_host_policy("", "", "https://mcp.example.com.", ())

    assert is_host_allowed(header, policy)
