"""Who is let in, and what those hear who are not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from mcp.client.auth.utils import extract_resource_metadata_from_www_auth
from mcp.shared.auth_utils import check_resource_allowed
from structlog.testing import capture_logs

from mcphub_server.line_budget import LINES
from tests.support.hub import TOKEN, LoopHub, hub_in_loop
from tests.support.issuer import ISSUER, key_server, sign
from tests.support.waiting import wait_until
from tools.ports import reserve_port

from .conftest import MakeHub

WELL_KNOWN = (
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-protected-resource/mcp",
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
)


@asynccontextmanager
async def jwt_hub(
    make: MakeHub, *, public_url: str = "https://mcp.example.com", **jwt_options: Any
) -> AsyncIterator[LoopHub]:
    """Run a hub that believes the issuer's tokens."""
    async with key_server() as keys:
        auth = {
            "type": "JWT",
            "jwt": {
                "issuer": ISSUER,
                "audience": "hub",
                "jwksURI": keys,
                **jwt_options,
            },
        }
        files = make(auth=auth, publicURL=public_url)
        async with hub_in_loop(files) as hub:
            yield hub


async def knock(hub: LoopHub, token: str | None = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(timeout=100) as http:
        return await http.post(f"{hub.url}/mcp", json={}, headers=headers)


@pytest.mark.parametrize("transport", ["http", "sse"])
async def test_a_jwt_opens_both_transports(hub_files: MakeHub, transport: str) -> None:
    async with jwt_hub(hub_files) as hub, hub.client(transport, sign()) as client:
        answer = await client.call_tool("postgres_query", {"sql": "SELECT 1"})

    assert answer.structured_content["rows"] == [[1]]


async def test_a_jwt_challenge_names_the_metadata(hub_files: MakeHub) -> None:
    async with jwt_hub(hub_files, requiredScopes=["read"]) as hub:
        missing = await knock(hub)
        wrong = await knock(hub, sign(aud="other"))
        poor = await knock(hub, sign(scope=""))
        async with httpx.AsyncClient(timeout=100) as http:
            metadata = await http.get(f"{hub.url}{WELL_KNOWN[1]}")

    url = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp"
    assert [missing.status_code, wrong.status_code, poor.status_code] == [401, 401, 403]
    assert missing.headers["www-authenticate"] == (
        f'Bearer scope="read", resource_metadata="{url}"'
    )
    assert 'error="invalid_token"' in wrong.headers["www-authenticate"]
    assert 'error="insufficient_scope"' in poor.headers["www-authenticate"]
    assert metadata.json() == {
        "resource": "https://mcp.example.com/mcp",
        "authorization_servers": [ISSUER],
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["read"],
    }


@pytest.mark.parametrize(
    ("method", "path", "resource"),
    [
        pytest.param("POST", "/mcp", "/mcp", id="streamable HTTP"),
        pytest.param("GET", "/sse", "/sse", id="the stream of SSE"),
        pytest.param("GET", "/sse/", "/sse", id="the same with a slash"),
        pytest.param("POST", "/messages/", "/sse", id="what is sent beside it"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "/hubs/one"])
async def test_a_challenge_names_metadata_of_what_was_asked_for(
    hub_files: MakeHub, prefix: str, method: str, path: str, resource: str
) -> None:
    public = f"https://mcp.example.com{prefix}"
    async with (
        jwt_hub(hub_files, public_url=public) as hub,
        httpx.AsyncClient(timeout=100) as http,
    ):
        refusal = await http.request(method, f"{hub.url}{path}")
        url = extract_resource_metadata_from_www_auth(refusal)
        assert url is not None
        metadata = (await http.get(f"{hub.url}{urlsplit(url).path}")).json()

    assert url == f"https://mcp.example.com{WELL_KNOWN[0]}{prefix}{resource}"
    assert metadata["resource"] == f"{public}{resource}"
    assert check_resource_allowed(f"{public}{resource}", metadata["resource"])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("ending", ["", "/", "/mcp", "/mcp/", "/sse", "/sse/"])
async def test_metadata_is_at_each_well_known_path(
    hub_files: MakeHub, ending: str, method: str
) -> None:
    async with jwt_hub(hub_files) as hub, httpx.AsyncClient(timeout=100) as http:
        answer = await http.request(method, f"{hub.url}{WELL_KNOWN[0]}{ending}")

    assert answer.status_code == 200
    if method == "GET":
        resource = "sse" if "sse" in ending else "mcp"
        assert answer.json()["resource"] == f"https://mcp.example.com/{resource}"


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Host": "10.9.8.7"}, id="an address as Host"),
        pytest.param({"Host": "evil.internal"}, id="a name inside"),
        pytest.param({"X-Forwarded-Host": "evil.example"}, id="a proxy's header"),
        pytest.param({"Forwarded": "host=evil.example"}, id="RFC 7239"),
        pytest.param({"X-Forwarded-Proto": "http"}, id="another scheme"),
        pytest.param({"X-Forwarded-Prefix": "/evil"}, id="a prefix"),
    ],
)
async def test_no_header_chooses_what_metadata_says(
    hub_files: MakeHub, headers: dict[str, str]
) -> None:
    async with jwt_hub(hub_files) as hub, httpx.AsyncClient(timeout=100) as http:
        document = await http.get(f"{hub.url}{WELL_KNOWN[1]}", headers=headers)
        refusal = await http.post(f"{hub.url}/mcp", json={}, headers=headers)

    assert document.json()["resource"] == "https://mcp.example.com/mcp"
    assert extract_resource_metadata_from_www_auth(refusal) == (
        f"https://mcp.example.com{WELL_KNOWN[1]}"
    )


