"""Closes a connection whose TLS handshake is cancelled.

httpcore and httpcore2 close it after an error, and leave it open when the task is
cancelled: a probe that runs out of time, or a call whose client leaves, would leave a
socket behind until the garbage collector finds it. This rests on two private
attributes of the pinned libraries (a transport's `_pool` and its `_network_backend`); a
test against a server that never finishes a handshake watches them.
"""

from typing import Any

import anyio


class ClosingBackend:
    """Opens connections as another network backend does, and closes each in time."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def connect_tcp(self, *args: Any, **options: Any) -> "ClosingStream":
        """Return a connection whose handshake may be cancelled."""
        return ClosingStream(await self._inner.connect_tcp(*args, **options))


class ClosingStream:
    """A connection before its handshake."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def start_tls(self, *args: Any, **options: Any) -> Any:
        """Return the connection with TLS; close it if that comes to nothing."""
        try:
            return await self._inner.start_tls(*args, **options)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._inner.aclose()
            raise


def close_cancelled_handshakes(transport: Any) -> None:
    """Let a transport of httpx or httpx2, without a proxy, close such connections."""
    pool = transport._pool  # noqa: SLF001 -- see the module's docstring
    pool._network_backend = ClosingBackend(pool._network_backend)  # noqa: SLF001
