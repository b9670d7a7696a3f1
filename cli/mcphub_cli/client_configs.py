"""What a person pastes into an MCP client to reach a hub; pure text.

The forms are each vendor's own, collected in docs/clients.md.
"""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcphub_cli.errors import UsageError

_PLAIN = re.compile(r"[A-Za-z0-9 :._~+/=-]*")


@dataclass(frozen=True, slots=True)
class Target:
    """What a client connects to.

    Args:
        base_url: The address before `/mcp`.
        token: The client's token; "" for a hub without authentication.
        name: What the client shall call the hub.
    """

    base_url: str
    token: str
    name: str = "hub"


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """The configuration of one client: the key of the servers, and ours below it."""

    key: str
    server: Mapping[str, Any]

    def render(self, name: str) -> str:
        """Return a file with this server alone."""
        return json.dumps({self.key: {name: self.server}}, indent=2)

    def merge(self, text: bytes, name: str) -> str:
        """Return a client's file with this server in it; the rest stays.

        Raises:
            UsageError: the file is no JSON object with an object of servers.
        """
        try:
            found = json.loads(text or b"{}")
            found[self.key] = {**found.get(self.key, {}), name: self.server}
        except (ValueError, TypeError, AttributeError):
            raise UsageError(
                f"The file holds no JSON object with servers in {self.key!r};"
                " correct it, or name another."
            ) from None
        return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def claude_desktop(target: Target) -> ConfigFile:
    """Claude Desktop speaks to remote servers through mcp-remote.

    No space follows the colon of the header: Claude Desktop on Windows splits
    arguments at spaces, so the value comes from the environment.
    """
    url = f"{target.base_url}/sse"
    arguments = ["-y", "mcp-remote", url, "--transport", "sse-only"]
    if target.base_url.startswith("http://"):
        arguments.append("--allow-http")
    server: dict[str, Any] = {"command": "npx", "args": arguments}
    if target.token:
        arguments += ["--header", "Authorization:${AUTH}"]
        server["env"] = {"AUTH": f"Bearer {target.token}"}
    return ConfigFile("mcpServers", server)


def cursor(target: Target) -> ConfigFile:
    """Cursor takes the URL and headers."""
    return ConfigFile("mcpServers", _remote(target))


def vscode(target: Target) -> ConfigFile:
    """VS Code takes the same, and the type, under another key."""
    return ConfigFile("servers", {"type": "http", **_remote(target)})


def claude_code(target: Target) -> str:
    """Return the command that adds the hub to Claude Code.

    `--header` comes last: it takes every word up to the next option, so in front of
    the name it would take name and URL as headers.
    """
    url = shlex.quote(f"{target.base_url}/mcp")
    command = f"claude mcp add --transport http {target.name} {url}"
    if not target.token:
        return command
    return f"{command} --header {_quote(f'Authorization: Bearer {target.token}')}"


FILES = {"cursor": cursor, "claude-desktop": claude_desktop, "vscode": vscode}
"""The clients that read a file, by the names that a user types."""

TITLES = {
    "claude-code": "Claude Code - run:",
    "cursor": "Cursor - .cursor/mcp.json:",
    "claude-desktop": "Claude Desktop - claude_desktop_config.json:",
    "vscode": "VS Code - .vscode/mcp.json:",
}


def render(client: str, target: Target) -> str:
    """Return what to paste for a client of `TITLES`."""
    if client == "claude-code":
        return claude_code(target)
    return FILES[client](target).render(target.name)


def paste_sheet(target: Target) -> str:
    """Return all of it, with where each goes."""
    parts = [f"{title}\n{render(name, target)}" for name, title in TITLES.items()]
    return "\n\n".join(parts)


def _quote(text: str) -> str:
    """Return a word for a shell; in double quotes, which every one knows, if it can."""
    return f'"{text}"' if _PLAIN.fullmatch(text) else shlex.quote(text)


def _remote(target: Target) -> dict[str, Any]:
    remote: dict[str, Any] = {"url": f"{target.base_url}/mcp"}
    if target.token:
        remote["headers"] = {"Authorization": f"Bearer {target.token}"}
    return remote
