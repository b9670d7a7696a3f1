"""Builds a hub from its configuration; starts nothing.

`build_pipeline` lists every layer that a request to the MCP port passes.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from starlette.routing import Router
from starlette.types import ASGIApp

from mcphub_server.auth.factory import build_auth_policy
from mcphub_server.auth.middleware import AuthMiddleware, AuthPolicy
from mcphub_server.auth.refusals import RefusalLog
from mcphub_server.auth.resource import build_resource_metadata
from mcphub_server.backends.health import BackendMonitor
from mcphub_server.calls.audit import note_call
from mcphub_server.calls.backend_runner import LimitedRunner
from mcphub_server.calls.list_changes import ListChanges
from mcphub_server.calls.middleware import ToolCallMiddleware, build_limiters
from mcphub_server.calls.server import ServerParts, build_server
from mcphub_server.config.hub import AuthType, HubConfig, LimitsConfig
from mcphub_server.config.keys import read_state_key
from mcphub_server.config.live import FILE_NAME as LIVE_FILE
from mcphub_server.config.runtime import RuntimeSettings
from mcphub_server.config.secrets import find_odd_secret
from mcphub_server.lifespan import Hub
from mcphub_server.line_budget import LineBudget
from mcphub_server.management.endpoints import build_health_routes, build_management_app
from mcphub_server.management.metrics import Metrics
from mcphub_server.management.status import StatusBoard
from mcphub_server.page.files import build_page
from mcphub_server.results.cursors import CursorSigner
from mcphub_server.sessions.middleware import SessionMiddleware
from mcphub_server.sessions.peer_auth import PeerAuthMiddleware
from mcphub_server.sessions.peers.dns import PeerDirectory
from mcphub_server.sessions.resumability.middleware import ResumabilityMiddleware
from mcphub_server.sessions.services import SessionServices, build_session_services
from mcphub_server.tls.serving import ServedCertificate
from mcphub_server.tools.catalog import CatalogEntry, ToolCatalog
from mcphub_server.tools.context import ToolContext
from mcphub_server.tools.guarding import GuardRunner
from mcphub_server.tools.hub import HubFacts, build_hub_tools
from mcphub_server.tools.live import LiveParts, LiveTools
from mcphub_server.tools.objects.schemas import SchemaCatalog
from mcphub_server.tools.prompts.catalog import PromptCatalog
from mcphub_server.tools.registry import Registered, build_builders, register
from mcphub_server.tracing.factory import Tracing, build_tracing
from mcphub_server.traffic.admission import Admission
from mcphub_server.traffic.capacity import (
    Capacity,
    build_capacity,
    count_streams,
    find_memory_limit,
)
from mcphub_server.traffic.state import ServerState
from mcphub_server.transports.endpoints import Transports, build_transports
from mcphub_server.transports.late_errors import LateErrors
from mcphub_server.transports.websockets import WebSocketRouter
from mcphub_server.version import find_version
from mcphub_server.web.bodies import BodyBudget
from mcphub_server.web.body_limits import BodyLimits, ThrottledRefusals
from mcphub_server.web.caller import current_identity
from mcphub_server.web.forwarded import parse_networks
from mcphub_server.web.hosts import build_host_policy
from mcphub_server.web.paths import PathRouter
from mcphub_server.web.request_context import RequestContextMiddleware
from mcphub_server.web.turns import Turns, TurnsMiddleware
from mcphub_server.web.unread import UnreadAnswers, UnreadMiddleware

Layer = Callable[[ASGIApp], ASGIApp]


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What observes requests."""

    metrics: Metrics
    tracing: Tracing | None


