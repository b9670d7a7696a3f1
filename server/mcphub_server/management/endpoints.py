"""The second listener: health, metrics, configuration and status, without credentials.

It serves the operator, probes and monitoring. A NetworkPolicy closes it to other
clients, and nothing on it is secret.
"""

from collections.abc import Awaitable, Callable, Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from mcphub_server.config.hub import HubConfig
from mcphub_server.config.load import redact
from mcphub_server.management.metrics import Metrics
from mcphub_server.management.status import StatusBoard, parse_wait
from mcphub_server.traffic.state import ServerState
from mcphub_server.web.responses import build_json

Endpoint = Callable[[Request], Awaitable[Response]]


def build_routes(endpoints: Mapping[str, Endpoint]) -> list[BaseRoute]:
    """Make a route for each path; a slash at the end makes no difference."""
    return [
        Route(path + end, endpoint)
        for path, endpoint in endpoints.items()
        for end in ("", "/")
    ]


def build_health_routes(state: ServerState) -> list[BaseRoute]:
    """Make `/health`, `/health/live` and `/health/ready`, for both listeners."""

    async def live(_request: Request) -> Response:
        return build_json({"status": "alive"})

    async def ready(_request: Request) -> Response:
        if state.draining:
            return build_json({"status": "draining"}, 503)
        if not state.serving:
            return build_json({"status": "starting"}, 503)
        return build_json({"status": "ready"})

    return build_routes(
        {"/health": ready, "/health/live": live, "/health/ready": ready}
    )


def build_management_app(
    config: HubConfig, board: StatusBoard, metrics: Metrics, state: ServerState
) -> Starlette:
    """Make the ASGI application of the management port."""

    async def show_metrics(request: Request) -> Response:
        body, content_type = metrics.render(request.headers.get("accept", ""))
        return Response(body, media_type=content_type)

    async def show_config(_request: Request) -> Response:
        return build_json(redact(config))

    async def show_status(request: Request) -> Response:
        known = request.headers.get("if-none-match", "")
        etag = board.etag
        if known and known == etag:
            seconds = parse_wait(request.headers.get("prefer", ""))
            etag = await board.wait_for_other(known, seconds)
            if etag == known:
                return Response(status_code=304, headers={"etag": etag})
        return build_json(board.render(), etag=etag)

    return Starlette(
        routes=[
            *build_health_routes(state),
            *build_routes(
                {
                    "/metrics": show_metrics,
                    "/config": show_config,
                    "/status": show_status,
                }
            ),
        ]
    )