async def test_without_an_audience_a_token_must_be_for_the_hubs_url(
    hub_files: MakeHub,
) -> None:
    public = "https://mcp.example.com"
    async with jwt_hub(hub_files, audience="") as hub:
        own = [await knock(hub, sign(aud=f"{public}/{end}")) for end in ("mcp", "sse")]
        others = [
            await knock(hub, sign(aud=aud))
            for aud in ("hub", public, f"{public}/mcp/x", "https://evil.example/mcp")
        ]

    assert [answer.status_code for answer in own] == [400, 400]
    assert [answer.status_code for answer in others] == [401] * 4


async def test_static_tokens_never_look_like_oauth(hub_files: MakeHub) -> None:
    async with (
        hub_in_loop(hub_files(publicURL="https://mcp.example.com")) as hub,
        httpx.AsyncClient(timeout=100) as http,
    ):
        answers = [await http.get(f"{hub.url}{path}") for path in WELL_KNOWN]
        refusals = [await knock(hub), await knock(hub, "wrong")]

    assert {answer.status_code for answer in answers} == {404}
    assert [each.headers["www-authenticate"] for each in refusals] == ["Bearer"] * 2
    assert [each.status_code for each in refusals] == [401, 401]


async def test_without_auth_everybody_is_let_in(hub_files: MakeHub) -> None:
    async with (
        hub_in_loop(hub_files(auth={"type": "None"})) as hub,
        hub.client(token=None) as client,
    ):
        answer = await client.call_tool("health_check")

    assert answer.structured_content["service"] == "mcphub"


async def test_a_token_is_added_and_taken_away_live(hub_files: MakeHub) -> None:
    files = hub_files()
    async with hub_in_loop(files) as hub:
        before = await knock(hub, "secret-of-bob-22")
        (files.folder / "tokens" / "bob").write_text("secret-of-bob-22")
        added = await knock(hub, "secret-of-bob-22")
        (files.folder / "tokens" / "alice").unlink()
        await wait_until(lambda: is_refused(hub, TOKEN))

    assert before.status_code == 401
    assert added.status_code != 401


async def is_refused(hub: LoopHub, token: str) -> bool:
    return (await knock(hub, token)).status_code == 401


async def test_refusals_are_counted_by_reason(hub_files: MakeHub) -> None:
    async with hub_in_loop(hub_files()) as hub, httpx.AsyncClient(timeout=100) as http:
        await knock(hub)
        await knock(hub, "wrong")
        metrics = (await http.get(f"{hub.management}/metrics")).text

    assert 'mcphub_auth_failures_total{reason="missing"} 1.0' in metrics
    assert 'mcphub_auth_failures_total{reason="unknown"} 1.0' in metrics


