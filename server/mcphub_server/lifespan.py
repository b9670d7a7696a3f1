"""The life of the process: listen, watch the backends, drain, stop.

uvicorn's own shutdown closes listeners and idle connections at once, and uvicorn
handles the signals itself; here SIGTERM begins a drain, and uvicorn stops last.
"""

import asyncio
import contextlib
import signal
import socket
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterator,
    Sequence,
)
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import structlog
import uvicorn
from starlette.types import ASGIApp

from mcphub_server.auth.middleware import AuthPolicy
from mcphub_server.backends.health import BackendMonitor
from mcphub_server.background import keep_going
from mcphub_server.config.runtime import RuntimeSettings
from mcphub_server.errors import ConfigError
from mcphub_server.management.status import StatusBoard
from mcphub_server.sessions.services import SessionServices
from mcphub_server.tls.serving import ServedCertificate
from mcphub_server.tools.live import LiveTools
from mcphub_server.tracing.factory import Tracing
from mcphub_server.traffic.drain import drain, keep_streams_at_shutdown
from mcphub_server.traffic.state import ServerState
from mcphub_server.transports.endpoints import Transports
from mcphub_server.web.bodies import LARGEST_BODY
from mcphub_server.web.plain_protocol import PlainProtocol

KEEP_ALIVE_SECONDS = 180
"""Above the 120 s of the usual proxies: a proxy has to close its connections first."""

BACKLOG = 2048
WEBSOCKET_PROTOCOL = "mcphub_server.web.websocket_protocol:BoundedWebSocketProtocol"
PING_SECONDS = 20.0
"""How often a WebSocket client is pinged, and how long its pong may take."""

LAST_SECONDS = 5
"""What uvicorn waits for connections that neither end nor close."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub that is ready to be started; `app.build_hub` makes it.

    Attributes:
        monitors: One for each backend.
        state: What the hub is doing.
        certificate: What the port for MCP clients shows; None without TLS.
        live: The declared tools and the access rules in force.
        board: Its status, and the long polls that wait for a change.
        auth: How callers authenticate.
        tracing: The traces of its requests, if they are on.
        app: The ASGI application of the port for MCP clients.
        management: The ASGI application of the management port.
    """

    runtime: RuntimeSettings
    monitors: Sequence[BackendMonitor]
    state: ServerState
    board: StatusBoard
    auth: AuthPolicy
    sessions: SessionServices
    transports: Transports
    live: LiveTools
    tracing: Tracing | None
    certificate: ServedCertificate | None
    app: ASGIApp
    management: ASGIApp


