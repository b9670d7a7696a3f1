"""Static tokens as files: the file's name is the client, its content the token.

The files are read live, because the operator rotates tokens without a restart: at most
once a second, and at once when a token is unknown. Kubernetes projects a Secret
through the symbolic link `..data`; names that begin with a dot are not clients.
"""

import hashlib
import hmac
import time
from collections.abc import Callable
from pathlib import Path

from mcp.server.auth.provider import AccessToken

RECHECK_SECONDS = 1.0

Signature = tuple[tuple[str, int, int, int], ...]


class TokenFiles:
    """Verifies bearer tokens against a folder."""

    def __init__(
        self, folder: Path, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._checked_at = -RECHECK_SECONDS
        self._signature: Signature = ()
        self._digests: dict[str, bytes] = {}

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return the client whose token this is, or None."""
        if self._clock() - self._checked_at >= RECHECK_SECONDS:
            self.refresh()
        client = self._find(token)
        if client is None and self.refresh():
            client = self._find(token)
        if client is None:
            return None
        # the token itself is not carried any further
        return AccessToken(token="", client_id=client, scopes=[])

    def refresh(self) -> bool:
        """Read the files again if any has changed; return whether one had."""
        self._checked_at = self._clock()
        signature = sign_folder(self._folder)
        if signature == self._signature:
            return False
        self._signature = signature
        self._digests = read_digests(self._folder, [name for name, *_ in signature])
        return True

    @property
    def clients(self) -> tuple[str, ...]:
        """The names of the clients that may connect."""
        return tuple(self._digests)

    def _find(self, token: str) -> str | None:
        """Compare with every token: the time must not tell which one matches."""
        digest = hashlib.sha256(token.encode()).digest()
        found: str | None = None
        for client, known in self._digests.items():
            if hmac.compare_digest(digest, known):
                found = client
        return found


def sign_folder(folder: Path) -> Signature:
    """Return what changes when any token file changes."""
    try:
        names = sorted(
            path.name for path in folder.iterdir() if not path.name.startswith(".")
        )
    except OSError:
        return ()
    signature = []
    for name in names:
        try:
            status = (folder / name).stat()
        except OSError:
            continue
        signature.append((name, status.st_ino, status.st_mtime_ns, status.st_size))
    return tuple(signature)


def read_digests(folder: Path, names: list[str]) -> dict[str, bytes]:
    """Return the digest of each client's token; skip empty and unreadable files."""
    digests: dict[str, bytes] = {}
    for name in names:
        try:
            token = (folder / name).read_bytes().strip()
        except OSError:
            continue
        if token:
            digests[name] = hashlib.sha256(token).digest()
    return digests