async def test_refusals_are_logged_by_reason_in_a_bounded_number(
    hub_files: MakeHub,
) -> None:
    secret = sign(aud="other")
    async with jwt_hub(hub_files) as hub, httpx.AsyncClient(timeout=100) as http:
        with capture_logs() as lines:
            for _ in range(2 * LINES):
                await knock(hub, secret)
            await knock(hub, sign(exp=1))
            await knock(hub)
        metrics = (await http.get(f"{hub.management}/metrics")).text

    refused = [line for line in lines if line["event"] == "authentication refused"]
    reasons = [line["reason"] for line in refused]
    assert reasons == ["audience"] * LINES + ["expired", "missing"]
    assert refused[0]["claims"] == ["aud"]
    assert secret not in repr(lines)
    assert 'mcphub_auth_failures_total{reason="audience"} 20.0' in metrics


ODD_CREDENTIALS = [
    (["Basic YTpi"], 401, "scheme"),
    ([TOKEN], 401, "scheme"),
    (["Bearer"], 401, "empty"),
    ([f"Bearer\t{TOKEN}"], 400, "header"),
    ([f"Bearer {TOKEN} x"], 400, "header"),
    ([f"Bearer {TOKEN}", f"Bearer {TOKEN}"], 400, "several"),
    (["Basic YTpi", f"Bearer {TOKEN}"], 400, "several"),
]


async def test_each_odd_credential_is_refused_and_logged_with_its_reason(
    hub_files: MakeHub,
) -> None:
    async with hub_in_loop(hub_files()) as hub, httpx.AsyncClient(timeout=100) as http:
        with capture_logs() as lines:
            answers = [
                await http.post(
                    f"{hub.url}/mcp",
                    json={},
                    headers=[("Authorization", each) for each in headers],
                )
                for headers, _, _ in ODD_CREDENTIALS
            ]

    refused = [line for line in lines if line["event"] == "authentication refused"]
    assert [each.status_code for each in answers] == [
        each[1] for each in ODD_CREDENTIALS
    ]
    assert [line["reason"] for line in refused] == [each[2] for each in ODD_CREDENTIALS]
    assert TOKEN not in repr(lines) + repr([each.text for each in answers])


@pytest.mark.parametrize("header", ["bearer {}", "BEARER   {}"])
async def test_a_scheme_in_any_case_and_more_spaces_are_taken(
    hub_files: MakeHub, header: str
) -> None:
    async with hub_in_loop(hub_files()) as hub, httpx.AsyncClient(timeout=100) as http:
        headers = {"Authorization": header.format(TOKEN)}
        answer = await http.post(f"{hub.url}/mcp", json={}, headers=headers)

    assert "jsonrpc" in answer.json()
    assert "www-authenticate" not in answer.headers


async def test_without_signing_keys_the_hub_says_so(hub_files: MakeHub) -> None:
    nowhere = f"http://127.0.0.1:{reserve_port()}/keys"
    jwt_options = {"issuer": ISSUER, "audience": "hub", "jwksURI": nowhere}
    files = hub_files(auth={"type": "JWT", "jwt": jwt_options})
    async with hub_in_loop(files) as hub, httpx.AsyncClient(timeout=100) as http:
        refused = await knock(hub, sign())
        missing = await knock(hub)
        status = (await http.get(f"{hub.management}/status")).json()

    assert refused.status_code == 503
    assert "no signing keys" in refused.json()["error_description"]
    assert refused.headers["retry-after"]
    assert missing.status_code == 401
    assert status["auth"]["ready"] is False
    assert status["auth"]["reason"] == "KeysMissing"
    assert "jwksURI" in status["auth"]["message"]


async def test_the_status_changes_when_the_keys_have_come(hub_files: MakeHub) -> None:
    async with jwt_hub(hub_files) as hub:
        await wait_until(lambda: is_auth_ready(hub))


async def is_auth_ready(hub: LoopHub) -> bool:
    async with httpx.AsyncClient(timeout=100) as http:
        status = (await http.get(f"{hub.management}/status")).json()
    return bool(status["auth"]["ready"])