class Listener(uvicorn.Server):
    """A uvicorn server without signal handlers; `listening` is set once it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def build_listener(
    app: ASGIApp,
    *,
    has_websockets: bool = False,
    certificate: ServedCertificate | None = None,
) -> Listener:
    """Make a server for an application; the socket comes from `open_socket`."""
    tls = certificate.context if certificate is not None else None
    return Listener(
        uvicorn.Config(
            app,
            http=PlainProtocol,
            ws=WEBSOCKET_PROTOCOL if has_websockets else "none",
            ws_max_size=LARGEST_BODY,
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=PING_SECONDS,
            ws_per_message_deflate=False,
            ssl_context_factory=(lambda *_: tls) if tls is not None else None,
            lifespan="off",
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=LAST_SECONDS,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
        )
    )


def find_all_addresses(*, has_dual_stack: bool) -> str:
    """Return the address that stands for all, of IPv6 too where the kernel has it."""
    return "::" if has_dual_stack else "0.0.0.0"  # noqa: S104 -- a pod's is not known


def open_socket(host: str, port: int) -> socket.socket:
    """Listen, without a host on all addresses.

    Raises:
        ConfigError: One sentence, if that is not possible.
    """
    host = host or find_all_addresses(has_dual_stack=socket.has_dualstack_ipv6())
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    dual = family is socket.AF_INET6 and socket.has_dualstack_ipv6()
    try:
        listening = socket.create_server(
            (host, port), family=family, backlog=BACKLOG, dualstack_ipv6=dual
        )
    except OSError as error:
        raise ConfigError(
            f"The server cannot listen on {host} port {port}: {error.strerror}; "
            "set MCPHUB_PORT and MCPHUB_MANAGEMENT_PORT to free ports."
        ) from None
    # Connections inherit it; asyncio sets it only on sockets that it made itself.
    # Without, an answer's body waits 40 ms for the acknowledgement of its head.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def list_work(hub: Hub) -> Iterator[tuple[str, Callable[[], Awaitable[None]]]]:
    """Yield what a hub does beside its requests, by name."""
    seconds = hub.runtime.probe_interval_seconds
    for monitor in hub.monitors:
        yield f"probes of {monitor.backend.name}", partial(monitor.watch, seconds)
    yield "authentication", partial(hub.auth.follow, hub.state.notify)
    yield "live configuration", hub.live.watch
    if hub.certificate is not None:
        yield "certificate", hub.certificate.follow


@asynccontextmanager
async def running(hub: Hub) -> AsyncIterator[None]:
    """Open backends, watch them, and run the transports."""
    async with AsyncExitStack() as stack:
        if hub.tracing is not None:
            stack.push_async_callback(hub.tracing.close)
        for monitor in hub.monitors:
            await monitor.backend.open()
            stack.push_async_callback(monitor.backend.close)
        await stack.enter_async_context(hub.sessions.running())
        async with asyncio.TaskGroup() as watchers:
            tasks = [
                watchers.create_task(keep_going(work, name))
                for name, work in list_work(hub)
            ]
            try:
                async with hub.transports.run():
                    yield
            finally:
                for task in tasks:
                    task.cancel()


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a hub listens."""

    mcp: int
    management: int


@asynccontextmanager
async def listening(hub: Hub) -> AsyncIterator[Ports]:
    """Serve on both ports until the block ends; then close at once."""
    host = hub.runtime.host
    sockets = [
        open_socket(host, hub.runtime.port),
        open_socket(host, hub.runtime.management_port),
    ]
    ports = Ports(*(each.getsockname()[1] for each in sockets))
    has_websockets = hub.transports.websockets is not None
    listeners = [
        build_listener(
            hub.app, has_websockets=has_websockets, certificate=hub.certificate
        ),
        build_listener(hub.management),
    ]
    async with running(hub), asyncio.TaskGroup() as group:
        for listener, opened in zip(listeners, sockets, strict=True):
            group.create_task(listener.serve([opened]))
        for listener in listeners:
            await listener.listening.wait()
        connections = listeners[0].server_state.connections
        hub.state.count_connections = connections.__len__
        begin_serving(hub)
        try:
            yield ports
        finally:
            for listener in listeners:
                listener.should_exit = True


def begin_serving(hub: Hub) -> None:
    """Be ready; with TLS, once there is a certificate."""
    if hub.certificate is None:
        hub.state.begin_serving()
    else:
        hub.certificate.when_usable(hub.state.begin_serving)


async def serve(hub: Hub) -> None:
    """Serve until SIGTERM or SIGINT, then drain; a second signal ends at once."""
    keep_streams_at_shutdown()
    stop, hurry = asyncio.Event(), asyncio.Event()
    install_signals(stop, hurry)
    async with listening(hub) as ports:
        log.info("serving", port=ports.mcp, management_port=ports.management)
        await stop.wait()
        await drain_or_hurry(hub, hurry)
    log.info("stopped")


def install_signals(stop: asyncio.Event, hurry: asyncio.Event) -> None:
    """Let the first signal begin the drain and the second end it."""

    def on_signal() -> None:
        (hurry if stop.is_set() else stop).set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)


async def drain_or_hurry(hub: Hub, hurry: asyncio.Event) -> None:
    """Drain until done, or until a second signal."""
    draining = asyncio.create_task(drain(hub.state, hub.runtime.drain_linger_seconds))
    hurrying = asyncio.create_task(hurry.wait())
    await asyncio.wait({draining, hurrying}, return_when=asyncio.FIRST_COMPLETED)
    for task in (draining, hurrying):
        task.cancel()
    await asyncio.gather(draining, hurrying, return_exceptions=True)
