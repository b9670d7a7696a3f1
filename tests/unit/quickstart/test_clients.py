"""What is pasted into a client is that client's own form."""

import json

import pytest

from tools.quickstart.clients import claude_code, claude_desktop, cursor, paste_sheet

URL = "http://127.0.0.1:30800"


def test_claude_desktop_goes_through_mcp_remote_over_sse():
    server = json.loads(claude_desktop(URL, "t0ken"))["mcpServers"]["hub"]

    assert server["command"] == "npx"
    assert server["args"][1:4] == ["mcp-remote", f"{URL}/sse", "--transport"]
    assert server["args"][-1] == "Authorization:${AUTH}"
    assert server["env"] == {"AUTH": "Bearer t0ken"}


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        pytest.param(URL, True, id="plain http must be allowed by name"),
        pytest.param("https://mcp.example.com", False, id="https needs no leave"),
    ],
)
def test_plain_http_is_allowed_only_where_it_is_used(url, allowed):
    server = json.loads(claude_desktop(url, "t"))["mcpServers"]["hub"]

    assert ("--allow-http" in server["args"]) is allowed


def test_claude_code_takes_its_options_before_the_name():
    assert claude_code(URL, "t0ken") == (
        'claude mcp add --transport http --header "Authorization: Bearer t0ken" '
        f"hub {URL}/mcp"
    )


def test_cursor_sends_the_token_as_a_header():
    server = json.loads(cursor(URL, "t0ken"))["mcpServers"]["hub"]

    assert server == {
        "url": f"{URL}/mcp",
        "headers": {"Authorization": "Bearer t0ken"},
    }


def test_the_sheet_names_every_client_and_where_its_text_goes():
    sheet = paste_sheet(URL, "t0ken")

    for place in (
        "Claude Code - run",
        ".cursor/mcp.json",
        "claude_desktop_config.json",
    ):
        assert place in sheet