async def test_refused_tokens_stand_in_the_status(hub_files: MakeHub) -> None:
    files = hub_files(tokens={"alice": TOKEN, "n8n": "change-me"})
    async with hub_in_loop(files) as hub, httpx.AsyncClient(timeout=100) as http:
        good, bad = await knock(hub, TOKEN), await knock(hub, "change-me")
        status = (await http.get(f"{hub.management}/status")).json()

    assert (good.status_code != 401, bad.status_code) == (True, 401)
    assert status["auth"] == {
        "ready": False,
        "reason": "TokensRefused",
        "message": "the token of n8n is a placeholder",
    }


async def test_health_needs_no_token(hub_files: MakeHub) -> None:
    async with hub_in_loop(hub_files()) as hub, httpx.AsyncClient(timeout=100) as http:
        answers = [
            await http.get(f"{base}{path}")
            for base in (hub.url, hub.management)
            for path in ("/health", "/health/live", "/health/ready")
        ]

    assert [answer.status_code for answer in answers] == [200] * 6


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"Host": "evil.example.net"}, 421, id="a rebound name"),
        pytest.param({"Host": "10.9.8.7:30800"}, 401, id="a node's address"),
        pytest.param({"Host": "mcp.example.com"}, 401, id="publicURL"),
        pytest.param({"Origin": "https://evil.example.net"}, 403, id="a foreign page"),
        pytest.param({"Origin": "http://localhost:6274"}, 401, id="the inspector"),
        pytest.param({"Origin": "https://mcp.example.com"}, 401, id="our own page"),
    ],
)
async def test_the_guard_knows_the_hubs_names(
    hub_files: MakeHub, headers: dict[str, str], status: int
) -> None:
    files = hub_files(publicURL="https://mcp.example.com")
    async with hub_in_loop(files) as hub, httpx.AsyncClient(timeout=100) as http:
        answer = await http.post(f"{hub.url}/mcp", json={}, headers=headers)

    assert answer.status_code == status
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(
            [("Origin", "http://localhost:1"), ("Origin", "http://evil.example")],
            id="two Origins",
        ),
        pytest.param(
            [("Origin", "http://localhost:1"), ("origin", "http://localhost:1")],
            id="the same Origin twice",
        ),
    ],
)
async def test_a_header_of_the_guard_that_is_sent_twice_is_refused(
    hub_files: MakeHub, headers: list[tuple[str, str]]
) -> None:
    async with hub_in_loop(hub_files()) as hub, httpx.AsyncClient(timeout=100) as http:
        answer = await http.post(f"{hub.url}/mcp", json={}, headers=headers)

    assert answer.status_code == 400


async def test_an_allowed_page_may_send_its_token_and_read_the_answer(
    hub_files: MakeHub,
) -> None:
    page = {"Origin": "http://localhost:6274"}
    asked = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    async with hub_in_loop(hub_files()) as hub, httpx.AsyncClient(timeout=100) as http:
        preflight = await http.options(f"{hub.url}/mcp", headers={**page, **asked})
        answer = await http.post(f"{hub.url}/mcp", json={}, headers=page)

    assert preflight.status_code == 204
    allowed = preflight.headers["access-control-allow-headers"].lower()
    assert "authorization" in allowed
    assert "mcp-protocol-version" in allowed
    assert answer.headers["access-control-allow-origin"] == page["Origin"]
    exposed = answer.headers["access-control-expose-headers"]
    assert exposed == "Mcp-Session-Id, X-Request-ID, WWW-Authenticate"


async def test_a_request_id_is_kept_and_returned(hub_files: MakeHub) -> None:
    async with hub_in_loop(hub_files()) as hub, httpx.AsyncClient(timeout=100) as http:
        kept = await http.get(f"{hub.url}/health", headers={"X-Request-ID": "abc-1"})
        made = await http.get(
            f"{hub.url}/health", headers={"X-Request-ID": "a\tb " + "x" * 200}
        )

    assert kept.headers["x-request-id"] == "abc-1"
    assert len(made.headers["x-request-id"]) == 32


async def test_a_transport_that_is_off_is_not_found(hub_files: MakeHub) -> None:
    files = hub_files(transports={"sse": {"enabled": False}})
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "text/event-stream"}
    async with hub_in_loop(files) as hub, httpx.AsyncClient() as client:
        answer = await client.get(f"{hub.url}/sse", headers=headers)

    assert (answer.status_code, answer.text) == (404, "Not found.\n")
