"""Authenticates requests of other replicas, which carry no client's credentials."""

from dataclasses import replace
from http import HTTPStatus

from starlette.types import ASGIApp, Receive, Scope, Send

from mcphub_server.auth.middleware import describe_caller
from mcphub_server.sessions.forwarding.forward_token import ForwardToken
from mcphub_server.sessions.forwarding.protocol import (
    Misdirected,
    describe_target,
    send_misdirected,
)
from mcphub_server.sessions.metrics import SessionOutcome
from mcphub_server.sessions.services import SessionServices
from mcphub_server.sessions.tokens.principal import build_token, enter_scope
from mcphub_server.web.asgi import replace_header, send_response
from mcphub_server.web.caller import current_client, enter_client
from mcphub_server.web.headers import ANNOUNCEMENT_HEADER, FORWARD_TOKEN_HEADER
from mcphub_server.web.request import get_request, replace_request


class PeerAuthMiddleware:
    """Verifies forward tokens and announcements; passes on every other request.

    A request with a valid token is marked as forwarded, and `AuthMiddleware` asks it
    for no credential.
    """

    def __init__(self, app: ASGIApp, services: SessionServices) -> None:
        self._app = app
        self._signer = services.signer
        self._peer_set = services.peer_set
        self._metrics = services.metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = get_request(scope)
        if request.announcement is not None:
            await self._answer_announcement(request.announcement, send)
        elif request.forward_token is not None:
            token = await self._find_token(request.forward_token, scope)
            if token is None:
                await self._refuse(send)
            else:
                await self._app(accept(token, scope), receive, send)
        else:
            await self._app(scope, receive, send)

    async def _find_token(self, text: str, scope: Scope) -> ForwardToken | None:
        token = await self._signer.find_forward_token(text, describe_target(scope))
        is_meant = token is not None and token.owner_uid == self._signer.identity.uid
        return token if is_meant else None

    async def _answer_announcement(self, announcement: str, send: Send) -> None:
        if not await self._peer_set.record(announcement):
            await self._refuse(send)
            return
        own = (ANNOUNCEMENT_HEADER, self._peer_set.build_announcement().encode())
        await send_response(send, HTTPStatus.NO_CONTENT, b"", [own])

    async def _refuse(self, send: Send) -> None:
        self._metrics.count(SessionOutcome.REFUSED)
        await send_misdirected(send, Misdirected.ANOTHER)


def accept(token: ForwardToken, scope: Scope) -> Scope:
    """Return the scope of a request as if its client had sent it to this replica."""
    client = replace(current_client(), address=token.client)
    if token.principal is not None:
        client = describe_caller(client, build_token(token.principal))
    enter_client(client)
    headers = replace_header(scope["headers"], FORWARD_TOKEN_HEADER, None)
    request = replace(get_request(scope), is_forwarded=True)
    scope = replace_request({**scope, "headers": headers}, request)
    return enter_scope(scope, token.principal)
