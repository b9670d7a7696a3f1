"""Static tokens as files: the file's name is the client, its content the token.

The files are read live, because the operator rotates tokens without a restart: at most
once a second, and at once when a token is unknown and a file has changed. Kubernetes
projects a Secret through the symbolic link `..data`; names that begin with a dot are
not clients. The token before the last rotation is valid until the time beside it.
"""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from mcp.server.auth.provider import AccessToken

from mcphub_server.auth.claims import store_claims
from mcphub_server.auth.refusals import CredentialRefused, Refusal
from mcphub_server.auth.report import ALL_WELL, AuthProblem, AuthReport
from mcphub_server.auth.token_flaws import clean_token, find_flaw, find_flaws
from mcphub_server.web.claims import SUBJECT, keep_claims

RECHECK_SECONDS = 1.0
FOLLOW_SECONDS = 5.0
MOST_NAMED = 10
PREVIOUS_TOKEN = "previous-token"  # noqa: S105 -- the name of a file
UNREADABLE_TOKEN = "cannot be read"  # noqa: S105 -- a flaw

Signature = tuple[tuple[str, int, int, int, int], ...]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PreviousToken:
    """A rotated token in its grace period."""

    client: str
    digest: bytes = field(repr=False)
    expires_at: float


class TokenFiles:
    """Verifies bearer tokens against a folder.

    Args:
        folder: One file for each client.
        keys_dir: May hold the token before the last rotation.
        clock: Of the pauses between readings, in seconds.
        now: Unix seconds.
    """

    def __init__(
        self,
        folder: Path,
        keys_dir: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._previous_path = keys_dir / PREVIOUS_TOKEN if keys_dir else None
        self._clock = clock
        self._now = now
        self._checked_at = -RECHECK_SECONDS
        self._signature: Signature = ()
        self._digests: dict[str, bytes] = {}
        self._previous: PreviousToken | None = None
        self._flaws: dict[str, str] = {}

    async def verify(self, token: str) -> AccessToken:
        """Return the client whose token this is; raises CredentialRefused."""
        if self._clock() - self._checked_at >= RECHECK_SECONDS:
            self.refresh()
        client = self._find(token)
        if client is None and sign_folder(self._folder) != self._signature:
            self.refresh()
            client = self._find(token)
        if client is None:
            raise CredentialRefused(Refusal.UNKNOWN)
        # the token itself is not carried any further
        claims = store_claims(keep_claims({SUBJECT: client}, ()))
        return AccessToken(token="", client_id=client, scopes=[], claims=claims)

    def refresh(self) -> None:
        """Read the files again: a rewritten file may look like the one before."""
        self._checked_at = self._clock()
        self._signature = sign_folder(self._folder)
        tokens, unreadable = read_tokens(self._folder, self._signature)
        flaws = find_flaws(tokens) | dict.fromkeys(unreadable, UNREADABLE_TOKEN)
        self._digests = {
            client: hashlib.sha256(token).digest()
            for client, token in tokens.items()
            if client not in flaws
        }
        self._previous = find_previous_token(self._previous_path)
        self._note(flaws)

    async def follow(self, notify: Callable[[], None]) -> None:
        """Read the files periodically; call `notify` when the report has changed."""
        told = self.report()
        while True:
            self.refresh()
            if self.report() != told:
                told = self.report()
                notify()
            await asyncio.sleep(FOLLOW_SECONDS)

    def report(self) -> AuthReport:
        """Return which clients cannot authenticate, and why."""
        if self._digests and not self._flaws:
            return ALL_WELL
        return AuthReport(AuthProblem.TOKENS_REFUSED, describe_flaws(self._flaws))

    @property
    def clients(self) -> tuple[str, ...]:
        """The names of the clients that may connect."""
        return tuple(self._digests)

    def _note(self, flaws: dict[str, str]) -> None:
        if flaws != self._flaws:
            self._flaws = flaws
            if flaws:
                log.warning("tokens refused", problem=describe_flaws(flaws))

    def _find(self, token: str) -> str | None:
        """Compare with every token: the time must not tell which one matches."""
        digest = hashlib.sha256(token.encode()).digest()
        found: str | None = None
        for client, known in self._digests.items():
            if hmac.compare_digest(digest, known):
                found = client
        previous = self._previous
        if previous is not None and hmac.compare_digest(digest, previous.digest):
            is_valid = previous.client in self._digests
            if found is None and is_valid and self._now() < previous.expires_at:
                found = previous.client
        return found


def describe_flaws(flaws: Mapping[str, str]) -> str:
    """Return a sentence that names clients, never a token."""
    if not flaws:
        return "there is no token, so no client can authenticate"
    named = [f"the token of {client} {flaw}" for client, flaw in sorted(flaws.items())]
    rest = len(named) - MOST_NAMED
    more = [f"{rest} more"] if rest > 0 else []
    return "; ".join([*named[:MOST_NAMED], *more])


def sign_folder(folder: Path) -> Signature:
    """Return what changes when a token file is replaced or written.

    The time of the last change of the inode cannot be set by programs.
    """
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
        changed = (status.st_mtime_ns, status.st_ctime_ns, status.st_size)
        signature.append((name, status.st_ino, *changed))
    return tuple(signature)


def read_tokens(
    folder: Path, signature: Signature
) -> tuple[dict[str, bytes], list[str]]:
    """Return each client's token, and the clients whose files cannot be read."""
    tokens: dict[str, bytes] = {}
    unreadable: list[str] = []
    for name, *_ in signature:
        try:
            tokens[name] = clean_token((folder / name).read_bytes())
        except FileNotFoundError:
            continue
        except OSError:
            unreadable.append(name)
    return tokens, unreadable


def find_previous_token(path: Path | None) -> PreviousToken | None:
    """Read `<unix seconds> <client> <token>`; None without a valid one."""
    try:
        parts = path.read_text(encoding="ascii").split() if path else []
        expiry, client, token = parts
        expires_at = float(expiry)
    except (OSError, ValueError):
        return None
    if find_flaw(token.encode()):
        return None
    return PreviousToken(client, hashlib.sha256(token.encode()).digest(), expires_at)
