"""What is pasted into a client is that client's own form."""

import json
import shlex
import subprocess

import pytest

from mcphub_cli.client_configs import FILES, TITLES, Target, paste_sheet, render
from mcphub_cli.errors import UsageError

URL = "http://127.0.0.1:30800"
TARGET = Target(URL, "t0ken")


def read(client, target=TARGET):
    return next(iter(json.loads(render(client, target)).values()))["hub"]


def test_claude_desktop_goes_through_mcp_remote_over_sse():
    server = read("claude-desktop")

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
    server = read("claude-desktop", Target(url, "t"))

    assert ("--allow-http" in server["args"]) is allowed


def test_claude_code_takes_the_header_after_name_and_url():
    """`--header` takes every word behind it: in front, it takes name and URL too."""
    assert render("claude-code", TARGET) == (
        f"claude mcp add --transport http hub {URL}/mcp "
        '--header "Authorization: Bearer t0ken"'
    )


@pytest.mark.parametrize("token", ["a$HOME`id`", 'quo"te', "it's!", "back\\slash"])
def test_a_shell_changes_no_token_in_a_command(token):
    command = render("claude-code", Target(URL, token))

    words = shlex.split(command)
    said = subprocess.check_output(["sh", "-c", f"printf '%s\\n' {command}"], text=True)
    assert f"Authorization: Bearer {token}" in words
    assert said.splitlines() == words


def test_cursor_sends_the_token_as_a_header():
    assert read("cursor") == {
        "url": f"{URL}/mcp",
        "headers": {"Authorization": "Bearer t0ken"},
    }


def test_vs_code_names_the_transport_under_its_own_key():
    assert json.loads(render("vscode", TARGET)) == {
        "servers": {
            "hub": {
                "type": "http",
                "url": f"{URL}/mcp",
                "headers": {"Authorization": "Bearer t0ken"},
            }
        }
    }


@pytest.mark.parametrize("client", TITLES)
def test_without_authentication_no_client_sends_a_header(client):
    assert "Authorization" not in render(client, Target(URL, ""))


def test_the_sheet_names_every_client_and_where_its_text_goes():
    sheet = paste_sheet(TARGET)

    for place in (
        "Claude Code - run",
        ".cursor/mcp.json",
        "claude_desktop_config.json",
        ".vscode/mcp.json",
    ):
        assert place in sheet


@pytest.mark.parametrize("client", FILES)
def test_a_file_keeps_what_else_it_holds(client):
    config = FILES[client](TARGET)
    before = {"theme": "dark", config.key: {"other": {"url": "http://x"}}}

    merged = json.loads(config.merge(json.dumps(before).encode(), "team"))

    assert merged["theme"] == "dark"
    assert merged[config.key] == {"other": {"url": "http://x"}, "team": config.server}


@pytest.mark.parametrize(
    "text", [b"not json", b"[]", b'{"mcpServers": 3}', b'"x"', b"\xff\xfe\xfd"]
)
def test_a_file_that_is_no_configuration_is_refused(text):
    with pytest.raises(UsageError, match="no JSON object with servers"):
        FILES["cursor"](TARGET).merge(text, "team")
