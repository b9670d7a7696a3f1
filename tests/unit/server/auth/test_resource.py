"""The identifiers and the metadata of a hub as a resource of OAuth."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from mcphub_server.auth.middleware import AuthPolicy, build_challenge, find_status
from mcphub_server.auth.refusals import SENTENCES, Refusal
from mcphub_server.auth.resource import (
    build_metadata_url,
    build_metadata_urls,
    build_resource,
    build_resource_metadata,
    find_audiences,
    find_challenged_scopes,
)
from mcphub_server.config.hub import HubConfig
from mcphub_server.config.load import parse_hub_config
from mcphub_server.errors import ConfigError
from mcphub_server.web.paths import Endpoint
from tools.project import ROOT

PUBLIC = "https://mcp.example.com"
WELL_KNOWN = "/.well-known/oauth-protected-resource"


def config(public_url: str = PUBLIC, **jwt: Any) -> HubConfig:
    given = {"issuer": "https://id", "jwksURI": "https://id/keys", **jwt}
    return parse_hub_config(
        {"publicURL": public_url, "auth": {"type": "JWT", "jwt": given}}, "hub.yaml"
    )


@pytest.mark.parametrize(
    ("public_url", "base", "path"),
    [
        pytest.param(PUBLIC, PUBLIC, "", id="a host"),
        pytest.param(f"{PUBLIC}/", PUBLIC, "", id="a slash at its end"),
        pytest.param(f"{PUBLIC}//", PUBLIC, "", id="two slashes"),
        pytest.param("https://MCP.Example.com", PUBLIC, "", id="capitals"),
        pytest.param(f"{PUBLIC}:443/", PUBLIC, "", id="the scheme's port"),
        pytest.param(f"{PUBLIC}:80", f"{PUBLIC}:80", "", id="the other scheme's"),
        pytest.param("http://h:80", "http://h", "", id="http's port"),
        pytest.param("http://[::443]:443", "http://[::443]:443", "", id="IPv6"),
        pytest.param("https://[::443]:443", "https://[::443]", "", id="its port"),
        pytest.param(f"{PUBLIC}/Hubs/one/", PUBLIC, "/Hubs/one", id="a path"),
        pytest.param(f"{PUBLIC}/a%20b", PUBLIC, "/a%20b", id="a quoted path"),
        pytest.param(f'{PUBLIC}/"ü\\', PUBLIC, "/%22%C3%BC%5C", id="not a path"),
    ],
)
def test_identifiers_are_written_as_clients_write_them(
    public_url: str, base: str, path: str
) -> None:
    assert build_resource(public_url, Endpoint.HTTP) == f"{base}{path}/mcp"
    assert build_metadata_url(public_url, Endpoint.SSE) == (
        f"{base}{WELL_KNOWN}{path}/sse"
    )


@pytest.mark.parametrize(
    "public_url", [PUBLIC, f"{PUBLIC}/hubs/one", f"{PUBLIC}/a%20b"]
)
def test_each_named_document_exists_with_and_without_a_slash(public_url: str) -> None:
    documents = build_resource_metadata(config(public_url))

    for url in build_metadata_urls(config(public_url)).values():
        path = urlsplit(url).path.replace("%20", " ")
        assert documents[path] == documents[f"{path}/"]
    at_root = {
        documents[WELL_KNOWN]["resource"],
        documents[f"{WELL_KNOWN}/"]["resource"],
    }  # type: ignore[index]
    assert at_root == {build_resource(public_url, Endpoint.HTTP)}


def test_without_an_audience_a_token_is_for_one_of_the_hubs_urls() -> None:
    assert find_audiences(config(f"{PUBLIC}/")) == (f"{PUBLIC}/mcp", f"{PUBLIC}/sse")
    assert find_audiences(config(audience="hub")) == ("hub",)


def test_without_audience_and_url_a_hub_does_not_start() -> None:
    with pytest.raises(ConfigError, match=r"needs jwt\.audience or publicURL"):
        config("")


def test_clients_are_told_the_scopes_as_the_provider_names_them() -> None:
    entra = config(requiredScopes=["read"], requestedScopes=["api://hub/read"])

    assert find_challenged_scopes(entra.auth.jwt) == ("api://hub/read",)
    assert find_challenged_scopes(config(requiredScopes=["read"]).auth.jwt) == ("read",)


@pytest.mark.parametrize(
    "hub",
    [
        pytest.param(config(issuer="accounts.example.com"), id="an issuer without URL"),
        pytest.param(config("", audience="hub"), id="no publicURL"),
    ],
)
def test_without_an_address_of_hub_or_issuer_there_is_no_metadata(
    hub: HubConfig,
) -> None:
    """Clients refuse a document whose authorization server is not a URL."""
    assert build_metadata_urls(hub) == {}
    assert build_resource_metadata(hub) == {}


def test_what_is_no_scope_stands_in_no_challenge() -> None:
    odd = config(requiredScopes=['a"b', "a b", "ü", "", "a\\b", "a\nb", "good", "good"])

    assert find_challenged_scopes(odd.auth.jwt) == ("good",)


def test_a_parameter_without_values_is_left_out() -> None:
    """RFC 9728, section 3.2; a client would ask for the scope of no name."""
    document = build_resource_metadata(config())[f"{WELL_KNOWN}/mcp"]

    assert document == {
        "resource": f"{PUBLIC}/mcp",
        "authorization_servers": ["https://id"],
        "bearer_methods_supported": ["header"],
    }


@pytest.mark.parametrize("reason", Refusal)
def test_a_challenge_can_be_sent_and_parsed(reason: Refusal) -> None:
    odd = config('https://mcp.例え.jp/"x', requiredScopes=["read"])
    urls = build_metadata_urls(odd)
    policy = AuthPolicy(None, ("read",), find_challenged_scopes(odd.auth.jwt), urls)

    challenge = build_challenge(reason, policy, "/mcp/")

    challenge.encode("ascii")
    assert challenge.count('"') == 2 * challenge.count('="')
    assert 'scope="read"' in challenge
    assert '"' not in SENTENCES[reason]


class TestThePageAboutOAuth:
    """docs/oauth.md shows what its own hub says."""

    TEXT = (ROOT / "docs" / "oauth.md").read_text()

    @property
    def blocks(self) -> list[str]:
        return re.findall(r"^```\w+\n(.*?)^```", self.TEXT, re.DOTALL | re.MULTILINE)

    @property
    def hub(self) -> HubConfig:
        return parse_hub_config(yaml.safe_load(self.blocks[0])["spec"], "oauth.md")

    def test_has_the_challenge(self) -> None:
        jwt, urls = self.hub.auth.jwt, build_metadata_urls(self.hub)
        policy = AuthPolicy(None, (), find_challenged_scopes(jwt), urls)

        shown = build_challenge(Refusal.MISSING, policy, "/mcp")

        assert self.blocks[1] == f"WWW-Authenticate: {shown}\n"

    def test_has_the_document(self) -> None:
        documents = build_resource_metadata(self.hub)

        assert json.loads(self.blocks[2]) == documents[f"{WELL_KNOWN}/mcp"]

    @pytest.mark.parametrize(
        "reason",
        [Refusal.AUDIENCE, Refusal.EXPIRED, Refusal.ISSUER, Refusal.SCOPE],
    )
    def test_has_the_sentences(self, reason: Refusal) -> None:
        status, error = find_status(reason)

        assert f"| {status.value} | `{error}` | {SENTENCES[reason]} |" in self.TEXT
