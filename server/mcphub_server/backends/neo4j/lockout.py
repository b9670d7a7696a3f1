"""Keeps a hub with a wrong password from locking its user out of Neo4j.

Neo4j refuses a user's every login for some seconds after three wrong ones, right
ones included. A hub that tries its wrong password at each probe would keep everybody
else out too, so after a refusal it tries again only when its secret has changed or a
while has passed.
"""

import asyncio
import time

from mcphub_server.backends.neo4j.connecting import FileCredentials, ReadSecrets
from mcphub_server.backends.neo4j.failures import build_unavailable
from mcphub_server.config.secrets import BackendSecrets
from mcphub_server.errors import BackendReason, BackendUnavailable, ToolFailure

PAUSE_SECONDS = 30.0


class LoginGate:
    """Remembers the credentials that were refused, and when."""

    def __init__(self, backend: str, read_secrets: ReadSecrets) -> None:
        self.credentials = FileCredentials(read_secrets)
        self._backend = backend
        self._read_secrets = read_secrets
        self._refused: BackendSecrets | None = None
        self._until = 0.0

    async def check(self) -> None:
        """Raise BackendUnavailable while another try could only do harm."""
        if self._refused is None or time.monotonic() >= self._until:
            return
        if await asyncio.to_thread(self._read_secrets) == self._refused:
            raise build_unavailable(self._backend, BackendReason.BAD_CREDENTIALS)

    def note(self, failure: ToolFailure) -> None:
        """Remember the credentials of a refused login."""
        if (
            isinstance(failure, BackendUnavailable)
            and failure.reason is BackendReason.BAD_CREDENTIALS
        ):
            self._refused = self.credentials.given
            self._until = time.monotonic() + PAUSE_SECONDS
