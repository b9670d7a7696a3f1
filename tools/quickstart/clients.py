"""What a person pastes into an MCP client to reach a hub; pure text.

The forms are each vendor's own, collected in docs/clients.md.
"""

import json


def claude_desktop(base_url: str, token: str) -> str:
    """Claude Desktop speaks to remote servers through mcp-remote.

    No space follows the colon of the header: Claude Desktop on Windows splits
    arguments at spaces, so the value comes from the environment.
    """
    arguments = ["-y", "mcp-remote", f"{base_url}/sse", "--transport", "sse-only"]
    if base_url.startswith("http://"):
        arguments.append("--allow-http")
    arguments += ["--header", "Authorization:${AUTH}"]
    server = {
        "command": "npx",
        "args": arguments,
        "env": {"AUTH": f"Bearer {token}"},
    }
    return json.dumps({"mcpServers": {"hub": server}}, indent=2)


def claude_code(base_url: str, token: str) -> str:
    return (
        "claude mcp add --transport http "
        f'--header "Authorization: Bearer {token}" hub {base_url}/mcp'
    )


def cursor(base_url: str, token: str) -> str:
    server = {
        "url": f"{base_url}/mcp",
        "headers": {"Authorization": f"Bearer {token}"},
    }
    return json.dumps({"mcpServers": {"hub": server}}, indent=2)


def paste_sheet(base_url: str, token: str) -> str:
    """All of it, with where each goes."""
    return "\n".join(
        [
            "Claude Code - run:",
            claude_code(base_url, token),
            "",
            "Cursor - .cursor/mcp.json:",
            cursor(base_url, token),
            "",
            "Claude Desktop - claude_desktop_config.json:",
            claude_desktop(base_url, token),
        ]
    )
