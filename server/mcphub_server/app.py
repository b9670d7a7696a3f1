"""Everything of a hub put together, and nothing started.

From a configuration to the two ASGI applications. The order of the layers around the
MCP endpoints is the order of what a request must pass: its name and the Host guard,
the count for draining, the door, and only then a transport.
"""

import hmac
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import fastmcp
from fastmcp import FastMCP
from mcp.server.request_state import RequestStateSecurity
from starlette.types import ASGIApp

from mcphub_server.auth.factory import ResourceMetadata, build_auth_policy
from mcphub_server.auth.middleware import AuthMiddleware
from mcphub_server.backends.health import BackendMonitor
from mcphub_server.calls.backend_runner import LimitedRunner
from mcphub_server.calls.fast_path import ToolFastPath
from mcphub_server.calls.middleware import ToolCallMiddleware, note_call
from mcphub_server.calls.rate_limit import RateLimiter
from mcphub_server.config.hub import HubConfig, SessionMode
from mcphub_server.config.keys import read_state_key
from mcphub_server.config.runtime import RuntimeSettings
from mcphub_server.management.endpoints import build_management_app
from mcphub_server.management.metrics import Metrics
from mcphub_server.management.status import StatusBoard
from mcphub_server.results.cursors import CursorSigner
from mcphub_server.sessions.peers.dns import PeerDirectory
from mcphub_server.sessions.router import build_session_app
from mcphub_server.sessions.services import SessionServices, build_session_services
from mcphub_server.tools.context import ToolContext
from mcphub_server.tools.hub import HubFacts, build_hub_tools
from mcphub_server.tools.registry import Registered, register
from mcphub_server.traffic.admission import Admission
from mcphub_server.traffic.capacity import (
    Capacity,
    build_capacity,
    count_streams,
    find_memory_limit,
)
from mcphub_server.traffic.state import ServerState
from mcphub_server.transports.endpoints import Transports, build_transports
from mcphub_server.version import find_version
from mcphub_server.web.caller import current_principal
from mcphub_server.web.forwarded import parse_networks
from mcphub_server.web.hosts import build_host_policy
from mcphub_server.web.request_context import RequestContextMiddleware, RequestRules

INSTRUCTIONS = (
    "This server reads databases and never changes them. Call list_services to see "
    "which there are and which tools read them."
)


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub that is ready to be started."""

    config: HubConfig
    runtime: RuntimeSettings
    monitors: Sequence[BackendMonitor]
    state: ServerState
    metrics: Metrics
    board: StatusBoard
    mcp: FastMCP
    transports: Transports
    sessions: SessionServices
    app: ASGIApp
    management: ASGIApp


@dataclass(slots=True)
class Parts:
    """What is made first, because the rest is made around it."""

    registered: Sequence[Registered]
    state: ServerState
    monitors: list[BackendMonitor] = field(default_factory=list)


def build_hub(
    config: HubConfig,
    runtime: RuntimeSettings,
    replicas: PeerDirectory | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Hub:
    """Put a hub together; must run inside the event loop that will serve it.

    `replicas` knows the hub's other replicas; by default the headless Service does.
    `clock` is what the clients' call rates are measured by.
    """
    version = find_version()
    metrics = Metrics(version)
    parts = Parts(
        [register(backend, runtime.secrets_dir) for backend in config.enabled_backends],
        ServerState(capacity=find_capacity(runtime)),
    )
    announce = Announcer()
    parts.monitors = [
        BackendMonitor(each.backend, announce) for each in parts.registered
    ]
    board = StatusBoard(version, parts.monitors, parts.state)
    announce.board = board
    parts.state.on_change(board.tell_change)
    metrics.watch(parts)
    mcp, tools = build_mcp(config, runtime, parts, metrics, clock)
    transports = build_transports(mcp, config.transports, parts.state, tools.is_own)
    sessions = build_session_services(
        config, runtime, metrics.registry, parts.state, replicas
    )
    door = build_auth_policy(config, runtime)

    def authenticate(app: ASGIApp) -> ASGIApp:
        return AuthMiddleware(app, door, metrics.count_auth_failure)

    guarded = build_session_app(transports.app, sessions, authenticate)
    return Hub(
        config,
        runtime,
        parts.monitors,
        parts.state,
        metrics,
        board,
        mcp,
        transports,
        sessions,
        build_app(config, runtime, parts.state, transports.route(guarded)),
        build_management_app(config, board, metrics, parts.state),
    )


def find_capacity(runtime: RuntimeSettings) -> Capacity:
    """Return how many streams are welcome: as told, or as memory allows."""
    return build_capacity(runtime.max_streams or count_streams(find_memory_limit()))


class Announcer:
    """Tells the status board of changes; the board is made after the monitors."""

    def __init__(self) -> None:
        self.board: StatusBoard | None = None

    def __call__(self) -> None:
        if self.board is not None:
            self.board.tell_change()


def build_mcp(
    config: HubConfig,
    runtime: RuntimeSettings,
    parts: Parts,
    metrics: Metrics,
    clock: Callable[[], float],
) -> tuple[FastMCP, ToolFastPath]:
    """Make the MCP server with the tools of all enabled backends."""
    # spans of FastMCP carry arguments and exception texts; own ones carry neither
    fastmcp.settings.telemetry_mode = "propagation_only"
    limits = config.limits
    state_key = read_state_key(runtime.keys_dir)
    around = ToolCallMiddleware(
        RateLimiter(limits.requests_per_second, limits.burst),
        metrics,
        parts.state,
        clock,
    )
    mcp: FastMCP = FastMCP(
        name=runtime.hub,
        version=find_version(),
        instructions=INSTRUCTIONS,
        mask_error_details=True,
        on_duplicate="error",
        request_state_security=RequestStateSecurity(keys=[derive_key(state_key)]),
        middleware=[around],
    )
    monitors = {monitor.backend.name: monitor for monitor in parts.monitors}
    context = ToolContext(
        limits=limits,
        cursors=CursorSigner(state_key),
        run=LimitedRunner(monitors, limits.max_concurrent_calls, metrics.count_limited),
        principal=current_principal,
        note=note_call,
    )
    tools = {each.backend.name: each.build_tools(context) for each in parts.registered}
    names = {name: [tool.name for tool in made] for name, made in tools.items()}
    hub_tools = build_hub_tools(HubFacts(find_version(), parts.monitors, names))
    own = [*hub_tools, *(tool for made in tools.values() for tool in made)]
    for tool in own:
        mcp.add_tool(tool)
    metrics.register_tools(
        [tool.name for tool in hub_tools] + [n for made in names.values() for n in made]
    )
    return mcp, ToolFastPath(mcp, own, around)


def derive_key(state_key: bytes) -> bytes:
    """Make the key for what a client hands back to another replica in its next round.

    The SDK wants 32 bytes; whoever writes the file need not know that.
    """
    return hmac.digest(state_key, b"mcphub request state v1", sha256)


def build_app(
    config: HubConfig, runtime: RuntimeSettings, state: ServerState, routed: ASGIApp
) -> ASGIApp:
    """Wrap the endpoints in the layers that every request passes."""
    rules = RequestRules(
        build_host_policy(
            runtime.hub, runtime.namespace, config.public_url, config.allowed_hosts
        ),
        parse_networks(config.trusted_proxies),
    )
    stateful = config.transports.streamable_http.sessions is SessionMode.STATEFUL
    known = ResourceMetadata(routed, config)
    return RequestContextMiddleware(Admission(known, state, stateful=stateful), rules)
