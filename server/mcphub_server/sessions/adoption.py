"""Sessions on `/mcp` that this replica took over from an owner that is gone.

An internal `initialize` with what the session id says opens a session of the SDK; the
client does not notice. A 404 would end its session for good: Python and TypeScript
clients do not initialize again.
"""

import asyncio
from http import HTTPStatus

from starlette.types import ASGIApp, Scope

from mcphub_server.sessions.handshake import INITIALIZED, build_initialize
from mcphub_server.sessions.tokens.session_id import SessionId
from mcphub_server.web.asgi import Headers, find_header
from mcphub_server.web.headers import SESSION_HEADER
from mcphub_server.web.internal import build_internal_scope, call_app

MOST_REMEMBERED = 20_000
KEPT = (b"host", b"authorization", b"origin")


class AdoptedSessions:
    """The SDK's ids of adopted sessions, and the sessions that clients ended."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._sdk_ids: dict[bytes, str] = {}
        self._ended: dict[bytes, None] = {}
        self._adopting = asyncio.Lock()

    def find(self, session: SessionId) -> str | None:
        """Return the SDK's id of an adopted session."""
        return self._sdk_ids.get(session.sdk_session_id)

    def has_ended(self, session: SessionId) -> bool:
        """Return whether the client ended the session: it must not come back."""
        return session.sdk_session_id in self._ended

    def end(self, session: SessionId) -> None:
        """Remember that the client ended the session."""
        self._sdk_ids.pop(session.sdk_session_id, None)
        self._ended[session.sdk_session_id] = None
        while len(self._ended) > MOST_REMEMBERED:
            self._ended.pop(next(iter(self._ended)))

    async def adopt(
        self, session: SessionId, stale: str | None, scope: Scope
    ) -> tuple[str | None, bool]:
        """Open a session of the SDK in place of this one.

        Args:
            session: The session to adopt.
            stale: The SDK's id that turned out to be unknown to the SDK.
            scope: The request that names the session.

        Returns:
            The SDK's id, None if the SDK refused; and whether it is a new one.
        """
        async with self._adopting:
            known = self.find(session)
            if known is not None and known != stale:
                return known, False
            sdk_id = await self._initialize(session, scope)
            if sdk_id is not None:
                self._sdk_ids.pop(session.sdk_session_id, None)
                self._sdk_ids[session.sdk_session_id] = sdk_id
            while len(self._sdk_ids) > MOST_REMEMBERED:
                self._sdk_ids.pop(next(iter(self._sdk_ids)))
            return sdk_id, sdk_id is not None

    async def _initialize(self, session: SessionId, scope: Scope) -> str | None:
        opening = build_initialize(session.revision, session.capabilities)
        response = await call_app(
            self._app, build_internal_scope(scope, KEPT, [], opening)
        )
        sdk_id = find_header(response.headers, SESSION_HEADER)
        if response.status != HTTPStatus.OK or sdk_id is None:
            return None
        named: Headers = [(SESSION_HEADER, sdk_id.encode())]
        await call_app(self._app, build_internal_scope(scope, KEPT, named, INITIALIZED))
        return sdk_id
