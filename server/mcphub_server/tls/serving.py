"""The certificate that clients see: read from files, and again while it runs.

A kubelet replaces the files when the Secret changes. A pair that cannot be used leaves
the one before in force, and no connection ends: each handshake takes the certificate
that is in use at that moment.
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import structlog

from mcphub_server.tls.contexts import build_server_context
from mcphub_server.tls.pair import Flaw, Pair, PairRefused, choose_pair, parse_pair
from mcphub_server.tls.peers import PEER_NAME, build_peer_pair

CERTIFICATE_FILE = "tls.crt"
KEY_FILE = "tls.key"
LARGEST_FILE = 1024 * 1024
"""What a Secret holds at most."""

REREAD_SECONDS = 2.0

log = structlog.get_logger(__name__)


def now() -> datetime:
    """Return the time by which certificates are valid."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Files:
    """What the files have, and what that is worth.

    Attributes:
        pair: None if no server can use them.
        flaw: Why not.
    """

    chain: bytes
    key: bytes = field(repr=False)
    pair: Pair | None = None
    flaw: Flaw | None = None


NO_FILES = Files(b"", b"")


class ServedCertificate:
    """The certificate in use, and the TLS context of the listener.

    Attributes:
        pair: None until there is one that can be used.
        problem: What is wrong with the files; None if nothing is.
    """

    def __init__(
        self,
        folder: Path,
        find_signing_key: Callable[[], bytes],
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.pair: Pair | None = None
        self.problem: Flaw | None = None
        self._folder = folder
        self._find_signing_key = find_signing_key
        self._clock = clock
        self._files = NO_FILES
        self._own: ssl.SSLContext | None = None
        self._peer: tuple[Pair, ssl.SSLContext] | None = None
        self._waiting: list[Callable[[], None]] = []
        self.context = build_server_context()
        self.context.sni_callback = self._choose
        self.take(read_files(folder, self._files))

    def when_usable(self, begin: Callable[[], None]) -> None:
        """Call a function once there is a certificate, now if there is one."""
        if self.pair is not None:
            begin()
        else:
            self._waiting.append(begin)

    async def follow(self) -> None:
        """Read the files again and again until cancelled."""
        while True:
            await asyncio.sleep(REREAD_SECONDS)
            self.take(await asyncio.to_thread(read_files, self._folder, self._files))

    def take(self, files: Files) -> None:
        """Use what the files have now, if that is better."""
        self._files = files
        problem = files.flaw
        if files.pair is not None:
            best = choose_pair(self.pair, files.pair, self._clock())
            problem = files.pair.find_flaw(self._clock())
            try:
                self._use(best)
            except PairRefused as refused:
                problem = refused.flaw
        self._note(problem)

    def _use(self, pair: Pair) -> None:
        if pair is self.pair:
            return
        self._own = build_server_context(pair)
        self.pair = pair
        log.info("certificate in use", not_after=pair.not_after.isoformat())
        waiting, self._waiting = self._waiting, []
        for begin in waiting:
            begin()

    def _note(self, problem: Flaw | None) -> None:
        if problem is not self.problem and problem is not None:
            log.warning("certificate not usable", problem=problem.value)
        self.problem = problem

    def _choose(
        self,
        connection: ssl.SSLObject,
        name: str | None,
        _context: ssl.SSLContext,
    ) -> int | None:
        """Give a connection its certificate, once the client has named the server."""
        context = self._find_peer_context() if name == PEER_NAME else self._own
        if context is None:
            return int(ssl.AlertDescription.ALERT_DESCRIPTION_INTERNAL_ERROR)
        connection.context = context
        return None

    def _find_peer_context(self) -> ssl.SSLContext:
        pair = build_peer_pair(self._find_signing_key())
        if self._peer is None or self._peer[0] is not pair:
            self._peer = (pair, build_server_context(pair))
        return self._peer[1]


def read_files(folder: Path, before: Files) -> Files:
    """Return what both files have now; the same object if that has not changed.

    A kubelet replaces the folder that both are in: what is read of two states does not
    fit together, and is read again.
    """
    chain, key = (read_file(folder / name) for name in (CERTIFICATE_FILE, KEY_FILE))
    if (chain, key) == (before.chain, before.key) and chain:
        return before
    if not (chain and key):
        return Files(chain, key, flaw=Flaw.MISSING)
    try:
        return Files(chain, key, pair=parse_pair(chain, key))
    except PairRefused as refused:
        return Files(chain, key, flaw=refused.flaw)


def read_file(path: Path) -> bytes:
    """Return a file's content; empty if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_FILE)
    except OSError:
        return b""
