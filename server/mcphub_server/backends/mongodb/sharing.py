"""One client for many calls, replaced when the secret files change.

A client of the driver keeps the login that it was made with. After a change calls that
have begun end on the old client, which is closed behind the last of them.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from mcphub_server.backends.mongodb.connecting import Client, build_client
from mcphub_server.config.backends import MongodbConfig
from mcphub_server.config.secrets import BackendSecrets

ReadSecrets = Callable[[], BackendSecrets]


class _Use:
    """A client, what it was made with, and how many calls use it."""

    def __init__(self, client: Client, secrets: BackendSecrets) -> None:
        self.client = client
        self.secrets = secrets
        self.calls = 0


class SharedClient:
    """Lends the client that fits the secrets."""

    def __init__(self, config: MongodbConfig, read_secrets: ReadSecrets) -> None:
        self._config = config
        self._read_secrets = read_secrets
        self._current: _Use | None = None
        self.calls = 0

    @property
    def is_open(self) -> bool:
        """Tell whether there is a client."""
        return self._current is not None

    async def refresh(self) -> None:
        """Make a client, or a new one after the secrets have changed.

        Raises:
            pymongo.errors.PyMongoError, ValueError, OSError: None can be made.
        """
        secrets = await asyncio.to_thread(self._read_secrets)
        if self._current is None or self._current.secrets != secrets:
            before = self._current
            self._current = _Use(build_client(self._config, secrets), secrets)
            await self._close_unused(before)

    async def close(self) -> None:
        """Close every connection."""
        before, self._current = self._current, None
        if before is not None:
            await before.client.close()

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[Client]:
        """Lend the client for one call; `refresh` has made one before."""
        use = self._current
        assert use is not None  # noqa: S101
        use.calls += 1
        self.calls += 1
        try:
            yield use.client
        finally:
            use.calls -= 1
            self.calls -= 1
            await self._close_unused(use)

    async def _close_unused(self, use: _Use | None) -> None:
        if use is not None and use is not self._current and not use.calls:
            await use.client.close()
