"""A session that one replica owns and that another one is asked for."""

import re
import ssl

import httpx

from tests.support.installation import Installation

STATEFUL = {"streamableHTTP": {"sessions": "Stateful"}}
MANAGEMENT = 8081
HEADERS = {"Accept": "application/json, text/event-stream"}
OPENING = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}
CALL = {
    "jsonrpc": "2.0",
    "id": 2,
    "method": "tools/call",
    "params": {"name": "health_check", "arguments": {}},
}


def check_forwarding(
    team: Installation, hub: str, tls: ssl.SSLContext | None = None
) -> None:
    """Open a session at one replica, use it at another, and see it forwarded.

    kubectl leads to one pod each time, past every policy; between the pods the network
    and its policies are in the way.
    """
    scheme = "http" if tls is None else "https"
    owner, other = (f"pod/{p['metadata']['name']}" for p in team.pods(hub)[:2])
    headers = HEADERS | {"Authorization": f"Bearer {team.token(hub)}"}
    with httpx.Client(headers=headers, verify=tls or True, timeout=60) as http:
        with team.forwarded(owner) as url:
            mcp = f"{url.replace('http', scheme)}/mcp"
            opened = http.post(mcp, json=OPENING)
            session = {"mcp-session-id": opened.headers["mcp-session-id"]}
            http.post(mcp, json=INITIALIZED, headers=session)
        with team.forwarded(other, MANAGEMENT) as management:
            before = _count(management)
            with team.forwarded(other) as url:
                mcp = f"{url.replace('http', scheme)}/mcp"
                answer = http.post(mcp, json=CALL, headers=session)
            assert "structuredContent" in answer.text
            team.until("a forwarded call", lambda: _count(management) > before)


def _count(management: str) -> float:
    """How many requests a replica has forwarded."""
    text = httpx.get(f"{management}/metrics", timeout=60).text
    pattern = r'^mcphub_session_requests_total{outcome="forwarded"} (\S+)$'
    found = re.search(pattern, text, re.MULTILINE)
    return float(found[1]) if found else 0.0