def build_hub(
    config: HubConfig,
    runtime: RuntimeSettings,
    peers: PeerDirectory | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Hub:
    """Build a hub; must run inside the event loop that will serve it.

    `peers` lists the hub's other replicas; by default the headless Service does.
    `clock` measures the clients' call rates.
    """
    unread = UnreadAnswers(find_memory_limit())
    state = ServerState(capacity=find_capacity(runtime), unread=unread)
    metrics = Metrics(find_version())
    backends = [register(each, runtime.secrets_dir) for each in config.enabled_backends]
    monitors = build_monitors(backends, state, runtime.secrets_dir)
    metrics.watch(monitors, state)
    state_key = read_state_key(runtime.keys_dir)
    limiters = build_limiters(config.limits)
    catalog = ToolCatalog()
    calls = ToolCallMiddleware(limiters, metrics, state, clock, catalog.explain_absence)
    runner = LimitedRunner(monitors, config.limits.max_concurrent_calls, metrics)
    guards = GuardRunner(calls.charge)
    context = build_context(config.limits, state_key, runner, guards)
    facts = build_facts(config, monitors, catalog)
    catalog.add_built_in(build_tools(context, backends, facts))
    prompts = PromptCatalog(catalog.list_names)
    schemas = build_schemas(backends, context, catalog)
    mcp, fast_path = build_server(
        ServerParts(
            name=runtime.hub,
            state_key=state_key,
            calls=calls,
            catalog=catalog,
            facts=facts,
            schemas=schemas,
            prompts=prompts,
            needs_token=config.auth.type is not AuthType.NONE,
        )
    )
    live = LiveTools(
        LiveParts(
            path=runtime.config.with_name(LIVE_FILE),
            builders=build_builders(backends, context),
            hidden=[each.name for each in config.backends if not each.enabled],
            monitors=monitors,
            prompts=prompts,
            own_claims=config.identity_claims,
        ),
        catalog,
        state.notify,
        metrics.register_tools,
        ListChanges(mcp, catalog).notify,
    )
    metrics.follow_live(lambda: live.applied_at)
    policy = build_auth_policy(config, runtime, lambda: live.claims)
    tracing = build_tracing(
        config.observability.otlp, runtime, metrics.registry, state.notify
    )
    board = StatusBoard(
        find_version(),
        monitors,
        state,
        policy.report,
        lambda: {**live.render(), **(tracing.render() if tracing else {})},
    )
    state.on_change(board.notify)
    state.on_change(live.wake)

    transports = build_transports(mcp, config.transports, state, fast_path)
    sessions = build_session_services(config, runtime, metrics.registry, state, peers)
    certificate = build_certificate(config, runtime, metrics, sessions)
    return Hub(
        runtime=runtime,
        monitors=monitors,
        state=state,
        board=board,
        auth=policy,
        sessions=sessions,
        transports=transports,
        live=live,
        certificate=certificate,
        tracing=tracing,
        app=build_pipeline(
            config, runtime, Telemetry(metrics, tracing), policy, sessions, transports
        ),
        management=build_management_app(config, board, metrics, state),
    )


def build_pipeline(
    config: HubConfig,
    runtime: RuntimeSettings,
    telemetry: Telemetry,
    policy: AuthPolicy,
    sessions: SessionServices,
    transports: Transports,
) -> ASGIApp:
    """Put the layers around the MCP endpoints."""
    hosts = build_host_policy(
        runtime.hub, runtime.namespace, config.public_url, config.allowed_hosts
    )
    proxies = parse_networks(config.trusted_proxies)
    state, stateful = sessions.state, config.transports.is_stateful
    health = Router(routes=build_health_routes(state))
    documents = build_resource_metadata(config)
    page = build_page(runtime.hub) if config.web_page.enabled else {}
    metrics, tracing = telemetry.metrics, telemetry.tracing
    refusals = RefusalLog(metrics.count_auth_failure, LineBudget())
    bodies = BodyBudget(find_memory_limit())
    note_full, turns = partial(metrics.count_limited, "body"), Turns()
    layers: list[Layer] = [  # outermost first
        # holds back the refusals of a caller who has many
        lambda app: ThrottledRefusals(app, state.throttle),
        # the request's id, the client's address, Host and Origin
        lambda app: RequestContextMiddleware(app, hosts, proxies),
        # what a request may send, and how long that may take
        lambda app: BodyLimits(app, bodies, note_full, state.throttle),
        # counts requests; a draining or full replica redirects new sessions
        lambda app: Admission(app, state, stateful=stateful),
        # health, public documents, the page and 404 end here; MCP goes on
        lambda app: PathRouter(app, health, documents, page),
        # requests that another replica forwarded
        lambda app: PeerAuthMiddleware(app, sessions),
        # the bearer token of every other request
        lambda app: AuthMiddleware(app, policy, refusals, metrics.count_authentication),
        # the trace of each request that got this far, if traces are on
        *([tracing.wrap] if tracing else []),
        # what callers have not read yet
        lambda app: UnreadMiddleware(app, state.unread),
        # in one turn of the event loop each caller begins one request
        lambda app: TurnsMiddleware(app, turns),
        # WebSockets end here; each is its own session, on this replica
        lambda app: WebSocketRouter(app, transports.websockets),
        # what fails from here on is answered all the same, even in a stream
        LateErrors,
        # /mcp: a response that takes a while becomes a stream that can be resumed
        lambda app: ResumabilityMiddleware(app, sessions),
        # the owner of a session answers its requests
        lambda app: SessionMiddleware(app, sessions),
        # an answer that fails here can be buffered and resumed like every other
        LateErrors,
    ]
    app = transports.app
    for layer in reversed(layers):
        app = layer(app)
    return app


def build_certificate(
    config: HubConfig,
    runtime: RuntimeSettings,
    metrics: Metrics,
    sessions: SessionServices,
) -> ServedCertificate | None:
    """Read the certificate of the port for MCP clients; None without TLS."""
    if not config.tls.enabled:
        return None
    served = ServedCertificate(runtime.tls_dir, sessions.keyring.find_signing)
    metrics.watch_certificate(
        lambda: served.pair.not_after.timestamp() if served.pair else 0.0
    )
    return served


def find_capacity(runtime: RuntimeSettings) -> Capacity:
    """Return how many streams there may be: as configured, or as memory allows."""
    return build_capacity(runtime.max_streams or count_streams(find_memory_limit()))


def build_context(
    limits: LimitsConfig, state_key: bytes, runner: LimitedRunner, guards: GuardRunner
) -> ToolContext:
    """Make what every tool is given."""
    return ToolContext(
        limits=limits,
        cursors=CursorSigner(state_key),
        run=runner,
        principal=current_identity,
        note=note_call,
        guards=guards,
    )


def build_monitors(
    backends: Sequence[Registered], state: ServerState, secrets_dir: Path
) -> list[BackendMonitor]:
    """Make the watch over each backend."""
    return [
        BackendMonitor(
            each.backend,
            state.notify,
            find_oddity=partial(find_odd_secret, secrets_dir, each.backend.name),
        )
        for each in backends
    ]


def build_facts(
    config: HubConfig, monitors: Sequence[BackendMonitor], catalog: ToolCatalog
) -> HubFacts:
    """Gather what the hub tells about itself."""
    descriptions = {
        each.name: each.description or "" for each in config.enabled_backends
    }
    return HubFacts(
        find_version(), monitors, catalog.list_names, catalog.shows, descriptions
    )


def build_tools(
    context: ToolContext, backends: Sequence[Registered], facts: HubFacts
) -> Iterator[CatalogEntry]:
    """Make the hub's own tools, and those of its backends."""
    for tool in build_hub_tools(facts):
        yield CatalogEntry(tool)
    for each in backends:
        for tool in each.build_tools(context):
            yield CatalogEntry(tool, each.backend.name)


def build_schemas(
    backends: Sequence[Registered], context: ToolContext, catalog: ToolCatalog
) -> SchemaCatalog:
    """Make the resources: what the backends' objects consist of."""
    sources = {
        each.backend.name: each.build_source(context)
        for each in backends
        if each.build_source is not None
    }
    return SchemaCatalog(context, sources, catalog.list_built_in)
